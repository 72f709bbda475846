"""When a deployment's model is trained anew, on what, and what became of each run."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from deployments.ids import new_id


class RunStatus(models.TextChoices):
    """The life of a run."""

    CREATED = "created"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


UNFINISHED_RUNS = (RunStatus.CREATED, RunStatus.RUNNING)


class RetrainingSettings(models.Model):
    """What a deployment's runs train on, and in whose name."""

    deployment = models.OneToOneField(
        "deployments.Deployment", primary_key=True, on_delete=models.CASCADE, related_name="retraining_settings"
    )
    dataset = models.ForeignKey("deployments.Dataset", null=True, on_delete=models.SET_NULL, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return f"Retraining of {self.deployment_id}"


class RetrainingPolicy(models.Model):
    """How and when to train; the JSON is of `retraining.options.Policy`."""

    public_id = models.CharField(max_length=24, unique=True, default=new_id, editable=False)
    deployment = models.ForeignKey(
        "deployments.Deployment", on_delete=models.CASCADE, related_name="retraining_policies"
    )
    name = models.CharField(max_length=200)
    options = models.JSONField(default=dict)
    # when the schedule is due next
    next_at = models.DateTimeField(null=True, blank=True)
    # the status that the trigger has reacted to last
    seen_status = models.CharField(max_length=12, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["deployment", "name"], name="one_policy_a_name")]
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name


class RetrainingRun(models.Model):
    """One training. What it has made is noted in the transaction that makes it, so it is made once."""

    public_id = models.CharField(max_length=24, unique=True, default=new_id, editable=False)
    policy = models.ForeignKey(RetrainingPolicy, on_delete=models.CASCADE, related_name="runs")
    job = models.OneToOneField("deployments.Job", null=True, on_delete=models.SET_NULL, related_name="retraining_run")
    # why it was started: schedule, data_drift_decline, accuracy_decline or manual
    cause = models.CharField(max_length=24)
    status = models.CharField(max_length=12, choices=RunStatus, default=RunStatus.CREATED)
    error_message = models.TextField(blank=True)
    # what was fitted, on how many rows, and how well: told on pages
    report = models.JSONField(default=dict)
    package = models.ForeignKey("deployments.ModelPackage", null=True, on_delete=models.SET_NULL, related_name="+")
    challenger = models.ForeignKey("deployments.Challenger", null=True, on_delete=models.SET_NULL, related_name="+")
    challenger_public_id = models.CharField(max_length=24, blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["policy"], condition=models.Q(status__in=UNFINISHED_RUNS), name="one_run_at_a_time"
            )
        ]
        ordering = ["-started_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.policy_id} {self.status}"
