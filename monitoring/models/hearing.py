"""Who hears what: a team's rules, a person's own switch for a deployment, and what people think of what they heard."""

from __future__ import annotations

from datetime import time
from typing import ClassVar

from django.conf import settings
from django.db import models

from monitoring.models.channels import Channel
from monitoring.models.choices import Delivery, Wish
from monitoring.models.incidents import IncidentNotice
from monitoring.models.teams import Membership, Team
from monitoring.models.watched import Watched


class NotificationRule(models.Model):
    """One rule of a team; of those that match and name an addressee the one with the lowest `position` decides.

    Empty conditions match everything. `escalation`: the rule says who hears when nobody has answered. Hours are those
    in which it delivers, in `time_zone`; what happens outside of them waits for the next.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="rules")
    name = models.CharField(max_length=120)
    position = models.PositiveIntegerField(default=10)
    enabled = models.BooleanField(default=True)
    importances = models.JSONField(default=list)
    areas = models.JSONField(default=list)
    tags = models.JSONField(default=list, help_text="Names of tags, or name=value; any of them")
    only_failing = models.BooleanField(default=False)
    escalation = models.BooleanField(default=False)
    delivery = models.CharField(max_length=8, choices=Delivery, default=Delivery.NOW)
    everybody = models.BooleanField(default=True, help_text="Every member and every channel")
    members = models.ManyToManyField(Membership, blank=True, related_name="rules")
    channels = models.ManyToManyField(Channel, blank=True, related_name="rules")
    days = models.JSONField(default=list, help_text="Weekdays, Monday = 0; empty: all")
    from_time = models.TimeField(null=True, blank=True)
    to_time = models.TimeField(null=True, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")

    class Meta:
        ordering: ClassVar = ["team", "position", "pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def has_hours(self) -> bool:
        return bool(self.days) or self.times is not None

    @property
    def times(self) -> tuple[time, time] | None:
        """Start and end of its hours; None for the whole day."""
        return (self.from_time, self.to_time) if self.from_time is not None and self.to_time is not None else None


class Subscription(models.Model):
    """A person's own word about one deployment; it goes before every rule."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="subscriptions")
    watched = models.ForeignKey(Watched, on_delete=models.CASCADE, related_name="subscriptions")
    wish = models.CharField(max_length=10, choices=Wish)
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "watched"], name="monitoring_one_subscription")
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.wish} {self.watched}"


class Vote(models.Model):
    """Whether a notice was useful to a person, or noise. The newest word counts."""

    notice = models.ForeignKey(IncidentNotice, on_delete=models.CASCADE, related_name="votes")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="votes")
    useful = models.BooleanField()
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["notice", "user"], name="monitoring_one_vote")]
        # The monthly table.
        indexes: ClassVar = [models.Index(fields=["at"], name="monitoring_vote_at")]

    def __str__(self) -> str:
        return "useful" if self.useful else "noise"


class UsedLink(models.Model):
    """A button of a mail that has acted: it acts once, however often its link is followed."""

    key = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"used {self.at:%Y-%m-%d %H:%M}"
