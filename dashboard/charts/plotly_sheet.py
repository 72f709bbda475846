"""One panel of a Plotly figure while it is drawn, and how numbers and words are put into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from dashboard.charts import plot as p
from dashboard.charts.columns import numbers, short_list, significant
from dashboard.charts.scales import Axis
from dashboard.charts.theme import Theme
from dashboard.charts.words import rounded, significant_decimals

Trace = dict[str, Any]


@dataclass(slots=True)
class Sheet:
    """One panel being drawn: its axis names, its place, and what it adds to the figure."""

    plot: p.Plot
    panel: p.Panel
    theme: Theme
    index: int
    top: float
    traces: list[Trace] = field(default_factory=list)
    shapes: list[Trace] = field(default_factory=list)
    notes: list[Trace] = field(default_factory=list)
    silent: dict[str, list[Sequence[float]]] = field(default_factory=dict)
    """The bins of each gap, by why there is no value."""

    @property
    def yref(self) -> str:
        return f"y{self.index}" if self.index > 1 else "y"

    def y(self, value: float) -> float:
        """The px from the top of the plot, for label places."""
        share = self.panel.y.share(value)
        return self.top + self.panel.height * (1 - min(max(share, 0.0), 1.0))

    def add(self, trace: Trace) -> None:
        if self.index > 1:
            trace["yaxis"] = self.yref
        self.traces.append(trace)


def axis_number(value: float, axis: Axis) -> float:
    return round(value) if axis.time else rounded(value, 6)


def spaced(xs: Sequence[float]) -> Trace:
    """Even steps as ``x0`` and ``dx``, anything else as a list."""
    if isinstance(xs, range):
        return {"x0": xs.start, "dx": xs.step}
    if len(xs) > 2:
        step = xs[1] - xs[0]
        if step and all(abs(b - a - step) <= abs(step) * 1e-6 for a, b in pairwise(xs)):
            return {"x0": rounded(xs[0], 15), "dx": rounded(step, 15)}
    return {"x": short_list(significant(numbers(xs), 15))}


def short(values: p.Values, axis: Axis) -> list[float | None]:
    """Values with the digits that ``axis`` can show: four significant ones of its range; gaps stay."""
    if axis.log or not len(values):
        return short_list(significant(numbers(values), 4))
    span = axis.hi - axis.lo
    digits = max(significant_decimals(max(abs(axis.lo), abs(axis.hi)), 4), significant_decimals(span, 3))
    return short_list(np.round(numbers(values), digits))


def safe(text: str) -> str:
    """Text that Plotly shows as it is: it reads tags."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def note_text(text: str, colour: str) -> Trace:
    return {"text": safe(text), "showarrow": False, "font": {"size": 11, "color": colour}, "borderpad": 0}


def from_top(sheet: Sheet, px: float) -> Trace:
    """A note fixed at a height in px, whatever the width."""
    return {"yref": "paper", "y": 1, "yanchor": "middle", "yshift": rounded(sheet.plot.top - px, 4)}
