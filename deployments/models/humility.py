"""Humility rules: when a model should doubt itself, and what is done then."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from deployments.ids import new_id


class Trigger(models.TextChoices):
    """What makes a rule apply to a row."""

    UNCERTAIN_PREDICTION = "uncertainPrediction"
    OUTLYING_INPUT = "outlyingInput"
    LOW_OBSERVATION_REGION = "lowObservationRegion"


class HumilityAction(models.TextChoices):
    """What is done with a row to which a rule applies."""

    OVERRIDE = "override"
    THROW_ERROR = "throwError"
    NO_OPERATION = "noOperation"


class HumilityRule(models.Model):
    """A rule of a deployment. A deleted one stays as a row, since its counts stay under its id."""

    id = models.AutoField(primary_key=True)
    public_id = models.CharField(max_length=24, unique=True, default=new_id, editable=False)
    deployment = models.ForeignKey("deployments.Deployment", on_delete=models.CASCADE, related_name="humility_rules")
    name = models.CharField(max_length=200)
    position = models.IntegerField()
    trigger = models.CharField(max_length=30, choices=Trigger)
    # the feature of an outlying input or low observation region
    feature = models.CharField(max_length=300, blank=True)
    # None: calculated from the model's holdout or training data
    lower = models.FloatField(null=True, blank=True)
    upper = models.FloatField(null=True, blank=True)
    # the values that are well observed
    values = models.JSONField(default=list, blank=True)
    action = models.CharField(max_length=20, choices=HumilityAction)
    # what takes the prediction's place: a number, or the name of a class
    override = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        # the live rules of a deployment in their order
        indexes = [models.Index(fields=["deployment", "position"], name="rules_in_order")]

    def __str__(self) -> str:
        return self.name
