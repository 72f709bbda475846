import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import deployments.ids


class Migration(migrations.Migration):
    dependencies = [
        ("deployments", "0005_protected_and_places"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
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
        migrations.AlterField(
            model_name="ingestrequest",
            name="kind",
            field=models.SmallIntegerField(
                choices=[(1, "Predictions"), (2, "Actuals"), (3, "Service"), (4, "Custom Metrics")]
            ),
        ),
        migrations.CreateModel(
            name="CustomMetric",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                (
                    "public_id",
                    models.CharField(default=deployments.ids.new_id, editable=False, max_length=24, unique=True),
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
                    models.CharField(choices=[("higherIsBetter", "Higher"), ("lowerIsBetter", "Lower")], max_length=15),
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
    ]
