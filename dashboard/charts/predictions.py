"""What the model predicts over time: the mean with its 10–90 % band, or the share of each class."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.plot import Bars, EndLabel, Mark, Panel, Plot, last_known
from dashboard.charts.scales import Axis, value_axis, with_headroom
from dashboard.charts.theme import category
from dashboard.charts.timeline import Series, TimePoints, Values, panel, quiet_frame, rows_label, stack
from dashboard.charts.twin import period_words, time_columns, time_rows


@dataclass(frozen=True, slots=True)
class PredictionPoints:
    """``time`` holds the mean (with band) or one series of shares a class; ``stacked`` piles these up.

    ``counts`` (rows a bin) are drawn beneath.
    """

    time: TimePoints
    stacked: bool = False
    counts: Values = ()


def predictions_plot(points: PredictionPoints) -> Plot:
    """Lines or stacked shares; rows beneath."""
    panels = [stacked_panel(points.time) if points.stacked else panel(points.time)]
    if points.counts:
        panels.append(count_panel(points))
    return stack(points.time, *panels, axis=points.time.axis)


def stacked_panel(points: TimePoints) -> Panel:
    """Shares of the classes piled up to 100 %, the first class at the bottom."""
    size = points.step.total_seconds() * 1000
    base = [0.0] * points.n
    marks: list[Mark] = quiet_frame(points)
    for i, series in enumerate(points.series):
        marks.append(
            Bars(
                points.xs(),
                series.values,
                size * 0.78,
                category(i),
                0.9,
                points.unfinished,
                name=series.name,
                base=tuple(base),
                unit="%",
            )
        )
        last = last_known(series.values)
        if last is not None:
            share = series.values[last] or 0.0
            told = f"{words.shortened(series.name, 11)} {words.percent(share, 0)}"
            marks.append(EndLabel(base[last] + share / 2, told, category(i), i))
        base = [b + (v or 0.0) for b, v in zip(base, series.values, strict=True)]
    y = value_axis([0.0, 1.0], zero=True, unit="%", ticks=4)
    whole = Axis(0.0, 1.0, y.ticks)
    axis = with_headroom(whole, points.height, 20) if points.caption else whole
    return Panel(axis, points.height, tuple(marks), points.caption)


def count_panel(points: PredictionPoints) -> Panel:
    """Rows a bin."""
    size = points.time.step.total_seconds() * 1000
    rows = Bars(points.time.xs(), points.counts, size * 0.66, hatched=points.time.unfinished, name="rows")
    marks: list[Mark] = [*quiet_frame(points.time), rows, *rows_label(points.time, points.counts)]
    return Panel(
        with_headroom(value_axis(points.counts, zero=True, ticks=2, whole=True), 60, 16), 60, tuple(marks), "rows"
    )


def change_of(series: Series, unfinished: frozenset[int] = frozenset()) -> tuple[float, float] | None:
    """The means of the first and the last third of a series; ``None`` with fewer than three values.

    Bins that are not over yet are left out: their few rows would weigh as much as a whole day.
    """
    known = [v for i, v in enumerate(series.values) if v is not None and i not in unfinished]
    third = len(known) // 3
    if third < 1:
        return None
    return sum(known[:third]) / third, sum(known[-third:]) / third


def predictions_title(points: PredictionPoints) -> str:
    """What changed most between the first and the last third of the range."""
    changes = [(s, c) for s in points.time.series if (c := change_of(s, points.time.unfinished))]
    if not changes:
        return "Too few predictions in this range to compare"
    series, (before, after) = max(changes, key=lambda pair: abs(pair[1][1] - pair[1][0]))
    if abs(after - before) <= 0.05 * max(abs(before), abs(after), 1e-12):
        name = "Class shares" if len(points.time.series) > 1 else series.name
        return words.shortened(
            f"{name} kept its level over the range".replace("shares kept its", "shares kept their"), 80
        )
    verb = "rose" if after > before else "fell"
    name = f"share of {series.name}" if points.stacked else series.name
    if name == "mean":
        name = f"mean {points.time.caption}".strip()
    return words.shortened(f"{name} {verb} from {points.time.text(before)} to {points.time.text(after)}", 80)


def predictions_summary(points: PredictionPoints) -> str:
    """Title, period and the last values."""
    told = [predictions_title(points), period_words(points.time)]
    for series in points.time.series:
        last = last_known(series.values)
        if last is not None:
            told.append(f"{series.name} last {points.time.text(series.values[last])}")
    return ". ".join(told)


def predictions_columns(points: PredictionPoints) -> tuple[str, ...]:
    """The heads of the table twin."""
    return (*time_columns(points.time), *(("Rows",) if points.counts else ()))


def predictions_rows(points: PredictionPoints) -> list[tuple[str, ...]]:
    """One row a bin."""
    return time_rows(points.time, *((points.counts,) if points.counts else ()))


PREDICTIONS: Chart[PredictionPoints] = Chart(
    predictions_plot, predictions_title, predictions_summary, predictions_columns, predictions_rows
)
