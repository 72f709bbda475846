"""The service's tables as of the sharing, retraining and expiring tokens: one step for an empty installation.

It takes the place of the steps 0001 to 0022, which stay for installations that stopped between them. What those did to
rows that were there already has nothing to do here. The tables at the end are those that Django's own schema editor cannot
describe (see 0002): written by COPY, no foreign keys, months' partitions made when they are needed.
"""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models
from django.db.migrations.operations.base import Operation

import deployments.ids
import metrics.health.status

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
    is_replay boolean NOT NULL DEFAULT false,
    replayed_by integer[] NOT NULL DEFAULT '{}',
    collected boolean NOT NULL DEFAULT true,
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

DROP = """
DROP TABLE deployments_customrow, deployments_customvalue, deployments_state, deployments_dirtybucket,
    deployments_waitingkey, deployments_predictionkey, deployments_actualblock, deployments_block;
DROP SEQUENCE deployments_block_id, deployments_actualblock_id;
"""


class CreateModels(Operation):
    """Many models at once. One by one, each new model has all that it is related to built again: seconds instead of a moment."""

    def __init__(self, models):
        self.models = models

    def state_forwards(self, app_label, state):
        state.__dict__.pop("apps", None)  # built when somebody asks for it next: once
        for model in self.models:
            model.state_forwards(app_label, state)

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        for model in self.models:
            model.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        for model in reversed(self.models):
            model.database_backwards(app_label, schema_editor, from_state, to_state)

    def describe(self):
        return f"Create the models {', '.join(model.name for model in self.models)}"


