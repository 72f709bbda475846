"""A custom metric over time: its value against baseline and limits, or the share of each category; samples beneath."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.plot import Plot, last_known
from dashboard.charts.predictions import PredictionPoints, count_panel, predictions_title, stacked_panel
from dashboard.charts.timeline import Limit, TimePoints, Values, panel, stack
from dashboard.charts.twin import period_words, time_columns, time_rows


@dataclass(frozen=True, slots=True)
class CustomPoints:
    """``time``: one series of values, or with ``stacked`` one series of shares a category.

    ``better`` is +1 where a higher value is better, -1 where a lower one is. ``samples``: what each bin rests on.
    """

    time: TimePoints
    name: str
    better: int = 1
    samples: Values = ()
    stacked: bool = False


def custom_plot(points: CustomPoints) -> Plot:
    """The values, samples beneath."""
    panels = [stacked_panel(points.time) if points.stacked else panel(points.time)]
    if any(value is not None for value in points.samples):
        beneath = count_panel(PredictionPoints(points.time, counts=points.samples))
        panels.append(beneath)
    return stack(points.time, *panels, axis=points.time.axis)


def beyond(value: float, limit: Limit) -> bool:
    """Whether a value lies on the bad side of a limit."""
    return (value > limit.value if limit.above else value < limit.value) or (limit.at and value == limit.value)


def custom_title(points: CustomPoints) -> str:
    """How often a limit was passed, else how the last value stands to the baseline, else where it went."""
    if points.stacked:
        return predictions_title(PredictionPoints(points.time, stacked=True)).replace("Class shares", points.name)
    values = points.time.series[0].values if points.time.series else ()
    known = [value for value in values if value is not None]
    name, time = words.shortened(points.name, 36), points.time
    if not known:
        return words.shortened(f"{name} has no value in this range", 80)
    hit = sum(1 for value in known if any(beyond(value, limit) for limit in time.limits))
    if hit:
        noun = words.bin_noun(time.step)
        often = words.every(hit, noun) if hit == len(known) else f"{hit} of {len(known)} {noun}s"
        return words.shortened(
            f"{name} was past its limit {words.within(time.step)} {often}, now {time.text(known[-1])}", 80
        )
    if time.limits:
        return words.shortened(f"{name} kept within its limits, now {time.text(known[-1])}", 80)
    if time.baseline:
        return words.shortened(f"{name} ended {_against(known[-1], time.baseline, points.better)}", 80)
    low, high = time.text(min(known)), time.text(max(known))
    return words.shortened(f"{name} lay between {low} and {high}, now {time.text(known[-1])}", 80)


def _against(value: float, baseline: float, better: int) -> str:
    gap = abs(value - baseline) / abs(baseline)
    if gap < 0.0005:
        return "at its baseline"
    word = "better" if (value - baseline) * better > 0 else "worse"
    return f"{words.percent(gap)} {word} than its baseline"


def custom_summary(points: CustomPoints) -> str:
    """Title, period and the last values."""
    told = [custom_title(points), period_words(points.time)]
    for series in points.time.series:
        last = last_known(series.values)
        if last is not None:
            told.append(f"{series.name} last {points.time.text(series.values[last])}")
    return ". ".join(told)


def custom_columns(points: CustomPoints) -> tuple[str, ...]:
    """The heads of the table twin."""
    return (*time_columns(points.time), "Samples")


def custom_rows(points: CustomPoints) -> list[tuple[str, ...]]:
    """One row a bin."""
    return time_rows(points.time, points.samples)


CUSTOM: Chart[CustomPoints] = Chart(custom_plot, custom_title, custom_summary, custom_columns, custom_rows)
