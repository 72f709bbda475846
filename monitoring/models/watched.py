"""What is watched: one row a deployment, holding what lists and filters need; details live in snapshots."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Value, When

from monitoring.models.choices import CORE_AREAS, Area, DeploymentStatus, Importance, Status
from monitoring.models.sources import Source


class Watched(models.Model):
    """A deployment of a source. Every field but the last group is a copy of the source's newest list entry.

    `fingerprint` digests what moved means (last prediction, statuses, model, settings shown by the list); health
    windows that only slide are left out. `gone_at` is set when the source no longer lists it, or the team leaves it
    out (`left_out_at`, see `monitoring.marks`): history stays.
    """

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="watched")
    remote_id = models.CharField(max_length=64)
    label = models.CharField(max_length=512)
    description = models.TextField(blank=True)
    importance = models.CharField(max_length=12, choices=Importance, blank=True)
    deployment_status = models.CharField(max_length=20, choices=DeploymentStatus, default=DeploymentStatus.ACTIVE)
    model_id = models.CharField(max_length=64, blank=True)
    model_name = models.CharField(max_length=512, blank=True)
    model_deployed_at = models.DateTimeField(null=True)
    target_name = models.CharField(max_length=512, blank=True)
    target_type = models.CharField(max_length=32, blank=True)
    batch_monitoring = models.BooleanField(default=False)
    tags = models.JSONField(default=list)
    owners = models.JSONField(default=list)
    daily_rates = models.JSONField(
        default=list,
        help_text="Predictions a day, oldest first, as the source gives them",
    )
    predictions_per_day = models.FloatField(null=True)
    last_prediction_at = models.DateTimeField(null=True)
    created_at_source = models.DateTimeField(null=True)
    source_health = models.JSONField(default=dict, help_text="Area -> {status, message} as the source judges")
    listing = models.JSONField(default=dict, help_text="The whole list entry, unknown fields included")
    fingerprint = models.CharField(max_length=32, blank=True)

    first_seen_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    moved_at = models.DateTimeField(null=True, help_text="When the fingerprint last changed")
    gone_at = models.DateTimeField(null=True)
    left_out_at = models.DateTimeField(null=True, help_text="Since when the team does not want it watched")
    left_out_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    left_out_reason = models.CharField(max_length=300, blank=True)

    polled_at = models.DateTimeField(null=True, help_text="End of the last poll that got an answer")
    attempted_at = models.DateTimeField(null=True)
    slow_polled_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True, help_text="Not before; null = as soon as possible")
    claimed_until = models.DateTimeField(null=True)
    restated_from = models.DateTimeField(
        null=True, help_text="An older bucket changed: series are asked again from here"
    )
    history_due_at = models.DateTimeField(null=True, help_text="When past days are to be judged again; null = done")
    history_at = models.DateTimeField(null=True, help_text="When past days were last judged by full windows")
    backfilled_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=500, blank=True)

    worst = models.CharField(max_length=12, choices=Status, default=Status.UNKNOWN)
    severity = models.PositiveSmallIntegerField(default=2, help_text="Of `worst`; for ordering in SQL")
    health = models.JSONField(
        default=dict,
        help_text="Area -> {status, reason, since, value, short, …}, a cache",
    )
    worst_since = models.DateTimeField(null=True)
    importance_rank = models.GeneratedField(
        expression=Case(
            *(When(importance=name, then=Value(rank)) for rank, name in enumerate(Importance.values)),
            default=Value(len(Importance.values)),
        ),
        output_field=models.SmallIntegerField(),
        db_persist=True,
    )
    served_failing = models.FloatField(
        default=0.0, help_text="Predictions served since it is failing; 0 while it is not"
    )
    settings_changed_at = models.DateTimeField(null=True, help_text="When settings were last seen to have changed")
    commands_until = models.DateTimeField(
        null=True, help_text="Pages look for commands to show until then; null = nothing was ever asked"
    )
    blind_spots = models.JSONField(default=list)
    coverage = models.CharField(
        max_length=200, blank=True, help_text="One code a column of the blind-spot map: monitoring.health.coverage"
    )
    uncovered = models.PositiveSmallIntegerField(default=0, help_text="How many of them are blind spots")
    label_lag_hours = models.FloatField(null=True, help_text="Learned: after how long labels are complete")
    judged_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "remote_id"], name="monitoring_watched_remote")
        ]
        indexes: ClassVar = [
            # The fleet page: worst first within the sources of a team.
            # Narrow and with all that is counted, so that ten thousand wide rows are not read for thirty of them.
            models.Index(
                "source",
                F("severity").desc(),
                "importance_rank",
                F("predictions_per_day").desc(nulls_last=True),
                "label",
                "id",
                include=["worst", "served_failing", "importance", "target_type"],
                condition=models.Q(gone_at__isnull=True),
                name="monitoring_fleet_worst",
            ),
            # The blind-spot map: the most important with the most blind spots first, and what it counts.
            models.Index(
                F("source"),
                F("importance_rank"),
                F("uncovered").desc(),
                F("label"),
                F("id"),
                include=["coverage"],
                condition=models.Q(gone_at__isnull=True),
                name="monitoring_blind_spots",
            ),
            # What a team leaves unwatched: a short list.
            models.Index(fields=["source"], condition=models.Q(left_out_at__isnull=False), name="monitoring_left_out"),
            # Dispatch: what is due at a source.
            models.Index(fields=["source", "due_at"], name="monitoring_due"),
        ]

    def __str__(self) -> str:
        return self.label

    def is_stale(self, now: datetime, limit: timedelta) -> bool:
        """True when no answer came for `limit`. Staleness is a mark of its own and never a status."""
        seen = max(
            (moment for moment in (self.seen_at, self.polled_at) if moment is not None),
            default=None,
        )
        return seen is None or now - seen > limit

    def area_health(self, area: str) -> dict[str, Any]:
        """The cached verdict of one area; unknown where none was made."""
        found = self.health.get(area)
        return found if isinstance(found, dict) else {"status": Status.UNKNOWN.value, "reason": "Not judged yet."}

    @property
    def shown_areas(self) -> tuple[Area, ...]:
        """The areas that every deployment shows, then those that are switched on here."""
        off = Status.UNAVAILABLE.value
        on = [area for area in Area if area.value in self.health and self.area_health(area)["status"] != off]
        return (*CORE_AREAS, *(area for area in on if not area.is_core))


class ModelSeen(models.Model):
    """Champions as the watcher saw them, one row a stay; `since` is the source's time where it told one."""

    watched = models.ForeignKey(Watched, on_delete=models.CASCADE, related_name="models_seen")
    model_id = models.CharField(max_length=64)
    name = models.CharField(max_length=512, blank=True)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    seen_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["watched", "model_id", "since"], name="monitoring_model_seen")
        ]
        ordering: ClassVar = ["watched", "since"]

    def __str__(self) -> str:
        return f"{self.name or self.model_id} since {self.since:%Y-%m-%d}"
