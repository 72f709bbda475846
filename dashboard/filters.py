"""The one bar: model, segment, range and bin size (or number of batches), as of.

The whole state of a page stands in its address. `View.parse` reads it, tolerantly: what cannot be read falls back
to the default and says so in `notes`. Presets stay relative (`range=30d`), custom ranges are absolute and snapped
to whole hours. Ranges are half-open and end with the running bin, so that a stored bucket serves every range.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode

from metrics.buckets import (
    DAILY,
    DAY,
    HOUR,
    HOURLY,
    WEEKLY,
    BucketSize,
    day_ordinal,
    day_start,
    hour_ordinal,
    hour_start,
    is_whole_hour,
)
from monitoring.clock import next_hour
from monitoring.questions import Between, Last, Question, Window

T = TypeVar("T", bound=StrEnum)

MAX_BINS = 750
MAX_RANGE = timedelta(days=3660)


class Preset(StrEnum):
    """The relative ranges on offer."""

    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"
    QUARTER = "90d"

    @property
    def length(self) -> timedelta:
        return {"24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY, "90d": 90 * DAY}[self.value]

    @property
    def duration(self) -> str:
        """As the API writes it: `P30D`."""
        return f"P{self.length.days}D"

    @property
    def words(self) -> str:
        """`24 h`, `30 d`, with a narrow no-break space."""
        return f"{self.value[:-1]}\u202f{self.value[-1]}"


class Bin(StrEnum):
    """The bin sizes on offer."""

    AUTO = "auto"
    HOUR = "1h"
    DAY = "1d"
    WEEK = "7d"

    @property
    def size(self) -> BucketSize | None:
        return {"auto": None, "1h": HOURLY, "1d": DAILY, "7d": WEEKLY}[self.value]

    @property
    def words(self) -> str:
        return {
            "auto": "auto",
            "1h": "1\u202fh",
            "1d": "1\u202fd",
            "7d": "7\u202fd",
        }[self.value]


BATCH_COUNTS = (10, 20, 50, 100)
DEFAULT_BATCHES = 20


@dataclass(frozen=True)
class Segment:
    """One value of a segment attribute; the value "" stands for missing."""

    attribute: str
    value: str

    @property
    def text(self) -> str:
        return f"{self.attribute}:{self.value}"

    @classmethod
    def parse(cls, text: str) -> Segment | None:
        attribute, colon, value = text.partition(":")
        return cls(attribute, value) if attribute and colon else None


@dataclass(frozen=True)
class View:
    """What the reader asked to see. `start` and `end` are whole UTC hours; `bucket` is the bin really used."""

    start: datetime
    end: datetime
    bucket: BucketSize
    preset: Preset | None = Preset.MONTH
    bin: Bin = Bin.AUTO
    model: str = ""
    segment: Segment | None = None
    batches: int = DEFAULT_BATCHES
    as_of: datetime | None = None
    marks: bool = True
    notes: tuple[str, ...] = ()

    @classmethod
    def parse(cls, query: Mapping[str, str], now: datetime, zone: tzinfo = UTC) -> View:
        """The view that an address asks for, at `now`; times without an offset are in the reader's `zone`."""
        notes: list[str] = []
        as_of = _as_of(query.get("as_of", ""), now, zone, notes)
        anchor = as_of or now
        preset, start, end = _range(query, anchor, zone, notes)
        chosen = _choice(Bin, query.get("bin", ""), Bin.AUTO, "bin size", notes)
        bucket = chosen.size or automatic(end - start)
        if too_many(start, end, bucket):
            notes.append(
                f"bins of {chosen.words} would be more than {MAX_BINS}; shown by {_words(automatic(end - start))}"
            )
            chosen, bucket = Bin.AUTO, automatic(end - start)
        start, end = _whole_bins(preset, start, end, bucket, anchor)
        return cls(
            start=start,
            end=end,
            bucket=bucket,
            preset=preset,
            bin=chosen,
            model=query.get("model", "")[:64],
            segment=Segment.parse(query.get("segment", "")[:512]),
            batches=_count(query.get("batches", ""), notes),
            as_of=as_of,
            marks=query.get("marks") != "off",
            notes=tuple(notes),
        )

    def query(self, **changes: object) -> str:
        """The address of this view with some parts changed, defaults left out; empty for the default view."""
        view = replace(self, **changes)  # type: ignore[arg-type]
        pairs: list[tuple[str, str]] = []
        if view.model:
            pairs.append(("model", view.model))
        if view.segment:
            pairs.append(("segment", view.segment.text))
        if view.preset is None:
            pairs += [("start", _stamp(view.start)), ("end", _stamp(view.end))]
        elif view.preset is not Preset.MONTH:
            pairs.append(("range", view.preset.value))
        if view.bin is not Bin.AUTO:
            pairs.append(("bin", view.bin.value))
        if view.batches != DEFAULT_BATCHES:
            pairs.append(("batches", str(view.batches)))
        if view.as_of:
            pairs.append(("as_of", view.as_of.isoformat().replace("+00:00", "Z")))
        if not view.marks:
            pairs.append(("marks", "off"))
        return f"?{urlencode(pairs)}" if pairs else ""

    @property
    def window(self) -> Window:
        """The range as questions carry it: a preset moves with the clock, a custom range does not."""
        return Last(self.preset.duration) if self.preset else Between(self.start, self.end)

    @property
    def is_default(self) -> bool:
        """Whether this is the view that is polled without being asked for; hiding marks asks for nothing else."""
        return not self.query(marks=True)

    @property
    def bucket_words(self) -> str:
        """`1 d`."""
        return _words(self.bucket)

    @property
    def bucket_noun(self) -> str:
        """`day`, for sentences."""
        return {1: "hour", 24: "day", 168: "week"}.get(self.bucket.hours, self.bucket_words)

    @property
    def last_moment(self) -> datetime:
        """The last instant that is shown, for naming the range: an end at midnight belongs to the day before."""
        return self.end - timedelta(seconds=1)


