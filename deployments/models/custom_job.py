"""Custom jobs: what works out values of custom metrics on a schedule."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from deployments.ids import new_id
from deployments.models.custom import CustomKinds, CustomMetric, Directionality


class CustomJob(models.Model):
    """A recipe for values: one of the built-in library (`built_in`), or an address that is called."""

    public_id = models.CharField(max_length=24, unique=True, default=new_id, editable=False)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    # the name of a recipe in `deployments.custom_jobs.library`; "" for an address
    built_in = models.CharField(max_length=40, blank=True)
    url = models.URLField(max_length=2000, blank=True)
    kind = models.CharField(max_length=12, choices=CustomKinds, default=CustomKinds.AVERAGE)
    directionality = models.CharField(max_length=15, choices=Directionality)
    is_model_specific = models.BooleanField(default=True)
    units = models.CharField(max_length=100, blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="custom_jobs")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class ScheduledMetric(models.Model):
    """A custom metric whose values come from a custom job, at most one set of values an hour."""

    metric = models.OneToOneField(CustomMetric, on_delete=models.CASCADE, related_name="scheduled")
    job = models.ForeignKey(CustomJob, on_delete=models.PROTECT, related_name="metrics")
    schedule = models.JSONField(default=dict)
    next_at = models.DateTimeField(null=True, blank=True)
    # the hour since 1970 of the last run that is complete, and what became of it
    last_hour = models.IntegerField(null=True, blank=True)
    last_message = models.TextField(blank=True)

    class Meta:
        # what is due
        indexes = [models.Index(fields=["next_at"], name="scheduled_metrics_due")]

    def __str__(self) -> str:
        return f"{self.job_id} for {self.metric_id}"