class Migration(migrations.Migration):
    replaces = [
        ("deployments", "0001_first"),
        ("deployments", "0002_row_tables"),
        ("deployments", "0003_more_statuses"),
        ("deployments", "0004_jobs_can_be_stopped"),
        ("deployments", "0005_protected_and_places"),
        ("deployments", "0006_custom_metrics"),
        ("deployments", "0007_custom_values"),
        ("deployments", "0008_exports"),
        ("deployments", "0009_challengers"),
        ("deployments", "0010_replayed_blocks"),
        ("deployments", "0011_known_reigns"),
        ("deployments", "0012_sharing"),
        ("deployments", "0013_humility_rules"),
        ("deployments", "0014_prompts"),
        ("deployments", "0015_batch_models"),
        ("deployments", "0016_fill_batch_models"),
        ("deployments", "0017_holdout_by_segment"),
        ("deployments", "0018_time_series"),
        ("deployments", "0019_serving_reports_and_custom_jobs"),
        ("deployments", "0020_baselines_by_place"),
        ("deployments", "0021_retraining"),
        ("deployments", "0022_token_expiry"),
    ]

    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateModels(
            [
                migrations.CreateModel(
                    name="ActualBlock",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "deployment_id",
                                "day",
                                "id",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("deployment_id", models.IntegerField()),
                        ("day", models.DateField()),
                        ("id", models.BigIntegerField()),
                        ("grain", models.SmallIntegerField(choices=[(1, "Hour"), (2, "Day"), (3, "Batch")])),
                        ("bucket", models.IntegerField()),
                        ("rows", models.IntegerField()),
                        ("payload", models.BinaryField()),
                    ],
                    options={
                        "db_table": "deployments_actualblock",
                        "managed": False,
                    },
                ),
                migrations.CreateModel(
                    name="Block",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "deployment_id",
                                "day",
                                "id",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("deployment_id", models.IntegerField()),
                        ("day", models.DateField()),
                        ("id", models.BigIntegerField()),
                        (
                            "kind",
                            models.SmallIntegerField(choices=[(1, "Predictions"), (2, "Actuals"), (3, "Service")]),
                        ),
                        (
                            "state",
                            models.SmallIntegerField(
                                choices=[(1, "Pending"), (2, "Rolled"), (3, "Waiting")], default=1
                            ),
                        ),
                        ("model_id", models.IntegerField()),
                        ("batch_id", models.IntegerField(null=True)),
                        ("first_hour", models.IntegerField()),
                        ("last_hour", models.IntegerField()),
                        ("first_at", models.DateTimeField()),
                        ("last_at", models.DateTimeField()),
                        ("rows", models.IntegerField()),
                        ("predictions", models.BigIntegerField()),
                        ("request_key", models.BigIntegerField(null=True)),
                        ("keep_unmatched", models.BooleanField(default=False)),
                        ("received_at", models.DateTimeField()),
                        ("payload", models.BinaryField()),
                    ],
                    options={
                        "db_table": "deployments_block",
                        "managed": False,
                    },
                ),
                migrations.CreateModel(
                    name="DirtyBucket",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "deployment_id",
                                "area",
                                "grain",
                                "model_id",
                                "bucket",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("deployment_id", models.IntegerField()),
                        (
                            "area",
                            models.SmallIntegerField(choices=[(1, "Service"), (2, "Predictions"), (3, "Accuracy")]),
                        ),
                        ("grain", models.SmallIntegerField(choices=[(1, "Hour"), (2, "Day"), (3, "Batch")])),
                        ("model_id", models.IntegerField()),
                        ("bucket", models.IntegerField()),
                    ],
                    options={
                        "db_table": "deployments_dirtybucket",
                        "managed": False,
                    },
                ),
                migrations.CreateModel(
                    name="PredictionKey",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "deployment_id",
                                "key",
                                "grain",
                                "bucket",
                                "model_id",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("deployment_id", models.IntegerField()),
                        ("key", models.BigIntegerField()),
                        ("grain", models.SmallIntegerField(choices=[(1, "Hour"), (2, "Day"), (3, "Batch")])),
                        ("bucket", models.IntegerField()),
                        ("model_id", models.IntegerField()),
                        ("superseded", models.BooleanField(default=False)),
                    ],
                    options={
                        "db_table": "deployments_predictionkey",
                        "managed": False,
                    },
                ),
                migrations.CreateModel(
                    name="State",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "deployment_id",
                                "area",
                                "grain",
                                "model_id",
                                "attribute_id",
                                "value_id",
                                "bucket",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("deployment_id", models.IntegerField()),
                        (
                            "area",
                            models.SmallIntegerField(choices=[(1, "Service"), (2, "Predictions"), (3, "Accuracy")]),
                        ),
                        ("grain", models.SmallIntegerField(choices=[(1, "Hour"), (2, "Day"), (3, "Batch")])),
                        ("model_id", models.IntegerField()),
                        ("attribute_id", models.IntegerField()),
                        ("value_id", models.IntegerField()),
                        ("bucket", models.IntegerField()),
                        ("payload", models.BinaryField()),
                    ],
                    options={
                        "db_table": "deployments_state",
                        "managed": False,
                    },
                ),
                migrations.CreateModel(
                    name="WaitingKey",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "deployment_id",
                                "key",
                                "block_id",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("deployment_id", models.IntegerField()),
                        ("key", models.BigIntegerField()),
                        ("block_id", models.BigIntegerField()),
                    ],
                    options={
                        "db_table": "deployments_waitingkey",
                        "managed": False,
                    },
                ),
                migrations.CreateModel(
                    name="DeployedModel",
                    fields=[
                        ("id", models.AutoField(primary_key=True, serialize=False)),
                        (
                            "role",
                            models.CharField(
                                choices=[
                                    ("champion", "Champion"),
                                    ("challenger", "Challenger"),
                                    ("former", "Former"),
                                    ("removed", "Removed"),
                                ],
                                default="champion",
                                max_length=10,
                            ),
                        ),
                        ("started_at", models.DateTimeField()),
                        ("ended_at", models.DateTimeField(blank=True, null=True)),
                        ("reason", models.CharField(blank=True, max_length=40)),
                        (
                            "deployment",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="models",
                                to="deployments.deployment",
                            ),
                        ),
                        (
                            "package",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="deployed",
                                to="deployments.modelpackage",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("deployment", "package"), name="one_place_a_package")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ApiToken",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=100)),
                        ("digest", models.CharField(max_length=64, unique=True)),
                        ("prefix", models.CharField(max_length=8)),
                        (
                            "scope",
                            models.CharField(
                                choices=[("read", "Read"), ("write", "Write")], default="write", max_length=8
                            ),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("last_used", models.DateTimeField(blank=True, null=True)),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="api_tokens",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "expires_at",
                            models.DateTimeField(
                                blank=True, help_text="Not taken from then on; empty: never", null=True
                            ),
                        ),
                    ],
                ),
                migrations.CreateModel(
                    name="Dataset",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "public_id",
                            models.CharField(
                                default=deployments.ids.new_id, editable=False, max_length=24, unique=True
                            ),
                        ),
                        ("name", models.CharField(max_length=200)),
                        ("file", models.FileField(max_length=300, upload_to="datasets/%Y/%m")),
                        ("media_type", models.CharField(max_length=100)),
                        ("digest", models.CharField(max_length=64)),
                        ("size", models.BigIntegerField()),
                        ("row_count", models.BigIntegerField()),
                        ("columns", models.JSONField(default=list)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        (
                            "owner",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="datasets",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                ),
                migrations.CreateModel(
                    name="Deployment",
                    fields=[
                        ("id", models.AutoField(primary_key=True, serialize=False)),
                        (
                            "public_id",
                            models.CharField(
                                default=deployments.ids.new_id, editable=False, max_length=24, unique=True
                            ),
                        ),
                        ("label", models.CharField(max_length=512)),
                        ("description", models.TextField(blank=True)),
                        (
                            "importance",
                            models.CharField(
                                choices=[
                                    ("CRITICAL", "Critical"),
                                    ("HIGH", "High"),
                                    ("MODERATE", "Moderate"),
                                    ("LOW", "Low"),
                                ],
                                default="LOW",
                                max_length=10,
                            ),
                        ),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("active", "Active"),
                                    ("archived", "Archived"),
                                    ("errored", "Errored"),
                                    ("inactive", "Inactive"),
                                    ("launching", "Launching"),
                                    ("replacingModel", "Replacing Model"),
                                    ("stopping", "Stopping"),
                                ],
                                default="active",
                                max_length=20,
                            ),
                        ),
                        ("settings", models.JSONField(blank=True, default=dict)),
                        ("health_settings", models.JSONField(blank=True, default=dict)),
                        ("batch_monitoring", models.BooleanField(default=False)),
                        ("tags", models.JSONField(blank=True, default=list)),
                        ("keep_rows_days", models.PositiveIntegerField(blank=True, null=True)),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                        ("deleted_at", models.DateTimeField(blank=True, null=True)),
                        ("first_prediction_at", models.DateTimeField(blank=True, null=True)),
                        ("last_prediction_at", models.DateTimeField(blank=True, null=True)),
                        ("last_actual_at", models.DateTimeField(blank=True, null=True)),
                        ("last_request_at", models.DateTimeField(blank=True, null=True)),
                        ("daily_predictions", models.JSONField(blank=True, default=dict)),
                        ("recent_predictions", models.BigIntegerField(default=0)),
                        ("health", models.JSONField(blank=True, default=dict)),
                        (
                            "service_status",
                            models.CharField(default=metrics.health.status.Status["NOT_STARTED"], max_length=12),
                        ),
                        (
                            "model_status",
                            models.CharField(default=metrics.health.status.Status["NOT_STARTED"], max_length=12),
                        ),
                        (
                            "accuracy_status",
                            models.CharField(default=metrics.health.status.Status["NOT_STARTED"], max_length=12),
                        ),
                        ("health_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "champion",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="deployments.deployedmodel",
                            ),
                        ),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="created_deployments",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "actuals_timeliness_status",
                            models.CharField(default=metrics.health.status.Status["UNAVAILABLE"], max_length=12),
                        ),
                        (
                            "custom_metrics_status",
                            models.CharField(default=metrics.health.status.Status["UNKNOWN"], max_length=12),
                        ),
                        (
                            "fairness_status",
                            models.CharField(default=metrics.health.status.Status["UNAVAILABLE"], max_length=12),
                        ),
                        (
                            "predictions_timeliness_status",
                            models.CharField(default=metrics.health.status.Status["UNAVAILABLE"], max_length=12),
                        ),
                        (
                            "default_prediction_server",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="deployments",
                                to="deployments.predictionserver",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [
                            models.Index(fields=["-last_prediction_at"], name="deployment_by_activity"),
                            models.Index(
                                models.Case(
                                    models.When(models.Q(("service_status", "failing")), then=models.Value(5)),
                                    models.When(models.Q(("service_status", "warning")), then=models.Value(4)),
                                    models.When(models.Q(("service_status", "unavailable")), then=models.Value(3)),
                                    models.When(models.Q(("service_status", "unknown")), then=models.Value(2)),
                                    models.When(models.Q(("service_status", "not_started")), then=models.Value(1)),
                                    models.When(models.Q(("service_status", "passing")), then=models.Value(0)),
                                    default=models.Value(-1),
                                    output_field=models.SmallIntegerField(),
                                ),
                                models.F("id"),
                                name="by_service",
                            ),
                            models.Index(
                                models.Case(
                                    models.When(models.Q(("model_status", "failing")), then=models.Value(5)),
                                    models.When(models.Q(("model_status", "warning")), then=models.Value(4)),
                                    models.When(models.Q(("model_status", "unavailable")), then=models.Value(3)),
                                    models.When(models.Q(("model_status", "unknown")), then=models.Value(2)),
                                    models.When(models.Q(("model_status", "not_started")), then=models.Value(1)),
                                    models.When(models.Q(("model_status", "passing")), then=models.Value(0)),
                                    default=models.Value(-1),
                                    output_field=models.SmallIntegerField(),
                                ),
                                models.F("id"),
                                name="by_model",
                            ),
                            models.Index(
                                models.Case(
                                    models.When(models.Q(("accuracy_status", "failing")), then=models.Value(5)),
                                    models.When(models.Q(("accuracy_status", "warning")), then=models.Value(4)),
                                    models.When(models.Q(("accuracy_status", "unavailable")), then=models.Value(3)),
                                    models.When(models.Q(("accuracy_status", "unknown")), then=models.Value(2)),
                                    models.When(models.Q(("accuracy_status", "not_started")), then=models.Value(1)),
                                    models.When(models.Q(("accuracy_status", "passing")), then=models.Value(0)),
                                    default=models.Value(-1),
                                    output_field=models.SmallIntegerField(),
                                ),
                                models.F("id"),
                                name="by_accuracy",
                            ),
                            models.Index(
                                models.Case(
                                    models.When(models.Q(("fairness_status", "failing")), then=models.Value(5)),
                                    models.When(models.Q(("fairness_status", "warning")), then=models.Value(4)),
                                    models.When(models.Q(("fairness_status", "unavailable")), then=models.Value(3)),
                                    models.When(models.Q(("fairness_status", "unknown")), then=models.Value(2)),
                                    models.When(models.Q(("fairness_status", "not_started")), then=models.Value(1)),
                                    models.When(models.Q(("fairness_status", "passing")), then=models.Value(0)),
                                    default=models.Value(-1),
                                    output_field=models.SmallIntegerField(),
                                ),
                                models.F("id"),
                                name="by_fairness",
                            ),
                            models.Index(
                                models.Case(
                                    models.When(models.Q(("custom_metrics_status", "failing")), then=models.Value(5)),
                                    models.When(models.Q(("custom_metrics_status", "warning")), then=models.Value(4)),
                                    models.When(
                                        models.Q(("custom_metrics_status", "unavailable")), then=models.Value(3)
                                    ),
                                    models.When(models.Q(("custom_metrics_status", "unknown")), then=models.Value(2)),
                                    models.When(
                                        models.Q(("custom_metrics_status", "not_started")), then=models.Value(1)
                                    ),
                                    models.When(models.Q(("custom_metrics_status", "passing")), then=models.Value(0)),
                                    default=models.Value(-1),
                                    output_field=models.SmallIntegerField(),
                                ),
                                models.F("id"),
                                name="by_custom_metrics",
                            ),
                            models.Index(
                                models.Case(
                                    models.When(
                                        models.Q(("predictions_timeliness_status", "failing")), then=models.Value(5)
                                    ),
                                    models.When(
                                        models.Q(("predictions_timeliness_status", "warning")), then=models.Value(4)
                                    ),
                                    models.When(
                                        models.Q(("predictions_timeliness_status", "unavailable")), then=models.Value(3)
                                    ),
                                    models.When(
                                        models.Q(("predictions_timeliness_status", "unknown")), then=models.Value(2)
                                    ),
                                    models.When(
                                        models.Q(("predictions_timeliness_status", "not_started")), then=models.Value(1)
                                    ),
                                    models.When(
                                        models.Q(("predictions_timeliness_status", "passing")), then=models.Value(0)
                                    ),
                                    default=models.Value(-1),
                                    output_field=models.SmallIntegerField(),
                                ),
                                models.F("id"),
                                name="by_predictions_timeliness",
                            ),
                            models.Index(
                                models.Case(
                                    models.When(
                                        models.Q(("actuals_timeliness_status", "failing")), then=models.Value(5)
                                    ),
                                    models.When(
                                        models.Q(("actuals_timeliness_status", "warning")), then=models.Value(4)
                                    ),
                                    models.When(
                                        models.Q(("actuals_timeliness_status", "unavailable")), then=models.Value(3)
                                    ),
                                    models.When(
                                        models.Q(("actuals_timeliness_status", "unknown")), then=models.Value(2)
                                    ),
                                    models.When(
                                        models.Q(("actuals_timeliness_status", "not_started")), then=models.Value(1)
                                    ),
                                    models.When(
                                        models.Q(("actuals_timeliness_status", "passing")), then=models.Value(0)
                                    ),
                                    default=models.Value(-1),
                                    output_field=models.SmallIntegerField(),
                                ),
                                models.F("id"),
                                name="by_actuals_timeliness",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="AuditEntry",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "public_id",
                            models.CharField(
                                default=deployments.ids.new_id, editable=False, max_length=24, unique=True
                            ),
                        ),
                        ("at", models.DateTimeField(auto_now_add=True)),
                        ("action", models.CharField(max_length=60)),
                        ("before", models.JSONField(default=dict)),
                        ("after", models.JSONField(default=dict)),
                        (
                            "user",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "deployment",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="audit",
                                to="deployments.deployment",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [models.Index(fields=["deployment", "-at"], name="audit_of_deployment")],
                    },
                ),
                migrations.CreateModel(
                    name="DeploymentRole",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "role",
                            models.CharField(
                                choices=[("OWNER", "Owner"), ("USER", "User"), ("CONSUMER", "Consumer")], max_length=8
                            ),
                        ),
                        (
                            "deployment",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="roles",
                                to="deployments.deployment",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="deployment_roles",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("can_share", models.BooleanField(default=True)),
                        (
                            "group",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="deployment_roles",
                                to="auth.group",
                            ),
                        ),
                        (
                            "organisation",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="deployment_roles",
                                to="deployments.organisation",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("deployment", "user"), name="one_role_a_person"),
                            models.UniqueConstraint(fields=("deployment", "group"), name="one_role_a_group"),
                            models.UniqueConstraint(
                                fields=("deployment", "organisation"), name="one_role_an_organisation"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("group", None), ("organisation", None), ("user__isnull", False)),
                                    models.Q(("group__isnull", False), ("organisation", None), ("user", None)),
                                    models.Q(("group", None), ("organisation__isnull", False), ("user", None)),
                                    _connector="OR",
                                ),
                                name="role_of_exactly_one",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="IngestRequest",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("request_id", models.CharField(max_length=128)),
                        (
                            "kind",
                            models.SmallIntegerField(
                                choices=[(1, "Predictions"), (2, "Actuals"), (3, "Service"), (4, "Custom Metrics")]
                            ),
                        ),
                        ("digest", models.CharField(max_length=32)),
                        ("rows", models.IntegerField()),
                        ("answer", models.JSONField(default=dict)),
                        ("received_at", models.DateTimeField()),
                        ("matched", models.IntegerField(default=0)),
                        ("waiting", models.IntegerField(default=0)),
                        ("refused", models.IntegerField(default=0)),
                        (
                            "deployment",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="ingest_requests",
                                to="deployments.deployment",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("deployment", "request_id"), name="each_request_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Job",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "public_id",
                            models.CharField(
                                default=deployments.ids.new_id, editable=False, max_length=24, unique=True
                            ),
                        ),
                        ("kind", models.CharField(max_length=60)),
                        ("args", models.JSONField(default=dict)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("INITIALIZED", "Initialized"),
                                    ("RUNNING", "Running"),
                                    ("COMPLETED", "Completed"),
                                    ("ERROR", "Error"),
                                    ("ABORTED", "Aborted"),
                                    ("EXPIRED", "Expired"),
                                ],
                                default="INITIALIZED",
                                max_length=12,
                            ),
                        ),
                        ("progress", models.FloatField(default=0.0)),
                        ("message", models.TextField(blank=True)),
                        ("result", models.CharField(blank=True, max_length=300)),
                        ("attempts", models.IntegerField(default=0)),
                        ("lease_until", models.DateTimeField(blank=True, null=True)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("finished_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="jobs",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "deployment",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="jobs",
                                to="deployments.deployment",
                            ),
                        ),
                        ("cancel_asked", models.BooleanField(default=False)),
                    ],
                    options={
                        "indexes": [
                            models.Index(fields=["state", "lease_until"], name="jobs_waiting"),
                            models.Index(fields=["deployment", "-created_at"], name="jobs_of_deployment"),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ModelPackage",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "public_id",
                            models.CharField(
                                default=deployments.ids.new_id, editable=False, max_length=24, unique=True
                            ),
                        ),
                        (
                            "model_id",
                            models.CharField(
                                default=deployments.ids.new_id, editable=False, max_length=24, unique=True
                            ),
                        ),
                        ("name", models.CharField(max_length=200)),
                        ("description", models.TextField(blank=True)),
                        ("target_name", models.CharField(max_length=200)),
                        (
                            "target_type",
                            models.CharField(
                                choices=[
                                    ("Regression", "Regression"),
                                    ("Binary", "Binary"),
                                    ("Multiclass", "Multiclass"),
                                    ("TextGeneration", "Text Generation"),
                                ],
                                max_length=20,
                            ),
                        ),
                        ("class_names", models.JSONField(default=list)),
                        ("positive_class", models.CharField(blank=True, max_length=200)),
                        ("prediction_threshold", models.FloatField(default=0.5)),
                        ("training_rows", models.BigIntegerField(default=0)),
                        ("holdout_rows", models.BigIntegerField(default=0)),
                        ("segment_attributes", models.JSONField(default=list)),
                        ("segment_rows", models.JSONField(default=dict)),
                        ("target_baseline", models.JSONField(default=dict)),
                        ("accuracy_baseline", models.JSONField(default=dict)),
                        ("prediction_baseline", models.JSONField(default=dict)),
                        ("center", models.FloatField(default=0.0)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        (
                            "holdout_dataset",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="held_out_packages",
                                to="deployments.dataset",
                            ),
                        ),
                        (
                            "owner",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="packages",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "training_dataset",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="trained_packages",
                                to="deployments.dataset",
                            ),
                        ),
                        ("artifact", models.FileField(blank=True, max_length=300, upload_to="artifacts/%Y/%m")),
                        ("artifact_digest", models.CharField(blank=True, max_length=64)),
                        ("artifact_name", models.CharField(blank=True, max_length=200)),
                        ("scoring_address", models.JSONField(blank=True, default=dict)),
                        ("signature", models.JSONField(blank=True, default=dict)),
                        ("prompt_name", models.CharField(blank=True, max_length=300)),
                        ("accuracy_by_class", models.JSONField(default=dict)),
                        ("holdout_segments", models.JSONField(default=dict)),
                        ("time_series", models.JSONField(default=dict)),
                        ("runtime_parameters", models.JSONField(blank=True, default=list)),
                        ("trainer", models.JSONField(blank=True, default=dict)),
                    ],
                ),
                migrations.CreateModel(
                    name="Feature",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("position", models.IntegerField()),
                        ("name", models.CharField(max_length=300)),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("Numeric", "Numeric"),
                                    ("Categorical", "Categorical"),
                                    ("Text", "Text"),
                                    ("Date", "Date"),
                                    ("Geospatial", "Geospatial"),
                                ],
                                max_length=20,
                            ),
                        ),
                        ("importance", models.FloatField(blank=True, null=True)),
                        ("feature_impact", models.FloatField(blank=True, null=True)),
                        ("tracked", models.BooleanField(default=False)),
                        ("bins", models.JSONField(default=dict)),
                        ("baseline", models.JSONField(default=dict)),
                        (
                            "package",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="features",
                                to="deployments.modelpackage",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["position"],
                        "constraints": [models.UniqueConstraint(fields=("package", "name"), name="one_feature_a_name")],
                    },
                ),
                migrations.CreateModel(
                    name="MonitoringBatch",
                    fields=[
                        ("id", models.AutoField(primary_key=True, serialize=False)),
                        (
                            "public_id",
                            models.CharField(
                                default=deployments.ids.new_id, editable=False, max_length=24, unique=True
                            ),
                        ),
                        ("name", models.CharField(max_length=128)),
                        ("description", models.TextField(blank=True)),
                        ("external_context_url", models.URLField(blank=True, max_length=2048)),
                        ("is_locked", models.BooleanField(default=False)),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                        ("earliest_prediction_at", models.DateTimeField(blank=True, null=True)),
                        ("latest_prediction_at", models.DateTimeField(blank=True, null=True)),
                        ("predictions_count", models.BigIntegerField(default=0)),
                        (
                            "service_status",
                            models.CharField(default=metrics.health.status.Status["NOT_STARTED"], max_length=12),
                        ),
                        ("service_message", models.TextField(blank=True)),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "deployment",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="batches",
                                to="deployments.deployment",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [models.Index(fields=["deployment", "-created_at"], name="batches_of_deployment")],
                        "constraints": [
                            models.UniqueConstraint(fields=("deployment", "name"), name="one_batch_a_name")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SegmentAttribute",
                    fields=[
                        ("id", models.AutoField(primary_key=True, serialize=False)),
                        ("name", models.CharField(max_length=300)),
                        ("since", models.DateTimeField()),
                        ("active", models.BooleanField(default=True)),
                        (
                            "deployment",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="attributes",
                                to="deployments.deployment",
                            ),
                        ),
                        ("is_place", models.BooleanField(default=False)),
                        ("protected_since", models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("deployment", "name"), name="one_attribute_a_name")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SegmentValue",
                    fields=[
                        ("id", models.AutoField(primary_key=True, serialize=False)),
                        ("text", models.CharField(max_length=500)),
                        ("is_other", models.BooleanField(default=False)),
                        (
                            "attribute",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="values",
                                to="deployments.segmentattribute",
                            ),
                        ),
                        (
                            "deployment",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="deployments.deployment",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("attribute", "text", "is_other"), name="one_row_a_value")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="CustomRow",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "deployment_id",
                                "key",
                                "metric_id",
                                "model_id",
                                "association_id",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("deployment_id", models.IntegerField()),
                        ("key", models.BigIntegerField()),
                        ("metric_id", models.IntegerField()),
                        ("model_id", models.IntegerField()),
                        ("association_id", models.CharField(max_length=128)),
                        ("at", models.DateTimeField()),
                        ("value", models.FloatField(null=True)),
                        ("category", models.CharField(max_length=200, null=True)),
                        ("metadata", models.TextField(null=True)),
                    ],
                    options={
                        "db_table": "deployments_customrow",
                        "managed": False,
                    },
                ),
                migrations.CreateModel(
                    name="CustomValue",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "deployment_id",
                                "metric_id",
                                "grain",
                                "model_id",
                                "attribute_id",
                                "value_id",
                                "bucket",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("deployment_id", models.IntegerField()),
                        ("metric_id", models.IntegerField()),
                        ("grain", models.SmallIntegerField(choices=[(1, "Hour"), (2, "Day"), (3, "Batch")])),
                        ("model_id", models.IntegerField()),
                        ("attribute_id", models.IntegerField()),
                        ("value_id", models.IntegerField()),
                        ("bucket", models.IntegerField()),
                        ("n", models.BigIntegerField()),
                        ("samples", models.BigIntegerField()),
                        ("total", models.FloatField()),
                        ("weighted", models.FloatField()),
                        ("last_at", models.BigIntegerField()),
                        ("last_received", models.BigIntegerField()),
                        ("last_value", models.FloatField()),
                        ("unknown", models.BigIntegerField()),
                        ("counts", models.BinaryField()),
                    ],
                    options={
                        "db_table": "deployments_customvalue",
                        "managed": False,
                    },
                ),
                migrations.CreateModel(
                    name="CustomMetric",
                    fields=[
                        ("id", models.AutoField(primary_key=True, serialize=False)),
                        (
                            "public_id",
                            models.CharField(
                                default=deployments.ids.new_id, editable=False, max_length=24, unique=True
                            ),
                        ),
                        ("name", models.CharField(max_length=200)),
                        ("description", models.TextField(blank=True)),
                        ("units", models.CharField(blank=True, max_length=100)),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("average", "Average"),
                                    ("categorical", "Categorical"),
                                    ("gauge", "Gauge"),
                                    ("sum", "Sum"),
                                ],
                                max_length=12,
                            ),
                        ),
                        (
                            "directionality",
                            models.CharField(
                                choices=[("higherIsBetter", "Higher"), ("lowerIsBetter", "Lower")], max_length=15
                            ),
                        ),
                        ("is_model_specific", models.BooleanField()),
                        ("display_chart", models.BooleanField(default=True)),
                        ("baseline_values", models.JSONField(default=list)),
                        ("categories", models.JSONField(default=list)),
                        ("categories_declared", models.BooleanField(default=False)),
                        ("value_column", models.CharField(blank=True, max_length=300)),
                        ("sample_count_column", models.CharField(blank=True, max_length=300)),
                        ("timestamp_column", models.CharField(blank=True, max_length=300)),
                        ("timestamp_format", models.CharField(blank=True, max_length=100)),
                        ("batch_column", models.CharField(blank=True, max_length=300)),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "deployment",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="custom_metrics",
                                to="deployments.deployment",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("deployment", "name"), name="one_custom_metric_a_name")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="DataExport",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "public_id",
                            models.CharField(
                                default=deployments.ids.new_id, editable=False, max_length=24, unique=True
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("predictions", "Predictions"),
                                    ("actuals", "Actuals"),
                                    ("training", "Training data"),
                                ],
                                max_length=12,
                            ),
                        ),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("CREATED", "Created"),
                                    ("SCHEDULED", "Scheduled"),
                                    ("SUCCEEDED", "Succeeded"),
                                    ("FAILED", "Failed"),
                                    ("CANCELLED", "Cancelled"),
                                ],
                                default="CREATED",
                                max_length=12,
                            ),
                        ),
                        ("start", models.DateTimeField(blank=True, null=True)),
                        ("end", models.DateTimeField(blank=True, null=True)),
                        ("batches", models.JSONField(default=list)),
                        (
                            "augmentation",
                            models.CharField(
                                choices=[("NO_AUGMENTATION", "Nothing"), ("ACTUALS", "The actual")],
                                default="NO_AUGMENTATION",
                                max_length=20,
                            ),
                        ),
                        ("only_matched", models.BooleanField(default=True)),
                        ("format", models.CharField(max_length=8)),
                        ("error", models.TextField(blank=True)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "dataset",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="exports",
                                to="deployments.dataset",
                            ),
                        ),
                        (
                            "deployment",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="exports",
                                to="deployments.deployment",
                            ),
                        ),
                        (
                            "job",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="deployments.job",
                            ),
                        ),
                        (
                            "model",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="exports",
                                to="deployments.deployedmodel",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [
                            models.Index(fields=["deployment", "kind", "-created_at"], name="exports_of_deployment")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ReplaySettings",
                    fields=[
                        (
                            "deployment",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="replay_settings",
                                serialize=False,
                                to="deployments.deployment",
                            ),
                        ),
                        ("enabled", models.BooleanField(default=False)),
                        ("schedule", models.JSONField(blank=True, null=True)),
                        ("next_at", models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        "indexes": [models.Index(fields=["next_at"], name="replays_due")],
                    },
                ),
                migrations.CreateModel(
                    name="Challenger",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "public_id",
                            models.CharField(
                                default=deployments.ids.new_id, editable=False, max_length=24, unique=True
                            ),
                        ),
                        ("name", models.CharField(max_length=200)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "deployment",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="challengers",
                                to="deployments.deployment",
                            ),
                        ),
                        (
                            "model",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="challenger",
                                to="deployments.deployedmodel",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["pk"],
                        "constraints": [
                            models.UniqueConstraint(fields=("deployment", "name"), name="one_challenger_a_name")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Reign",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("started_at", models.DateTimeField()),
                        ("ended_at", models.DateTimeField(blank=True, null=True)),
                        ("reason", models.CharField(blank=True, max_length=40)),
                        (
                            "deployment",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="reigns",
                                to="deployments.deployment",
                            ),
                        ),
                        (
                            "model",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="reigns",
                                to="deployments.deployedmodel",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-started_at", "-pk"],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("ended_at", None)),
                                fields=("deployment",),
                                name="one_champion_at_a_time",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Organisation",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "public_id",
                            models.CharField(
                                default=deployments.ids.new_id, editable=False, max_length=24, unique=True
                            ),
                        ),
                        ("name", models.CharField(max_length=200, unique=True)),
                        (
                            "members",
                            models.ManyToManyField(
                                blank=True, related_name="organisations", to=settings.AUTH_USER_MODEL
                            ),
                        ),
                    ],
                ),
                migrations.CreateModel(
                    name="HumilityRule",
                    fields=[
                        ("id", models.AutoField(primary_key=True, serialize=False)),
                        (
                            "public_id",
                            models.CharField(
                                default=deployments.ids.new_id, editable=False, max_length=24, unique=True
                            ),
                        ),
                        ("name", models.CharField(max_length=200)),
                        ("position", models.IntegerField()),
                        (
                            "trigger",
                            models.CharField(
                                choices=[
                                    ("uncertainPrediction", "Uncertain Prediction"),
                                    ("outlyingInput", "Outlying Input"),
                                    ("lowObservationRegion", "Low Observation Region"),
                                ],
                                max_length=30,
                            ),
                        ),
                        ("feature", models.CharField(blank=True, max_length=300)),
                        ("lower", models.FloatField(blank=True, null=True)),
                        ("upper", models.FloatField(blank=True, null=True)),
                        ("values", models.JSONField(blank=True, default=list)),
                        (
                            "action",
                            models.CharField(
                                choices=[
                                    ("override", "Override"),
                                    ("throwError", "Throw Error"),
                                    ("noOperation", "No Operation"),
                                ],
                                max_length=20,
                            ),
                        ),
                        ("override", models.JSONField(blank=True, null=True)),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                        ("changed_at", models.DateTimeField(default=django.utils.timezone.now)),
                        ("deleted_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "deployment",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="humility_rules",
                                to="deployments.deployment",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [models.Index(fields=["deployment", "position"], name="rules_in_order")],
                    },
                ),
                migrations.CreateModel(
                    name="BatchModel",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("start_at", models.DateTimeField()),
                        ("end_at", models.DateTimeField()),
                        ("predictions_count", models.BigIntegerField(default=0)),
                        (
                            "batch",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="models",
                                to="deployments.monitoringbatch",
                            ),
                        ),
                        (
                            "model",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="deployments.deployedmodel",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("batch", "model"), name="one_row_a_model_in_a_batch")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="PredictionServer",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "public_id",
                            models.CharField(
                                default=deployments.ids.new_id, editable=False, max_length=24, unique=True
                            ),
                        ),
                        ("url", models.URLField(max_length=2000)),
                        ("key", models.CharField(blank=True, max_length=200)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                    ],
                ),
                migrations.CreateModel(
                    name="CustomJob",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "public_id",
                            models.CharField(
                                default=deployments.ids.new_id, editable=False, max_length=24, unique=True
                            ),
                        ),
                        ("name", models.CharField(max_length=200)),
                        ("description", models.TextField(blank=True)),
                        ("built_in", models.CharField(blank=True, max_length=40)),
                        ("url", models.URLField(blank=True, max_length=2000)),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("average", "Average"),
                                    ("categorical", "Categorical"),
                                    ("gauge", "Gauge"),
                                    ("sum", "Sum"),
                                ],
                                default="average",
                                max_length=12,
                            ),
                        ),
                        (
                            "directionality",
                            models.CharField(
                                choices=[("higherIsBetter", "Higher"), ("lowerIsBetter", "Lower")], max_length=15
                            ),
                        ),
                        ("is_model_specific", models.BooleanField(default=True)),
                        ("units", models.CharField(blank=True, max_length=100)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        (
                            "owner",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="custom_jobs",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                ),
                migrations.CreateModel(
                    name="ScheduledReport",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "public_id",
                            models.CharField(
                                default=deployments.ids.new_id, editable=False, max_length=24, unique=True
                            ),
                        ),
                        ("name", models.CharField(max_length=200)),
                        ("schedule", models.JSONField(blank=True, default=dict)),
                        ("recipients", models.JSONField(default=list)),
                        ("days", models.PositiveIntegerField(default=7)),
                        ("enabled", models.BooleanField(default=True)),
                        ("next_at", models.DateTimeField(blank=True, null=True)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "deployments",
                            models.ManyToManyField(related_name="scheduled_reports", to="deployments.deployment"),
                        ),
                    ],
                    options={
                        "indexes": [models.Index(fields=["next_at"], name="reports_due")],
                    },
                ),
                migrations.CreateModel(
                    name="ReportRun",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "public_id",
                            models.CharField(
                                default=deployments.ids.new_id, editable=False, max_length=24, unique=True
                            ),
                        ),
                        ("due_at", models.DateTimeField(default=django.utils.timezone.now)),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "dataset",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="report_runs",
                                to="deployments.dataset",
                            ),
                        ),
                        (
                            "job",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="deployments.job",
                            ),
                        ),
                        (
                            "report",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="runs",
                                to="deployments.scheduledreport",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("report", "due_at"), name="one_run_a_due_time")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ScoringCode",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("file", models.FileField(max_length=300, upload_to="scoring-code/%Y/%m")),
                        ("name", models.CharField(max_length=200)),
                        ("digest", models.CharField(max_length=64)),
                        ("size", models.BigIntegerField()),
                        ("source", models.FileField(blank=True, max_length=300, upload_to="scoring-code/%Y/%m")),
                        ("has_explanations", models.BooleanField(default=False)),
                        ("has_intervals", models.BooleanField(default=False)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        (
                            "package",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="scoring_code",
                                to="deployments.modelpackage",
                            ),
                        ),
                    ],
                ),
                migrations.CreateModel(
                    name="ScoringCodeBuild",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "public_id",
                            models.CharField(
                                default=deployments.ids.new_id, editable=False, max_length=24, unique=True
                            ),
                        ),
                        ("file", models.FileField(max_length=300, upload_to="scoring-code/%Y/%m")),
                        ("digest", models.CharField(max_length=64)),
                        ("built_at", models.DateTimeField(auto_now=True)),
                        (
                            "model",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="scoring_build",
                                to="deployments.deployedmodel",
                            ),
                        ),
                    ],
                ),
                migrations.CreateModel(
                    name="SecondaryConfiguration",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "public_id",
                            models.CharField(
                                default=deployments.ids.new_id, editable=False, max_length=24, unique=True
                            ),
                        ),
                        ("name", models.CharField(max_length=200)),
                        ("datasets", models.JSONField(default=list)),
                        ("is_default", models.BooleanField(default=False)),
                        ("is_deleted", models.BooleanField(default=False)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "deployment",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="secondary_sets",
                                to="deployments.deployment",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("deployment", "name"), name="one_secondary_set_a_name")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SecondaryUse",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("credentials", models.JSONField(default=list)),
                        ("at", models.DateTimeField(auto_now_add=True)),
                        (
                            "configuration",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="uses",
                                to="deployments.secondaryconfiguration",
                            ),
                        ),
                        (
                            "deployment",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="secondary_uses",
                                to="deployments.deployment",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "indexes": [models.Index(fields=["deployment", "-at"], name="secondary_uses_of_deployment")],
                    },
                ),
                migrations.CreateModel(
                    name="ReportMail",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("recipient", models.EmailField(max_length=254)),
                        ("message_id", models.UUIDField(default=uuid.uuid4, unique=True)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("pending", "Waiting"),
                                    ("sending", "Being sent"),
                                    ("in_doubt", "In doubt"),
                                    ("sent", "Sent"),
                                    ("failed", "Given up"),
                                ],
                                default="pending",
                                max_length=10,
                            ),
                        ),
                        ("attempts", models.IntegerField(default=0)),
                        ("doubted", models.BooleanField(default=False)),
                        ("not_before", models.DateTimeField(default=django.utils.timezone.now)),
                        ("claimed_until", models.DateTimeField(blank=True, null=True)),
                        ("problem", models.CharField(blank=True, max_length=500)),
                        ("sent_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "run",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="mails",
                                to="deployments.reportrun",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [models.Index(fields=["state", "not_before"], name="report_mails_due")],
                        "constraints": [
                            models.UniqueConstraint(fields=("run", "recipient"), name="one_mail_a_recipient")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="RuntimeValue",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=200)),
                        ("kind", models.CharField(max_length=12)),
                        ("value", models.JSONField(null=True)),
                        ("secret_encrypted", models.BinaryField(null=True)),
                        ("set_at", models.DateTimeField(auto_now=True)),
                        (
                            "deployment",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="runtime_values",
                                to="deployments.deployment",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("deployment", "name"), name="one_value_a_parameter")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ScheduledMetric",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("schedule", models.JSONField(default=dict)),
                        ("next_at", models.DateTimeField(blank=True, null=True)),
                        ("last_hour", models.IntegerField(blank=True, null=True)),
                        ("last_message", models.TextField(blank=True)),
                        (
                            "job",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="metrics",
                                to="deployments.customjob",
                            ),
                        ),
                        (
                            "metric",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="scheduled",
                                to="deployments.custommetric",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [models.Index(fields=["next_at"], name="scheduled_metrics_due")],
                    },
                ),
                migrations.CreateModel(
                    name="PlaceBaseline",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("training", models.BinaryField(default=bytes)),
                        ("holdout", models.BinaryField(default=bytes)),
                        ("accuracy", models.BinaryField(default=bytes)),
                        (
                            "feature",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="places",
                                to="deployments.feature",
                            ),
                        ),
                    ],
                ),
                migrations.CreateModel(
                    name="RetrainingPolicy",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "public_id",
                            models.CharField(
                                default=deployments.ids.new_id, editable=False, max_length=24, unique=True
                            ),
                        ),
                        ("name", models.CharField(max_length=200)),
                        ("options", models.JSONField(default=dict)),
                        ("next_at", models.DateTimeField(blank=True, null=True)),
                        ("seen_status", models.CharField(blank=True, max_length=12)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "deployment",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="retraining_policies",
                                to="deployments.deployment",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["pk"],
                        "constraints": [
                            models.UniqueConstraint(fields=("deployment", "name"), name="one_policy_a_name")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="RetrainingRun",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "public_id",
                            models.CharField(
                                default=deployments.ids.new_id, editable=False, max_length=24, unique=True
                            ),
                        ),
                        ("cause", models.CharField(max_length=24)),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("created", "Created"),
                                    ("running", "Running"),
                                    ("succeeded", "Succeeded"),
                                    ("failed", "Failed"),
                                    ("cancelled", "Cancelled"),
                                ],
                                default="created",
                                max_length=12,
                            ),
                        ),
                        ("error_message", models.TextField(blank=True)),
                        ("report", models.JSONField(default=dict)),
                        ("challenger_public_id", models.CharField(blank=True, max_length=24)),
                        ("started_at", models.DateTimeField()),
                        ("finished_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "challenger",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="deployments.challenger",
                            ),
                        ),
                        (
                            "job",
                            models.OneToOneField(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="retraining_run",
                                to="deployments.job",
                            ),
                        ),
                        (
                            "package",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="deployments.modelpackage",
                            ),
                        ),
                        (
                            "policy",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="runs",
                                to="deployments.retrainingpolicy",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-started_at", "-pk"],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("status__in", ("created", "running"))),
                                fields=("policy",),
                                name="one_run_at_a_time",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="RetrainingSettings",
                    fields=[
                        (
                            "deployment",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="retraining_settings",
                                serialize=False,
                                to="deployments.deployment",
                            ),
                        ),
                        (
                            "dataset",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="deployments.dataset",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                ),
            ]
        ),
        migrations.RunSQL(CREATE, DROP),
    ]
