"""Custom metrics: what they are, and what their reported values add up to.

The two tables of values are made by SQL in a migration, like those of `deployments.models.storage`.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from deployments.ids import new_id
from deployments.models.choices import Grain
from metrics import CustomKind


class CustomKinds(models.TextChoices):
    """How values are put together."""

    AVERAGE = CustomKind.AVERAGE.value
    CATEGORICAL = CustomKind.CATEGORICAL.value
    GAUGE = CustomKind.GAUGE.value
    SUM = CustomKind.SUM.value


class Directionality(models.TextChoices):
    """Which way a metric improves."""

    HIGHER = "higherIsBetter"
    LOWER = "lowerIsBetter"


class CustomMetric(models.Model):
    """A metric that users report themselves. `is_model_specific`: values of one model are not those of another."""

    id = models.AutoField(primary_key=True)
    public_id = models.CharField(max_length=24, unique=True, default=new_id, editable=False)
    deployment = models.ForeignKey("deployments.Deployment", on_delete=models.CASCADE, related_name="custom_metrics")
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    units = models.CharField(max_length=100, blank=True)
    kind = models.CharField(max_length=12, choices=CustomKinds)
    directionality = models.CharField(max_length=15, choices=Directionality)
    is_model_specific = models.BooleanField()
    display_chart = models.BooleanField(default=True)
    # numbers, of which the first is compared with
    baseline_values = models.JSONField(default=list)
    # the known categories; while none are declared they are learned as they come
    categories = models.JSONField(default=list)
    categories_declared = models.BooleanField(default=False)
    # where a dataset holds what; "" means the usual names
    value_column = models.CharField(max_length=300, blank=True)
    sample_count_column = models.CharField(max_length=300, blank=True)
    timestamp_column = models.CharField(max_length=300, blank=True)
    timestamp_format = models.CharField(max_length=100, blank=True)
    batch_column = models.CharField(max_length=300, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["deployment", "name"], name="one_custom_metric_a_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def reads_as(self) -> CustomKind:
        """The kind, as the maths knows it."""
        return CustomKind(self.kind)


class CustomValue(models.Model):
    """What the values of one hour, day or batch add up to, see `metrics.CustomState`. Model 0: pooled over models."""

    pk = models.CompositePrimaryKey(
        "deployment_id", "metric_id", "grain", "model_id", "attribute_id", "value_id", "bucket"
    )
    deployment_id = models.IntegerField()
    metric_id = models.IntegerField()
    grain = models.SmallIntegerField(choices=Grain)
    model_id = models.IntegerField()
    attribute_id = models.IntegerField()
    value_id = models.IntegerField()
    bucket = models.IntegerField()
    n = models.BigIntegerField()
    samples = models.BigIntegerField()
    total = models.FloatField()
    weighted = models.FloatField()
    last_at = models.BigIntegerField()
    last_received = models.BigIntegerField()
    last_value = models.FloatField()
    unknown = models.BigIntegerField()
    counts = models.BinaryField()

    class Meta:
        managed = False
        db_table = "deployments_customvalue"

    def __str__(self) -> str:
        return f"{self.metric_id}/{self.grain}/{self.bucket}"


class CustomRow(models.Model):
    """The value of one prediction: `key` is the hash of its association id. `category` where the metric has them."""

    pk = models.CompositePrimaryKey("deployment_id", "key", "metric_id", "model_id", "association_id")
    deployment_id = models.IntegerField()
    key = models.BigIntegerField()
    metric_id = models.IntegerField()
    model_id = models.IntegerField()
    association_id = models.CharField(max_length=128)
    at = models.DateTimeField()
    value = models.FloatField(null=True)
    category = models.CharField(max_length=200, null=True)
    metadata = models.TextField(null=True)

    class Meta:
        managed = False
        db_table = "deployments_customrow"

    def __str__(self) -> str:
        return f"{self.metric_id} of {self.association_id}"
