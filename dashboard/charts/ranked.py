"""Segments ranked worst first: a dot with its interval a row, n at the right."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.draw_svg import margin_for
from dashboard.charts.plot import Dots, EndLabel, Mark, Panel, Plot, Upright
from dashboard.charts.scales import Axis, Tick, value_axis
from dashboard.charts.theme import css_name

LEAST_ROWS = 100
ROW_HEIGHT = 19


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment, its value with interval, its status and how many rows it has; None where nobody tells."""

    name: str
    value: float | None
    n: int | None
    low: float | None = None
    high: float | None = None
    status: str = "passing"
    href: str = ""


@dataclass(frozen=True, slots=True)
class RankedPoints:
    """Segments in any order. ``better`` is +1 when a higher value is better. Small ones are hidden and counted.

    ``unit``: "%" for shares, "ms", or nothing. ``rows``: what ``n`` counts. ``zero``: the axis starts there.
    """

    segments: tuple[Segment, ...]
    metric: str
    noun: str = "segment"
    baseline: float | None = None
    better: int = 1
    most: int = 12
    unit: str = ""
    rows: str = "row"
    zero: bool = False


def is_small(segment: Segment) -> bool:
    """Whether too few rows stand behind a segment."""
    return segment.n is not None and segment.n < LEAST_ROWS


def value_words(value: float | None, points: RankedPoints) -> str:
    """The value with its unit."""
    if points.unit == "ms":
        return words.milliseconds(value)
    return words.percent(value, 2) if points.unit == "%" else words.metric_value(value, points.metric)


def shown(points: RankedPoints) -> list[Segment]:
    """The segments that are large enough, worst first."""
    large = [s for s in points.segments if s.value is not None and not is_small(s)]
    return sorted(large, key=lambda s: (s.value or 0.0) * points.better)[: points.most]


def hidden(points: RankedPoints) -> int:
    """How many segments are too small to be shown."""
    return sum(1 for s in points.segments if is_small(s) or s.value is None)


def ranked_plot(points: RankedPoints) -> Plot:
    """One row a segment, worst on top."""
    rows = shown(points)
    n = len(rows)
    values = [v for s in rows for v in (s.value, s.low, s.high)]
    base = [] if points.baseline is None else [points.baseline]
    x = value_axis(values, include=base, zero=points.zero, unit="%" if points.unit == "%" else "")
    names = [words.shortened(s.name, 20) for s in rows]
    y = Axis(-0.5, max(n, 1) - 0.5, tuple(Tick(n - 1 - i, name, name) for i, name in enumerate(names)))
    marks: list[Mark] = [] if points.baseline is None else [Upright(points.baseline, dash="5 4")]
    if rows:
        marks.append(
            Dots(
                [s.value or 0.0 for s in rows],
                [float(n - 1 - i) for i in range(n)],
                [css_name(s.status) if s.status in ("failing", "warning") else "champion" for s in rows],
                [{"failing": "octagon", "warning": "triangle"}.get(s.status, "circle") for s in rows],
                4.5,
                [s.low for s in rows],
                [s.high for s in rows],
                across=True,
                names=[segment_words(s, points) for s in rows],
            )
        )
    marks += [EndLabel(float(n - 1 - i), f"{s.n:,}", "text3") for i, s in enumerate(rows) if s.n is not None]
    panel = Panel(y, max(1, n) * ROW_HEIGHT, tuple(marks), grid=False)
    clicks = tuple(s.href for s in rows) if any(s.href for s in rows) else ()
    return Plot(x, (panel,), left=margin_for(names), right=64, hover="closest", clicks=clicks)


def segment_words(segment: Segment, points: RankedPoints) -> str:
    """``Envoy: AUC 0.731 (0.702 – 0.760), 477 rows``."""
    spread = ""
    if segment.low is not None and segment.high is not None:
        spread = f" ({value_words(segment.low, points)} – {value_words(segment.high, points)})"
    size = "" if segment.n is None else f", {words.count(segment.n, points.rows)}"
    return f"{segment.name}: {points.metric} {value_words(segment.value, points)}{spread}{size}"


def ranked_title(points: RankedPoints) -> str:
    """The weakest segment."""
    rows = shown(points)
    if not rows:
        return f"No {points.noun} has {LEAST_ROWS} labelled rows yet"
    worst = rows[0]
    name = words.shortened(worst.name, 36)
    return f"{name} is the weakest {points.noun}, at {value_words(worst.value, points)}"


def ranked_summary(points: RankedPoints) -> str:
    """Title, the three weakest, and how many are hidden."""
    told = [ranked_title(points), *(segment_words(s, points) for s in shown(points)[:3])]
    if hidden(points):
        told.append(f"{hidden(points)} under {LEAST_ROWS} rows hidden")
    return ". ".join(told)


def ranked_columns(points: RankedPoints) -> tuple[str, ...]:
    """The heads of the table twin."""
    return (points.noun.capitalize(), points.metric, "Low", "High", "Rows", "Status")


def ranked_rows(points: RankedPoints) -> list[tuple[str, ...]]:
    """One row a segment, the small ones too."""
    return [
        (
            s.name,
            *("" if v is None else f"{words.rounded(v, 6)}" for v in (s.value, s.low, s.high)),
            "" if s.n is None else str(s.n),
            s.status,
        )
        for s in points.segments
    ]


RANKED: Chart[RankedPoints] = Chart(ranked_plot, ranked_title, ranked_summary, ranked_columns, ranked_rows)