def automatic(length: timedelta) -> BucketSize:
    """The bin for a length of time: hours up to 2 days, days up to 92, else weeks."""
    if length <= 2 * DAY:
        return HOURLY
    if length <= 92 * DAY:
        return DAILY
    return WEEKLY


def too_many(start: datetime, end: datetime, bucket: BucketSize) -> bool:
    """Whether the range would fall into more bins than a page draws."""
    return (end - start) / (bucket.hours * HOUR) > MAX_BINS


def aligned(start: datetime, end: datetime, bucket: BucketSize) -> tuple[datetime, datetime]:
    """The smallest range of whole bins around `[start, end)`: UTC hours, UTC days, weeks from Monday.

    Every range is made of the same bins then, so that a stored bin serves all of them.
    """
    first = _bin_start(start, bucket)
    last = _bin_start(end, bucket)
    return first, last if last == end else bucket.after(last)


def _bin_start(moment: datetime, bucket: BucketSize) -> datetime:
    if bucket.hours % (7 * 24) == 0:
        day = day_ordinal(moment)
        return day_start(day - day_start(day).weekday())
    return day_start(day_ordinal(moment)) if bucket.hours % 24 == 0 else hour_start(hour_ordinal(moment))


def _range(
    query: Mapping[str, str], anchor: datetime, zone: tzinfo, notes: list[str]
) -> tuple[Preset | None, datetime, datetime]:
    if query.get("start") and query.get("end"):
        start = moment(query["start"], zone)
        end = moment(query["end"], zone)
        if start and end and start < end:
            return None, *_snapped(start, min(end, start + MAX_RANGE), notes)
        notes.append("the range could not be read; the last 30\u202fd are shown")
    preset = _choice(Preset, query.get("range", ""), Preset.MONTH, "range", notes)
    return preset, anchor - preset.length, anchor


def _whole_bins(
    preset: Preset | None, start: datetime, end: datetime, bucket: BucketSize, anchor: datetime
) -> tuple[datetime, datetime]:
    """A preset gives the period that the watcher polls; custom ranges grow to whole bins, up to the running hour."""
    if preset is not None:
        period = Question("", (), Last(preset.duration), str(bucket)).period(anchor)
        assert period is not None
        return period
    first, last = aligned(start, end, bucket)
    return first, max(min(last, next_hour(anchor)), first + HOUR)


def _snapped(start: datetime, end: datetime, notes: list[str]) -> tuple[datetime, datetime]:
    left = hour_start(hour_ordinal(start))
    right = end if is_whole_hour(end) else hour_start(hour_ordinal(end) + 1)
    if (left, right) != (start, end):
        notes.append("snapped to whole hours")
    return left, right


def _as_of(text: str, now: datetime, zone: tzinfo, notes: list[str]) -> datetime | None:
    if not text:
        return None
    found = moment(text, zone)
    if found is None:
        notes.append("the as-of time could not be read; the newest data are shown")
        return None
    return found if found < now else None


def moment(text: str, zone: tzinfo) -> datetime | None:
    """A time of an address in UTC, without an offset in the reader's `zone`; None for what is none."""
    try:
        found = datetime.fromisoformat(text.strip().replace(" ", "+") if "T" in text else text.strip())
    except ValueError:
        return None
    found = found if found.tzinfo else found.replace(tzinfo=zone)
    try:
        return found.astimezone(UTC)
    except OverflowError:
        return None


def _count(text: str, notes: list[str]) -> int:
    if not text:
        return DEFAULT_BATCHES
    if text.isdecimal() and len(text) < 5 and 1 <= int(text) <= BATCH_COUNTS[-1]:
        return int(text)
    notes.append(f"the number of batches goes from 1 to {BATCH_COUNTS[-1]}")
    return DEFAULT_BATCHES


def _choice(kind: type[T], text: str, default: T, name: str, notes: list[str]) -> T:
    if not text:
        return default
    try:
        return kind(text)
    except ValueError:
        notes.append(f"there is no {name} “{text[:20]}”")
        return default


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%MZ")


def _words(size: BucketSize) -> str:
    days, hours = divmod(size.hours, 24)
    return f"{days}\u202fd" if not hours else f"{size.hours}\u202fh"
