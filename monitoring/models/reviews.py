"""Team health reviews: the recurring plan, one meeting, what it decided about each deployment, what was promised."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Any, ClassVar

import orjson
from django.conf import settings
from django.db import models

from monitoring.models.choices import Area, Importance, Status
from monitoring.models.teams import Team
from monitoring.models.watched import Watched


class Cadence(models.TextChoices):
    WEEKLY = "weekly", "Every week"
    FORTNIGHTLY = "fortnightly", "Every two weeks"
    MONTHLY = "monthly", "Every month"
    QUARTERLY = "quarterly", "Every three months"


class Weekday(models.IntegerChoices):
    MONDAY = 0, "Monday"
    TUESDAY = 1, "Tuesday"
    WEDNESDAY = 2, "Wednesday"
    THURSDAY = 3, "Thursday"
    FRIDAY = 4, "Friday"
    SATURDAY = 5, "Saturday"
    SUNDAY = 6, "Sunday"


class ReviewState(models.TextChoices):
    OPEN = "open", "Open"
    SIGNED = "signed", "Signed"


class ReviewVerdict(models.TextChoices):
    """What a meeting decides about a deployment."""

    HEALTHY = "healthy", "Healthy"
    ACCEPT = "accept", "Accept"
    WATCH = "watch", "Watch"
    ACT = "act", "Act"


class AgendaSection(models.TextChoices):
    DISCUSS = "discuss", "To discuss"
    BLIND = "blind", "Not watched"


class ActionState(models.TextChoices):
    OPEN = "open", "Open"
    DONE = "done", "Done"
    DROPPED = "dropped", "Dropped"


class ReviewPlan(models.Model):
    """A recurring review of a team: when it is held, who attends, which deployments it is about.

    `starts_on` is the first day from which meetings are counted: it decides which of two weeks is meant. Empty
    `importances` and `tags` take in every deployment of the team.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="review_plans")
    name = models.CharField(max_length=120)
    cadence = models.CharField(max_length=12, choices=Cadence, default=Cadence.WEEKLY)
    weekday = models.PositiveSmallIntegerField(choices=Weekday, default=Weekday.MONDAY)
    hour = models.PositiveSmallIntegerField(default=9)
    minute = models.PositiveSmallIntegerField(default=0)
    time_zone = models.CharField(max_length=64, default="UTC")
    starts_on = models.DateField()
    attendees = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="+", blank=True)
    importances = models.JSONField(default=list, blank=True)
    tags = models.JSONField(default=list, blank=True)
    active = models.BooleanField(default=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["team", "name"], name="monitoring_review_plan")]
        ordering: ClassVar = ["team", "name"]

    def __str__(self) -> str:
        return self.name

    @property
    def importance_words(self) -> list[str]:
        return [Importance(name).label for name in self.importances if name in Importance.values]


class SignedReview(Exception):
    """A signed review was to be changed."""

    def __init__(self) -> None:
        super().__init__("This review is signed: its record can no longer be changed.")


class Review(models.Model):
    """One meeting. While it is open its agenda can be rebuilt; once signed, `content` holds all that was known.

    `content` is what was decided, with the figures as they were known then; `content_hash` is its SHA-256, and each
    record names the hash of the one before it. A trigger of the database refuses any change of a signed review.
    `calm` lists the deployments that were left out because nothing about them asks for attention.
    """

    plan = models.ForeignKey(ReviewPlan, on_delete=models.PROTECT, related_name="reviews")
    number = models.PositiveIntegerField()
    due_at = models.DateTimeField(help_text="When the meeting was due")
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    since = models.DateTimeField(help_text="Start of the time it looks back on")
    known_at = models.DateTimeField(help_text="As of when agenda and figures were built")
    previous = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="following")
    state = models.CharField(max_length=8, choices=ReviewState, default=ReviewState.OPEN)
    calm = models.JSONField(default=list)
    calm_accepted = models.BooleanField(default=False)
    signed_at = models.DateTimeField(null=True)
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    content = models.TextField(blank=True, help_text="The record as canonical JSON, written once")
    content_hash = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["plan", "number"], name="monitoring_review_number"),
            # Two people who open the meeting at once land in the same one.
            models.UniqueConstraint(
                fields=["plan"], name="monitoring_one_open_review", condition=models.Q(state=ReviewState.OPEN)
            ),
        ]
        ordering: ClassVar = ["-opened_at"]

    def __str__(self) -> str:
        return f"{self.plan} {self.number}"

    @property
    def is_signed(self) -> bool:
        return self.state == ReviewState.SIGNED

    @cached_property
    def record(self) -> dict[str, Any]:
        """The signed record; {} while the review is open."""
        found: dict[str, Any] = orjson.loads(self.content) if self.content else {}
        return found

    @property
    def is_intact(self) -> bool:
        """Whether the stored record is the one that was signed."""
        return hashlib.sha256(self.content.encode()).hexdigest() == self.content_hash

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk and Review.objects.filter(pk=self.pk, state=ReviewState.SIGNED).exists():
            raise SignedReview
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        if self.is_signed:
            raise SignedReview
        return super().delete(*args, **kwargs)


