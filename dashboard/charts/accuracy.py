"""The lead chart of the accuracy page: one metric over time against its baseline and limits."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.plot import Bars, Dots, EndLabel, Mark, Panel, Plot, last_known
from dashboard.charts.scales import value_axis
from dashboard.charts.timeline import Series, TimePoints, Values, panel, quiet_frame, stack, y_axis
from dashboard.charts.twin import period_words, time_columns, time_rows


@dataclass(frozen=True, slots=True)
class AccuracyPoints:
    """``time.series[0]`` is the judged window; ``single`` are the single bins with their intervals.

    ``label_share`` (0 to 1 a bin) is drawn beneath; bins that are immature in the judged series are hatched.
    ``better`` is +1 when a higher value is better, −1 when a lower one is.
    """

    time: TimePoints
    single: Values = ()
    single_low: Values = ()
    single_high: Values = ()
    label_share: Values = ()
    better: int = 1


def accuracy_plot(points: AccuracyPoints) -> Plot:
    """Judged line, single bins as dots with whiskers, label share beneath."""
    time = points.time
    lead = panel(time)
    if points.single:
        dots = Dots(
            time.xs()[: len(points.single)],
            points.single,
            (time.series[0].token,),
            ("circle",),
            2.5,
            points.single_low,
            points.single_high,
            opacity=0.65,
            name="single bin",
        )
        reach = replace(time, series=(*time.series, Series("", points.single, label="")))
        lead = replace(panel(replace(time, extra=(*time.extra, dots))), y=y_axis(reach))
    panels = [lead]
    if points.label_share:
        panels.append(label_panel(points))
    return stack(time, *panels, axis=time.axis)


def label_panel(points: AccuracyPoints) -> Panel:
    """How many of the predictions have their label, bin by bin."""
    time = points.time
    size = time.step.total_seconds() * 1000
    last = last_known(points.label_share)
    unfinished = time.series[0].immature
    marks: list[Mark] = [
        Bars(
            time.xs()[: len(points.label_share)],
            points.label_share,
            size * 0.66,
            "text3",
            0.75,
            unfinished,
            name="labelled",
            unit="%",
        )
    ]
    marks += quiet_frame(time)
    if last is not None:
        marks.append(EndLabel(1.0, "labelled share", "text2", 1))
        marks.append(EndLabel(0.45, f"last {words.percent(points.label_share[last], 0)}", "text2", 2))
    axis = value_axis([0.0, 1.0], zero=True, unit="%", ticks=2)
    return Panel(replace(axis, hi=1.05), 48, tuple(marks))


def worst_limit(points: AccuracyPoints) -> float | None:
    """The limit that is passed first, as a value of the metric."""
    values = [limit.value for limit in points.time.limits]
    if not values:
        return None
    return max(values) if points.better > 0 else min(values)


def accuracy_title(points: AccuracyPoints) -> str:
    """The finding over the judged bins, against the baseline."""
    time, metric = points.time, points.time.metric
    judged = [v for i, v in enumerate(time.series[0].values) if v is not None and i not in time.series[0].immature]
    if not judged:
        return f"{metric} has no judged value in this range"
    if time.baseline is None or time.baseline == 0:
        return f"{metric} ended at {time.text(judged[-1])}; no baseline to compare with"
    worse = sum(1 for v in judged if (v - time.baseline) * points.better < 0)
    limit = worst_limit(points)
    beyond = 0 if limit is None else sum(1 for v in judged if (v - limit) * points.better < 0)
    side = "below" if points.better > 0 else "above"
    noun, on = words.bin_noun(time.step), words.within(time.step)
    change = (judged[-1] - time.baseline) / abs(time.baseline)
    if beyond == 0:
        widest = max(abs(v - time.baseline) / abs(time.baseline) for v in judged)
        if worse:
            return f"{metric} stayed within its limits, at most {words.percent(widest)} from baseline"
        return f"{metric} was at or better than baseline {on} {words.every(len(judged), f'judged {noun}')}"
    gap = words.percent(abs(change))
    if beyond == len(judged):
        return f"{metric} was past its limit {on} {words.every(beyond, f'judged {noun}')}, now {gap} {side} baseline"
    if limit is not None and (judged[-1] - limit) * points.better >= 0:
        return f"{metric} was past its limit {on} {beyond} of {len(judged)} judged {noun}s, not {on} the last"
    return f"{metric} is {gap} {side} baseline, past its limit {on} {beyond} of {len(judged)} {noun}s"


def accuracy_summary(points: AccuracyPoints) -> str:
    """Title and period, and how many bins are not judged."""
    told = [accuracy_title(points), period_words(points.time)]
    if points.time.series[0].immature:
        told.append(f"{words.count(len(points.time.series[0].immature), 'bin')} not judged yet: labels still arriving")
    return ". ".join(told)


def accuracy_columns(points: AccuracyPoints) -> tuple[str, ...]:
    """The heads of the table twin."""
    extra = (*(("Single bin",) if points.single else ()), *(("Labelled share",) if points.label_share else ()))
    return (*time_columns(points.time), *extra)


def accuracy_rows(points: AccuracyPoints) -> list[tuple[str, ...]]:
    """One row a bin."""
    return time_rows(points.time, *(column for column in (points.single, points.label_share) if column))


ACCURACY: Chart[AccuracyPoints] = Chart(
    accuracy_plot, accuracy_title, accuracy_summary, accuracy_columns, accuracy_rows
)
