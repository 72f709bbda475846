"""Work that answers 202."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from deployments.ids import new_id


class JobState(models.TextChoices):
    """The states of the reference's status address."""

    INITIALIZED = "INITIALIZED"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    ERROR = "ERROR"
    ABORTED = "ABORTED"
    EXPIRED = "EXPIRED"


class Job(models.Model):
    """One piece of work; the row is the truth, the queue only a hint."""

    public_id = models.CharField(max_length=24, unique=True, default=new_id, editable=False)
    kind = models.CharField(max_length=60)
    deployment = models.ForeignKey("deployments.Deployment", null=True, on_delete=models.CASCADE, related_name="jobs")
    args = models.JSONField(default=dict)
    state = models.CharField(max_length=12, choices=JobState, default=JobState.INITIALIZED)
    progress = models.FloatField(default=0.0)
    # somebody wants it stopped: looked at between two pieces
    cancel_asked = models.BooleanField(default=False)
    message = models.TextField(blank=True)
    result = models.CharField(max_length=300, blank=True)
    attempts = models.IntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="jobs")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            # what waits for a worker
            models.Index(fields=["state", "lease_until"], name="jobs_waiting"),
            # the jobs of one deployment, newest first
            models.Index(fields=["deployment", "-created_at"], name="jobs_of_deployment"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"
