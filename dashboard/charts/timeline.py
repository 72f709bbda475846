"""Values over time: the panel most charts are made of, and the lane of the overview.

Bins are half-open and evenly spaced; a bin is drawn centred on its start. A bin in which no series has a
value is a gap with a grey field. Immature points are hollow and joined by dots: they are never judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np

from dashboard.charts import words
from dashboard.charts.columns import Column, numbers, spans
from dashboard.charts.flags import LINE, NARROW, ROWS, Change, Flag, detailed, flags
from dashboard.charts.plot import (
    Band,
    Bars,
    Cell,
    Dots,
    EndLabel,
    Field,
    Line,
    Mark,
    Panel,
    Plot,
    Rule,
    Upright,
    Zone,
    last_known,
)
from dashboard.charts.scales import Axis, extremes, moment_at, text_width, time_axis, to_ms, value_axis, with_headroom

Values = Sequence[float | None]
END = 92
"""How wide words at the right end of a line may be, in px."""
TALL = 160
"""From this height on, in px, the words of changes may take two lines."""


@dataclass(frozen=True, slots=True)
class Series:
    """One line (or row of bars): ``values`` has one number or ``None`` a bin."""

    name: str
    values: Values
    token: str = "champion"
    low: Values = ()
    high: Values = ()
    immature: frozenset[int] = frozenset()
    width: float = 2
    dash: str = ""
    label: str | None = None
    """Words at the right end; ``None``: name and last value, empty: none."""
    hollow: str = "labels still arriving"
    """Why the ``immature`` points are not judged."""
    weights: Values = ()
    """Rows behind each value, for means over the range; empty: all bins weigh the same."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit and the status beyond it. ``above``: the bad side is up. ``at``: it begins with the limit itself."""

    status: str
    value: float
    above: bool = False
    words: str = ""
    at: bool = False


@dataclass(frozen=True, slots=True)
class TimePoints:
    """Everything a chart over time shows. ``metric`` decides how values are written; ``unit`` is their unit.

    ``unit`` "%" means shares of 1. ``untracked`` bins come before anything was measured, for ``reason``. Of
    ``unfinished`` bins more will come: their bars are hatched, their points hollow, and no value in them is missing.
    """

    start: datetime
    step: timedelta
    series: tuple[Series, ...]
    metric: str = ""
    unit: str = ""
    caption: str = ""
    bars: bool = False
    log: bool = False
    zero: bool = False
    baseline: float | None = None
    baseline_words: str = ""
    limits: tuple[Limit, ...] = ()
    changes: tuple[Change, ...] = ()
    untracked: int = 0
    reason: str = ""
    unfinished: frozenset[int] = frozenset()
    strip: tuple[str, ...] = ()
    axis: bool = True
    height: int = 124
    extra: tuple[Mark, ...] = field(default=())

    @property
    def n(self) -> int:
        """How many bins."""
        return max((len(s.values) for s in self.series), default=len(self.strip))

    def at(self, index: int) -> datetime:
        """The start of a bin."""
        return self.start + self.step * index

    def xs(self) -> Sequence[float]:
        """The places of the bins on the axis."""
        first, size = to_ms(self.start), round(self.step.total_seconds() * 1000)
        return range(first, first + size * self.n, size)

    def text(self, value: float | None) -> str:
        """A value as it is written everywhere."""
        if self.unit == "%":
            return words.percent(value)
        if self.unit == "ms":
            return words.milliseconds(value)
        shown = words.metric_value(value, self.metric) if self.metric else words.number(value)
        return shown + (words.THIN + self.unit if self.unit and value is not None else "")


def gaps(points: TimePoints) -> list[tuple[int, int]]:
    """Half-open runs of bins without any value, those before tracking began left out."""
    if any(None not in s.values and len(s.values) == points.n for s in points.series):
        return []
    silent = np.ones(points.n, bool)
    silent[: points.untracked] = False
    silent[[i for i in points.unfinished if i < points.n]] = False
    for s in points.series:
        silent[: len(s.values)] &= np.isnan(numbers(s.values))
    return spans(silent)


def time_x(points: TimePoints) -> Axis:
    """The x axis of the points."""
    return time_axis(points.start, points.step, points.n)


def y_axis(points: TimePoints) -> Axis:
    """The y axis: all values, intervals, the baseline and the limits that are near."""
    ends = [extremes(values) for s in points.series for values in (s.values, s.low, s.high)]
    known = [v for low, high, _ in ends for v in (low, high) if v == v]
    if points.log:
        known = [v for s in points.series for v in (*s.values, *s.low, *s.high) if v is not None and v > 0]
    near = [] if points.baseline is None else [points.baseline]
    for limit in points.limits:
        span = (max(known) - min(known)) if known else 0
        close = bool(known) and min(known) - 1.2 * span <= limit.value <= max(known) + 1.2 * span
        if close or points.log or len(known) < 3:
            near.append(limit.value)
    zero = points.zero or points.bars
    ticks = max(2, round(points.height / 44))
    whole, unit = points.bars and not points.unit, "%" if points.unit == "%" else ""
    axis = value_axis(known, include=near, zero=zero, log=points.log, unit=unit, ticks=ticks, whole=whole)
    if not (points.caption or points.changes or gaps(points)):
        return axis
    row = max((flag.row for flag in flags_of(points) if flag.words), default=0)
    return with_headroom(axis, points.height, 20 + LINE * row)


