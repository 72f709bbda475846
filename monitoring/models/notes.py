"""What people write down about a deployment: shown on its history and on every chart at the time it is about."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from monitoring.models.watched import Watched


class Note(models.Model):
    """`at` is the time that it is about, `written_at` when it was written."""

    watched = models.ForeignKey(Watched, on_delete=models.CASCADE, related_name="notes")
    at = models.DateTimeField()
    text = models.CharField(max_length=2000)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="notes")
    written_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True)
    edited_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        # The history of a deployment, newest first; the marks of a range.
        indexes: ClassVar = [models.Index(fields=["watched", "-at"], name="monitoring_note_at")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}: {self.text[:40]}"
