"""Changes that people ask for on a page and a worker carries out at the source."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from monitoring.models.choices import CommandKind, WorkState
from monitoring.models.sources import Source
from monitoring.models.watched import Watched


class Command(models.Model):
    """`body` is what is sent; `read` is what the person saw when deciding.

    If the source no longer shows what was read, nothing is sent and the command ends in conflict.
    """

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="commands")
    watched = models.ForeignKey(Watched, null=True, on_delete=models.CASCADE, related_name="commands")
    kind = models.CharField(max_length=20, choices=CommandKind)
    body = models.JSONField(default=dict)
    read = models.JSONField(default=dict)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=WorkState, default=WorkState.PENDING)
    claimed_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    result = models.JSONField(default=dict)
    problem = models.CharField(max_length=500, blank=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        # The runner: oldest waiting command first.
        indexes: ClassVar = [models.Index(fields=["state", "asked_at"], name="monitoring_command_state")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.state}"
