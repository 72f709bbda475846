"""Who watches: teams, their members, and what each person prefers to see."""

from __future__ import annotations

import secrets
from typing import ClassVar

from django.conf import settings
from django.db import models

from monitoring.models.choices import Breaks, DigestPace, Role, Theme


class Team(models.Model):
    """Owns sources; what a person may see follows from membership alone."""

    name = models.CharField(max_length=120, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    requires_two_factor = models.BooleanField(
        default=False, help_text="Members see nothing until they have a second factor"
    )

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


def unsubscribe_token() -> str:
    """A secret that lets one mail be answered without logging in: 32 characters."""
    return secrets.token_urlsafe(24)


class Membership(models.Model):
    """A person in a team. `wants_mail` decides about health mail; the token serves the unsubscribe link."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role, default=Role.MEMBER)
    wants_mail = models.BooleanField(default=True)
    mail_token = models.CharField(max_length=40, unique=True, default=unsubscribe_token, editable=False)
    joined_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["team", "user"], name="monitoring_one_membership")]
        ordering: ClassVar = ["team", "user"]

    @property
    def may_change(self) -> bool:
        """May change things at the team's sources."""
        return Role(self.role).may_change

    @property
    def may_act(self) -> bool:
        """May note, answer, and keep things for the team."""
        return Role(self.role).may_act

    def __str__(self) -> str:
        return f"{self.user} in {self.team}"


class UserPreference(models.Model):
    """How pages and mails look for one person, and when mail may come.

    Hours (`days`, `from_time` to `to_time`, in the own time zone) are those in which everything comes at once; outside
    of them only what `breaks_through` names does, and the rest waits for the next.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="preference")
    time_zone = models.CharField(max_length=64, default="UTC")
    theme = models.CharField(max_length=8, choices=Theme, default=Theme.SYSTEM)
    digest = models.CharField(max_length=8, choices=DigestPace, default=DigestPace.WEEKLY)
    digest_hour = models.PositiveSmallIntegerField(default=8)
    digest_when_empty = models.BooleanField(default=False)
    days = models.JSONField(default=list, help_text="Weekdays, Monday = 0; empty: all")
    from_time = models.TimeField(null=True, blank=True)
    to_time = models.TimeField(null=True, blank=True)
    breaks_through = models.CharField(max_length=8, choices=Breaks, default=Breaks.FAILING)

    def __str__(self) -> str:
        return f"{self.user}: {self.time_zone}, {self.theme}"
