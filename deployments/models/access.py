"""Who may come in, who may do what, and who did what."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import User
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
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Not taken from then on; empty: never")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class Organisation(models.Model):
    """A body of people that deployments can be shared with as a whole; an administrator keeps its members."""

    public_id = models.CharField(max_length=24, unique=True, default=new_id, editable=False)
    name = models.CharField(max_length=200, unique=True)
    members: models.ManyToManyField[User, models.Model] = models.ManyToManyField(
        settings.AUTH_USER_MODEL, blank=True, related_name="organisations"
    )

    def __str__(self) -> str:
        return self.name


class DeploymentRole(models.Model):
    """The role of a person, a group or an organisation in one deployment; of several the strongest counts."""

    deployment = models.ForeignKey("deployments.Deployment", on_delete=models.CASCADE, related_name="roles")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="deployment_roles"
    )
    group = models.ForeignKey(
        "auth.Group", null=True, blank=True, on_delete=models.CASCADE, related_name="deployment_roles"
    )
    organisation = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.CASCADE, related_name="deployment_roles"
    )
    role = models.CharField(max_length=8, choices=Role)
    # an owner that may not change who has which role
    can_share = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["deployment", "user"], name="one_role_a_person"),
            models.UniqueConstraint(fields=["deployment", "group"], name="one_role_a_group"),
            models.UniqueConstraint(fields=["deployment", "organisation"], name="one_role_an_organisation"),
            models.CheckConstraint(
                condition=(
                    models.Q(user__isnull=False, group=None, organisation=None)
                    | models.Q(user=None, group__isnull=False, organisation=None)
                    | models.Q(user=None, group=None, organisation__isnull=False)
                ),
                name="role_of_exactly_one",
            ),
        ]

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
