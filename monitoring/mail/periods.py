"""When what comes regularly is due: pure; wall-clock times in the reader's zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from monitoring.models import DigestPace

DAY = timedelta(days=1)
#: After an outage what was due less than this long ago still goes out; older periods are in the next one.
LATE = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Period:
    """What one digest covers, half-open; it is due at its end."""

    key: str
    start: datetime
    end: datetime


def digest_due(pace: DigestPace, hour: int, zone: ZoneInfo, now: datetime) -> Period | None:
    """The period whose digest is due; None if none is."""
    if pace is DigestPace.NEVER:
        return None
    end = _last_end(pace, hour, zone, now)
    if now - end >= LATE:
        return None
    before = _last_end(pace, hour, zone, end - timedelta(minutes=1))
    return Period(f"{pace}.{end.astimezone(zone):%Y-%m-%d}", before, end)


def _last_end(pace: DigestPace, hour: int, zone: ZoneInfo, now: datetime) -> datetime:
    """The last moment, not after now, at which a digest of this pace is due."""
    local = now.astimezone(zone)
    for back in range(33):
        day = (local - back * DAY).date()
        fits = {DigestPace.DAILY: True, DigestPace.WEEKLY: day.weekday() == 0, DigestPace.MONTHLY: day.day == 1}[pace]
        end = datetime.combine(day, time(hour), zone).astimezone(UTC)
        if fits and end <= now:
            return end
    raise AssertionError("every 32 days hold a Monday and a first")


def shift_due(days: list[int], at: time, zone: ZoneInfo, now: datetime) -> Period | None:
    """The change of shift that is due: at that time on those weekdays (empty: all); covers a day back."""
    local = now.astimezone(zone)
    for back in range(2):
        day = (local - back * DAY).date()
        end = datetime.combine(day, at, zone).astimezone(UTC)
        if end <= now < end + timedelta(hours=2) and (not days or day.weekday() in days):
            return Period(f"{day:%Y-%m-%d}.{at:%H%M}", end - DAY, end)
    return None
