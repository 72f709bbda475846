"""One line of time: what happened to a deployment, a row a kind, with bars for what lasted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.plot import Dots, Line, Mark, Panel, Plot
from dashboard.charts.scales import Axis, Tick, moment_at, time_axis
from dashboard.charts.theme import css_name

ROW = 26
SHAPES = {"failing": "octagon", "warning": "triangle", "passing": "circle"}


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened: in row `row`, from `at` until its end, if it lasted. `status` colours it."""

    at: datetime
    row: int
    words: str
    status: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class HistoryPoints:
    """`rows`: the names of the rows, the first one on top."""

    start: datetime
    step: timedelta
    n: int
    rows: tuple[str, ...]
    happenings: tuple[Happening, ...]

    @property
    def end(self) -> datetime:
        return self.start + self.step * self.n


def history_plot(points: HistoryPoints) -> Plot:
    """Dots on rows; a line from the dot to the end of what lasted."""
    count = max(1, len(points.rows))
    ticks = tuple(Tick(count - 1 - i, name, name) for i, name in enumerate(points.rows))
    marks: list[Mark] = [*_spans(points), *_dots(points)]
    panel = Panel(Axis(-0.6, count - 0.4, ticks), ROW * count, tuple(marks))
    shift = points.step.total_seconds() * 500
    axis = time_axis(points.start, points.step, points.n)
    return Plot(axis, (panel,), left=84, right=24, shift=shift, zoom=True, hover="closest")


def _level(points: HistoryPoints, row: int) -> float:
    return float(len(points.rows) - 1 - row)


def _spans(points: HistoryPoints) -> list[Mark]:
    """What lasted, as far as the range goes."""
    found: list[Mark] = []
    for one in points.happenings:
        if one.until is not None and one.until > one.at:
            ends = (one.at, min(one.until, points.end))
            level, token = _level(points, one.row), css_name(one.status) if one.status else "line3"
            found.append(Line([_x(points, at) for at in ends], (level, level), token, 3, hover=False))
    return found


def _dots(points: HistoryPoints) -> list[Mark]:
    if not points.happenings:
        return []
    return [
        Dots(
            [_x(points, one.at) for one in points.happenings],
            [_level(points, one.row) for one in points.happenings],
            [css_name(one.status) if one.status else "champion" for one in points.happenings],
            [SHAPES.get(one.status, "circle") for one in points.happenings],
            4,
            names=[f"{words.day(one.at)} {words.clock(one.at)}: {one.words}" for one in points.happenings],
            name="what happened",
        )
    ]


def _x(points: HistoryPoints, at: datetime) -> float:
    return moment_at(at, points.step)


def history_title(points: HistoryPoints) -> str:
    """How much happened, and what most of it was."""
    if not points.happenings:
        return "Nothing happened in this range"
    counts = [sum(1 for one in points.happenings if one.row == row) for row in range(len(points.rows))]
    most = max(range(len(counts)), key=counts.__getitem__)
    told = words.count(len(points.happenings), "thing") + " happened"
    if len(points.rows) < 2:
        return f"{told}, all of them under {points.rows[most].lower()}"
    return f"{told}, {counts[most]} of them under {points.rows[most].lower()}"


def history_summary(points: HistoryPoints) -> str:
    """Title and period."""
    return f"{history_title(points)}. {words.span_of_days(points.start, points.end)}"


def history_columns(points: HistoryPoints) -> Sequence[str]:
    return ("Time (UTC)", "Kind", "What happened", "Until (UTC)")


def history_rows(points: HistoryPoints) -> list[tuple[str, ...]]:
    """Newest first."""
    return [
        (_time(one.at), points.rows[one.row], one.words, _time(one.until) if one.until else "")
        for one in sorted(points.happenings, key=lambda one: one.at, reverse=True)
    ]


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


HISTORY: Chart[HistoryPoints] = Chart(history_plot, history_title, history_summary, history_columns, history_rows)
