"""One number of each batch, side by side on a common scale; no time axis anywhere."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.plot import Bars, Dots, EndLabel, Mark, Panel, Plot, Rule, Zone
from dashboard.charts.scales import Axis, Tick, value_axis, with_headroom
from dashboard.charts.theme import css_name
from dashboard.charts.timeline import Limit


@dataclass(frozen=True, slots=True)
class BatchBar:
    """A batch and its value; ``immature`` batches still wait for labels."""

    name: str
    value: float | None
    status: str = ""
    immature: bool = False
    href: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class BatchPoints:
    """Batches in the order they are shown. ``zero`` draws bars from zero, else dots on a free scale."""

    batches: tuple[BatchBar, ...]
    metric: str
    unit: str = ""
    caption: str = ""
    zero: bool = True
    baseline: float | None = None
    limits: tuple[Limit, ...] = ()
    height: int = 168

    def text(self, value: float | None) -> str:
        """A value as it is written everywhere."""
        return words.percent(value) if self.unit == "%" else words.metric_value(value, self.metric)


def batches_plot(points: BatchPoints) -> Plot:
    """Bars (or dots with whiskers), limits, baseline."""
    values = [b.value for b in points.batches]
    near = [limit.value for limit in points.limits] + ([] if points.baseline is None else [points.baseline])
    whiskers = [v for b in points.batches for v in (b.low, b.high)]
    unit = "%" if points.unit == "%" else ""
    y = value_axis([*values, *whiskers], include=near, zero=points.zero, unit=unit, ticks=3)
    y = with_headroom(y, points.height) if points.caption else y
    n = len(points.batches)
    x = Axis(-0.6, max(n, 1) - 0.4, batch_ticks(points))
    marks = [*limit_marks(points, y), *value_marks(points)]
    clicks = tuple(b.href for b in points.batches) if any(b.href for b in points.batches) else ()
    return Plot(x, (Panel(y, points.height, tuple(marks), points.caption),), left=44, right=108, clicks=clicks)


HALF, PHONE = 400, 190
"""Inner widths in px: of a chart that shares its row with another, and of one on a phone."""


def batch_ticks(points: BatchPoints) -> tuple[Tick, ...]:
    """Names of the batches, thinned to what fits."""
    n = len(points.batches)
    longest = max((min(len(b.name), 16) for b in points.batches), default=1)
    room = n * (longest * 6.2 + 10)
    every = max(1, math.ceil(room / HALF))
    narrow = max(1, math.ceil(room / PHONE / every))
    ticks = []
    for i in range(0, n, every):
        label = words.shortened(points.batches[i].name, 16)
        ticks.append(Tick(i, label, label if (i // every) % narrow == 0 else ""))
    return tuple(ticks)


def value_marks(points: BatchPoints) -> list[Mark]:
    """The batches themselves."""
    xs, ys = [float(i) for i in range(len(points.batches))], [b.value for b in points.batches]
    immature = frozenset(i for i, b in enumerate(points.batches) if b.immature)
    bad = {"failing", "warning"}
    tokens = [css_name(b.status) if b.status in bad else "champion" for b in points.batches]
    if points.zero:
        digits = words.significant_decimals(max((abs(v) for v in ys if v), default=1.0))
        return [Bars(xs, ys, 0.6, "champion", 0.75, immature, tokens, points.metric, digits=digits, unit=points.unit)]
    shapes = [
        "ring" if b.immature else {"failing": "octagon", "warning": "triangle"}.get(b.status, "circle")
        for b in points.batches
    ]
    told = [f"{b.name}: {points.text(b.value)}" for b in points.batches]
    low, high = [b.low for b in points.batches], [b.high for b in points.batches]
    return [Dots(xs, ys, tokens, shapes, 4.5, low, high, names=told)] if xs else []


def limit_marks(points: BatchPoints, y: Axis) -> list[Mark]:
    """Limits with soft fill, dashed baseline."""
    marks: list[Mark] = []
    for limit in points.limits:
        edge = y.hi if limit.above else y.lo
        marks.append(Zone(limit.value, edge, f"{limit.status}-soft", 0.5))
        word = "at risk" if limit.status == "warning" else limit.status
        told = limit.words or f"{word} {'>' if limit.above else '<'} {points.text(limit.value)}"
        marks.append(Rule(limit.value, limit.status, told, f"{limit.status}-text", rank=2))
    if points.baseline is not None:
        marks.append(
            Rule(
                points.baseline, "baseline", f"baseline {points.text(points.baseline)}", "text2", dash="5 4", width=1.25
            )
        )
    elif points.batches and points.batches[-1].value is not None:
        marks.append(EndLabel(points.batches[-1].value, points.text(points.batches[-1].value)))
    return marks


def batches_title(points: BatchPoints) -> str:
    """How many batches are beyond a limit, and which is the worst."""
    known = [b for b in points.batches if b.value is not None]
    if not known:
        return f"No batch has {points.metric} yet"
    bad = [b for b in known if b.status in ("failing", "warning")]
    if bad:
        last = words.shortened(bad[-1].name, 30)
        return words.shortened(
            f"{len(bad)} of {len(known)} batches past their limit, last {last} at {points.text(bad[-1].value)}", 80
        )
    low, high = min(b.value or 0 for b in known), max(b.value or 0 for b in known)
    return words.shortened(
        f"{points.metric} stayed between {points.text(low)} and {points.text(high)} over {len(known)} batches", 80
    )


def batches_summary(points: BatchPoints) -> str:
    """Title and the latest three batches."""
    return f"{batches_title(points)}. " + "; ".join(f"{b.name} {points.text(b.value)}" for b in points.batches[-3:])


def batches_columns(points: BatchPoints) -> tuple[str, ...]:
    """The heads of the table twin."""
    return ("Batch", points.metric, "Low", "High", "Status")


def batches_rows(points: BatchPoints) -> list[tuple[str, ...]]:
    """One row a batch."""
    return [
        (b.name, *("" if v is None else f"{words.rounded(v, 6)}" for v in (b.value, b.low, b.high)), b.status or "")
        for b in points.batches
    ]


BATCHES: Chart[BatchPoints] = Chart(batches_plot, batches_title, batches_summary, batches_columns, batches_rows)
