"""Artifacts of model packages, challengers, and who was champion when."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import deployments.ids


class Migration(migrations.Migration):
    dependencies = [
        ("deployments", "0008_exports"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="modelpackage",
            name="artifact",
            field=models.FileField(blank=True, max_length=300, upload_to="artifacts/%Y/%m"),
        ),
        migrations.AddField(
            model_name="modelpackage",
            name="artifact_digest",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="modelpackage",
            name="artifact_name",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="modelpackage",
            name="scoring_address",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name="modelpackage",
            name="signature",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AlterField(
            model_name="deployedmodel",
            name="role",
            field=models.CharField(
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
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "public_id",
                    models.CharField(default=deployments.ids.new_id, editable=False, max_length=24, unique=True),
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
                "constraints": [models.UniqueConstraint(fields=("deployment", "name"), name="one_challenger_a_name")],
            },
        ),
        migrations.CreateModel(
            name="Reign",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("started_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("reason", models.CharField(blank=True, max_length=40)),
                (
                    "deployment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="reigns", to="deployments.deployment"
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
                        condition=models.Q(("ended_at", None)), fields=("deployment",), name="one_champion_at_a_time"
                    )
                ],
            },
        ),
    ]
