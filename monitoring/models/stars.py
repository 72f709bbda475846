"""What a person keeps an eye on."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from monitoring.models.watched import Watched


class Star(models.Model):
    """A person's own mark on a deployment; nobody else sees it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="stars")
    watched = models.ForeignKey(Watched, on_delete=models.CASCADE, related_name="stars")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "watched"], name="monitoring_one_star")]

    def __str__(self) -> str:
        return f"{self.user}: {self.watched}"


class Bulk(models.Model):
    """One thing done with many deployments at once. The commands that it asked for bear its key as their group.

    `nonce`: of the form; a form sent twice makes one. `picked`: the deployments it was done with; `left`: those that
    were chosen and left alone, with the reason.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    act = models.CharField(max_length=20)
    words = models.CharField(max_length=300)
    at = models.DateTimeField()
    nonce = models.CharField(max_length=100, unique=True)
    picked = models.JSONField(default=list)
    left = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"{self.act}: {self.words}"
