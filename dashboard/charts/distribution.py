"""The values of one feature (or of the prediction): live rows against the reference.

Shares of rows (0 to 1) per bin. Numeric bins are drawn as outlines, categories as bars; bins outside of the
scale (below, above, missing, other, new) stand apart at the end as bars.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.plot import Area, Bars, Mark, Note, Panel, Plot, Upright
from dashboard.charts.scales import Axis, Tick, nice_ticks, tick_words, value_axis, with_headroom


@dataclass(frozen=True, slots=True)
class DistributionPoints:
    """``labels``, ``reference`` and ``live`` have one entry a bin; the last ``apart`` bins are off the scale.

    ``edges`` (one more than the bins on the scale) draw numeric bins at their true places; without them
    numeric bins get slots of the same width.
    """

    feature: str
    labels: tuple[str, ...]
    reference: tuple[float, ...]
    live: tuple[float, ...]
    numeric: bool = True
    edges: tuple[float, ...] = ()
    apart: int = 0
    reference_words: str = "training"
    live_words: str = "live"
    reference_median: float | None = None
    height: int = 168


def on_scale(points: DistributionPoints) -> int:
    """How many bins lie on the scale."""
    return len(points.labels) - points.apart


def layout(points: DistributionPoints) -> tuple[list[float], list[float], float]:
    """Edges on the scale, centres of the bins apart, and the width of one of those."""
    n = on_scale(points)
    edges = list(points.edges) or [float(i) for i in range(n + 1)]
    slot = (edges[-1] - edges[0]) / max(1, n)
    # each bin apart is as wide as its word, about an eighth of the plot
    step = max(slot, 0.12 * n * slot / max(0.4, 1 - 0.12 * points.apart))
    return edges, [edges[-1] + slot / 2 + step * (i + 0.5) for i in range(points.apart)], slot


def distribution_plot(points: DistributionPoints) -> Plot:
    """Reference as a filled area, live rows as a line (or bars) over it."""
    n = on_scale(points)
    edges, centres, slot = layout(points)
    y = value_axis([*points.reference, *points.live], zero=True, unit="%", ticks=3)
    y = with_headroom(Axis(0.0, y.hi, y.ticks), points.height, 32 + key_drop(points))
    marks: list[Mark] = []
    if points.numeric and n:
        marks.append(Area(edges, points.reference[:n], "reference", "reference-edge", name=points.reference_words))
        marks.append(Area(edges, points.live[:n], "champion", "champion", 0.16, 2, name=points.live_words))
        bars_x, first = centres, n
    else:
        bars_x, first = [(a + b) / 2 for a, b in pairwise(edges)] + centres, 0
    if bars_x:
        marks.append(
            Bars(
                bars_x,
                points.reference[first:],
                slot * 0.8,
                "reference-edge",
                0.45,
                name=points.reference_words,
                unit="%",
            )
        )
        marks.append(Bars(bars_x, points.live[first:], slot * 0.4, "champion", 0.95, name=points.live_words, unit="%"))
    if points.reference_median is not None and points.edges:
        told = f"{points.reference_words.split(',')[0]} median {words.number(points.reference_median)}"
        marks.append(Upright(points.reference_median, told, dash="5 4"))
    marks += key(points, edges, y)
    right = centres[-1] + (centres[0] - edges[-1]) * 0.75 if centres else edges[-1]
    x = Axis(edges[0], right, tuple(ticks(points, edges, centres)))
    hover = "closest" if points.numeric else "x unified"
    return Plot(x, (Panel(y, points.height, tuple(marks)),), left=44, right=16, bottom=26, hover=hover)


def key_drop(points: DistributionPoints) -> int:
    """How far the key goes down to leave room for the words of the median, in px."""
    return 15 if points.reference_median is not None and points.edges else 0


def key(points: DistributionPoints, edges: Sequence[float], y: Axis) -> list[Mark]:
    """Who is who, told in the emptier upper corner."""
    n = max(1, on_scale(points))
    both = [max(a, b) for a, b in zip(points.reference, points.live, strict=True)][:n]
    half = max(1, n // 2)
    left = max(both[:half], default=0.0) <= max(both[half:], default=0.0)
    x, anchor, dx = (edges[0], "start", 8) if left else (edges[-1], "end", -8)
    down = key_drop(points)
    return [
        Note(x, y.hi, points.live_words, "champion", anchor, dx, 12 + down),
        Note(x, y.hi, points.reference_words, "text2", anchor, dx, 27 + down),
    ]


def ticks(points: DistributionPoints, edges: Sequence[float], centres: Sequence[float]) -> list[Tick]:
    """Round values for true edges, else the names of the bins, thinned to what fits."""
    n = on_scale(points)
    made: list[Tick] = []
    if points.edges:
        places = nice_ticks(edges[0], edges[-1], 5)
        made = [
            Tick(v, t, t if i % 2 == 0 else "") for i, (v, t) in enumerate(zip(places, tick_words(places), strict=True))
        ]
    else:
        longest = max((min(len(label), 14) for label in points.labels[:n]), default=1)
        every = max(1, round(n * longest * 6.2 / 430 + 0.3))
        for i in range(0, n, every):
            label = words.shortened(points.labels[i], 14)
            made.append(Tick(i + 0.5, label, label if (i // every) % 2 == 0 else ""))
    for i, centre in enumerate(centres):
        label = words.shortened(points.labels[n + i], 10)
        made.append(Tick(centre, label, label if i % 2 else ""))
    return made


def distribution_title(points: DistributionPoints) -> str:
    """The bin that changed most, in words."""
    if not points.live or sum(points.live) == 0:
        return f"No live rows of {points.feature} in this range"
    changes = [b - a for a, b in zip(points.reference, points.live, strict=True)]
    worst = max(range(len(changes)), key=lambda i: abs(changes[i]))
    moved = sum(c for c in changes if c > 0)
    if moved < 0.03:
        return words.shortened(f"{points.feature} looks like its {points.reference_words.split(',')[0]} data", 80)
    verb = "rose" if changes[worst] > 0 else "fell"
    before, after = words.percent(points.reference[worst], 0), words.percent(points.live[worst], 0)
    told = f"{points.feature} {points.labels[worst]} {verb} from {before} to {after} of rows"
    if len(told) <= 80:
        return told
    return words.shortened(f"{words.percent(moved, 0)} of rows of {points.feature} moved to other values", 80)


def distribution_summary(points: DistributionPoints) -> str:
    """Title and the share of rows that would have to move for both to be alike."""
    moved = sum(max(0.0, b - a) for a, b in zip(points.reference, points.live, strict=True))
    return f"{distribution_title(points)}. {words.percent(moved, 0)} of rows lie in other bins than in the reference"


def distribution_columns(points: DistributionPoints) -> tuple[str, ...]:
    """The heads of the table twin."""
    return ("Values", f"{points.reference_words}, share", f"{points.live_words}, share")


def distribution_rows(points: DistributionPoints) -> list[tuple[str, ...]]:
    """One row a bin."""
    both = zip(points.labels, points.reference, points.live, strict=True)
    return [(label, f"{words.rounded(a)}", f"{words.rounded(b)}") for label, a, b in both]


DISTRIBUTION: Chart[DistributionPoints] = Chart(
    distribution_plot, distribution_title, distribution_summary, distribution_columns, distribution_rows
)
