"""Registered models: what a model predicts, from what, and the baselines frozen with it."""

from __future__ import annotations

from django.conf import settings
from django.db import models

import metrics
from deployments.ids import new_id


class TargetType(models.TextChoices):
    """The kind of prediction, in the words of the reference."""

    REGRESSION = "Regression"
    BINARY = "Binary"
    MULTICLASS = "Multiclass"
    TEXT_GENERATION = "TextGeneration"


class FeatureType(models.TextChoices):
    """The kind of a feature's values."""

    NUMERIC = "Numeric"
    CATEGORICAL = "Categorical"
    TEXT = "Text"
    DATE = "Date"
    GEOSPATIAL = "Geospatial"


class ModelPackage(models.Model):
    """A model as it was registered: bins and baselines are frozen with it. Only an artifact may be added, once."""

    public_id = models.CharField(max_length=24, unique=True, default=new_id, editable=False)
    model_id = models.CharField(max_length=24, unique=True, default=new_id, editable=False)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    target_name = models.CharField(max_length=200)
    target_type = models.CharField(max_length=20, choices=TargetType)
    class_names = models.JSONField(default=list)
    positive_class = models.CharField(max_length=200, blank=True)
    prediction_threshold = models.FloatField(default=0.5)
    training_dataset = models.ForeignKey(
        "deployments.Dataset", null=True, on_delete=models.SET_NULL, related_name="trained_packages"
    )
    holdout_dataset = models.ForeignKey(
        "deployments.Dataset", null=True, on_delete=models.SET_NULL, related_name="held_out_packages"
    )
    training_rows = models.BigIntegerField(default=0)
    holdout_rows = models.BigIntegerField(default=0)
    # attributes whose values have a baseline of their own, and training rows by attribute and value
    segment_attributes = models.JSONField(default=list)
    segment_rows = models.JSONField(default=dict)
    # {"bins": spec, "counts": [...], "segments": {attribute: {value: [...]}}} of the holdout's predictions, or {}
    target_baseline = models.JSONField(default=dict)
    # metric name -> value on the holdout
    accuracy_baseline = models.JSONField(default=dict)
    # metric name -> class -> value on the holdout, for several classes
    accuracy_by_class = models.JSONField(default=dict)
    # attribute -> value -> {"rows", "accuracy", "byClass", "predictions"} of the holdout's rows with that value
    holdout_segments = models.JSONField(default=dict)
    # mean prediction, percentiles and class shares on the holdout, and mean and class shares of its actuals
    prediction_baseline = models.JSONField(default=dict)
    # definitions of runtime parameters, see `deployments.runtime`
    runtime_parameters = models.JSONField(default=list, blank=True)
    # forecasting.TimeSeriesSpec as JSON; {} for models of other kinds
    time_series = models.JSONField(default=dict)
    # the constant that sums of squares are taken around
    center = models.FloatField(default=0.0)
    # the feature that holds the prompt; models that generate text only
    prompt_name = models.CharField(max_length=300, blank=True)
    # what scores rows: an ONNX file with how its inputs and outputs are meant, or an address; given once
    artifact = models.FileField(upload_to="artifacts/%Y/%m", max_length=300, blank=True)
    artifact_name = models.CharField(max_length=200, blank=True)
    artifact_digest = models.CharField(max_length=64, blank=True)
    signature = models.JSONField(default=dict, blank=True)
    scoring_address = models.JSONField(default=dict, blank=True)
    # {"blueprint", "parameters"} of one that was trained here
    trainer = models.JSONField(default=dict, blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="packages")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name

    @property
    def registered_model_id(self) -> str:
        """The registered model that this is a version of: each package is the first of its own."""
        return self.model_id

    @property
    def kind(self) -> metrics.TargetType:
        """The kind of target, as the maths knows it."""
        return metrics.TargetType(self.target_type)


class Feature(models.Model):
    """One feature of a package with its frozen bins and baseline counts."""

    package = models.ForeignKey(ModelPackage, on_delete=models.CASCADE, related_name="features")
    position = models.IntegerField()
    name = models.CharField(max_length=300)
    kind = models.CharField(max_length=20, choices=FeatureType)
    # univariate feature–target score, and permutation importance with the top feature at 1; both may be unknown
    importance = models.FloatField(null=True, blank=True)
    feature_impact = models.FloatField(null=True, blank=True)
    # drift is tracked for numeric, categorical and text features with training data
    tracked = models.BooleanField(default=False)
    # metrics.binning spec, and {"counts": [...], "segments": {attribute: {value: [...]}}} of the training data
    bins = models.JSONField(default=dict)
    baseline = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["package", "name"], name="one_feature_a_name")]
        ordering = ["position"]

    def __str__(self) -> str:
        return self.name


class PlaceBaseline(models.Model):
    """What a package's data adds up to by cell of the globe, see `deployments.rollups.space`; empty without such data.

    `training`: features of the training rows. `holdout`: predictions on the holdout. `accuracy`: the same with actuals.
    """

    feature = models.OneToOneField(Feature, on_delete=models.CASCADE, related_name="places")
    training = models.BinaryField(default=bytes)
    holdout = models.BinaryField(default=bytes)
    accuracy = models.BinaryField(default=bytes)

    def __str__(self) -> str:
        return self.feature.name
