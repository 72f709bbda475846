"""Channels of a team: places other than a person's own address that hear what happens."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from monitoring import secrets
from monitoring.models.choices import Carrier
from monitoring.models.teams import Team


class Channel(models.Model):
    """An address list, a webhook or a chat service of a team.

    `target` (an e-mail address, a URL, an Apprise URL) and the signing `secret` are stored encrypted only; `shown` is
    what pages may say of the target. `failures` counts failed sends in a row and is set back by the next good one.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="channels")
    name = models.CharField(max_length=120)
    carrier = models.CharField(max_length=10, choices=Carrier)
    target_encrypted = models.BinaryField()
    secret_encrypted = models.BinaryField(default=bytes)
    shown = models.CharField(max_length=300)
    time_zone = models.CharField(max_length=64, default="UTC")
    enabled = models.BooleanField(default=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="channels_created"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    last_sent_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=500, blank=True)
    last_error_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["team", "name"], name="monitoring_channel_name")]
        ordering: ClassVar = ["team", "name"]

    def __str__(self) -> str:
        return self.name

    @property
    def target(self) -> str:
        """Where it leads, in the clear; never logged, never shown."""
        return secrets.decrypt(bytes(self.target_encrypted))

    @target.setter
    def target(self, value: str) -> None:
        self.target_encrypted = secrets.encrypt(value)

    @property
    def secret(self) -> str:
        """The signing secret of a webhook; "" for other carriers."""
        return secrets.decrypt(bytes(self.secret_encrypted)) if self.secret_encrypted else ""

    @secret.setter
    def secret(self, value: str) -> None:
        self.secret_encrypted = secrets.encrypt(value) if value else b""
