"""Schedules in the reference's shape, as a source answers them: in words, and when they are due next. Pure.

Five lists (`minute`, `hour`, `dayOfMonth`, `month`, `dayOfWeek`, Sunday = 0) of numbers, names, ranges, steps or "*";
a list that is left out means every one. All times are UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cronsim import CronSim, CronSimError

FIELDS = ("minute", "hour", "dayOfMonth", "month", "dayOfWeek")
DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def expression(schedule: Mapping[str, Any]) -> str:
    """As a line of cron; `*` for a list that is empty or none."""
    return " ".join(_entries(schedule.get(name)) for name in FIELDS)


def next_due(schedule: Any, now: datetime) -> datetime | None:
    """The first time after now; None for what is no schedule, and for one that never comes."""
    if not isinstance(schedule, Mapping):
        return None
    try:
        return next(CronSim(expression(schedule), now.astimezone(UTC)), None)
    except CronSimError:
        return None


def words(schedule: Any) -> str:
    """`Mondays at 03:00 UTC`, `every day at 03:00 UTC`; as a line of cron where there are no such plain words."""
    if not isinstance(schedule, Mapping):
        return ""
    minute, hour, day, month, weekday = expression(schedule).split(" ")
    if not minute.isdecimal() or month != "*":
        return f"cron {expression(schedule)}, UTC"
    if hour == "*" and (day, weekday) == ("*", "*"):
        return f"every hour at minute {int(minute)}"
    if not hour.isdecimal():
        return f"cron {expression(schedule)}, UTC"
    at = f"at {int(hour):02d}:{int(minute):02d} UTC"
    if day == "*" and weekday == "*":
        return f"every day {at}"
    if day == "*" and weekday.isdecimal() and int(weekday) < len(DAYS):
        return f"{DAYS[int(weekday)]}s {at}"
    if weekday == "*" and day.isdecimal():
        return f"on day {int(day)} of the month {at}"
    return f"cron {expression(schedule)}, UTC"


def _entries(given: Any) -> str:
    listed = given if isinstance(given, list | tuple) and given else ["*"]
    return ",".join(str(one)[:3] if str(one).isalpha() else "".join(str(one).split()) for one in listed)