def frame_marks(points: TimePoints) -> list[Mark]:
    """What every panel over time shares: gaps, changes, the time before tracking."""
    size = points.step.total_seconds() * 1000
    first = to_ms(points.start) - size / 2
    marks: list[Mark] = []
    for i, (lo, hi) in enumerate(gaps(points)):
        told = gap_words(points, lo, hi) if i == 0 else ""
        bins = points.xs()[lo:hi]
        drop = _below_caption(points, (lo + hi) / 2 / points.n, told)
        marks.append(Field(first + lo * size, first + hi * size, told, at=drop, bins=bins, reason="no data"))
    if points.untracked:
        marks.append(
            Field(first, first + points.untracked * size, points.reason, token="not-started", opacity=0.0, at=34)
        )
    return marks + [_upright(points, flag) for flag in flags_of(points)]


def _below_caption(points: TimePoints, share: float, told: str) -> float:
    """How far words in the middle of a field go down where the caption stands in their place on a narrow plot."""
    crossed = share * NARROW - text_width(told) / 2 < 4 + text_width(points.caption)
    return float(LINE) if told and points.caption and crossed else 0.0


def flags_of(points: TimePoints) -> list[Flag]:
    """The changes inside the range, their words placed around the caption and the words about gaps."""
    end = points.start + points.step * points.n
    changes = [change for change in points.changes if points.start <= change.at < end]
    if not changes:
        return []
    axis = time_x(points)
    shares = [axis.share(moment_at(change.at, points.step)) for change in changes]
    silent = [((lo + hi) / 2 / points.n, gap_words(points, lo, hi)) for lo, hi in gaps(points)[:1]]
    rows = ROWS if points.height >= TALL else 1
    return flags(changes, shares, caption=points.caption, words_at=silent, rows=rows)


def _upright(points: TimePoints, flag: Flag) -> Upright:
    """A flag as a line; hovering over its bin tells all of it."""
    x = time_x(points)
    place = x.lo + flag.share * (x.hi - x.lo)
    index = min(points.n - 1, int(flag.share * points.n))
    first = min(flag.changes, key=lambda change: change.kind != "model")
    return Upright(
        place,
        flag.words,
        first.token,
        first.dash,
        row=flag.row,
        left=flag.left,
        room=flag.room,
        bin=points.xs()[index],
        told=detailed(flag.changes),
        drop=LINE + 3 if flag.low else 0,
    )


def gap_words(points: TimePoints, lo: int, hi: int) -> str:
    """`no data 3 d`."""
    return f"no data {words.duration(points.step * (hi - lo))}"


def quiet_frame(points: TimePoints) -> list[Mark]:
    """Gaps and changes without their words: these stand in the first panel."""
    return [without_words(m) for m in frame_marks(points)]


def without_words(mark: Mark) -> Mark:
    """The same field or upright, silent."""
    if isinstance(mark, Field):
        return replace(mark, words="", bins=())
    return replace(mark, words="", told="") if isinstance(mark, Upright) else mark


def limit_marks(points: TimePoints, axis: Axis) -> list[Mark]:
    """Lines of the limits with words, soft fill on the bad side up to the next limit, dashed baseline."""
    marks: list[Mark] = []
    for limit in points.limits:
        worse = [o.value for o in points.limits if o is not limit and (o.value > limit.value) == limit.above]
        edge = (min(worse) if limit.above else max(worse)) if worse else beyond(axis, limit.above)
        marks.append(Zone(limit.value, edge, f"{limit.status}-soft", 0.55))
        marks.append(Rule(limit.value, limit.status, limit_words(points, limit), f"{limit.status}-text", rank=2))
    if points.baseline is not None:
        told = points.baseline_words or f"baseline {points.text(points.baseline)}"
        marks.append(Rule(points.baseline, "baseline", told, "text2", dash="5 4", width=1.25, rank=1))
    return marks


def beyond(axis: Axis, above: bool) -> float:
    """A value far outside of an axis: a soft fill reaches the edge of the panel, whatever else it holds."""
    if axis.log:
        return axis.hi * 1e6 if above else axis.lo / 1e6
    return axis.hi + 100 * (axis.hi - axis.lo) if above else axis.lo - 100 * (axis.hi - axis.lo)


