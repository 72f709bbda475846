"""The watcher's tables as of the changes of settings: one step for an empty installation.

It takes the place of the steps 0001 to 0025, which stay for installations that stopped between them. At the end the rule
that a signed review and what it decided cannot be changed (see 0005).
"""

import datetime

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.migrations.operations.base import Operation

import monitoring.models.commands
import monitoring.models.teams

KEEP = """
CREATE FUNCTION monitoring_keep_signed_review() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'signed' OR current_setting('vitals.erase_reviews', true) = 'on' THEN
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE'
        AND to_jsonb(NEW) - '{opened_by_id,signed_by_id}'::text[] = to_jsonb(OLD) - '{opened_by_id,signed_by_id}'::text[]
        AND (NEW.opened_by_id IS NULL OR NEW.opened_by_id = OLD.opened_by_id)
        AND (NEW.signed_by_id IS NULL OR NEW.signed_by_id = OLD.signed_by_id)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'Review % is signed: its record can no longer be changed.', OLD.id USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER monitoring_keep_signed_review BEFORE UPDATE OR DELETE ON monitoring_review
    FOR EACH ROW EXECUTE FUNCTION monitoring_keep_signed_review();

CREATE FUNCTION monitoring_keep_signed_item() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    held bigint := CASE WHEN TG_OP = 'INSERT' THEN NEW.review_id ELSE OLD.review_id END;
BEGIN
    IF current_setting('vitals.erase_reviews', true) = 'on'
        OR NOT EXISTS (SELECT FROM monitoring_review WHERE id = held AND state = 'signed')
    THEN
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE'
        AND to_jsonb(NEW) - '{watched_id,saved_by_id}'::text[] = to_jsonb(OLD) - '{watched_id,saved_by_id}'::text[]
        AND (NEW.watched_id IS NULL OR NEW.watched_id = OLD.watched_id)
        AND (NEW.saved_by_id IS NULL OR NEW.saved_by_id = OLD.saved_by_id)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'Review % is signed: its items can no longer be changed.', held USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER monitoring_keep_signed_item BEFORE INSERT OR UPDATE OR DELETE ON monitoring_reviewitem
    FOR EACH ROW EXECUTE FUNCTION monitoring_keep_signed_item();
"""

