"""Retraining: settings, policies and runs."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import deployments.ids


class Migration(migrations.Migration):
    dependencies = [
        ("deployments", "0020_baselines_by_place"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="modelpackage",
            name="trainer",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.CreateModel(
            name="RetrainingPolicy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "public_id",
                    models.CharField(default=deployments.ids.new_id, editable=False, max_length=24, unique=True),
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
            },
        ),
        migrations.CreateModel(
            name="RetrainingRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "public_id",
                    models.CharField(default=deployments.ids.new_id, editable=False, max_length=24, unique=True),
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
        migrations.AddConstraint(
            model_name="retrainingpolicy",
            constraint=models.UniqueConstraint(fields=("deployment", "name"), name="one_policy_a_name"),
        ),
        migrations.AddConstraint(
            model_name="retrainingrun",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ("created", "running"))), fields=("policy",), name="one_run_at_a_time"
            ),
        ),
    ]
