"""Blocks of rows by month, keys, marks and states: tables that Django's own schema editor cannot describe.

The months' partitions are made when they are needed, see `deployments.partitions`. No foreign keys: these tables are
written by COPY and emptied by dropping partitions.
"""

from django.db import migrations

CREATE = """
CREATE SEQUENCE deployments_block_id;
CREATE TABLE deployments_block (
    deployment_id integer NOT NULL,
    day date NOT NULL,
    id bigint NOT NULL DEFAULT nextval('deployments_block_id'),
    kind smallint NOT NULL,
    state smallint NOT NULL,
    model_id integer NOT NULL,
    batch_id integer,
    first_hour integer NOT NULL,
    last_hour integer NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    rows integer NOT NULL,
    predictions bigint NOT NULL,
    request_key bigint,
    keep_unmatched boolean NOT NULL DEFAULT false,
    received_at timestamptz NOT NULL,
    payload bytea STORAGE EXTERNAL NOT NULL,
    PRIMARY KEY (deployment_id, day, id)
) PARTITION BY RANGE (day);
-- what the roll-up has not seen yet
CREATE INDEX deployments_block_pending ON deployments_block (deployment_id, kind, id) WHERE state = 1;
-- the rows of a batch
CREATE INDEX deployments_block_batch ON deployments_block (deployment_id, batch_id) WHERE batch_id IS NOT NULL;

CREATE SEQUENCE deployments_actualblock_id;
CREATE TABLE deployments_actualblock (
    deployment_id integer NOT NULL,
    day date NOT NULL,
    id bigint NOT NULL DEFAULT nextval('deployments_actualblock_id'),
    grain smallint NOT NULL,
    bucket integer NOT NULL,
    rows integer NOT NULL,
    payload bytea STORAGE EXTERNAL NOT NULL,
    PRIMARY KEY (deployment_id, day, id)
) PARTITION BY RANGE (day);
-- the actuals of one day or batch
CREATE INDEX deployments_actualblock_bucket ON deployments_actualblock (deployment_id, grain, bucket);

CREATE TABLE deployments_predictionkey (
    key bigint NOT NULL,
    deployment_id integer NOT NULL,
    bucket integer NOT NULL,
    model_id integer NOT NULL,
    grain smallint NOT NULL,
    superseded boolean NOT NULL DEFAULT false,
    PRIMARY KEY (deployment_id, key, grain, bucket, model_id)
);
-- which predictions of an hour are not to be scored
CREATE INDEX deployments_predictionkey_superseded ON deployments_predictionkey (deployment_id, model_id, bucket)
    WHERE superseded;

CREATE TABLE deployments_waitingkey (
    key bigint NOT NULL,
    block_id bigint NOT NULL,
    deployment_id integer NOT NULL,
    PRIMARY KEY (deployment_id, key, block_id)
);
-- forgetting the keys of a block that is looked at again
CREATE INDEX deployments_waitingkey_block ON deployments_waitingkey (deployment_id, block_id);

CREATE TABLE deployments_dirtybucket (
    deployment_id integer NOT NULL,
    area smallint NOT NULL,
    grain smallint NOT NULL,
    model_id integer NOT NULL,
    bucket integer NOT NULL,
    PRIMARY KEY (deployment_id, area, grain, model_id, bucket)
);

CREATE TABLE deployments_state (
    deployment_id integer NOT NULL,
    area smallint NOT NULL,
    grain smallint NOT NULL,
    model_id integer NOT NULL,
    attribute_id integer NOT NULL,
    value_id integer NOT NULL,
    bucket integer NOT NULL,
    payload bytea NOT NULL,
    PRIMARY KEY (deployment_id, area, grain, model_id, attribute_id, value_id, bucket)
);
"""

DROP = """
DROP TABLE deployments_state, deployments_dirtybucket, deployments_waitingkey, deployments_predictionkey,
    deployments_actualblock, deployments_block;
DROP SEQUENCE deployments_block_id, deployments_actualblock_id;
"""


class Migration(migrations.Migration):
    dependencies = [("deployments", "0001_first")]
    operations = [migrations.RunSQL(CREATE, DROP)]
