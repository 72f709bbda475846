"""Settings that were changed at a source, as the watcher saw them: one row a value."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from monitoring.models.choices import Loosens
from monitoring.models.commands import Command
from monitoring.models.watched import Watched


class SettingsChange(models.Model):
    """`kind` is the kind of command that would change it; `path` the field with dots.

    It was changed after `since`, when the source still showed `before`, and before `seen_at`. `command` and `by` are
    set where one of our own commands did it; otherwise it was changed at the source. `loosens`: in which way it lets
    more pass, said in `words`. `handled_at`: when it was decided who hears of it; before that, `held_until`
    is set while a silence holds it back, and `outcome` says which.
    """

    watched = models.ForeignKey(Watched, on_delete=models.CASCADE, related_name="settings_changes")
    kind = models.CharField(max_length=30)
    path = models.CharField(max_length=120)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    since = models.DateTimeField(null=True)
    seen_at = models.DateTimeField()
    command = models.ForeignKey(Command, null=True, on_delete=models.SET_NULL, related_name="changes")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    loosens = models.CharField(max_length=10, choices=Loosens, blank=True)
    area = models.CharField(max_length=30, blank=True)
    words = models.CharField(max_length=500, blank=True)
    handled_at = models.DateTimeField(null=True)
    held_until = models.DateTimeField(null=True, help_text="A silence holds back telling of it until then")
    outcome = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering: ClassVar = ["-seen_at", "-pk"]
        indexes: ClassVar = [
            # The list of a deployment, and the marks on its charts.
            models.Index(fields=["watched", "-seen_at"], name="monitoring_settings_seen"),
            # What nobody has been told of yet.
            models.Index(
                fields=["seen_at"], name="monitoring_settings_wait", condition=models.Q(handled_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.path} of {self.watched_id}"
