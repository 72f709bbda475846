"""Time and bytes of a chart's figure beside Plotly's own classes, and the time of the first paint."""

from __future__ import annotations

import gzip
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import perf_counter

import orjson
import plotly.graph_objects as go

from benchmarks.table import Row
from dashboard.charts.lane import LANE
from dashboard.charts.theme import LIGHT, plotly_layout
from dashboard.charts.timeline import Series, TimePoints

HOURS = 720
START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def curve(phase: float) -> list[float]:
    """A month of hours with a day in it and digits as a computation leaves them."""
    return [0.7 + 0.05 * math.sin(i / 24 * math.tau + phase) + 0.01 * math.sin(i * i + phase) for i in range(HOURS)]


def ours(values: list[list[float]]) -> bytes:
    """Points to JSON, as a page does it."""
    series = tuple(Series(f"model {i}", v, f"cat-{i + 1}") for i, v in enumerate(values))
    points = TimePoints(START, HOUR, series, "AUC", caption="AUC")
    return orjson.dumps(LANE.figure(points))


def graph_objects(values: list[list[float]]) -> bytes:
    """The same three lines through Plotly's classes."""
    times = [START + HOUR * i for i in range(HOURS)]
    figure = go.Figure(
        [go.Scatter(x=times, y=v, mode="lines", name=f"model {i}", line={"width": 2}) for i, v in enumerate(values)],
        plotly_layout(LIGHT),
    )
    return str(figure.to_json()).encode()


def best(work: Callable[[], object], times: int) -> float:
    """The shortest of ``times`` runs in seconds."""
    found = []
    for _ in range(times):
        begin = perf_counter()
        work()
        found.append(perf_counter() - begin)
    return min(found)


def run() -> list[Row]:
    """Figure time and gzip bytes against graph_objects; SVG time against the same."""
    values = [curve(phase) for phase in (0.0, 1.0, 2.0)]
    reference = best(lambda: graph_objects(values), 5)
    mine = best(lambda: ours(values), 20)
    bytes_theirs, bytes_mine = len(gzip.compress(graph_objects(values))), len(gzip.compress(ours(values)))
    series = tuple(Series(f"model {i}", v, f"cat-{i + 1}") for i, v in enumerate(values))
    points = TimePoints(START, HOUR, series, "AUC", caption="AUC")
    svg = best(lambda: LANE.svg(points), 10)
    return [
        row_of_speed("figure JSON, 3 × 720 points", mine, reference, 50),
        Row(
            "figure JSON, gzip bytes",
            f"{bytes_mine:,}",
            f"graph_objects {bytes_theirs:,}",
            bytes_mine / bytes_theirs,
            "≤ 0.35",
            ok=bytes_mine <= 0.35 * bytes_theirs,
        ),
        row_of_speed("first paint (SVG), 3 × 720 points", svg, reference, None),
    ]


def row_of_speed(name: str, mine: float, reference: float, goal: float | None) -> Row:
    """How many times faster we are."""
    ratio = reference / mine
    return Row(
        name,
        f"{mine * 1e3:.3f} ms",
        f"graph_objects {reference * 1e3:.2f} ms",
        ratio,
        f"≥ {goal:g}" if goal else "",
        ok=None if goal is None else ratio >= goal,
    )
