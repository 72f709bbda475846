"""When a recurring review is due. Pure: the plan's wall clock and a moment in, moments out."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from monitoring.models import Cadence, ReviewPlan

_WEEKS = {Cadence.WEEKLY: 1, Cadence.FORTNIGHTLY: 2}
_MONTHS = {Cadence.MONTHLY: 1, Cadence.QUARTERLY: 3}
#: How long one meeting looks back when there was none before it.
PERIODS = {
    Cadence.WEEKLY: timedelta(days=7),
    Cadence.FORTNIGHTLY: timedelta(days=14),
    Cadence.MONTHLY: timedelta(days=30),
    Cadence.QUARTERLY: timedelta(days=91),
}


def next_due(plan: ReviewPlan, after: datetime) -> datetime:
    """The first meeting later than `after`, in UTC.

    Weekly: every such weekday; fortnightly: every second one, counted from `starts_on`; monthly and quarterly: the
    first such weekday of the month. The hour is that of the plan's zone, so it stays nine o'clock in summer.
    """
    zone = zone_of(plan)
    day = max(first_day(plan), after.astimezone(zone).date() - timedelta(days=1))
    while True:
        day = _meeting_on_or_after(plan, day)
        moment = datetime.combine(day, time(plan.hour, plan.minute), zone).astimezone(UTC)
        if moment > after:
            return moment
        day += timedelta(days=1)


def last_due(plan: ReviewPlan, now: datetime) -> datetime | None:
    """The newest meeting that was due at or before `now`; None before the first."""
    longest = max(PERIODS.values()) + timedelta(days=14)
    found, moment = None, next_due(plan, now - longest)
    while moment <= now:
        found, moment = moment, next_due(plan, moment)
    return found


def first_day(plan: ReviewPlan) -> date:
    """The first of the plan's weekdays at or after `starts_on`: the day that fortnights are counted from."""
    return plan.starts_on + timedelta(days=(plan.weekday - plan.starts_on.weekday()) % 7)


def period(plan: ReviewPlan) -> timedelta:
    """The time between two meetings, months as 30 days."""
    return PERIODS[Cadence(plan.cadence)]


def zone_of(plan: ReviewPlan) -> ZoneInfo:
    """The plan's zone; UTC for one that this machine does not know."""
    try:
        return ZoneInfo(plan.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _meeting_on_or_after(plan: ReviewPlan, day: date) -> date:
    cadence, first = Cadence(plan.cadence), first_day(plan)
    if cadence in _WEEKS:
        step = 7 * _WEEKS[cadence]
        return first + timedelta(days=-(-(day - first).days // step) * step) if day > first else first
    months = plan.starts_on.year * 12 + plan.starts_on.month - 1
    if _first_weekday(months, plan.weekday) < plan.starts_on:
        months += 1
    while (found := _first_weekday(months, plan.weekday)) < day:
        months += _MONTHS[cadence]
    return found


def _first_weekday(months: int, weekday: int) -> date:
    """The first such weekday of a month, months counted from the year 0."""
    first = date(months // 12, months % 12 + 1, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7)
