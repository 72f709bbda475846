"""A deployment and the models it has had."""

from __future__ import annotations

from django.conf import settings as configured
from django.db import models
from django.db.models import Case, Q, SmallIntegerField, Value, When
from django.utils import timezone

from deployments.ids import new_id
from deployments.models.choices import DeploymentStatus, Importance, ModelRole
from metrics.health import Status

HEALTH_AREAS = (
    "service",
    "model",
    "accuracy",
    "fairness",
    "custom_metrics",
    "predictions_timeliness",
    "actuals_timeliness",
)
"""The areas that are judged; each has its column `<area>_status`."""


def severity(field: str) -> Case:
    """How bad a status is (`Status.severity`) in SQL: filters, orders and indexes use this one expression."""
    whens = [When(Q((field, status.value)), then=Value(status.severity)) for status in Status]
    return Case(*whens, default=Value(-1), output_field=SmallIntegerField())


class Deployment(models.Model):
    """A watched place where one model at a time, the champion, makes predictions."""

    # four bytes wide, since it stands in every row of the large tables
    id = models.AutoField(primary_key=True)
    public_id = models.CharField(max_length=24, unique=True, default=new_id, editable=False)
    label = models.CharField(max_length=512)
    description = models.TextField(blank=True)
    importance = models.CharField(max_length=10, choices=Importance, default=Importance.LOW)
    status = models.CharField(max_length=20, choices=DeploymentStatus, default=DeploymentStatus.ACTIVE)
    champion = models.ForeignKey(
        "deployments.DeployedModel", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    # JSON of settings_schema.Settings and HealthSettings; what is absent has its default
    settings = models.JSONField(default=dict, blank=True)
    health_settings = models.JSONField(default=dict, blank=True)
    batch_monitoring = models.BooleanField(default=False)
    tags = models.JSONField(default=list, blank=True)
    default_prediction_server = models.ForeignKey(
        "deployments.PredictionServer", null=True, blank=True, on_delete=models.SET_NULL, related_name="deployments"
    )
    # days that rows are kept; None: the setting RETENTION_ROWS_DAYS
    keep_rows_days = models.PositiveIntegerField(null=True, blank=True)
    created_by = models.ForeignKey(
        configured.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="created_deployments"
    )
    created_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True, blank=True)

    # kept by the roll-up, so that lists need no counting
    first_prediction_at = models.DateTimeField(null=True, blank=True)
    last_prediction_at = models.DateTimeField(null=True, blank=True)
    last_actual_at = models.DateTimeField(null=True, blank=True)
    last_request_at = models.DateTimeField(null=True, blank=True)
    daily_predictions = models.JSONField(default=dict, blank=True)
    recent_predictions = models.BigIntegerField(default=0)

    # the service's own verdicts
    health = models.JSONField(default=dict, blank=True)
    service_status = models.CharField(max_length=12, default=Status.NOT_STARTED)
    model_status = models.CharField(max_length=12, default=Status.NOT_STARTED)
    accuracy_status = models.CharField(max_length=12, default=Status.NOT_STARTED)
    fairness_status = models.CharField(max_length=12, default=Status.UNAVAILABLE)
    custom_metrics_status = models.CharField(max_length=12, default=Status.UNKNOWN)
    predictions_timeliness_status = models.CharField(max_length=12, default=Status.UNAVAILABLE)
    actuals_timeliness_status = models.CharField(max_length=12, default=Status.UNAVAILABLE)
    health_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            # the list in its default order
            models.Index(fields=["-last_prediction_at"], name="deployment_by_activity"),
            # the list filtered or sorted by how bad a status is
            *(models.Index(severity(f"{area}_status"), "id", name=f"by_{area}") for area in HEALTH_AREAS),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def rows_days(self) -> int:
        """How many days rows of this deployment are kept."""
        return self.keep_rows_days or int(configured.RETENTION_ROWS_DAYS)


class DeployedModel(models.Model):
    """A package in a deployment: champion from `started_at` to `ended_at`, or a challenger. States carry its key."""

    id = models.AutoField(primary_key=True)
    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="models")
    package = models.ForeignKey("deployments.ModelPackage", on_delete=models.PROTECT, related_name="deployed")
    role = models.CharField(max_length=10, choices=ModelRole, default=ModelRole.CHAMPION)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["deployment", "package"], name="one_place_a_package")]

    def __str__(self) -> str:
        return f"{self.package_id} in {self.deployment_id}"

    @property
    def public_id(self) -> str:
        """The model's id in the API."""
        return self.package.model_id
