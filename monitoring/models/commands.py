"""Changes that people ask for on a page and a worker carries out at the source."""

from __future__ import annotations

import secrets
from typing import ClassVar

from django.conf import settings
from django.db import models

from monitoring.models.choices import CommandKind, WorkState
from monitoring.models.sources import Source
from monitoring.models.watched import Watched


def new_key() -> str:
    """What a source that honours `Idempotency-Key` knows a request by, however often it is sent."""
    return secrets.token_hex(16)


class Command(models.Model):
    """Who asked for what, and how it went. The rows are the record of all that was changed from here.

    `target`: ids of the thing below the deployment, joined by "/"; `name`: what it was called. `body` is what is sent,
    `read` what the person saw when deciding: if the source no longer shows it, nothing is sent and the command ends in
    conflict. `before` and `result`: what stood at the source when it was sent, and after. `nonce`: of the form; a form
    sent twice makes one command. `location`: the job at the source that is followed to its end. `group`: commands that
    were asked for together.
    """

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="commands")
    watched = models.ForeignKey(Watched, null=True, on_delete=models.CASCADE, related_name="commands")
    kind = models.CharField(max_length=30, help_text="A row of `monitoring.commands.kinds`")
    target = models.CharField(max_length=140, blank=True)
    name = models.CharField(max_length=300, blank=True)
    body = models.JSONField(default=dict)
    read = models.JSONField(default=dict)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_at = models.DateTimeField()
    nonce = models.CharField(max_length=100, null=True, unique=True)
    key = models.CharField(max_length=32, default=new_key)
    group = models.CharField(max_length=32, blank=True)

    state = models.CharField(max_length=10, choices=WorkState, default=WorkState.PENDING)
    claimed_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, help_text="When it was last sent without a clear answer")
    location = models.CharField(max_length=300, blank=True)
    progress = models.FloatField(null=True, help_text="0 to 1, as the job tells")
    message = models.CharField(max_length=500, blank=True)
    before = models.JSONField(default=dict)
    result = models.JSONField(default=dict)
    problem = models.CharField(max_length=500, blank=True)
    finished_at = models.DateTimeField(null=True)
    dismissed_at = models.DateTimeField(null=True, help_text="When somebody took it off the page")

    class Meta:
        indexes: ClassVar = [
            # The runner: oldest waiting command first.
            models.Index(fields=["state", "asked_at"], name="monitoring_command_state"),
            # The page of a deployment: the newest ones; and the record of a source.
            models.Index(fields=["watched", "-asked_at"], name="monitoring_command_of"),
            # The progress of what was asked for together.
            models.Index(fields=["group"], condition=~models.Q(group=""), name="monitoring_command_group"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.state}"

    @property
    def word(self) -> str:
        """The kind in words; the stored slug for one that is no longer declared."""
        return str(dict(CommandKind.choices).get(self.kind, self.kind))

    @property
    def ids(self) -> list[str]:
        """The ids below the deployment."""
        return self.target.split("/") if self.target else []
