"""Time buckets: which pieces a period falls into, and which hours and days a piece is made of.

Every bucket is half-open, `[start, end)`, and UTC. The first one begins where the period begins; months step by
the calendar; the last bucket is cut at the end of the period. This is the only place that floors time.
Ordinals count whole hours or whole days since 1970-01-01T00:00Z.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np

from metrics.arrays import IntArray, IntLike, as_ints

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
HOURS_PER_DAY = 24
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_BUCKETS = 100_000
MAX_YEARS = 100

Bucket = tuple[datetime, datetime]


class DurationError(ValueError):
    """The text is not an ISO-8601 duration that is a multiple of one hour."""


@dataclass(frozen=True)
class BucketSize:
    """A length of time: either a number of hours or a number of calendar months, never both."""

    hours: int = 0
    months: int = 0

    def __post_init__(self) -> None:
        if (self.hours > 0) == (self.months > 0) or min(self.hours, self.months) < 0:
            raise DurationError("A bucket is a positive number of hours or of months.")

    def __str__(self) -> str:
        """The ISO-8601 spelling: `PT1H`, `P1D`, `P7D`, `P1M`."""
        if self.months:
            return f"P{self.months}M"
        days, hours = divmod(self.hours, HOURS_PER_DAY)
        return f"P{days}D" if not hours else f"PT{self.hours}H"

    def after(self, moment: datetime, steps: int = 1) -> datetime:
        """The instant `steps` buckets after `moment`; the 31st becomes the last day of a shorter month."""
        if self.hours:
            return moment + steps * self.hours * HOUR
        return _add_months(moment, steps * self.months)


HOURLY = BucketSize(hours=1)
DAILY = BucketSize(hours=24)
WEEKLY = BucketSize(hours=7 * 24)
MONTHLY = BucketSize(months=1)

_DURATION = re.compile(
    r"P(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?"
)


def parse_duration(text: str) -> BucketSize:
    """Read an ISO-8601 duration that is a multiple of one hour, or a number of months or years.

    `PT1H`, `P1D`, `P7D`, `P1W`, `PT36H`, `P1M`, `P1Y`. Raises DurationError for anything else, also for a length
    of zero, for months mixed with days, and for minutes or seconds that do not fill whole hours.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None or len(text.strip()) > 32:
        raise DurationError(f"{text!r} is not an ISO-8601 duration.")
    part = {name: int(digits or 0) for name, digits in found.groupdict().items()}
    months = 12 * part["years"] + part["months"]
    seconds = (part["weeks"] * 7 + part["days"]) * 86_400 + part["hours"] * 3_600 + part["minutes"] * 60
    hours, rest = divmod(seconds + part["seconds"], 3_600)
    if rest or (months > 0) == (hours > 0):
        raise DurationError(f"{text!r} is not a multiple of one hour or of one month.")
    if months > MAX_YEARS * 12 or hours > MAX_YEARS * 366 * HOURS_PER_DAY:
        raise DurationError(f"{text!r} is longer than {MAX_YEARS} years.")
    return BucketSize(hours=hours, months=months)


def parse_interval(text: str) -> BucketSize:
    """Read the window of a health rule: as parse_duration, and `T2H` for two hours as the reference spells it."""
    return parse_duration(f"P{text}" if text.startswith("T") else text)


def default_bucket(start: datetime, end: datetime) -> BucketSize:
    """The bucket for a period when none is asked: up to 2 days hourly, 60 days daily, 52 weeks weekly, else monthly."""
    length = end - start
    if length <= 2 * DAY:
        return HOURLY
    if length <= 60 * DAY:
        return DAILY
    return WEEKLY if length <= 52 * 7 * DAY else MONTHLY


def fits(size: BucketSize, start: datetime, end: datetime) -> bool:
    """Whether one bucket is no longer than the period."""
    return _after_or(datetime.max.replace(tzinfo=UTC), start, size, 1) <= end


def split(start: datetime, end: datetime, size: BucketSize) -> list[Bucket]:
    """Cut `[start, end)` into buckets of `size`; the last may be shorter; no bucket for an empty period.

    Raises ValueError when that would be more than MAX_BUCKETS.
    """
    if size.hours and (end - start) > MAX_BUCKETS * size.hours * HOUR:
        raise ValueError(f"More than {MAX_BUCKETS} buckets.")
    buckets: list[Bucket] = []
    left = start
    while left < end:
        right = min(_after_or(end, start, size, len(buckets) + 1), end)
        buckets.append((left, right))
        left = right
    return buckets


def top_of_next_hour(moment: datetime) -> datetime:
    """The first whole hour after `moment`; a whole hour itself gives the next one."""
    return hour_start(hour_ordinal(moment) + 1)


def is_whole_hour(moment: datetime) -> bool:
    """Whether `moment` lies on the top of an hour of UTC."""
    return (moment - EPOCH) % HOUR == timedelta(0)


def hour_ordinal(moment: datetime) -> int:
    """The number of the hour that contains `moment`."""
    return (moment - EPOCH) // HOUR


def hour_start(ordinal: int) -> datetime:
    """The first instant of an hour."""
    return EPOCH + ordinal * HOUR


def day_ordinal(moment: datetime | date) -> int:
    """The number of the UTC day that contains `moment`, or of the given date."""
    if isinstance(moment, datetime):
        return (moment - EPOCH) // DAY
    return (moment - EPOCH.date()).days


def day_start(ordinal: int) -> datetime:
    """The first instant of a UTC day."""
    return EPOCH + ordinal * DAY


@dataclass(frozen=True)
class Cover:
    """How a period is put together: whole UTC days, and the hours left over at its two edges (as ordinals)."""

    days: range
    hours_before: range
    hours_after: range

    @property
    def hours(self) -> list[int]:
        """All edge hours in order."""
        return [*self.hours_before, *self.hours_after]


def cover(start: datetime, end: datetime) -> Cover:
    """The fewest whole days and hours that make up `[start, end)`; both ends must be whole hours."""
    first, last = hour_ordinal(start), hour_ordinal(end)
    first_day, last_day = -(-first // HOURS_PER_DAY), last // HOURS_PER_DAY
    if last_day <= first_day:
        return Cover(range(0), range(first, max(first, last)), range(0))
    return Cover(
        range(first_day, last_day),
        range(first, first_day * HOURS_PER_DAY),
        range(last_day * HOURS_PER_DAY, last),
    )


def bucket_indexes(buckets: Sequence[Bucket], hours: IntLike) -> IntArray:
    """For every hour ordinal the index of the bucket that contains it, -1 if none does.

    `buckets` must be in order and must not overlap; gaps between them are allowed. Shape: that of `hours`.
    """
    ordinals = as_ints(hours)
    if not buckets:
        return np.full(ordinals.shape, -1, dtype=np.int64)
    starts = np.array([hour_ordinal(start) for start, _ in buckets], dtype=np.int64)
    ends = np.array([hour_ordinal(end) for _, end in buckets], dtype=np.int64)
    index = np.searchsorted(starts, ordinals, side="right") - 1
    inside = (index >= 0) & (ordinals < ends[index])
    return np.where(inside, index, -1).astype(np.int64)


def _after_or(limit: datetime, start: datetime, size: BucketSize, steps: int) -> datetime:
    """The end of a bucket, or `limit` where the calendar ends before it."""
    try:
        return size.after(start, steps)
    except (OverflowError, ValueError):
        return limit


def _add_months(moment: datetime, months: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    following = date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    last_day = (following - timedelta(days=1)).day
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last_day))
