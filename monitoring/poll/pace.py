"""When a deployment is due, and for how much. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import IntEnum

from monitoring.clock import floor_day, floor_hour


class Pace(IntEnum):
    """How often a question is asked. A poll of one pace asks the questions of that pace and of all faster ones."""

    FAST = 1  # whenever the deployment moved
    QUIET = 2  # hourly, moved or not: what the list does not show
    HOURLY = 3  # hourly if it moved: series and details
    DAILY = 4  # once a day, and series over their whole range
    FIRST = 5  # first sight: everything


def pace_of(
    *,
    now: datetime,
    backfilled_at: datetime | None,
    polled_at: datetime | None,
    slow_polled_at: datetime | None,
    moved_at: datetime | None,
    slow: timedelta,
) -> Pace | None:
    """The pace that is due at `now`; None if nothing is."""
    if backfilled_at is None or polled_at is None or slow_polled_at is None:
        return Pace.FIRST
    if floor_day(slow_polled_at) < floor_day(now):
        return Pace.DAILY
    moved_since_slow = moved_at is not None and moved_at > slow_polled_at
    new_hour = floor_hour(slow_polled_at) < floor_hour(now)
    if moved_since_slow and (new_hour or now - slow_polled_at >= slow):
        return Pace.HOURLY
    if now - slow_polled_at >= slow:
        return Pace.QUIET
    return Pace.FAST if moved_at is not None and moved_at > polled_at else None