def limit_words(points: TimePoints, limit: Limit) -> str:
    """``failing < 0.720``."""
    sign = ">" if limit.above else "<"
    word = {"warning": "at risk"}.get(limit.status, limit.status)
    return limit.words or f"{word} {sign} {points.text(limit.value)}"


def series_marks(points: TimePoints, series: Series, axis: Axis) -> list[Mark]:
    """Band, judged line, dotted tail with hollow points, label at the right end."""
    xs = points.xs()[: len(series.values)]
    judged = series.values
    hollow_bins = series.immature | {i for i in points.unfinished if i < len(judged) and judged[i] is not None}
    if hollow_bins:
        judged = Column(None if i in hollow_bins else v for i, v in enumerate(series.values))
    marks: list[Mark] = []
    if series.low and series.high:
        marks.append(Band(xs, series.low, series.high, series.token, 0.16))
    digits = words.significant_decimals(max(abs(axis.lo), abs(axis.hi)), 3)
    marks.append(Line(xs, judged, series.token, series.width, series.dash, series.name, digits, points.unit))
    if hollow_bins:
        near = hollow_bins | {i - 1 for i in hollow_bins} | {i + 1 for i in hollow_bins}
        why = series.hollow if series.immature else "not over yet"
        tail = [v if i in near else None for i, v in enumerate(series.values)]
        marks.append(Line(xs, tail, series.token, 1.5, "2 2", hover=False))
        hollow = [v if i in hollow_bins else None for i, v in enumerate(series.values)]
        marks.append(Dots(xs, hollow, (series.token,), ("ring",), 3.5, digits=digits, name=f"{series.name}, {why}"))
    return marks + end_label(points, series)


def end_label(points: TimePoints, series: Series) -> list[Mark]:
    """The words at the right end of a series."""
    last = last_known(series.values)
    if last is None or series.label == "":
        return []
    value = series.values[last]
    assert value is not None
    told, many = points.text(value), len(points.series) > 1
    if many:
        told = named_value(series.name, told)
    return [
        EndLabel(value, words.shortened(series.label, 18) if series.label else told, series.token if many else "text1")
    ]


def named_value(name: str, value: str) -> str:
    """A name and its value as wide as the right margin: a long name gives way, the value never."""
    sizes = (f"{words.shortened(name, n)} {value}" for n in range(len(name), 3, -1))
    return next((told for told in sizes if text_width(told) <= END), f"{words.shortened(name, 4)} {value}")


def bar_marks(points: TimePoints, series: Series) -> list[Mark]:
    """Bars of one series."""
    size = points.step.total_seconds() * 1000
    marks: list[Mark] = [
        Bars(
            points.xs(),
            series.values,
            size * 0.66,
            series.token,
            hatched=series.immature | points.unfinished,
            name=series.name,
            unit=points.unit,
        )
    ]
    if series.label:
        last = last_known(series.values)
        return marks if last is None else [*marks, EndLabel(series.values[last] or 0.0, series.label, "text1")]
    return [*marks, *rows_label(points, series.values, points.text)] if series.label is None else marks


def rows_label(points: TimePoints, values: Values, text: Callable[[float], str] = words.compact) -> list[Mark]:
    """The last count at the right end of its bars; ``44 so far`` while its bin runs."""
    last = last_known(values)
    if last is None:
        return []
    value = values[last] or 0.0
    return [EndLabel(value, text(value) + (" so far" if last in points.unfinished else ""), "text1")]


def bin_words(points: TimePoints, index: int) -> str:
    """``on Tue 2 Jul``, ``on Tue 2 Jul at 14:00``: the bin in a sentence."""
    at = points.at(index)
    hour = f" at {words.clock(at)}" if points.step < timedelta(days=1) else ""
    return f"on {words.day(at)}{hour}"


def strip_cells(points: TimePoints, statuses: Iterable[str]) -> tuple[Cell, ...]:
    """The status strip under a panel: one cell a bin."""
    size = points.step.total_seconds() * 1000
    first = to_ms(points.start) - size / 2
    return tuple(Cell(first + i * size, first + (i + 1) * size, str(s)) for i, s in enumerate(statuses))


def panel(points: TimePoints) -> Panel:
    """The points as one panel."""
    axis = y_axis(points)
    marks = [*frame_marks(points), *limit_marks(points, axis), *points.extra]
    for series in points.series:
        marks += bar_marks(points, series) if points.bars else series_marks(points, series, axis)
    return Panel(axis, points.height, tuple(marks), points.caption, strip_cells(points, points.strip))


def stack(first: TimePoints, *panels: Panel, axis: bool = True) -> Plot:
    """Panels over the time axis of ``first``."""
    return Plot(
        time_x(first),
        panels,
        left=44,
        right=108,
        bottom=26 if axis else 4,
        shift=first.step.total_seconds() * 500,
        zoom=True,
    )


def time_plot(points: TimePoints) -> Plot:
    """One panel with its axis."""
    return stack(points, panel(points), axis=points.axis)