DROP = """
DROP TRIGGER monitoring_keep_signed_item ON monitoring_reviewitem;
DROP FUNCTION monitoring_keep_signed_item();
DROP TRIGGER monitoring_keep_signed_review ON monitoring_review;
DROP FUNCTION monitoring_keep_signed_review();
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
        ("monitoring", "0001_first"),
        ("monitoring", "0002_history"),
        ("monitoring", "0003_incidents"),
        ("monitoring", "0004_reviews"),
        ("monitoring", "0005_signed_reviews_stay"),
        ("monitoring", "0006_fleet_at_ten_thousand"),
        ("monitoring", "0007_channels"),
        ("monitoring", "0008_incident_timers"),
        ("monitoring", "0009_hearing"),
        ("monitoring", "0010_one_way_of_telling"),
        ("monitoring", "0011_reminders"),
        ("monitoring", "0012_regular"),
        ("monitoring", "0013_review_messages"),
        ("monitoring", "0014_further_areas"),
        ("monitoring", "0015_saved_views"),
        ("monitoring", "0016_commands"),
        ("monitoring", "0017_accounts"),
        ("monitoring", "0018_blind_spots"),
        ("monitoring", "0019_notes"),
        ("monitoring", "0020_invitation_messages"),
        ("monitoring", "0021_settings_changes"),
        ("monitoring", "0022_stars"),
        ("monitoring", "0023_registrations"),
        ("monitoring", "0024_shares"),
        ("monitoring", "0025_settings_changed_at"),
    ]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateModels(
            [
                migrations.CreateModel(
                    name="Team",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=120, unique=True)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        (
                            "requires_two_factor",
                            models.BooleanField(
                                default=False, help_text="Members see nothing until they have a second factor"
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["name"],
                    },
                ),
                migrations.CreateModel(
                    name="Topic",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("key", models.CharField(max_length=600)),
                        ("path", models.CharField(max_length=80)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("new", "Not asked yet"),
                                    ("ok", "Answered"),
                                    ("refused", "Not enabled at the source"),
                                    ("failed", "The source failed"),
                                    ("malformed", "The answer could not be read"),
                                ],
                                default="new",
                                max_length=10,
                            ),
                        ),
                        ("digest", models.CharField(blank=True, max_length=32)),
                        ("known_at", models.DateTimeField(null=True)),
                        ("checked_at", models.DateTimeField(null=True)),
                        ("closed_until", models.DateTimeField(null=True)),
                        (
                            "covered_until",
                            models.DateTimeField(help_text="Series: end of the latest period asked", null=True),
                        ),
                        (
                            "open_from",
                            models.DateTimeField(help_text="Series: start of the first stored bucket", null=True),
                        ),
                        ("problem", models.CharField(blank=True, max_length=500)),
                        (
                            "watched",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="topics",
                                to="monitoring.watched",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("watched", "key"), name="monitoring_topic_key")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Source",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=120)),
                        ("base_url", models.URLField(help_text="Up to and including /api/v2", max_length=400)),
                        ("token_encrypted", models.BinaryField()),
                        ("built_in", models.BooleanField(default=False, help_text="The service of this installation")),
                        ("enabled", models.BooleanField(default=True)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("last_ok_at", models.DateTimeField(null=True)),
                        ("silent_since", models.DateTimeField(null=True)),
                        ("last_error", models.CharField(blank=True, max_length=500)),
                        ("last_error_kind", models.CharField(blank=True, max_length=40)),
                        ("failures", models.PositiveIntegerField(default=0)),
                        ("open_until", models.DateTimeField(null=True)),
                        ("discovered_at", models.DateTimeField(null=True)),
                        ("discovery_claimed_until", models.DateTimeField(null=True)),
                        ("api_version", models.CharField(blank=True, max_length=20)),
                        ("deployments_count", models.PositiveIntegerField(default=0)),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="sources_created",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "team",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="sources",
                                to="monitoring.team",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["team", "name"],
                        "constraints": [
                            models.UniqueConstraint(fields=("team", "name"), name="monitoring_source_name")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Membership",
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
                                choices=[
                                    ("owner", "Owner"),
                                    ("manager", "Manager"),
                                    ("member", "Member"),
                                    ("readonly", "Read only"),
                                ],
                                default="member",
                                max_length=12,
                            ),
                        ),
                        ("wants_mail", models.BooleanField(default=True)),
                        (
                            "mail_token",
                            models.CharField(
                                default=monitoring.models.teams.unsubscribe_token,
                                editable=False,
                                max_length=40,
                                unique=True,
                            ),
                        ),
                        ("joined_at", models.DateTimeField(auto_now_add=True)),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="memberships",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "team",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="memberships",
                                to="monitoring.team",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["team", "user"],
                        "constraints": [
                            models.UniqueConstraint(fields=("team", "user"), name="monitoring_one_membership")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SeriesChunk",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("known_at", models.DateTimeField()),
                        ("first", models.DateTimeField()),
                        ("last", models.DateTimeField()),
                        ("payload", models.BinaryField()),
                        ("reconstructed", models.BooleanField(default=False)),
                        (
                            "topic",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="chunks",
                                to="monitoring.topic",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [models.Index(fields=["topic", "last"], name="monitoring_chunk")],
                    },
                ),
                migrations.CreateModel(
                    name="Answer",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("known_at", models.DateTimeField()),
                        ("payload", models.BinaryField()),
                        ("reconstructed", models.BooleanField(default=False)),
                        (
                            "topic",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="answers",
                                to="monitoring.topic",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [models.Index(fields=["topic", "-known_at"], name="monitoring_answer_latest")],
                    },
                ),
                migrations.CreateModel(
                    name="UserPreference",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("time_zone", models.CharField(default="UTC", max_length=64)),
                        (
                            "theme",
                            models.CharField(
                                choices=[("system", "As the system"), ("light", "Light"), ("dark", "Dark")],
                                default="system",
                                max_length=8,
                            ),
                        ),
                        (
                            "user",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="preference",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "breaks_through",
                            models.CharField(
                                choices=[
                                    ("failing", "Whatever is failing"),
                                    ("critical", "Only what is critical"),
                                    ("nothing", "Nothing"),
                                ],
                                default="failing",
                                max_length=8,
                            ),
                        ),
                        ("days", models.JSONField(default=list, help_text="Weekdays, Monday = 0; empty: all")),
                        (
                            "digest",
                            models.CharField(
                                choices=[
                                    ("never", "Never"),
                                    ("daily", "Daily"),
                                    ("weekly", "Weekly, on Mondays"),
                                    ("monthly", "Monthly, on the first"),
                                ],
                                default="weekly",
                                max_length=8,
                            ),
                        ),
                        ("digest_hour", models.PositiveSmallIntegerField(default=8)),
                        ("digest_when_empty", models.BooleanField(default=False)),
                        ("from_time", models.TimeField(blank=True, null=True)),
                        ("to_time", models.TimeField(blank=True, null=True)),
                    ],
                ),
                migrations.CreateModel(
                    name="Watched",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("remote_id", models.CharField(max_length=64)),
                        ("label", models.CharField(max_length=512)),
                        ("description", models.TextField(blank=True)),
                        (
                            "importance",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("CRITICAL", "Critical"),
                                    ("HIGH", "High"),
                                    ("MODERATE", "Moderate"),
                                    ("LOW", "Low"),
                                ],
                                max_length=12,
                            ),
                        ),
                        (
                            "deployment_status",
                            models.CharField(
                                choices=[
                                    ("active", "Active"),
                                    ("archived", "Archived"),
                                    ("errored", "Errored"),
                                    ("inactive", "Inactive"),
                                    ("launching", "Launching"),
                                    ("replacingModel", "Replacing model"),
                                    ("stopping", "Stopping"),
                                ],
                                default="active",
                                max_length=20,
                            ),
                        ),
                        ("model_id", models.CharField(blank=True, max_length=64)),
                        ("model_name", models.CharField(blank=True, max_length=512)),
                        ("model_deployed_at", models.DateTimeField(null=True)),
                        ("target_name", models.CharField(blank=True, max_length=512)),
                        ("target_type", models.CharField(blank=True, max_length=32)),
                        ("batch_monitoring", models.BooleanField(default=False)),
                        ("tags", models.JSONField(default=list)),
                        ("owners", models.JSONField(default=list)),
                        (
                            "daily_rates",
                            models.JSONField(
                                default=list, help_text="Predictions a day, oldest first, as the source gives them"
                            ),
                        ),
                        ("predictions_per_day", models.FloatField(null=True)),
                        ("last_prediction_at", models.DateTimeField(null=True)),
                        ("created_at_source", models.DateTimeField(null=True)),
                        (
                            "source_health",
                            models.JSONField(default=dict, help_text="Area -> {status, message} as the source judges"),
                        ),
                        (
                            "listing",
                            models.JSONField(default=dict, help_text="The whole list entry, unknown fields included"),
                        ),
                        ("fingerprint", models.CharField(blank=True, max_length=32)),
                        ("first_seen_at", models.DateTimeField()),
                        ("seen_at", models.DateTimeField()),
                        ("moved_at", models.DateTimeField(help_text="When the fingerprint last changed", null=True)),
                        ("gone_at", models.DateTimeField(null=True)),
                        (
                            "polled_at",
                            models.DateTimeField(help_text="End of the last poll that got an answer", null=True),
                        ),
                        ("attempted_at", models.DateTimeField(null=True)),
                        ("slow_polled_at", models.DateTimeField(null=True)),
                        ("due_at", models.DateTimeField(help_text="Not before; null = as soon as possible", null=True)),
                        ("claimed_until", models.DateTimeField(null=True)),
                        (
                            "restated_from",
                            models.DateTimeField(
                                help_text="An older bucket changed: series are asked again from here", null=True
                            ),
                        ),
                        ("backfilled_at", models.DateTimeField(null=True)),
                        ("problem", models.CharField(blank=True, max_length=500)),
                        (
                            "worst",
                            models.CharField(
                                choices=[
                                    ("passing", "Passing"),
                                    ("warning", "At risk"),
                                    ("failing", "Failing"),
                                    ("unknown", "Unknown"),
                                    ("not_started", "Not started"),
                                    ("unavailable", "Unavailable"),
                                ],
                                default="unknown",
                                max_length=12,
                            ),
                        ),
                        (
                            "severity",
                            models.PositiveSmallIntegerField(default=2, help_text="Of `worst`; for ordering in SQL"),
                        ),
                        (
                            "health",
                            models.JSONField(
                                default=dict, help_text="Area -> {status, reason, since, value, short, …}, a cache"
                            ),
                        ),
                        ("worst_since", models.DateTimeField(null=True)),
                        ("blind_spots", models.JSONField(default=list)),
                        (
                            "label_lag_hours",
                            models.FloatField(help_text="Learned: after how long labels are complete", null=True),
                        ),
                        ("judged_at", models.DateTimeField(null=True)),
                        (
                            "source",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="watched",
                                to="monitoring.source",
                            ),
                        ),
                        (
                            "history_at",
                            models.DateTimeField(
                                help_text="When past days were last judged by full windows", null=True
                            ),
                        ),
                        (
                            "history_due_at",
                            models.DateTimeField(
                                help_text="When past days are to be judged again; null = done", null=True
                            ),
                        ),
                        (
                            "importance_rank",
                            models.GeneratedField(
                                db_persist=True,
                                expression=models.Case(
                                    models.When(importance="CRITICAL", then=models.Value(0)),
                                    models.When(importance="HIGH", then=models.Value(1)),
                                    models.When(importance="MODERATE", then=models.Value(2)),
                                    models.When(importance="LOW", then=models.Value(3)),
                                    default=models.Value(4),
                                ),
                                output_field=models.SmallIntegerField(),
                            ),
                        ),
                        (
                            "served_failing",
                            models.FloatField(
                                default=0.0, help_text="Predictions served since it is failing; 0 while it is not"
                            ),
                        ),
                        (
                            "commands_until",
                            models.DateTimeField(
                                help_text="Pages look for commands to show until then; null = nothing was ever asked",
                                null=True,
                            ),
                        ),
                        (
                            "coverage",
                            models.CharField(
                                blank=True,
                                help_text="One code a column of the blind-spot map: monitoring.health.coverage",
                                max_length=200,
                            ),
                        ),
                        (
                            "uncovered",
                            models.PositiveSmallIntegerField(default=0, help_text="How many of them are blind spots"),
                        ),
                        (
                            "left_out_at",
                            models.DateTimeField(help_text="Since when the team does not want it watched", null=True),
                        ),
                        (
                            "left_out_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("left_out_reason", models.CharField(blank=True, max_length=300)),
                        (
                            "settings_changed_at",
                            models.DateTimeField(help_text="When settings were last seen to have changed", null=True),
                        ),
                    ],
                    options={
                        "indexes": [
                            models.Index(fields=["source", "due_at"], name="monitoring_due"),
                            models.Index(
                                models.F("source"),
                                models.OrderBy(models.F("severity"), descending=True),
                                models.F("importance_rank"),
                                models.OrderBy(models.F("predictions_per_day"), descending=True, nulls_last=True),
                                models.F("label"),
                                models.F("id"),
                                condition=models.Q(("gone_at__isnull", True)),
                                include=("worst", "served_failing"),
                                name="monitoring_fleet_worst",
                            ),
                            models.Index(
                                models.F("source"),
                                models.F("importance_rank"),
                                models.OrderBy(models.F("uncovered"), descending=True),
                                models.F("label"),
                                models.F("id"),
                                condition=models.Q(("gone_at__isnull", True)),
                                include=("coverage",),
                                name="monitoring_blind_spots",
                            ),
                            models.Index(
                                condition=models.Q(("left_out_at__isnull", False)),
                                fields=["source"],
                                name="monitoring_left_out",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(fields=("source", "remote_id"), name="monitoring_watched_remote")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Transition",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "area",
                            models.CharField(
                                choices=[
                                    ("service", "Service health"),
                                    ("drift", "Data drift"),
                                    ("accuracy", "Accuracy"),
                                    ("fairness", "Fairness"),
                                    ("custom_metrics", "Custom metrics"),
                                    ("predictions_timeliness", "Timeliness of predictions"),
                                    ("actuals_timeliness", "Timeliness of actuals"),
                                ],
                                max_length=30,
                            ),
                        ),
                        (
                            "old",
                            models.CharField(
                                choices=[
                                    ("passing", "Passing"),
                                    ("warning", "At risk"),
                                    ("failing", "Failing"),
                                    ("unknown", "Unknown"),
                                    ("not_started", "Not started"),
                                    ("unavailable", "Unavailable"),
                                ],
                                max_length=12,
                            ),
                        ),
                        (
                            "new",
                            models.CharField(
                                choices=[
                                    ("passing", "Passing"),
                                    ("warning", "At risk"),
                                    ("failing", "Failing"),
                                    ("unknown", "Unknown"),
                                    ("not_started", "Not started"),
                                    ("unavailable", "Unavailable"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("reason", models.TextField()),
                        ("evidence", models.JSONField(default=dict)),
                        ("at", models.DateTimeField()),
                        (
                            "trouble_since",
                            models.DateTimeField(help_text="Start of the trouble that began or ended here", null=True),
                        ),
                        ("reconstructed", models.BooleanField(default=False)),
                        (
                            "watched",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="transitions",
                                to="monitoring.watched",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [models.Index(fields=["watched", "-at"], name="monitoring_transition_at")],
                    },
                ),
                migrations.CreateModel(
                    name="PendingQuestion",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("key", models.CharField(max_length=600)),
                        ("question", models.JSONField()),
                        ("asked_at", models.DateTimeField()),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("pending", "Pending"),
                                    ("running", "Running"),
                                    ("done", "Done"),
                                    ("refused", "Refused"),
                                    ("conflict", "Conflict"),
                                    ("failed", "Failed"),
                                    ("in_doubt", "In doubt"),
                                ],
                                default="pending",
                                max_length=10,
                            ),
                        ),
                        ("claimed_until", models.DateTimeField(null=True)),
                        ("attempts", models.PositiveSmallIntegerField(default=0)),
                        ("problem", models.CharField(blank=True, max_length=500)),
                        ("finished_at", models.DateTimeField(null=True)),
                        (
                            "asked_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "watched",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="pending_questions",
                                to="monitoring.watched",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [models.Index(fields=["state", "asked_at"], name="monitoring_pending_state")],
                        "constraints": [
                            models.UniqueConstraint(fields=("watched", "key"), name="monitoring_pending_question")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ModelSeen",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("model_id", models.CharField(max_length=64)),
                        ("name", models.CharField(blank=True, max_length=512)),
                        ("since", models.DateTimeField()),
                        ("until", models.DateTimeField(null=True)),
                        ("seen_at", models.DateTimeField()),
                        (
                            "watched",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="models_seen",
                                to="monitoring.watched",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["watched", "since"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("watched", "model_id", "since"), name="monitoring_model_seen"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Message",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "why",
                            models.CharField(
                                choices=[
                                    ("opened", "New trouble"),
                                    ("reopened", "In trouble again"),
                                    ("worse", "Got worse"),
                                    ("better", "Got better, not yet well"),
                                    ("still", "Still in trouble"),
                                    ("escalated", "Nobody answered"),
                                    ("flapping", "Flapping"),
                                    ("resolved", "Resolved"),
                                    ("digest", "Digest"),
                                    ("silence", "A silence ends"),
                                    ("handover", "Hand-over"),
                                    ("reviewed", "Review signed"),
                                    ("review_due", "Review due"),
                                    ("overdue", "Action items overdue"),
                                    ("loosened", "Watch loosened"),
                                    ("test", "Test message"),
                                    ("invited", "Invitation"),
                                    ("first", "First mail about it"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("recipient", models.CharField(max_length=300)),
                        ("subject", models.CharField(max_length=300)),
                        ("text", models.TextField()),
                        ("html", models.TextField()),
                        ("headers", models.JSONField(default=dict)),
                        ("pictures", models.JSONField(default=dict)),
                        ("message_id", models.CharField(max_length=200, unique=True)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("pending", "Waiting"),
                                    ("sending", "Being sent"),
                                    ("sent", "Sent"),
                                    ("in_doubt", "In doubt"),
                                    ("kept", "Kept here (no mail server set)"),
                                    ("failed", "Given up"),
                                    ("bounced", "Bounced"),
                                    ("dropped", "Overtaken"),
                                ],
                                default="pending",
                                max_length=10,
                            ),
                        ),
                        ("created_at", models.DateTimeField()),
                        ("not_before", models.DateTimeField()),
                        ("claimed_until", models.DateTimeField(null=True)),
                        ("attempts", models.PositiveSmallIntegerField(default=0)),
                        (
                            "doubted",
                            models.BooleanField(default=False, help_text="Was in doubt once and has been repeated"),
                        ),
                        ("sent_at", models.DateTimeField(null=True)),
                        ("problem", models.CharField(blank=True, max_length=500)),
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
                            "team",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="mail", to="monitoring.team"
                            ),
                        ),
                        (
                            "watched",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="mail",
                                to="monitoring.watched",
                            ),
                        ),
                        (
                            "carrier",
                            models.CharField(
                                choices=[
                                    ("email", "E-mail"),
                                    ("webhook", "Signed webhook"),
                                    ("service", "Chat or paging service"),
                                ],
                                default="email",
                                max_length=10,
                            ),
                        ),
                        ("payload", models.JSONField(default=dict)),
                        (
                            "provider_id",
                            models.CharField(
                                blank=True, help_text="The far side's own id, for bounces", max_length=200
                            ),
                        ),
                        (
                            "channel",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="messages",
                                to="monitoring.channel",
                            ),
                        ),
                        (
                            "incident",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="messages",
                                to="monitoring.incident",
                            ),
                        ),
                        (
                            "notice",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="messages",
                                to="monitoring.incidentnotice",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [
                            models.Index(fields=["team", "-created_at"], name="monitoring_mail_list"),
                            models.Index(fields=["state", "not_before"], name="monitoring_mail_due"),
                            models.Index(
                                condition=models.Q(("provider_id", ""), _negated=True),
                                fields=["provider_id"],
                                name="monitoring_mail_provider",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="HealthDay",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "area",
                            models.CharField(
                                choices=[
                                    ("service", "Service health"),
                                    ("drift", "Data drift"),
                                    ("accuracy", "Accuracy"),
                                    ("fairness", "Fairness"),
                                    ("custom_metrics", "Custom metrics"),
                                    ("predictions_timeliness", "Timeliness of predictions"),
                                    ("actuals_timeliness", "Timeliness of actuals"),
                                ],
                                max_length=30,
                            ),
                        ),
                        ("day", models.DateField()),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("passing", "Passing"),
                                    ("warning", "At risk"),
                                    ("failing", "Failing"),
                                    ("unknown", "Unknown"),
                                    ("not_started", "Not started"),
                                    ("unavailable", "Unavailable"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("reason", models.TextField(blank=True)),
                        ("value", models.FloatField(null=True)),
                        ("reconstructed", models.BooleanField(default=False)),
                        (
                            "watched",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="health_days",
                                to="monitoring.watched",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("watched", "area", "day"), name="monitoring_health_day")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Command",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("kind", models.CharField(help_text="A row of `monitoring.commands.kinds`", max_length=30)),
                        ("body", models.JSONField(default=dict)),
                        ("read", models.JSONField(default=dict)),
                        ("asked_at", models.DateTimeField()),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("pending", "Pending"),
                                    ("running", "Running"),
                                    ("done", "Done"),
                                    ("refused", "Refused"),
                                    ("conflict", "Conflict"),
                                    ("failed", "Failed"),
                                    ("in_doubt", "In doubt"),
                                ],
                                default="pending",
                                max_length=10,
                            ),
                        ),
                        ("claimed_until", models.DateTimeField(null=True)),
                        ("attempts", models.PositiveSmallIntegerField(default=0)),
                        ("result", models.JSONField(default=dict)),
                        ("problem", models.CharField(blank=True, max_length=500)),
                        ("finished_at", models.DateTimeField(null=True)),
                        (
                            "asked_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "source",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="commands",
                                to="monitoring.source",
                            ),
                        ),
                        (
                            "watched",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="commands",
                                to="monitoring.watched",
                            ),
                        ),
                        ("before", models.JSONField(default=dict)),
                        (
                            "dismissed_at",
                            models.DateTimeField(help_text="When somebody took it off the page", null=True),
                        ),
                        ("group", models.CharField(blank=True, max_length=32)),
                        ("key", models.CharField(default=monitoring.models.commands.new_key, max_length=32)),
                        ("location", models.CharField(blank=True, max_length=300)),
                        ("message", models.CharField(blank=True, max_length=500)),
                        ("name", models.CharField(blank=True, max_length=300)),
                        ("nonce", models.CharField(max_length=100, null=True, unique=True)),
                        ("progress", models.FloatField(help_text="0 to 1, as the job tells", null=True)),
                        (
                            "sent_at",
                            models.DateTimeField(help_text="When it was last sent without a clear answer", null=True),
                        ),
                        ("target", models.CharField(blank=True, max_length=140)),
                    ],
                    options={
                        "indexes": [
                            models.Index(fields=["state", "asked_at"], name="monitoring_command_state"),
                            models.Index(fields=["watched", "-asked_at"], name="monitoring_command_of"),
                            models.Index(
                                condition=models.Q(("group", ""), _negated=True),
                                fields=["group"],
                                name="monitoring_command_group",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="AreaHealth",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "area",
                            models.CharField(
                                choices=[
                                    ("service", "Service health"),
                                    ("drift", "Data drift"),
                                    ("accuracy", "Accuracy"),
                                    ("fairness", "Fairness"),
                                    ("custom_metrics", "Custom metrics"),
                                    ("predictions_timeliness", "Timeliness of predictions"),
                                    ("actuals_timeliness", "Timeliness of actuals"),
                                ],
                                max_length=30,
                            ),
                        ),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("passing", "Passing"),
                                    ("warning", "At risk"),
                                    ("failing", "Failing"),
                                    ("unknown", "Unknown"),
                                    ("not_started", "Not started"),
                                    ("unavailable", "Unavailable"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("reason", models.TextField()),
                        ("evidence", models.JSONField(default=dict)),
                        ("since", models.DateTimeField()),
                        ("judged_at", models.DateTimeField()),
                        (
                            "source_status",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("passing", "Passing"),
                                    ("warning", "At risk"),
                                    ("failing", "Failing"),
                                    ("unknown", "Unknown"),
                                    ("not_started", "Not started"),
                                    ("unavailable", "Unavailable"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("disagrees", models.BooleanField(default=False)),
                        (
                            "watched",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="areas",
                                to="monitoring.watched",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("watched", "area"), name="monitoring_area_health")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="PollRun",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("discovery", "Deployment list"),
                                    ("poll", "Poll"),
                                    ("questions", "Questions"),
                                    ("test", "Connection test"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("started_at", models.DateTimeField()),
                        ("seconds", models.FloatField(default=0.0)),
                        ("deployments", models.PositiveIntegerField(default=0)),
                        ("skipped", models.PositiveIntegerField(default=0)),
                        ("asked", models.PositiveIntegerField(default=0)),
                        ("answered", models.PositiveIntegerField(default=0)),
                        ("refused", models.PositiveIntegerField(default=0)),
                        ("failed", models.PositiveIntegerField(default=0)),
                        ("stored", models.PositiveIntegerField(default=0)),
                        ("problem", models.CharField(blank=True, max_length=500)),
                        (
                            "source",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="runs", to="monitoring.source"
                            ),
                        ),
                    ],
                    options={
                        "indexes": [
                            models.Index(fields=["source", "-started_at"], name="monitoring_run_source"),
                            models.Index(fields=["started_at"], name="monitoring_run_started"),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="AlertPolicy",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "opens_at",
                            models.CharField(
                                choices=[
                                    ("passing", "Passing"),
                                    ("warning", "At risk"),
                                    ("failing", "Failing"),
                                    ("unknown", "Unknown"),
                                    ("not_started", "Not started"),
                                    ("unavailable", "Unavailable"),
                                ],
                                default="warning",
                                max_length=12,
                            ),
                        ),
                        ("pending_minutes", models.PositiveIntegerField(default=10)),
                        ("recovery_minutes", models.PositiveIntegerField(default=30)),
                        ("reopen_minutes", models.PositiveIntegerField(default=1440)),
                        ("flap_turns", models.PositiveSmallIntegerField(default=3)),
                        ("flap_minutes", models.PositiveIntegerField(default=1440)),
                        ("calm_minutes", models.PositiveIntegerField(default=360)),
                        ("remind_minutes", models.PositiveIntegerField(default=1440, help_text="0 = no reminders")),
                        ("escalate_minutes", models.PositiveIntegerField(default=240, help_text="0 = no escalation")),
                        ("source_grace_minutes", models.PositiveIntegerField(default=10)),
                        ("fleet_size", models.PositiveSmallIntegerField(default=3)),
                        ("fleet_minutes", models.PositiveIntegerField(default=60)),
                        (
                            "team",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="alert_policy",
                                to="monitoring.team",
                            ),
                        ),
                        (
                            "tell_loosened",
                            models.BooleanField(default=True, help_text="Tell when settings at a source let more pass"),
                        ),
                        (
                            "tell_own_changes",
                            models.BooleanField(default=False, help_text="Tell it to whoever did it here, too"),
                        ),
                    ],
                ),
                migrations.CreateModel(
                    name="Incident",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("deployment", "Deployment"),
                                    ("fleet", "Several deployments"),
                                    ("source", "Source"),
                                ],
                                max_length=12,
                            ),
                        ),
                        (
                            "area",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("service", "Service health"),
                                    ("drift", "Data drift"),
                                    ("accuracy", "Accuracy"),
                                    ("fairness", "Fairness"),
                                    ("custom_metrics", "Custom metrics"),
                                    ("predictions_timeliness", "Timeliness of predictions"),
                                    ("actuals_timeliness", "Timeliness of actuals"),
                                ],
                                max_length=30,
                            ),
                        ),
                        (
                            "cause",
                            models.CharField(
                                blank=True, help_text="Key of the cause that a fleet incident has", max_length=300
                            ),
                        ),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("passing", "Passing"),
                                    ("warning", "At risk"),
                                    ("failing", "Failing"),
                                    ("unknown", "Unknown"),
                                    ("not_started", "Not started"),
                                    ("unavailable", "Unavailable"),
                                ],
                                max_length=12,
                            ),
                        ),
                        (
                            "worst",
                            models.CharField(
                                choices=[
                                    ("passing", "Passing"),
                                    ("warning", "At risk"),
                                    ("failing", "Failing"),
                                    ("unknown", "Unknown"),
                                    ("not_started", "Not started"),
                                    ("unavailable", "Unavailable"),
                                ],
                                max_length=12,
                            ),
                        ),
                        (
                            "severity",
                            models.PositiveSmallIntegerField(
                                choices=[(1, "Low"), (2, "Moderate"), (3, "High"), (4, "Critical")],
                                help_text="Of the worst status",
                            ),
                        ),
                        ("reason", models.TextField(blank=True)),
                        ("evidence", models.JSONField(default=dict)),
                        ("began_at", models.DateTimeField()),
                        ("opened_at", models.DateTimeField()),
                        ("resolved_at", models.DateTimeField(null=True)),
                        ("reopened", models.PositiveSmallIntegerField(default=0)),
                        (
                            "recovering_since",
                            models.DateTimeField(help_text="Passing since, but not yet for long enough", null=True),
                        ),
                        ("flapping_since", models.DateTimeField(null=True)),
                        ("dark_since", models.DateTimeField(help_text="No data to judge since", null=True)),
                        (
                            "predictions_affected",
                            models.FloatField(default=0.0, help_text="Served while the trouble lasted, about"),
                        ),
                        ("acknowledged_at", models.DateTimeField(null=True)),
                        ("snoozed_until", models.DateTimeField(null=True)),
                        ("snoozed_why", models.CharField(blank=True, max_length=300)),
                        (
                            "snoozed_status",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("passing", "Passing"),
                                    ("warning", "At risk"),
                                    ("failing", "Failing"),
                                    ("unknown", "Unknown"),
                                    ("not_started", "Not started"),
                                    ("unavailable", "Unavailable"),
                                ],
                                help_text="Worse than this is told",
                                max_length=12,
                            ),
                        ),
                        (
                            "told",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("passing", "Passing"),
                                    ("warning", "At risk"),
                                    ("failing", "Failing"),
                                    ("unknown", "Unknown"),
                                    ("not_started", "Not started"),
                                    ("unavailable", "Unavailable"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("told_at", models.DateTimeField(null=True)),
                        ("escalated_at", models.DateTimeField(null=True)),
                        (
                            "decisions",
                            models.PositiveIntegerField(default=0, help_text="Notices made; numbers their keys"),
                        ),
                        (
                            "reconstructed",
                            models.BooleanField(default=False, help_text="From judged past days; nobody is written to"),
                        ),
                        (
                            "acknowledged_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "assignee",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="incidents",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "parent",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="members",
                                to="monitoring.incident",
                            ),
                        ),
                        (
                            "resolved_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "snoozed_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "source",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="incidents",
                                to="monitoring.source",
                            ),
                        ),
                        (
                            "team",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="incidents",
                                to="monitoring.team",
                            ),
                        ),
                        (
                            "watched",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="incidents",
                                to="monitoring.watched",
                            ),
                        ),
                        (
                            "check_at",
                            models.DateTimeField(
                                help_text="When something may have to be told though nothing changes", null=True
                            ),
                        ),
                        (
                            "first_told_at",
                            models.DateTimeField(help_text="When the present trouble was first told", null=True),
                        ),
                        ("size", models.PositiveIntegerField(default=1, help_text="Fleet: deployments in trouble now")),
                        ("status_since", models.DateTimeField(null=True)),
                        ("told_size", models.PositiveIntegerField(default=0)),
                        (
                            "reminders",
                            models.PositiveIntegerField(default=0, help_text="Since it was told or got worse"),
                        ),
                    ],
                    options={
                        "ordering": ["-opened_at", "-pk"],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("resolved_at", None)),
                                fields=["team", "-severity"],
                                name="monitoring_incident_open",
                            ),
                            models.Index(fields=["team", "-opened_at"], name="monitoring_incident_list"),
                            models.Index(fields=["watched", "-opened_at"], name="monitoring_incident_of"),
                            models.Index(
                                condition=models.Q(("resolved_at", None)),
                                fields=["check_at"],
                                name="monitoring_incident_due",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("kind", "deployment"), ("resolved_at", None)),
                                fields=("watched", "area"),
                                name="monitoring_one_incident",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("kind", "source"), ("resolved_at", None)),
                                fields=("source",),
                                name="monitoring_one_silence",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("kind", "fleet"), ("resolved_at", None)),
                                fields=("team", "cause"),
                                name="monitoring_one_fleet",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="IncidentEvent",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("at", models.DateTimeField()),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("opened", "Opened"),
                                    ("reopened", "Reopened"),
                                    ("worse", "Got worse"),
                                    ("better", "Got better"),
                                    ("recovering", "Passing, not yet for long enough"),
                                    ("relapsed", "In trouble again"),
                                    ("flapping", "Flapping"),
                                    ("calm", "No longer flapping"),
                                    ("dark", "No data"),
                                    ("light", "Data again"),
                                    ("joined", "Joined"),
                                    ("acknowledged", "Acknowledged"),
                                    ("assigned", "Assigned"),
                                    ("note", "Note"),
                                    ("snoozed", "Snoozed"),
                                    ("unsnoozed", "Snooze ended"),
                                    ("silenced", "Alerts held back"),
                                    ("told", "Told"),
                                    ("escalated", "Escalated"),
                                    ("resolved", "Resolved"),
                                ],
                                max_length=16,
                            ),
                        ),
                        ("text", models.TextField(blank=True)),
                        ("data", models.JSONField(default=dict)),
                        (
                            "by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "incident",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="events",
                                to="monitoring.incident",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["at", "pk"],
                        "indexes": [models.Index(fields=["incident", "at"], name="monitoring_timeline")],
                    },
                ),
                migrations.CreateModel(
                    name="IncidentNotice",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("opened", "New trouble"),
                                    ("reopened", "In trouble again"),
                                    ("worse", "Got worse"),
                                    ("better", "Got better, not yet well"),
                                    ("still", "Still in trouble"),
                                    ("escalated", "Nobody answered"),
                                    ("flapping", "Flapping"),
                                    ("resolved", "Resolved"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("key", models.CharField(max_length=120, unique=True)),
                        ("at", models.DateTimeField()),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("passing", "Passing"),
                                    ("warning", "At risk"),
                                    ("failing", "Failing"),
                                    ("unknown", "Unknown"),
                                    ("not_started", "Not started"),
                                    ("unavailable", "Unavailable"),
                                ],
                                max_length=12,
                            ),
                        ),
                        (
                            "was",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("passing", "Passing"),
                                    ("warning", "At risk"),
                                    ("failing", "Failing"),
                                    ("unknown", "Unknown"),
                                    ("not_started", "Not started"),
                                    ("unavailable", "Unavailable"),
                                ],
                                max_length=12,
                            ),
                        ),
                        (
                            "severity",
                            models.PositiveSmallIntegerField(
                                choices=[(1, "Low"), (2, "Moderate"), (3, "High"), (4, "Critical")]
                            ),
                        ),
                        ("reason", models.TextField(blank=True)),
                        ("evidence", models.JSONField(default=dict)),
                        ("data", models.JSONField(default=dict)),
                        (
                            "held",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("fleet", "Told by its fleet incident"),
                                    ("silence", "Silenced"),
                                    ("snooze", "Snoozed"),
                                    ("source", "Its source cannot be reached"),
                                    ("changing", "The deployment is being changed"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("handled_at", models.DateTimeField(null=True)),
                        ("outcome", models.CharField(blank=True, max_length=200)),
                        (
                            "incident",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="notices",
                                to="monitoring.incident",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["at", "pk"],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("handled_at", None)), fields=["at"], name="monitoring_notice_wait"
                            ),
                            models.Index(fields=["incident", "at"], name="monitoring_notice_of"),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="IncidentTrack",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "area",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("service", "Service health"),
                                    ("drift", "Data drift"),
                                    ("accuracy", "Accuracy"),
                                    ("fairness", "Fairness"),
                                    ("custom_metrics", "Custom metrics"),
                                    ("predictions_timeliness", "Timeliness of predictions"),
                                    ("actuals_timeliness", "Timeliness of actuals"),
                                ],
                                max_length=30,
                            ),
                        ),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("passing", "Passing"),
                                    ("warning", "At risk"),
                                    ("failing", "Failing"),
                                    ("unknown", "Unknown"),
                                    ("not_started", "Not started"),
                                    ("unavailable", "Unavailable"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("state", models.JSONField(default=dict)),
                        ("causes", models.JSONField(default=list)),
                        ("trouble_since", models.DateTimeField(null=True)),
                        ("check_at", models.DateTimeField(null=True)),
                        (
                            "incident",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="tracks",
                                to="monitoring.incident",
                            ),
                        ),
                        (
                            "source",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="tracks",
                                to="monitoring.source",
                            ),
                        ),
                        (
                            "watched",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="tracks",
                                to="monitoring.watched",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [models.Index(fields=["check_at"], name="monitoring_track_due")],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("watched", "area"), name="monitoring_track", nulls_distinct=True
                            ),
                            models.UniqueConstraint(fields=("source",), name="monitoring_source_track"),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Silence",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[("silence", "Silence"), ("maintenance", "Maintenance window")],
                                default="silence",
                                max_length=12,
                            ),
                        ),
                        ("tag", models.CharField(blank=True, help_text="Name of a tag, or name=value", max_length=200)),
                        (
                            "area",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("service", "Service health"),
                                    ("drift", "Data drift"),
                                    ("accuracy", "Accuracy"),
                                    ("fairness", "Fairness"),
                                    ("custom_metrics", "Custom metrics"),
                                    ("predictions_timeliness", "Timeliness of predictions"),
                                    ("actuals_timeliness", "Timeliness of actuals"),
                                ],
                                max_length=30,
                            ),
                        ),
                        ("reason", models.CharField(max_length=300)),
                        ("starts_at", models.DateTimeField()),
                        ("ends_at", models.DateTimeField()),
                        ("rule", models.CharField(blank=True, max_length=200)),
                        ("minutes", models.PositiveIntegerField(default=0, help_text="Recurring: how long each lasts")),
                        ("time_zone", models.CharField(default="UTC", max_length=64)),
                        ("created_at", models.DateTimeField()),
                        ("cancelled_at", models.DateTimeField(null=True)),
                        (
                            "end_told_at",
                            models.DateTimeField(help_text="When its owner was told that it ends soon", null=True),
                        ),
                        (
                            "cancelled_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "owner",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="silences",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "source",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="silences",
                                to="monitoring.source",
                            ),
                        ),
                        (
                            "team",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="silences",
                                to="monitoring.team",
                            ),
                        ),
                        (
                            "watched",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="silences",
                                to="monitoring.watched",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["ends_at", "pk"],
                        "indexes": [models.Index(fields=["team", "ends_at"], name="monitoring_silence_team")],
                    },
                ),
                migrations.CreateModel(
                    name="ReviewPlan",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=120)),
                        (
                            "cadence",
                            models.CharField(
                                choices=[
                                    ("weekly", "Every week"),
                                    ("fortnightly", "Every two weeks"),
                                    ("monthly", "Every month"),
                                    ("quarterly", "Every three months"),
                                ],
                                default="weekly",
                                max_length=12,
                            ),
                        ),
                        (
                            "weekday",
                            models.PositiveSmallIntegerField(
                                choices=[
                                    (0, "Monday"),
                                    (1, "Tuesday"),
                                    (2, "Wednesday"),
                                    (3, "Thursday"),
                                    (4, "Friday"),
                                    (5, "Saturday"),
                                    (6, "Sunday"),
                                ],
                                default=0,
                            ),
                        ),
                        ("hour", models.PositiveSmallIntegerField(default=9)),
                        ("minute", models.PositiveSmallIntegerField(default=0)),
                        ("time_zone", models.CharField(default="UTC", max_length=64)),
                        ("starts_on", models.DateField()),
                        ("importances", models.JSONField(blank=True, default=list)),
                        ("tags", models.JSONField(blank=True, default=list)),
                        ("active", models.BooleanField(default=True)),
                        ("created_at", models.DateTimeField()),
                        (
                            "attendees",
                            models.ManyToManyField(blank=True, related_name="+", to=settings.AUTH_USER_MODEL),
                        ),
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
                            "team",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="review_plans",
                                to="monitoring.team",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["team", "name"],
                        "constraints": [
                            models.UniqueConstraint(fields=("team", "name"), name="monitoring_review_plan")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Review",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("number", models.PositiveIntegerField()),
                        ("due_at", models.DateTimeField(help_text="When the meeting was due")),
                        ("opened_at", models.DateTimeField()),
                        ("since", models.DateTimeField(help_text="Start of the time it looks back on")),
                        ("known_at", models.DateTimeField(help_text="As of when agenda and figures were built")),
                        (
                            "state",
                            models.CharField(
                                choices=[("open", "Open"), ("signed", "Signed")], default="open", max_length=8
                            ),
                        ),
                        ("calm", models.JSONField(default=list)),
                        ("calm_accepted", models.BooleanField(default=False)),
                        ("signed_at", models.DateTimeField(null=True)),
                        (
                            "content",
                            models.TextField(blank=True, help_text="The record as canonical JSON, written once"),
                        ),
                        ("content_hash", models.CharField(blank=True, max_length=64)),
                        (
                            "opened_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "previous",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="following",
                                to="monitoring.review",
                            ),
                        ),
                        (
                            "signed_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "plan",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="reviews",
                                to="monitoring.reviewplan",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-opened_at"],
                        "constraints": [
                            models.UniqueConstraint(fields=("plan", "number"), name="monitoring_review_number"),
                            models.UniqueConstraint(
                                condition=models.Q(("state", "open")),
                                fields=("plan",),
                                name="monitoring_one_open_review",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ReviewPresence",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("first_at", models.DateTimeField()),
                        ("seen_at", models.DateTimeField()),
                        (
                            "review",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="present",
                                to="monitoring.review",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["first_at"],
                        "constraints": [
                            models.UniqueConstraint(fields=("review", "user"), name="monitoring_review_present")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="PageVisit",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("at", models.DateTimeField()),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "watched",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="visits",
                                to="monitoring.watched",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("watched", "user"), name="monitoring_page_visit")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ActionItem",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "label",
                            models.CharField(
                                blank=True, help_text="The deployment's name, kept when it is gone", max_length=512
                            ),
                        ),
                        ("text", models.CharField(max_length=500)),
                        ("due_on", models.DateField()),
                        (
                            "state",
                            models.CharField(
                                choices=[("open", "Open"), ("done", "Done"), ("dropped", "Dropped")],
                                default="open",
                                max_length=8,
                            ),
                        ),
                        ("created_at", models.DateTimeField()),
                        ("closed_at", models.DateTimeField(null=True)),
                        (
                            "closed_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
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
                            "owner",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "team",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="action_items",
                                to="monitoring.team",
                            ),
                        ),
                        (
                            "watched",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="action_items",
                                to="monitoring.watched",
                            ),
                        ),
                        (
                            "review",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="actions",
                                to="monitoring.review",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["due_on", "pk"],
                        "indexes": [models.Index(fields=["team", "state", "due_on"], name="monitoring_actions")],
                    },
                ),
                migrations.CreateModel(
                    name="ReviewItem",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("label", models.CharField(max_length=512)),
                        (
                            "section",
                            models.CharField(
                                choices=[("discuss", "To discuss"), ("blind", "Not watched")],
                                default="discuss",
                                max_length=8,
                            ),
                        ),
                        ("position", models.PositiveIntegerField()),
                        ("consequence", models.FloatField(default=0.0)),
                        ("reasons", models.JSONField(default=list)),
                        ("figures", models.JSONField(default=dict)),
                        (
                            "verdict",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("healthy", "Healthy"),
                                    ("accept", "Accept"),
                                    ("watch", "Watch"),
                                    ("act", "Act"),
                                ],
                                max_length=8,
                            ),
                        ),
                        ("note", models.TextField(blank=True)),
                        ("version", models.PositiveIntegerField(default=0)),
                        ("saved_at", models.DateTimeField(null=True)),
                        (
                            "review",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="items",
                                to="monitoring.review",
                            ),
                        ),
                        (
                            "saved_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "watched",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="monitoring.watched",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["review", "position", "pk"],
                        "constraints": [
                            models.UniqueConstraint(fields=("review", "watched"), name="monitoring_review_item")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Channel",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=120)),
                        (
                            "carrier",
                            models.CharField(
                                choices=[
                                    ("email", "E-mail"),
                                    ("webhook", "Signed webhook"),
                                    ("service", "Chat or paging service"),
                                ],
                                max_length=10,
                            ),
                        ),
                        ("target_encrypted", models.BinaryField()),
                        ("secret_encrypted", models.BinaryField(default=bytes)),
                        ("shown", models.CharField(max_length=300)),
                        ("time_zone", models.CharField(default="UTC", max_length=64)),
                        ("enabled", models.BooleanField(default=True)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("last_sent_at", models.DateTimeField(null=True)),
                        ("last_error", models.CharField(blank=True, max_length=500)),
                        ("last_error_at", models.DateTimeField(null=True)),
                        ("failures", models.PositiveIntegerField(default=0)),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="channels_created",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "team",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="channels",
                                to="monitoring.team",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["team", "name"],
                        "constraints": [
                            models.UniqueConstraint(fields=("team", "name"), name="monitoring_channel_name")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="NotificationRule",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=120)),
                        ("position", models.PositiveIntegerField(default=10)),
                        ("enabled", models.BooleanField(default=True)),
                        ("importances", models.JSONField(default=list)),
                        ("areas", models.JSONField(default=list)),
                        ("tags", models.JSONField(default=list, help_text="Names of tags, or name=value; any of them")),
                        ("only_failing", models.BooleanField(default=False)),
                        ("escalation", models.BooleanField(default=False)),
                        (
                            "delivery",
                            models.CharField(
                                choices=[("now", "At once"), ("digest", "In the digest"), ("never", "Not at all")],
                                default="now",
                                max_length=8,
                            ),
                        ),
                        ("everybody", models.BooleanField(default=True, help_text="Every member and every channel")),
                        ("days", models.JSONField(default=list, help_text="Weekdays, Monday = 0; empty: all")),
                        ("from_time", models.TimeField(blank=True, null=True)),
                        ("to_time", models.TimeField(blank=True, null=True)),
                        ("time_zone", models.CharField(default="UTC", max_length=64)),
                        ("channels", models.ManyToManyField(blank=True, related_name="rules", to="monitoring.channel")),
                        (
                            "members",
                            models.ManyToManyField(blank=True, related_name="rules", to="monitoring.membership"),
                        ),
                        (
                            "team",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="rules", to="monitoring.team"
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["team", "position", "pk"],
                    },
                ),
                migrations.CreateModel(
                    name="UsedLink",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("key", models.CharField(max_length=64, unique=True)),
                        ("at", models.DateTimeField()),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                ),
                migrations.CreateModel(
                    name="Subscription",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "wish",
                            models.CharField(
                                choices=[("all", "Hear everything at once"), ("nothing", "Hear nothing")], max_length=10
                            ),
                        ),
                        ("since", models.DateTimeField(auto_now_add=True)),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="subscriptions",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "watched",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="subscriptions",
                                to="monitoring.watched",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("user", "watched"), name="monitoring_one_subscription")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Vote",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("useful", models.BooleanField()),
                        ("at", models.DateTimeField()),
                        (
                            "notice",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="votes",
                                to="monitoring.incidentnotice",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="votes",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "indexes": [models.Index(fields=["at"], name="monitoring_vote_at")],
                        "constraints": [models.UniqueConstraint(fields=("notice", "user"), name="monitoring_one_vote")],
                    },
                ),
                migrations.CreateModel(
                    name="Ping",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("at", models.DateTimeField()),
                        ("sent", models.BooleanField()),
                        ("problem", models.CharField(blank=True, max_length=300)),
                    ],
                ),
                migrations.CreateModel(
                    name="HandoverPlan",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=120)),
                        ("days", models.JSONField(default=list)),
                        ("at", models.TimeField(default=datetime.time(8, 0))),
                        ("time_zone", models.CharField(default="UTC", max_length=64)),
                        (
                            "channels",
                            models.ManyToManyField(blank=True, related_name="handovers", to="monitoring.channel"),
                        ),
                        (
                            "members",
                            models.ManyToManyField(blank=True, related_name="handovers", to="monitoring.membership"),
                        ),
                        (
                            "team",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="handovers",
                                to="monitoring.team",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["team", "at", "pk"],
                    },
                ),
                migrations.CreateModel(
                    name="PeriodDone",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("key", models.CharField(max_length=120, unique=True)),
                        ("at", models.DateTimeField()),
                    ],
                    options={
                        "indexes": [models.Index(fields=["at"], name="monitoring_period_done")],
                    },
                ),
                migrations.CreateModel(
                    name="DefaultView",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "user",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="default_view",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "view",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="default_for",
                                to="monitoring.savedview",
                            ),
                        ),
                    ],
                ),
                migrations.CreateModel(
                    name="SavedView",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=60)),
                        ("query", models.CharField(blank=True, max_length=1000)),
                        ("created_at", models.DateTimeField()),
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
                            "team",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="saved_views",
                                to="monitoring.team",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="saved_views",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["name", "pk"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("user__isnull", True), ("team__isnull", True), _connector="XOR"),
                                name="monitoring_view_has_one_owner",
                            ),
                            models.UniqueConstraint(fields=("user", "name"), name="monitoring_view_of_person"),
                            models.UniqueConstraint(fields=("team", "name"), name="monitoring_view_of_team"),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SetupCode",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("single", models.BooleanField(default=True, editable=False, unique=True)),
                        ("code", models.CharField(max_length=40)),
                        ("made_at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("single", True)), name="monitoring_one_setup_code"
                            )
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
                        ("at", models.DateTimeField()),
                        ("actor", models.CharField(max_length=200)),
                        ("action", models.CharField(help_text="A word of AuditAction", max_length=30)),
                        ("about", models.CharField(blank=True, max_length=300)),
                        ("detail", models.JSONField(default=dict)),
                        ("address", models.GenericIPAddressField(null=True)),
                        (
                            "team",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="audit",
                                to="monitoring.team",
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
                        "indexes": [
                            models.Index(fields=["team", "-at"], name="monitoring_audit_team"),
                            models.Index(fields=["user", "-at"], name="monitoring_audit_user"),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Invitation",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("email", models.EmailField(max_length=254)),
                        (
                            "role",
                            models.CharField(
                                choices=[
                                    ("owner", "Owner"),
                                    ("manager", "Manager"),
                                    ("member", "Member"),
                                    ("readonly", "Read only"),
                                ],
                                default="member",
                                max_length=12,
                            ),
                        ),
                        ("nonce", models.CharField(max_length=40)),
                        ("created_at", models.DateTimeField()),
                        ("expires_at", models.DateTimeField()),
                        ("accepted_at", models.DateTimeField(null=True)),
                        ("revoked_at", models.DateTimeField(null=True)),
                        (
                            "accepted_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "invited_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "team",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="invitations",
                                to="monitoring.team",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-created_at"],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("accepted_at", None), ("revoked_at", None)),
                                fields=("team", "email"),
                                name="monitoring_one_open_invitation",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Note",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("at", models.DateTimeField()),
                        ("text", models.CharField(max_length=2000)),
                        ("written_at", models.DateTimeField()),
                        ("edited_at", models.DateTimeField(null=True)),
                        (
                            "author",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="notes",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "edited_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "watched",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="notes",
                                to="monitoring.watched",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [models.Index(fields=["watched", "-at"], name="monitoring_note_at")],
                    },
                ),
                migrations.CreateModel(
                    name="SettingsChange",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("kind", models.CharField(max_length=30)),
                        ("path", models.CharField(max_length=120)),
                        ("before", models.JSONField(null=True)),
                        ("after", models.JSONField(null=True)),
                        ("since", models.DateTimeField(null=True)),
                        ("seen_at", models.DateTimeField()),
                        (
                            "loosens",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("limit", "Limit loosened"),
                                    ("excluded", "Left out"),
                                    ("off", "Switched off"),
                                ],
                                max_length=10,
                            ),
                        ),
                        ("area", models.CharField(blank=True, max_length=30)),
                        ("words", models.CharField(blank=True, max_length=500)),
                        ("handled_at", models.DateTimeField(null=True)),
                        ("outcome", models.CharField(blank=True, max_length=200)),
                        (
                            "by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "command",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="changes",
                                to="monitoring.command",
                            ),
                        ),
                        (
                            "watched",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="settings_changes",
                                to="monitoring.watched",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-seen_at", "-pk"],
                        "indexes": [
                            models.Index(fields=["watched", "-seen_at"], name="monitoring_settings_seen"),
                            models.Index(
                                condition=models.Q(("handled_at__isnull", True)),
                                fields=["seen_at"],
                                name="monitoring_settings_wait",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Bulk",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("act", models.CharField(max_length=20)),
                        ("words", models.CharField(max_length=300)),
                        ("at", models.DateTimeField()),
                        ("nonce", models.CharField(max_length=100, unique=True)),
                        ("picked", models.JSONField(default=list)),
                        ("left", models.JSONField(default=list)),
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
                migrations.CreateModel(
                    name="Star",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="stars",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "watched",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="stars",
                                to="monitoring.watched",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("user", "watched"), name="monitoring_one_star")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Registration",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("asked_at", models.DateTimeField()),
                        ("name", models.CharField(max_length=300)),
                        (
                            "step",
                            models.CharField(
                                choices=[
                                    ("draft", "Columns"),
                                    ("preparing", "Registering"),
                                    ("ready", "Baselines"),
                                    ("deploying", "Deploying"),
                                    ("done", "First row"),
                                ],
                                default="draft",
                                max_length=10,
                            ),
                        ),
                        ("files", models.JSONField(default=dict)),
                        ("columns", models.JSONField(default=list)),
                        ("spec", models.JSONField(default=dict)),
                        ("results", models.JSONField(default=dict)),
                        ("errors", models.JSONField(default=dict)),
                        ("problem", models.CharField(blank=True, max_length=1000)),
                        ("claimed_until", models.DateTimeField(null=True)),
                        ("attempts", models.PositiveSmallIntegerField(default=0)),
                        (
                            "watched_until",
                            models.DateTimeField(help_text="Somebody waits for the first row until then", null=True),
                        ),
                        ("rows", models.JSONField(default=list, help_text="The first rows that arrived")),
                        ("first_row_at", models.DateTimeField(null=True)),
                        ("finished_at", models.DateTimeField(null=True)),
                        (
                            "asked_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "source",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="registrations",
                                to="monitoring.source",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [
                            models.Index(fields=["step", "claimed_until"], name="monitoring_registration_step")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ShareLink",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("deployment", "Tab of a deployment"),
                                    ("fleet", "Fleet"),
                                    ("wall", "Wall screen"),
                                    ("incident", "Incident"),
                                    ("badge", "Badge"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("name", models.CharField(help_text="For whom or for what it is", max_length=80)),
                        ("digest", models.CharField(max_length=64, unique=True)),
                        ("tab", models.CharField(blank=True, max_length=20)),
                        ("query", models.CharField(blank=True, max_length=1000)),
                        ("with_csv", models.BooleanField(default=False)),
                        ("time_zone", models.CharField(default="UTC", max_length=64)),
                        ("created_at", models.DateTimeField()),
                        ("expires_at", models.DateTimeField()),
                        ("revoked_at", models.DateTimeField(null=True)),
                        ("opened_at", models.DateTimeField(null=True)),
                        (
                            "opened",
                            models.PositiveIntegerField(
                                default=0, help_text="Minutes in which it was opened at least once"
                            ),
                        ),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="shares_created",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "incident",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="shares",
                                to="monitoring.incident",
                            ),
                        ),
                        (
                            "revoked_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "team",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="shares", to="monitoring.team"
                            ),
                        ),
                        (
                            "watched",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="shares",
                                to="monitoring.watched",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-created_at", "-pk"],
                    },
                ),
            ]
        ),
        migrations.RunSQL(KEEP, DROP),
    ]
