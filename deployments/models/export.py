"""Files that people asked for: rows of a deployment, or what its model was trained on."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from deployments.ids import new_id


class ExportKind(models.TextChoices):
    """What is exported."""

    PREDICTIONS = "predictions", "Predictions"
    ACTUALS = "actuals", "Actuals"
    TRAINING = "training", "Training data"


class ExportStatus(models.TextChoices):
    """How far an export is, in the words of the reference."""

    CREATED = "CREATED"
    SCHEDULED = "SCHEDULED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class Augmentation(models.TextChoices):
    """What stands beside each prediction."""

    NO_AUGMENTATION = "NO_AUGMENTATION", "Nothing"
    ACTUALS = "ACTUALS", "The actual"


class DataExport(models.Model):
    """One export; its dataset is there once it succeeded, and stays until somebody deletes it."""

    public_id = models.CharField(max_length=24, unique=True, default=new_id, editable=False)
    deployment = models.ForeignKey("deployments.Deployment", on_delete=models.CASCADE, related_name="exports")
    model = models.ForeignKey("deployments.DeployedModel", on_delete=models.CASCADE, related_name="exports")
    kind = models.CharField(max_length=12, choices=ExportKind)
    status = models.CharField(max_length=12, choices=ExportStatus, default=ExportStatus.CREATED)
    start = models.DateTimeField(null=True, blank=True)
    end = models.DateTimeField(null=True, blank=True)
    # [{"pk": …, "id": …, "name": …}] as they were called then; empty: rows that are in no batch
    batches = models.JSONField(default=list)
    augmentation = models.CharField(max_length=20, choices=Augmentation, default=Augmentation.NO_AUGMENTATION)
    only_matched = models.BooleanField(default=True)
    format = models.CharField(max_length=8)
    error = models.TextField(blank=True)
    job = models.ForeignKey("deployments.Job", null=True, on_delete=models.SET_NULL, related_name="+")
    dataset = models.ForeignKey(
        "deployments.Dataset", null=True, blank=True, on_delete=models.SET_NULL, related_name="exports"
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        # the exports of one deployment, newest first
        indexes = [models.Index(fields=["deployment", "kind", "-created_at"], name="exports_of_deployment")]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"
