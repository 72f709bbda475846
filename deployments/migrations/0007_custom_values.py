"""What custom metrics add up to by hour, day and batch, and their values by prediction: written by COPY, no foreign keys."""

from django.db import migrations

CREATE = """
CREATE TABLE deployments_customvalue (
    deployment_id integer NOT NULL,
    metric_id integer NOT NULL,
    grain smallint NOT NULL,
    model_id integer NOT NULL,
    attribute_id integer NOT NULL,
    value_id integer NOT NULL,
    bucket integer NOT NULL,
    n bigint NOT NULL,
    samples bigint NOT NULL,
    total double precision NOT NULL,
    weighted double precision NOT NULL,
    last_at bigint NOT NULL,
    last_received bigint NOT NULL,
    last_value double precision NOT NULL,
    unknown bigint NOT NULL,
    counts bytea NOT NULL,
    PRIMARY KEY (deployment_id, metric_id, grain, model_id, attribute_id, value_id, bucket)
);

CREATE TABLE deployments_customrow (
    deployment_id integer NOT NULL,
    key bigint NOT NULL,
    metric_id integer NOT NULL,
    model_id integer NOT NULL,
    association_id varchar(128) NOT NULL,
    at timestamptz NOT NULL,
    value double precision,
    category varchar(200),
    metadata text,
    PRIMARY KEY (deployment_id, key, metric_id, model_id, association_id)
);
-- all values of one metric, to sort or filter rows by them
CREATE INDEX deployments_customrow_metric ON deployments_customrow (deployment_id, metric_id, model_id);
"""

DROP = "DROP TABLE deployments_customrow, deployments_customvalue;"


class Migration(migrations.Migration):
    dependencies = [("deployments", "0006_custom_metrics")]
    operations = [migrations.RunSQL(CREATE, DROP)]
