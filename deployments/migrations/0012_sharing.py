"""Roles for groups and organisations, and owners that may not share."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import deployments.ids


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("deployments", "0011_known_reigns"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="deploymentrole",
            name="can_share",
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name="deploymentrole",
            name="group",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="deployment_roles",
                to="auth.group",
            ),
        ),
        migrations.AlterField(
            model_name="deploymentrole",
            name="user",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="deployment_roles",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.CreateModel(
            name="Organisation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "public_id",
                    models.CharField(default=deployments.ids.new_id, editable=False, max_length=24, unique=True),
                ),
                ("name", models.CharField(max_length=200, unique=True)),
                (
                    "members",
                    models.ManyToManyField(blank=True, related_name="organisations", to=settings.AUTH_USER_MODEL),
                ),
            ],
        ),
        migrations.AddField(
            model_name="deploymentrole",
            name="organisation",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="deployment_roles",
                to="deployments.organisation",
            ),
        ),
        migrations.AddConstraint(
            model_name="deploymentrole",
            constraint=models.UniqueConstraint(fields=("deployment", "group"), name="one_role_a_group"),
        ),
        migrations.AddConstraint(
            model_name="deploymentrole",
            constraint=models.UniqueConstraint(fields=("deployment", "organisation"), name="one_role_an_organisation"),
        ),
        migrations.AddConstraint(
            model_name="deploymentrole",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("group", None), ("organisation", None), ("user__isnull", False)),
                    models.Q(("group__isnull", False), ("organisation", None), ("user", None)),
                    models.Q(("group", None), ("organisation__isnull", False), ("user", None)),
                    _connector="OR",
                ),
                name="role_of_exactly_one",
            ),
        ),
    ]
