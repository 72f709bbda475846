"""Share links and badges: who let whom look at what, and until when."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models

from monitoring.models.choices import ShareKind
from monitoring.models.incidents import Incident
from monitoring.models.teams import Team
from monitoring.models.watched import Watched


class ShareLink(models.Model):
    """A link that shows one thing without logging in, read only, until it ends or is revoked.

    Only a digest of its token is stored: who reads the database cannot open it. `query` is the view that is shown,
    frozen when the link was made. A badge without a deployment is that of the team.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="shares")
    kind = models.CharField(max_length=12, choices=ShareKind)
    name = models.CharField(max_length=80, help_text="For whom or for what it is")
    digest = models.CharField(max_length=64, unique=True)
    watched = models.ForeignKey(Watched, null=True, on_delete=models.CASCADE, related_name="shares")
    incident = models.ForeignKey(Incident, null=True, on_delete=models.CASCADE, related_name="shares")
    tab = models.CharField(max_length=20, blank=True)
    query = models.CharField(max_length=1000, blank=True)
    with_csv = models.BooleanField(default=False)
    time_zone = models.CharField(max_length=64, default="UTC")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="shares_created"
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    opened_at = models.DateTimeField(null=True)
    opened = models.PositiveIntegerField(default=0, help_text="Minutes in which it was opened at least once")

    class Meta:
        ordering: ClassVar = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.kind} for {self.name}"

    def is_live(self, now: datetime) -> bool:
        """Neither ended nor revoked."""
        return self.revoked_at is None and self.expires_at > now
