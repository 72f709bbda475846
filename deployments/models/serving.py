"""What belongs to serving a model outside: prediction servers, runtime parameters, secondary datasets, scoring code."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from deployments.ids import new_id


class PredictionServer(models.Model):
    """A place where predictions are made, as deployments name it."""

    public_id = models.CharField(max_length=24, unique=True, default=new_id, editable=False)
    url = models.URLField(max_length=2000)
    # what clients send along to that server; "" for none
    key = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.url


class RuntimeValue(models.Model):
    """A runtime parameter that a deployment sets otherwise than its package; credentials are kept encrypted."""

    deployment = models.ForeignKey("deployments.Deployment", on_delete=models.CASCADE, related_name="runtime_values")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=12)
    value = models.JSONField(null=True)
    secret_encrypted = models.BinaryField(null=True)
    set_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["deployment", "name"], name="one_value_a_parameter")]

    def __str__(self) -> str:
        return self.name


class SecondaryConfiguration(models.Model):
    """A named set of secondary datasets. Never changed; one that is not wanted any more is marked as deleted."""

    public_id = models.CharField(max_length=24, unique=True, default=new_id, editable=False)
    deployment = models.ForeignKey("deployments.Deployment", on_delete=models.CASCADE, related_name="secondary_sets")
    name = models.CharField(max_length=200)
    # [{"identifier", "catalogId", "catalogVersionId", "snapshotPolicy"}]
    datasets = models.JSONField(default=list)
    is_default = models.BooleanField(default=False)
    is_deleted = models.BooleanField(default=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["deployment", "name"], name="one_secondary_set_a_name")]

    def __str__(self) -> str:
        return self.name


class SecondaryUse(models.Model):
    """From then on the deployment uses this set of secondary datasets: the newest row counts, all are the history."""

    deployment = models.ForeignKey("deployments.Deployment", on_delete=models.CASCADE, related_name="secondary_uses")
    configuration = models.ForeignKey(SecondaryConfiguration, on_delete=models.CASCADE, related_name="uses")
    # [{"catalogVersionId", "credentialId", "url"}]: names of credentials, not secrets
    credentials = models.JSONField(default=list)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        # the history of one deployment, newest first
        indexes = [models.Index(fields=["deployment", "-at"], name="secondary_uses_of_deployment")]

    def __str__(self) -> str:
        return f"{self.configuration_id} since {self.at}"


class ScoringCode(models.Model):
    """The Java archive of a package, kept as it came: Vitals hands it out and never runs it."""

    package = models.OneToOneField("deployments.ModelPackage", on_delete=models.CASCADE, related_name="scoring_code")
    file = models.FileField(upload_to="scoring-code/%Y/%m", max_length=300)
    name = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    size = models.BigIntegerField()
    # the archive with its sources, where there is one
    source = models.FileField(upload_to="scoring-code/%Y/%m", max_length=300, blank=True)
    has_explanations = models.BooleanField(default=False)
    has_intervals = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class ScoringCodeBuild(models.Model):
    """A package's archive with a deployment's reporting configuration added; one a deployed model."""

    public_id = models.CharField(max_length=24, unique=True, default=new_id, editable=False)
    model = models.OneToOneField("deployments.DeployedModel", on_delete=models.CASCADE, related_name="scoring_build")
    file = models.FileField(upload_to="scoring-code/%Y/%m", max_length=300)
    digest = models.CharField(max_length=64)
    built_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.digest
