"""Axes: nice ticks, day and hour ticks, ranges, and labels that keep out of each other's way."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise

import numpy as np

from dashboard.charts import words
from dashboard.charts.columns import Array, numbers

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled place on an axis; ``narrow`` is the label on a phone, empty when it gives way."""

    value: float
    label: str
    narrow: str = ""


@dataclass(frozen=True, slots=True)
class Axis:
    """A range with its ticks. ``time`` axes count in milliseconds since 1970, UTC."""

    lo: float
    hi: float
    ticks: tuple[Tick, ...] = ()
    log: bool = False
    time: bool = False

    def share(self, value: float) -> float:
        """Where ``value`` lies between ``lo`` (0) and ``hi`` (1); outside values go beyond."""
        if self.log:
            value, lo, hi = (math.log10(max(v, 1e-12)) for v in (value, self.lo, self.hi))
        else:
            lo, hi = self.lo, self.hi
        return (value - lo) / ((hi - lo) or 1.0)

    def shares(self, values: Array) -> Array:
        """`share` of many values."""
        if self.log:
            lo, hi = math.log10(max(self.lo, 1e-12)), math.log10(max(self.hi, 1e-12))
            values = np.log10(np.maximum(values, 1e-12))
        else:
            lo, hi = self.lo, self.hi
        return (values - lo) / ((hi - lo) or 1.0)


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970, UTC."""
    return round(moment.timestamp() * 1000)


def extremes(values: Sequence[float | None]) -> tuple[float, float, float]:
    """The smallest, the largest and the largest absolute value; NaN each when nothing is known."""
    if not len(values):
        return math.nan, math.nan, math.nan
    found = numbers(values)
    low, high = float(found.min()), float(found.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        found = found[np.isfinite(found)]
        if not found.size:
            return math.nan, math.nan, math.nan
        low, high = float(found.min()), float(found.max())
    return low, high, max(abs(low), abs(high))


def nice_step(span: float, wanted: int) -> float:
    """The step of 1, 2, 2.5 or 5 times a power of ten that cuts ``span`` (> 0) into about ``wanted`` parts."""
    power = 10.0 ** math.floor(math.log10(span / max(1, wanted)))
    return power * min((1, 2, 2.5, 5, 10), key=lambda m: abs(math.log(span / (m * power * wanted))))


def nice_ticks(lo: float, hi: float, wanted: int = 4) -> list[float]:
    """Round values inside [lo, hi]; an empty range gives its one value."""
    if not hi > lo:
        return [lo]
    step = nice_step(hi - lo, wanted)
    first = math.ceil(lo / step - 1e-9)
    last = math.floor(hi / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def log_ticks(lo: float, hi: float) -> list[float]:
    """Powers of ten inside [lo, hi], thinned to five."""
    first, last = math.ceil(math.log10(lo) - 1e-9), math.floor(math.log10(hi) + 1e-9)
    every = max(1, math.ceil((last - first + 1) / 5))
    return [10.0**p for p in range(first, last + 1, every)]


def value_axis(
    values: Iterable[float | None],
    *,
    include: Iterable[float] = (),
    zero: bool = False,
    log: bool = False,
    ticks: int = 4,
    unit: str = "",
    whole: bool = False,
) -> Axis:
    """An axis that holds ``values`` and ``include`` with a little air; rates start at 0 (``zero``).

    Nothing known gives 0 to 1. ``unit`` "%" writes shares as percents; ``whole`` is for counts.
    """
    known = [v for v in (*values, *include) if v is not None and math.isfinite(v)]
    if log:
        return _log_axis([v for v in known if v > 0])
    lo, hi = (min(known), max(known)) if known else (0.0, 1.0)
    if zero:
        lo, hi = min(lo, 0.0), max(hi, 0.0)
    if hi == lo:
        hi, lo = hi + (abs(hi) * 0.1 or 1.0), lo - (0.0 if zero else abs(lo) * 0.1 or 1.0)
    air = (hi - lo) * 0.08
    lo, hi = lo - (0.0 if zero and lo == 0 else air), hi + (0.0 if zero and hi == 0 else air)
    places = [v for v in nice_ticks(lo, hi, ticks) if not whole or float(v).is_integer()]
    return Axis(lo, hi, tuple(Tick(v, t, t) for v, t in zip(places, tick_words(places, unit), strict=True)))


def with_headroom(axis: Axis, height: float, px: float = 20) -> Axis:
    """``axis`` with ``px`` of a panel of ``height`` px kept free above, for words."""
    share = 1 / max(0.3, 1 - px / height)
    if axis.log:
        return Axis(axis.lo, axis.lo * (axis.hi / axis.lo) ** share, axis.ticks, log=True)
    return Axis(axis.lo, axis.lo + (axis.hi - axis.lo) * share, axis.ticks, time=axis.time)


def _log_axis(known: list[float]) -> Axis:
    lo, hi = (min(known), max(known)) if known else (0.01, 1.0)
    lo, hi = lo / 1.6, hi * 1.6
    places = log_ticks(lo, hi)
    labels = [words.number(v, max(0, -round(math.log10(v)))) for v in places]
    return Axis(lo, hi, tuple(Tick(v, t, t) for v, t in zip(places, labels, strict=True)), log=True)


def tick_words(places: Sequence[float], unit: str = "") -> list[str]:
    """One spelling for all ticks of an axis: the decimals that tell them apart."""
    factor = 100 if unit == "%" else 1
    steps = [abs(b - a) * factor for a, b in pairwise(places)]
    digits = words.significant_decimals(min(steps), 1) if steps else words.significant_decimals((places or [0])[0], 2)
    if steps and round(min(steps), digits) != round(min(steps), digits + 1):
        digits += 1
    return [words.number(v * factor, digits) + ("%" if unit == "%" else "") for v in places]


@lru_cache(maxsize=256)
def time_axis(start: datetime, step: timedelta, n: int, wanted: int = 5) -> Axis:
    """The axis of ``n`` bins. A bin is drawn centred on its start; moments are half a bin to the left of it."""
    lo, size = to_ms(start), step.total_seconds() * 1000
    hi = lo + size * max(1, n)
    return Axis(lo - size / 2, hi - size / 2, tuple(_time_ticks(start, step, max(1, n), wanted)), time=True)


def moment_at(moment: datetime, step: timedelta) -> float:
    """Where a moment stands on the axis of bins of ``step``."""
    return to_ms(moment) - step.total_seconds() * 500


def _time_ticks(start: datetime, step: timedelta, n: int, wanted: int) -> list[Tick]:
    span = step * n
    start = start.astimezone(UTC)
    if span <= 2 * DAY and step < DAY:
        return _hour_ticks(start, span, wanted)
    if span > 150 * DAY:
        return _month_ticks(start, start + span)
    if step >= DAY:
        every = max(1, round(n / wanted))
        if step == DAY and n > 10:
            every = 7 * max(1, round(n / wanted / 7))
        places = [start + step * i for i in range(0, n, every)]
    else:
        days = math.ceil(span / DAY)
        every = max(1, round(days / wanted))
        first = datetime(start.year, start.month, start.day, tzinfo=UTC)
        first += DAY if first < start else timedelta(0)
        places = [first + DAY * i for i in range(0, days, every) if first + DAY * i < start + span]
    ticks = [Tick(to_ms(p), words.day(p), words.day(p, weekday=False)) for p in places]
    return [t if len(ticks) <= 5 or i % 2 == 0 else Tick(t.value, t.label) for i, t in enumerate(ticks)]


def _hour_ticks(start: datetime, span: timedelta, wanted: int) -> list[Tick]:
    hours = span / HOUR
    every = next((h for h in (1, 2, 3, 4, 6, 12) if hours / h <= wanted + 1), 12)
    first = start.replace(minute=0, second=0, microsecond=0)
    ticks: list[Tick] = []
    for i in range(int(hours) + 1):
        place = first + HOUR * i
        if start <= place < start + span and place.hour % every == 0:
            label = words.day(place) if place.hour == 0 else words.clock(place)
            short = words.day(place, weekday=False) if place.hour == 0 else words.clock(place)
            ticks.append(Tick(to_ms(place), label, short if len(ticks) % 2 == 0 else ""))
    return ticks


def _month_ticks(start: datetime, end: datetime) -> list[Tick]:
    months = (end.year - start.year) * 12 + end.month - start.month + 1
    every = max(1, math.ceil(months / 8))
    ticks: list[Tick] = []
    for i in range(0, months + 1, every):
        year, month = divmod(start.year * 12 + start.month - 1 + i, 12)
        place = datetime(year, month + 1, 1, tzinfo=UTC)
        if start <= place < end:
            label = f"{place:%b %Y}" if month == 0 or not ticks else f"{place:%b}"
            ticks.append(Tick(to_ms(place), label, label if len(ticks) % 2 == 0 else ""))
    return ticks


_NARROW, _WIDE = set("iljtfrI.,:;|!'()[] \u202f"), set("mwMW%@…")


def text_width(text: str, size: float = 11) -> float:
    """About how wide ``text`` is in px; a little generous, so that labels never touch."""
    em = sum(0.32 if c in _NARROW else 0.86 if c in _WIDE else 0.66 if c.isupper() else 0.56 for c in text)
    return em * size


@dataclass(frozen=True, slots=True)
class Label:
    """Words that want to stand at ``at`` px; a smaller ``rank`` is more important."""

    at: float
    text: str
    token: str = "text2"
    rank: int = 0
    bold: bool = False


def spread(
    labels: Sequence[Label], lo: float, hi: float, line: float = 13, same: float = 5
) -> list[tuple[float, Label]]:
    """Places for labels on one edge: order kept, ``line`` px apart, inside [lo, hi].

    Of two closer than ``same`` px the lesser one goes, and so does the least when there is no room. Two that matter
    equally, as two lines do, are moved apart: a line without its name says nothing.
    """
    kept = sorted(labels, key=lambda label: label.at)
    while True:
        crowd = [(a, b) for a, b in pairwise(kept) if b.at - a.at < same and a.rank != b.rank]
        if not crowd and len(kept) * line <= hi - lo + line:
            break
        pool = [label for pair in crowd[:1] for label in pair] or kept
        if len(kept) < 2:
            break
        kept.remove(max(pool, key=lambda label: label.rank))
    places = [min(max(label.at, lo), hi) for label in kept]
    for _ in range(30):
        moved = False
        for i in range(len(places) - 1):
            gap = places[i + 1] - places[i]
            if gap < line - 0.01:
                push = (line - gap) / 2
                places[i], places[i + 1], moved = places[i] - push, places[i + 1] + push, True
        for i, place in enumerate(places):
            places[i] = min(max(place, lo + line * i), hi - line * (len(places) - 1 - i))
        if not moved:
            break
    return list(zip(places, kept, strict=True))
