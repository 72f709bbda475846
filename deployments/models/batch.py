"""Monitoring batches: rows that belong together by what they are, not by when they came."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from deployments.ids import new_id
from metrics.health import Status


class MonitoringBatch(models.Model):
    """A named batch of a deployment with batch monitoring; a locked one takes no more rows."""

    id = models.AutoField(primary_key=True)
    public_id = models.CharField(max_length=24, unique=True, default=new_id, editable=False)
    deployment = models.ForeignKey("deployments.Deployment", on_delete=models.CASCADE, related_name="batches")
    name = models.CharField(max_length=128)
    description = models.TextField(blank=True)
    external_context_url = models.URLField(max_length=2048, blank=True)
    is_locked = models.BooleanField(default=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    # kept by the roll-up
    earliest_prediction_at = models.DateTimeField(null=True, blank=True)
    latest_prediction_at = models.DateTimeField(null=True, blank=True)
    predictions_count = models.BigIntegerField(default=0)
    service_status = models.CharField(max_length=12, default=Status.NOT_STARTED)
    service_message = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["deployment", "name"], name="one_batch_a_name")]
        # the batches of one deployment, newest first
        indexes = [models.Index(fields=["deployment", "-created_at"], name="batches_of_deployment")]

    def __str__(self) -> str:
        return self.name


class BatchModel(models.Model):
    """What one model predicted in a batch; kept by the roll-up, its times may be set by hand."""

    batch = models.ForeignKey(MonitoringBatch, on_delete=models.CASCADE, related_name="models")
    model = models.ForeignKey("deployments.DeployedModel", on_delete=models.CASCADE, related_name="+")
    start_at = models.DateTimeField()
    end_at = models.DateTimeField()
    predictions_count = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "model"], name="one_row_a_model_in_a_batch")]

    def __str__(self) -> str:
        return f"{self.model_id} in {self.batch_id}"
