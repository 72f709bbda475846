"""Who may come in, who may do what, and who did what."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from deployments.ids import new_id
from deployments.models.choices import Role, TokenScope


class ApiToken(models.Model):
    """A bearer token, kept as a digest; the prefix lets its owner tell tokens apart."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True)
    prefix = models.CharField(max_length=8)
    scope = models.CharField(max_length=8, choices=TokenScope, default=TokenScope.WRITE)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class DeploymentRole(models.Model):
    """One person's role in one deployment."""

    deployment = models.ForeignKey("deployments.Deployment", on_delete=models.CASCADE, related_name="roles")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="deployment_roles")
    role = models.CharField(max_length=8, choices=Role)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["deployment", "user"], name="one_role_a_person")]

    def __str__(self) -> str:
        return f"{self.role} of {self.deployment_id}"


class AuditEntry(models.Model):
    """A change: who, when, before and after."""

    public_id = models.CharField(max_length=24, unique=True, default=new_id, editable=False)
    deployment = models.ForeignKey("deployments.Deployment", null=True, on_delete=models.CASCADE, related_name="audit")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    action = models.CharField(max_length=60)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        # the history of one deployment, newest first
        indexes = [models.Index(fields=["deployment", "-at"], name="audit_of_deployment")]

    def __str__(self) -> str:
        return self.action
