"""Hours, days and durations as the reference uses them. UTC only; `now` is always an argument."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

_DURATION = re.compile(
    r"P(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?)?"
)
#: The reference writes two hours as T2H in health settings.
_ODD = {"T2H": timedelta(hours=2)}


def floor_hour(moment: datetime) -> datetime:
    """The whole hour that `moment` lies in."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def next_hour(moment: datetime) -> datetime:
    """The first whole hour not before `moment`: the default end of every period of the reference."""
    floor = floor_hour(moment)
    return floor if floor == moment else floor + HOUR


def floor_day(moment: datetime) -> datetime:
    """Midnight UTC of the day that `moment` lies in."""
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


#: Longer durations of a source are a mistake, and would lead out of the calendar.
LONGEST = timedelta(days=36_525)


def parse_duration(text: str) -> timedelta:
    """ISO 8601 duration as a timedelta, a month as 30 days. Raises ValueError for anything else and above LONGEST.

    >>> parse_duration("P7D").days
    7
    """
    if text in _ODD:
        return _ODD[text]
    found = _DURATION.fullmatch(text)
    parts = {name: int(value) for name, value in found.groupdict().items() if value} if found else {}
    if not parts:
        raise ValueError(f"{text!r} is not an ISO 8601 duration.")
    days = parts.pop("months", 0) * 30 + parts.pop("days", 0)
    if max(days, *parts.values(), 0) > LONGEST.days * 86_400 or timedelta(days=days, **parts) > LONGEST:
        raise ValueError(f"{text[:40]!r} is longer than {LONGEST.days} days.")
    return timedelta(days=days, **parts)


def duration_or(text: str | None, default: timedelta) -> timedelta:
    """The duration, or `default` where the text is missing or not one."""
    try:
        return parse_duration(text) if text else default
    except ValueError:
        return default


def parse_time(value: object) -> datetime | None:
    """RFC 3339 text as aware UTC; naive counts as UTC. None for anything that is not a time, and for one before 1970 or
    from 2200 on: some servers write the first or the last moment of their calendar where they have none."""
    return _parse_time(value) if isinstance(value, str) and 10 <= len(value) <= 40 else None


@lru_cache(maxsize=4096)  # the same few bucket bounds stand in every series of an answer
def _parse_time(value: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    if not 1970 <= moment.year < 2200:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def format_time(moment: datetime) -> str:
    """RFC 3339 with Z and whole seconds, as requests carry it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