class ReviewItem(models.Model):
    """One deployment on the agenda, and what the meeting decided about it.

    `reasons` say why it is here, worst first; `figures` are as known at `Review.known_at`. `version` counts saves: who
    saves must have seen the newest.
    """

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="items")
    watched = models.ForeignKey(Watched, null=True, on_delete=models.SET_NULL, related_name="+")
    label = models.CharField(max_length=512)
    section = models.CharField(max_length=8, choices=AgendaSection, default=AgendaSection.DISCUSS)
    position = models.PositiveIntegerField()
    consequence = models.FloatField(default=0.0)
    reasons = models.JSONField(default=list)
    figures = models.JSONField(default=dict)
    verdict = models.CharField(max_length=8, choices=ReviewVerdict, blank=True)
    note = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=0)
    saved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    saved_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["review", "watched"], name="monitoring_review_item")]
        ordering: ClassVar = ["review", "position", "pk"]

    def __str__(self) -> str:
        return self.label

    @property
    def status(self) -> Status:
        return Status(self.figures.get("worst", Status.UNKNOWN))

    def area(self, area: str) -> dict[str, Any]:
        """One area as known then; unknown where nothing was."""
        found = self.figures.get("areas", {}).get(area)
        return found if isinstance(found, dict) else {"status": Status.UNKNOWN.value}

    @property
    def areas(self) -> list[Area]:
        """The areas that were judged, in their usual order."""
        return [area for area in Area if area.value in self.figures.get("areas", {})]


class ReviewPresence(models.Model):
    """Who takes part: one row a person and meeting, renewed while the page is open."""

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="present")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    first_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["review", "user"], name="monitoring_review_present")]
        ordering: ClassVar = ["first_at"]

    def __str__(self) -> str:
        return f"{self.user} in {self.review_id}"


class ActionItem(models.Model):
    """What somebody promised in a review, until it is done or dropped. It outlives the meeting that made it."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="action_items")
    review = models.ForeignKey(Review, null=True, on_delete=models.SET_NULL, related_name="actions")
    watched = models.ForeignKey(Watched, null=True, on_delete=models.SET_NULL, related_name="action_items")
    label = models.CharField(max_length=512, blank=True, help_text="The deployment's name, kept when it is gone")
    text = models.CharField(max_length=500)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    due_on = models.DateField()
    state = models.CharField(max_length=8, choices=ActionState, default=ActionState.OPEN)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    closed_at = models.DateTimeField(null=True)

    class Meta:
        # The list of a team, and what is overdue.
        indexes: ClassVar = [models.Index(fields=["team", "state", "due_on"], name="monitoring_actions")]
        ordering: ClassVar = ["due_on", "pk"]

    def __str__(self) -> str:
        return self.text


class PageVisit(models.Model):
    """When a person last opened a deployment's pages, renewed at most hourly: what nobody looks at is on the agenda."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    watched = models.ForeignKey(Watched, on_delete=models.CASCADE, related_name="visits")
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["watched", "user"], name="monitoring_page_visit")]

    def __str__(self) -> str:
        return f"{self.user_id} at {self.watched_id}"
