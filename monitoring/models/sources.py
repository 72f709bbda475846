"""Where answers come from: the address and token of a Deployments API, and how it behaves."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models

from monitoring import secrets
from monitoring.models.choices import RunKind
from monitoring.models.teams import Team


class Source(models.Model):
    """A Deployments API and a token for it, owned by a team. The token is stored encrypted only.

    Breaker: `failures` counts failed calls in a row; while `open_until` lies ahead nobody calls. `silent_since` is set
    by the first failure after the last good answer and cleared by the next good one: pages show it as staleness.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="sources")
    name = models.CharField(max_length=120)
    base_url = models.URLField(max_length=400, help_text="Up to and including /api/v2")
    token_encrypted = models.BinaryField()
    built_in = models.BooleanField(default=False, help_text="The service of this installation")
    enabled = models.BooleanField(default=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="sources_created",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    last_ok_at = models.DateTimeField(null=True)
    silent_since = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=500, blank=True)
    last_error_kind = models.CharField(max_length=40, blank=True)
    failures = models.PositiveIntegerField(default=0)
    open_until = models.DateTimeField(null=True)
    discovered_at = models.DateTimeField(null=True)
    discovery_claimed_until = models.DateTimeField(null=True)
    api_version = models.CharField(max_length=20, blank=True)
    deployments_count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["team", "name"], name="monitoring_source_name")]
        ordering: ClassVar = ["team", "name"]

    def __str__(self) -> str:
        return self.name

    @property
    def token(self) -> str:
        """The token in the clear; never logged, never shown."""
        return secrets.decrypt(bytes(self.token_encrypted))

    @token.setter
    def token(self, value: str) -> None:
        self.token_encrypted = secrets.encrypt(value)

    def is_open(self, now: datetime) -> bool:
        """True while the breaker keeps calls back."""
        return self.open_until is not None and self.open_until > now


class PollRun(models.Model):
    """One run against a source: what was asked, skipped and failed. The watcher's confession."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="runs")
    kind = models.CharField(max_length=12, choices=RunKind)
    started_at = models.DateTimeField()
    seconds = models.FloatField(default=0.0)
    deployments = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    asked = models.PositiveIntegerField(default=0)
    answered = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    stored = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=500, blank=True)

    class Meta:
        # Watch health: the newest runs of a source; pruning by age.
        indexes: ClassVar = [
            models.Index(fields=["source", "-started_at"], name="monitoring_run_source"),
            models.Index(fields=["started_at"], name="monitoring_run_started"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.source_id} at {self.started_at:%Y-%m-%d %H:%M:%S}"
