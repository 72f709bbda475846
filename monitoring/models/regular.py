"""What comes regularly: hand-over plans, what has been done for which period, and the pings to the outside."""

from __future__ import annotations

from datetime import time
from typing import ClassVar

from django.db import models

from monitoring.models.channels import Channel
from monitoring.models.teams import Membership, Team


class HandoverPlan(models.Model):
    """A change of shift: at `at` on `days` (Monday = 0; empty: all), in `time_zone`, the next ones get the note."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="handovers")
    name = models.CharField(max_length=120)
    days = models.JSONField(default=list)
    at = models.TimeField(default=time(8))
    time_zone = models.CharField(max_length=64, default="UTC")
    members = models.ManyToManyField(Membership, blank=True, related_name="handovers")
    channels = models.ManyToManyField(Channel, blank=True, related_name="handovers")

    class Meta:
        ordering: ClassVar = ["team", "at", "pk"]

    def __str__(self) -> str:
        return self.name


class PeriodDone(models.Model):
    """One thing was done for one period: its key is unique, so that no second run does it again."""

    key = models.CharField(max_length=120, unique=True)
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["at"], name="monitoring_period_done")]  # forgetting by age

    def __str__(self) -> str:
        return self.key


class Ping(models.Model):
    """The last ping to the outside watcher: one row. `problem` says why it was not sent, or how it ended."""

    at = models.DateTimeField()
    sent = models.BooleanField()
    problem = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"{'sent' if self.sent else 'not sent'} {self.at:%Y-%m-%d %H:%M}"
