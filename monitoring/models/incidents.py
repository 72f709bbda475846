"""Incidents: trouble that lasts, from its opening to its end, with everything that happened to it.

Facts are stored, states follow from them. Rows are written by `monitoring.incidents` only.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models

from monitoring.models.choices import (
    Area,
    EventKind,
    Held,
    IncidentKind,
    IncidentState,
    NoticeKind,
    Severity,
    Status,
)
from monitoring.models.sources import Source
from monitoring.models.teams import Team
from monitoring.models.watched import Watched


class IncidentQuerySet(models.QuerySet["Incident"]):
    """Narrowings that pages and mails share."""

    def open(self) -> IncidentQuerySet:
        return self.filter(resolved_at__isnull=True)

    def roots(self) -> IncidentQuerySet:
        """Without members of fleet incidents: what a list shows at its top level."""
        return self.filter(parent__isnull=True)

    def worst_first(self) -> IncidentQuerySet:
        return self.order_by("-severity", "opened_at", "pk")


class Incident(models.Model):
    """Trouble of one area of one deployment, of one source, or of many deployments from one cause (fleet).

    `began_at` is when the trouble began, `opened_at` when it had lasted for the pending period. `status` is the last
    *verdict* (passing while it recovers); an absence of data changes neither it nor the incident and is told by
    `dark_since`. `told` is the status that was last told to anybody, null while nothing was.
    """

    kind = models.CharField(max_length=12, choices=IncidentKind)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="incidents")
    source = models.ForeignKey(Source, null=True, on_delete=models.CASCADE, related_name="incidents")
    watched = models.ForeignKey(Watched, null=True, on_delete=models.CASCADE, related_name="incidents")
    area = models.CharField(max_length=30, choices=Area, blank=True)
    parent = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="members")
    cause = models.CharField(max_length=300, blank=True, help_text="Key of the cause that a fleet incident has")

    status = models.CharField(max_length=12, choices=Status)
    worst = models.CharField(max_length=12, choices=Status)
    severity = models.PositiveSmallIntegerField(choices=Severity, help_text="Of the worst status")
    status_since = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)
    evidence = models.JSONField(default=dict)
    size = models.PositiveIntegerField(default=1, help_text="Fleet: deployments in trouble now")
    told_size = models.PositiveIntegerField(default=0)

    began_at = models.DateTimeField()
    opened_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reopened = models.PositiveSmallIntegerField(default=0)
    recovering_since = models.DateTimeField(null=True, help_text="Passing since, but not yet for long enough")
    flapping_since = models.DateTimeField(null=True)
    dark_since = models.DateTimeField(null=True, help_text="No data to judge since")
    predictions_affected = models.FloatField(default=0.0, help_text="Served while the trouble lasted, about")

    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="incidents"
    )
    snoozed_until = models.DateTimeField(null=True)
    snoozed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    snoozed_why = models.CharField(max_length=300, blank=True)
    snoozed_status = models.CharField(max_length=12, choices=Status, blank=True, help_text="Worse than this is told")

    told = models.CharField(max_length=12, choices=Status, blank=True)
    told_at = models.DateTimeField(null=True)
    first_told_at = models.DateTimeField(null=True, help_text="When the present trouble was first told")
    escalated_at = models.DateTimeField(null=True)
    reminders = models.PositiveIntegerField(default=0, help_text="Since it was told or got worse")
    decisions = models.PositiveIntegerField(default=0, help_text="Notices made; numbers their keys")
    check_at = models.DateTimeField(null=True, help_text="When something may have to be told though nothing changes")
    reconstructed = models.BooleanField(default=False, help_text="From judged past days; nobody is written to")

    objects = IncidentQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-opened_at", "-pk"]
        indexes: ClassVar = [
            # The list of a team: open ones worst first, and all of them newest first.
            models.Index(
                fields=["team", "-severity"], name="monitoring_incident_open", condition=models.Q(resolved_at=None)
            ),
            models.Index(fields=["team", "-opened_at"], name="monitoring_incident_list"),
            # The list of what is over, newest first, and how much that is.
            models.Index(
                fields=["team", "-resolved_at", "-id"],
                name="monitoring_incident_past",
                condition=models.Q(resolved_at__isnull=False, parent__isnull=True),
            ),
            # Timers that have run out.
            models.Index(fields=["check_at"], name="monitoring_incident_due", condition=models.Q(resolved_at=None)),
            # The history of a deployment; the fleet page's marks.
            models.Index(fields=["watched", "-opened_at"], name="monitoring_incident_of"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["watched", "area"],
                name="monitoring_one_incident",
                condition=models.Q(kind="deployment", resolved_at=None),
            ),
            models.UniqueConstraint(
                fields=["source"],
                name="monitoring_one_silence",
                condition=models.Q(kind="source", resolved_at=None),
            ),
            models.UniqueConstraint(
                fields=["team", "cause"],
                name="monitoring_one_fleet",
                condition=models.Q(kind="fleet", resolved_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} incident {self.pk}: {self.status}"

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None

    def is_snoozed(self, now: datetime) -> bool:
        """Open, and somebody asked for silence until later than `now`."""
        return self.is_open and self.snoozed_until is not None and self.snoozed_until > now

    def state(self, now: datetime) -> IncidentState:
        """The one word for it. Snoozed is said before acknowledged, since it ends by itself."""
        if not self.is_open:
            return IncidentState.RESOLVED
        if self.is_snoozed(now):
            return IncidentState.SNOOZED
        if self.recovering_since is not None:
            return IncidentState.RECOVERING
        return IncidentState.ACKNOWLEDGED if self.acknowledged_at is not None else IncidentState.OPEN


class IncidentEvent(models.Model):
    """One step of an incident's timeline. `by` is null for what the watcher did itself."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    kind = models.CharField(max_length=16, choices=EventKind)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    text = models.TextField(blank=True)
    data = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["at", "pk"]
        # The timeline of an incident.
        indexes: ClassVar = [models.Index(fields=["incident", "at"], name="monitoring_timeline")]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%Y-%m-%d %H:%M}"


