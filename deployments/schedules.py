"""Schedules in the words of the reference: five lists, each of numbers or `"*"`, as in cron, in UTC.

Sunday is 0 (7 is taken too). As in cron, a day matches when its day of the month or its day of the week does, where
both are given.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from cronsim import CronSim, CronSimError
from msgspec import Meta, Struct

Part = Annotated[list[int | str], Meta(min_length=1, max_length=60)]

WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
NAMES = {name: number for number, name in enumerate(WEEKDAYS)} | {name: number + 1 for number, name in enumerate(MONTHS)}
NAMES |= {name[:3]: number for name, number in NAMES.items()}


class BadSchedule(ValueError):
    """A part of a schedule is wrong; `part` is its name."""

    def __init__(self, part: str, text: str) -> None:
        super().__init__(text)
        self.part = part


class Schedule(Struct, rename="camel", frozen=True):
    """When something is to be done."""

    minute: Part
    hour: Part
    day_of_month: Part
    month: Part
    day_of_week: Part

    def to_json(self) -> dict[str, Any]:
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found


_LIMITS = {"minute": (0, 59), "hour": (0, 23), "dayOfMonth": (1, 31), "month": (1, 12), "dayOfWeek": (0, 7)}


def read(stored: dict[str, Any]) -> Schedule:
    """A schedule as it was stored."""
    return msgspec.convert(stored, Schedule)


def expression(schedule: Schedule) -> str:
    """The schedule as a cron expression. Raises BadSchedule that names the part."""
    given = schedule.to_json()
    return " ".join(_part(name, given[name]) for name in _LIMITS)


def next_after(schedule: Schedule, moment: datetime) -> datetime:
    """The first time after a moment. Raises BadSchedule for one that never comes, such as 31 February."""
    try:
        return next(CronSim(expression(schedule), moment.astimezone(UTC).replace(microsecond=0)))
    except (CronSimError, StopIteration) as error:
        raise BadSchedule("dayOfMonth", f"This never comes: {error}".rstrip(": ")) from None


def _part(name: str, values: Sequence[int | str]) -> str:
    if any(value == "*" for value in values):
        if len(values) > 1:
            raise BadSchedule(name, '"*" stands alone.')
        return "*"
    return ",".join(sorted({str(_number(name, value)) for value in values}, key=int))


def _number(name: str, value: int | str) -> int:
    lowest, highest = _LIMITS[name]
    named = NAMES.get(value.lower()) if isinstance(value, str) and name in ("month", "dayOfWeek") else None
    if named is None and isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 3:
        named = int(value)
    number = value if isinstance(value, int) else named
    if number is None or not lowest <= number <= highest:
        raise BadSchedule(name, f"{value!r} is not a number from {lowest} to {highest} or \"*\".")
    return number
