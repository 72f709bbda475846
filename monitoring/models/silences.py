"""What a team sets about alerts: silences with a mandatory end, and the times that the state machine waits."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from monitoring.models.choices import Area, SilenceKind, Status
from monitoring.models.sources import Source
from monitoring.models.teams import Team
from monitoring.models.watched import Watched


class Silence(models.Model):
    """Alerts of what it covers are held back; recording, judging and resolving go on.

    Scope: the whole team, or narrowed by every field that is set (source, deployment, tag, area). One-off: from
    `starts_at` to `ends_at`. Recurring: `rule` (RFC 5545, `FREQ=WEEKLY;BYDAY=SU`) gives starts, from `starts_at` on and
    in the wall-clock time of `time_zone`; each lasts `minutes`, and `ends_at` ends the series.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="silences")
    kind = models.CharField(max_length=12, choices=SilenceKind, default=SilenceKind.SILENCE)
    source = models.ForeignKey(Source, null=True, blank=True, on_delete=models.CASCADE, related_name="silences")
    watched = models.ForeignKey(Watched, null=True, blank=True, on_delete=models.CASCADE, related_name="silences")
    tag = models.CharField(max_length=200, blank=True, help_text="Name of a tag, or name=value")
    area = models.CharField(max_length=30, choices=Area, blank=True)
    reason = models.CharField(max_length=300)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="silences")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    rule = models.CharField(max_length=200, blank=True)
    minutes = models.PositiveIntegerField(default=0, help_text="Recurring: how long each lasts")
    time_zone = models.CharField(max_length=64, default="UTC")
    created_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True)
    cancelled_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    end_told_at = models.DateTimeField(null=True, help_text="When its owner was told that it ends soon")

    class Meta:
        ordering: ClassVar = ["ends_at", "pk"]
        # What may hold now; what ends soon.
        indexes: ClassVar = [models.Index(fields=["team", "ends_at"], name="monitoring_silence_team")]

    def __str__(self) -> str:
        return f"{self.kind} until {self.ends_at:%Y-%m-%d %H:%M}: {self.reason}"


class AlertPolicy(models.Model):
    """How patient a team's incidents are, in minutes; a team without a row has the defaults.

    The meaning of each field is told where it is used: `monitoring.incidents.policy.Policy`.
    """

    team = models.OneToOneField(Team, on_delete=models.CASCADE, related_name="alert_policy")
    opens_at = models.CharField(max_length=12, choices=Status, default=Status.WARNING)
    pending_minutes = models.PositiveIntegerField(default=10)
    recovery_minutes = models.PositiveIntegerField(default=30)
    reopen_minutes = models.PositiveIntegerField(default=24 * 60)
    flap_turns = models.PositiveSmallIntegerField(default=3)
    flap_minutes = models.PositiveIntegerField(default=24 * 60)
    calm_minutes = models.PositiveIntegerField(default=6 * 60)
    remind_minutes = models.PositiveIntegerField(default=24 * 60, help_text="0 = no reminders")
    escalate_minutes = models.PositiveIntegerField(default=4 * 60, help_text="0 = no escalation")
    source_grace_minutes = models.PositiveIntegerField(default=10)
    fleet_size = models.PositiveSmallIntegerField(default=3)
    fleet_minutes = models.PositiveIntegerField(default=60)
    areas = models.JSONField(default=dict, help_text="What an area has of its own, by its name: policy.AreaPolicy")
    tell_loosened = models.BooleanField(default=True, help_text="Tell when settings at a source let more pass")
    tell_own_changes = models.BooleanField(default=False, help_text="Tell it to whoever did it here, too")

    def __str__(self) -> str:
        return f"alert policy of {self.team}"
