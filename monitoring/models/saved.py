"""Saved views of the fleet: what a person, or a whole team, looks at again and again."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from monitoring.models.teams import Team


class SavedView(models.Model):
    """A name for an address of the fleet. It belongs to a person or to a team, never to both.

    `query` is what stands behind the question mark, in the order in which pages write it.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="saved_views")
    team = models.ForeignKey(Team, null=True, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["name", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(user__isnull=True) ^ models.Q(team__isnull=True),
                name="monitoring_view_has_one_owner",
            ),
            models.UniqueConstraint(fields=["user", "name"], name="monitoring_view_of_person"),
            models.UniqueConstraint(fields=["team", "name"], name="monitoring_view_of_team"),
        ]

    def __str__(self) -> str:
        return self.name


class DefaultView(models.Model):
    """The view that the fleet opens with for one person."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="default_view")
    view = models.ForeignKey(SavedView, on_delete=models.CASCADE, related_name="default_for")

    def __str__(self) -> str:
        return f"{self.user}: {self.view}"
