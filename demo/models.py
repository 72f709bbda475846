"""How far the demo is: one replay, its weeks, and the minute up to which flights were fed."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models


class Replay(models.Model):
    """The one loaded demo.

    Flights before `horizon` are loaded week by week (`LoadedWeek`), later ones by the live feed. A
    feed claims the row (`claimed_at`), writes its end into `feeding_until` before it sends anything and
    into `fed_until` when all is accepted: after a crash the same minutes are sent again under the same
    request ids.
    """

    shift = models.DurationField()
    horizon = models.DateTimeField()
    fed_until = models.DateTimeField()
    feeding_until = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(null=True)
    ready_at = models.DateTimeField(null=True, help_text="When the recent weeks were loaded and the feed may begin.")

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="demo_is_one")]

    def __str__(self) -> str:
        return f"replay up to {self.horizon:%Y-%m-%d %H:%M}, fed up to {self.fed_until:%Y-%m-%d %H:%M}"

    @classmethod
    def current(cls) -> Replay | None:
        """The loaded demo, if there is one."""
        return cls.objects.filter(pk=1).first()

    @classmethod
    def begin(cls, now: datetime, shift: timedelta) -> Replay:
        """The loaded demo; on the first call with this horizon and shift, afterwards unchanged."""
        return cls.objects.get_or_create(pk=1, defaults={"shift": shift, "horizon": now, "fed_until": now})[0]


class LoadedWeek(models.Model):
    """A week of one deployment that the service has accepted; `week` counts back from the last one (0)."""

    slug = models.CharField(max_length=60)
    week = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["slug", "week"], name="demo_week_once")]

    def __str__(self) -> str:
        return f"{self.slug}, {self.week} weeks back"
