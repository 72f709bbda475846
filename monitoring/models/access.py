"""Who may come in: the code of an empty installation, invitations, and the list of who did what."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models

from monitoring.models.choices import Role
from monitoring.models.deeds import AuditAction
from monitoring.models.teams import Team


class SetupCode(models.Model):
    """What the first person of an empty installation has to know. One row at most; gone once it was used."""

    single = models.BooleanField(default=True, unique=True, editable=False)
    code = models.CharField(max_length=40)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(single=True), name="monitoring_one_setup_code")
        ]

    def __str__(self) -> str:
        return f"made {self.made_at:%Y-%m-%d %H:%M}"


class Invitation(models.Model):
    """A link that lets whoever holds it into a team, once and for a while.

    The link carries a signature over `nonce`; sending it again changes the nonce, so that only the newest link opens.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(max_length=254)
    role = models.CharField(max_length=12, choices=Role, default=Role.MEMBER)
    nonce = models.CharField(max_length=40)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["team", "email"],
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="monitoring_one_open_invitation",
            )
        ]

    def is_open(self, now: datetime) -> bool:
        """Whether its newest link still opens the team."""
        return self.accepted_at is None and self.revoked_at is None and self.expires_at > now

    def __str__(self) -> str:
        return f"{self.email} to {self.team}"


class AuditEntry(models.Model):
    """Something that a person did: log-ins, tokens, members, sources, settings. Never changed, outlives its people.

    `actor` is the name at that time; `about` names what it was done to. No secret is ever written here.
    """

    at = models.DateTimeField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    actor = models.CharField(max_length=200)
    team = models.ForeignKey(Team, null=True, on_delete=models.SET_NULL, related_name="audit")
    action = models.CharField(max_length=30, help_text="A word of AuditAction")
    about = models.CharField(max_length=300, blank=True)
    detail = models.JSONField(default=dict)
    address = models.GenericIPAddressField(null=True)

    class Meta:
        # The audit page: a team's entries and those of its members, newest first.
        indexes: ClassVar = [
            models.Index(fields=["team", "-at"], name="monitoring_audit_team"),
            models.Index(fields=["user", "-at"], name="monitoring_audit_user"),
        ]

    @property
    def label(self) -> str:
        """What was done, to be read after the name; a word that this version does not know stands as it is."""
        return AuditAction(self.action).label if self.action in AuditAction.values else self.action

    def __str__(self) -> str:
        return f"{self.actor} {self.label} {self.about}".strip()