class IncidentNotice(models.Model):
    """A decision that something is to be told, made once (`key`); mail and other channels turn it into messages.

    It holds what was true when it was decided. `was` is the status told before. A notice that must not go out names
    what held it in `held`, and is handled from the start: it is kept so that the list of what was not sent is whole.
    """

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=12, choices=NoticeKind)
    key = models.CharField(max_length=120, unique=True)
    at = models.DateTimeField()
    status = models.CharField(max_length=12, choices=Status)
    was = models.CharField(max_length=12, choices=Status, blank=True)
    severity = models.PositiveSmallIntegerField(choices=Severity)
    reason = models.TextField(blank=True)
    evidence = models.JSONField(default=dict)
    data = models.JSONField(default=dict)
    held = models.CharField(max_length=12, choices=Held, blank=True)
    handled_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering: ClassVar = ["at", "pk"]
        indexes: ClassVar = [
            # What still waits to be turned into messages.
            models.Index(fields=["at"], name="monitoring_notice_wait", condition=models.Q(handled_at=None)),
            models.Index(fields=["incident", "at"], name="monitoring_notice_of"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of incident {self.incident_id}"


class IncidentTrack(models.Model):
    """The memory of the state machine for one area of a deployment, or for one source: `monitoring.incidents.machine`.

    `status` is what was last seen, greys included. `check_at` is when something is due though nothing changes.
    """

    watched = models.ForeignKey(Watched, null=True, on_delete=models.CASCADE, related_name="tracks")
    source = models.ForeignKey(Source, null=True, on_delete=models.CASCADE, related_name="tracks")
    area = models.CharField(max_length=30, choices=Area, blank=True)
    incident = models.ForeignKey(Incident, null=True, on_delete=models.SET_NULL, related_name="tracks")
    status = models.CharField(max_length=12, choices=Status)
    state = models.JSONField(default=dict)
    causes = models.JSONField(default=list)
    trouble_since = models.DateTimeField(null=True)
    check_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["watched", "area"], name="monitoring_track", nulls_distinct=True),
            models.UniqueConstraint(fields=["source"], name="monitoring_source_track"),
        ]
        # Timers that have run out.
        indexes: ClassVar = [models.Index(fields=["check_at"], name="monitoring_track_due")]

    def __str__(self) -> str:
        return f"{self.area or 'source'}: {self.status}"
