"""Humility: which share of predictions each rule applied to, over time, with the rows of each bin beneath."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.plot import Plot
from dashboard.charts.predictions import PredictionPoints, count_panel
from dashboard.charts.timeline import TimePoints, Values, panel, stack
from dashboard.charts.twin import period_words, time_columns, time_rows


@dataclass(frozen=True, slots=True)
class HumilityPoints:
    """``time``: shares of predictions, one series a rule, the most frequent first. ``counts``: how often, by rule.

    ``rows`` are the predictions of each bin.
    """

    time: TimePoints
    counts: tuple[Values, ...] = ()
    rows: Values = ()


def humility_plot(points: HumilityPoints) -> Plot:
    """Lines of shares, rows beneath."""
    panels = [panel(points.time)]
    if any(value is not None for value in points.rows):
        panels.append(count_panel(PredictionPoints(points.time, counts=points.rows)))
    return stack(points.time, *panels, axis=points.time.axis)


def total(values: Values) -> float:
    """How often in all."""
    return sum(value for value in values if value is not None)


def humility_title(points: HumilityPoints) -> str:
    """The rule that applied most often, and to how many predictions."""
    totals = [(total(counts), series.name) for counts, series in zip(points.counts, points.time.series, strict=True)]
    if not totals:
        return "No rule is known in this range"
    most, name = max(totals)
    if not most:
        return "No rule applied to a prediction in this range"
    rows = total(points.rows)
    short = words.shortened(name, 36)
    if not rows:
        return words.shortened(f"{short} applied to {words.count(round(most), 'prediction')}", 80)
    return words.shortened(f"{short} applied to {words.percent(most / rows)} of predictions", 80)


def humility_summary(points: HumilityPoints) -> str:
    """Title, period, and how often each rule applied."""
    told = [humility_title(points), period_words(points.time)]
    for counts, series in zip(points.counts, points.time.series, strict=True):
        told.append(f"{series.name}: {words.count(round(total(counts)), 'prediction')}")
    return ". ".join(told)


def humility_columns(points: HumilityPoints) -> tuple[str, ...]:
    """The heads of the table twin: shares, then how often."""
    return (*time_columns(points.time), *(f"{series.name}, rows" for series in points.time.series), "Predictions")


def humility_rows(points: HumilityPoints) -> list[tuple[str, ...]]:
    """One row a bin."""
    return time_rows(points.time, *points.counts, points.rows)


HUMILITY: Chart[HumilityPoints] = Chart(
    humility_plot, humility_title, humility_summary, humility_columns, humility_rows
)
