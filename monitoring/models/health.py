"""Verdicts: the present one, each change, and one a day for strips."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from monitoring.models.choices import Area, Status
from monitoring.models.watched import Watched


class AreaHealth(models.Model):
    """Our present verdict on one area, with the source's own status beside it."""

    watched = models.ForeignKey(Watched, on_delete=models.CASCADE, related_name="areas")
    area = models.CharField(max_length=30, choices=Area)
    status = models.CharField(max_length=12, choices=Status)
    reason = models.TextField()
    evidence = models.JSONField(default=dict)
    since = models.DateTimeField()
    judged_at = models.DateTimeField()
    source_status = models.CharField(max_length=12, choices=Status, blank=True)
    disagrees = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["watched", "area"], name="monitoring_area_health")]

    def __str__(self) -> str:
        return f"{self.area}: {self.status}"


class Transition(models.Model):
    """A verdict changed: history, for pages and charts. What is told about it is decided by incidents.

    Reconstructed rows come from the back-fill.
    """

    watched = models.ForeignKey(Watched, on_delete=models.CASCADE, related_name="transitions")
    area = models.CharField(max_length=30, choices=Area)
    old = models.CharField(max_length=12, choices=Status)
    new = models.CharField(max_length=12, choices=Status)
    reason = models.TextField()
    evidence = models.JSONField(default=dict)
    at = models.DateTimeField()
    trouble_since = models.DateTimeField(null=True, help_text="Start of the trouble that began or ended here")
    reconstructed = models.BooleanField(default=False)

    class Meta:
        indexes: ClassVar = [
            # History of a deployment, newest first.
            models.Index(fields=["watched", "-at"], name="monitoring_transition_at"),
        ]

    def __str__(self) -> str:
        return f"{self.area}: {self.old} → {self.new}"


class HealthDay(models.Model):
    """The verdict of one UTC day: the worst of at risk and failing seen that day, else the last."""

    watched = models.ForeignKey(Watched, on_delete=models.CASCADE, related_name="health_days")
    area = models.CharField(max_length=30, choices=Area)
    day = models.DateField()
    status = models.CharField(max_length=12, choices=Status)
    reason = models.TextField(blank=True)
    value = models.FloatField(null=True)
    reconstructed = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["watched", "area", "day"], name="monitoring_health_day")
        ]

    def __str__(self) -> str:
        return f"{self.area} on {self.day}: {self.status}"
