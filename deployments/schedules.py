"""Schedules in the reference's shape: five lists of minutes, hours, days of the month, months and days of the week.

An entry is a number, a name (`jan`, `mon`), a range or step (`"9-17"`, `"*/15"`), or `"*"`. All times are UTC. As in
cron, where both kinds of day are restricted either of them suffices. Read by cronsim, which looks times up exactly.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from cronsim import CronSim, CronSimError
from msgspec import Struct

Entry = int | str

FIELDS = {
    "minute": "minute",
    "hour": "hour",
    "day_of_month": "dayOfMonth",
    "month": "month",
    "day_of_week": "dayOfWeek",
}
"""The lists in cron's order, with their names outside."""


class Schedule(Struct, rename="camel", frozen=True):
    """When something is due; a list that is left out means every one."""

    minute: tuple[Entry, ...] = ("*",)
    hour: tuple[Entry, ...] = ("*",)
    day_of_month: tuple[Entry, ...] = ("*",)
    month: tuple[Entry, ...] = ("*",)
    day_of_week: tuple[Entry, ...] = ("*",)

    @property
    def expression(self) -> str:
        """As a line of cron."""
        return " ".join(_words(getattr(self, name)) for name in FIELDS)


def problems(schedule: Schedule, place: str = "schedule", *, hourly: bool = False) -> dict[str, str]:
    """What is wrong, by place; empty when nothing is. `hourly`: at most one time an hour is allowed."""
    for name, outside in FIELDS.items():
        alone = Schedule(**{name: getattr(schedule, name)})
        if not getattr(schedule, name) or not _readable(alone):
            return {f"{place}.{outside}": "Not a list of times as cron knows them."}
    if not _readable(schedule):
        return {place: "There is no such day."}
    if hourly and (len(schedule.minute) != 1 or not str(schedule.minute[0]).isdigit()):
        return {f"{place}.minute": "At most once an hour: name one minute."}
    return {}


def last_due(schedule: Schedule, since: datetime, now: datetime) -> datetime | None:
    """The newest time in (since, now]; None if there is none. Times that were missed before it are let go."""
    after = now.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    found = next(CronSim(schedule.expression, after, reverse=True), None)
    return found if found is not None and found > since else None


def next_due(schedule: Schedule, now: datetime) -> datetime | None:
    """The first time after now; None if it never comes."""
    return next(CronSim(schedule.expression, now.astimezone(UTC)), None)


def as_json(schedule: Schedule) -> dict[str, Any]:
    """In the reference's shape."""
    return {outside: list(getattr(schedule, name)) for name, outside in FIELDS.items()}


def _words(entries: tuple[Entry, ...]) -> str:
    return ",".join(str(entry)[:3] if str(entry).isalpha() else str(entry) for entry in entries)


def _readable(schedule: Schedule) -> bool:
    expression = schedule.expression
    if len(expression.split()) != len(FIELDS):
        return False
    try:
        CronSim(expression, datetime(2024, 1, 1, tzinfo=UTC))
    except CronSimError:
        return False
    return True
