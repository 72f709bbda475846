"""Fairness: the classes of a protected feature against the most favoured one, now and over time.

Scores are relative: 1 is the most favoured class, the threshold is the least to accept. A class with too few rows is
hollow: it is shown and never judged.
"""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.draw_svg import margin_for
from dashboard.charts.plot import Dots, EndLabel, Mark, Panel, Plot, Upright, Zone, last_known
from dashboard.charts.scales import Axis, Tick, value_axis
from dashboard.charts.timeline import TimePoints, time_plot
from dashboard.charts.twin import period_words, time_columns, time_rows

ROW_HEIGHT = 21
MOST_ROWS = 16
METRIC = "relative fairness"


@dataclass(frozen=True, slots=True)
class ClassDot:
    """One class: its relative and own score, and its rows. ``few``: too few of them for a verdict."""

    name: str
    relative: float | None
    absolute: float | None
    rows: int | None
    few: bool = False
    status: str = "passing"
    href: str = ""


@dataclass(frozen=True, slots=True)
class ClassPoints:
    """The classes of ``feature``, worst first, those with too few rows last."""

    feature: str
    classes: tuple[ClassDot, ...]
    threshold: float
    favoured: str = ""
    selected: str = ""

    @property
    def judged(self) -> list[ClassDot]:
        """The classes that a verdict rests on."""
        return [one for one in self.classes if not one.few and one.relative is not None]

    @property
    def below(self) -> list[ClassDot]:
        """The judged classes under the threshold, worst first."""
        return [one for one in self.judged if (one.relative or 0.0) < self.threshold]


def shown(points: ClassPoints) -> list[ClassDot]:
    """The classes that have a score, as many as a chart holds."""
    return [one for one in points.classes if one.relative is not None][:MOST_ROWS]


def classes_plot(points: ClassPoints) -> Plot:
    """One row a class, worst on top, the bad side of the threshold filled."""
    rows = shown(points)
    n = max(1, len(rows))
    x = value_axis([one.relative for one in rows], include=[points.threshold, 1.0], ticks=5)
    names = [words.shortened(one.name, 22) for one in rows]
    y = Axis(-0.5, n - 0.5, tuple(Tick(n - 1 - i, name, name) for i, name in enumerate(names)))
    marks: list[Mark] = [
        Zone(-0.5, n - 0.5, "failing-soft", 0.55, x0=x.lo, x1=points.threshold),
        Upright(points.threshold, token="failing"),
    ]
    if rows:
        marks.append(_dots(points, rows, n))
    marks += [EndLabel(float(n - 1 - i), _rows_words(one), "text3") for i, one in enumerate(rows)]
    panel = Panel(y, n * ROW_HEIGHT, tuple(marks), grid=False)
    clicks = tuple(one.href for one in rows) if any(one.href for one in rows) else ()
    return Plot(x, (panel,), left=margin_for(names), right=92, hover="closest", clicks=clicks)


def _dots(points: ClassPoints, rows: list[ClassDot], n: int) -> Dots:
    return Dots(
        [one.relative or 0.0 for one in rows],
        [float(n - 1 - i) for i in range(len(rows))],
        [_token(one) for one in rows],
        [
            "ring" if one.few else {"failing": "octagon", "warning": "triangle"}.get(one.status, "circle")
            for one in rows
        ],
        5,
        across=True,
        names=[class_words(points, one) for one in rows],
        name=points.feature,
    )


def _token(one: ClassDot) -> str:
    if one.few:
        return "unknown"
    return one.status if one.status in ("failing", "warning") else "champion"


def _rows_words(one: ClassDot) -> str:
    rows = words.NONE if one.rows is None else f"{one.rows:,}"
    return f"{rows}, too few" if one.few else rows


def class_words(points: ClassPoints, one: ClassDot) -> str:
    """``EV: 0.817 of the most favoured class, 894 rows``."""
    few = ", too few rows for a verdict" if one.few else ""
    rows = "" if one.rows is None else f", {words.count(one.rows, 'row')}"
    value = words.NONE if one.relative is None else f"{one.relative:.3f}"
    return f"{one.name}: {value} of the most favoured class{rows}{few}"


def classes_title(points: ClassPoints) -> str:
    """How many classes fare worse than the threshold allows, or which comes next to it."""
    judged, limit = points.judged, f"{points.threshold:g}"
    if not judged:
        return words.shortened(f"No class of {points.feature} has enough rows for a fairness score", 80)
    if points.below:
        worst = points.below[0]
        what = f"{len(points.below)} of {words.count(len(judged), 'class', 'classes')} of {points.feature}"
        return words.shortened(f"{what} below {limit}: {worst.name} at {worst.relative:.3f}", 80)
    last = judged[0]
    if len(judged) == 1:
        return words.shortened(f"Only {last.name} has enough rows: nothing to compare it with", 80)
    return words.shortened(
        f"No class of {points.feature} is below {limit}; {last.name} is last at {last.relative:.3f}", 80
    )


def classes_summary(points: ClassPoints) -> str:
    """Title, the favoured class, the three worst, and how many have too few rows."""
    told = [classes_title(points)]
    if points.favoured:
        told.append(f"Most favoured: {points.favoured}")
    told += [class_words(points, one) for one in points.judged[:3]]
    few = sum(1 for one in points.classes if one.few)
    return ". ".join([*told, f"{words.count(few, 'class', 'classes')} with too few rows"] if few else told)


def classes_columns(points: ClassPoints) -> tuple[str, ...]:
    """The heads of the table twin."""
    return (points.feature, "Relative to the most favoured", "Own score", "Rows", "Enough rows", "Status")


def classes_rows(points: ClassPoints) -> list[tuple[str, ...]]:
    """One row a class, also those without a score."""
    return [
        (
            one.name,
            *("" if value is None else f"{words.rounded(value, 6)}" for value in (one.relative, one.absolute)),
            "" if one.rows is None else str(one.rows),
            "no" if one.few else "yes",
            "" if one.few else one.status,
        )
        for one in points.classes
    ]


CLASSES: Chart[ClassPoints] = Chart(classes_plot, classes_title, classes_summary, classes_columns, classes_rows)


def over_time_title(points: TimePoints) -> str:
    """How often the first class was below the threshold, over the bins with enough rows."""
    if not points.series:
        return "No class has a score in this range"
    lead = points.series[0]
    judged = [v for i, v in enumerate(lead.values) if v is not None and i not in lead.immature | points.unfinished]
    if not judged:
        return words.shortened(f"{lead.name} has too few rows in every bin: choose larger bins", 80)
    limit = min((limit.value for limit in points.limits), default=None)
    if limit is None:
        return words.shortened(f"{lead.name} ended at {points.text(judged[-1])}", 80)
    beyond, told = sum(1 for v in judged if v < limit), f"now {points.text(judged[-1])}"
    noun, on = f"judged {words.bin_noun(points.step)}", words.within(points.step)
    if not beyond:
        return words.shortened(
            f"{lead.name} stayed at or above {limit:g} {on} {words.every(len(judged), noun)}, {told}", 80
        )
    return words.shortened(
        f"{lead.name} was below {limit:g} {on} {beyond} of {words.count(len(judged), noun)}, {told}", 80
    )


def over_time_summary(points: TimePoints) -> str:
    """Title, period, the last score of each class and how many points are not judged."""
    told = [over_time_title(points), period_words(points)]
    for series in points.series:
        last = last_known(series.values)
        if last is not None:
            told.append(f"{series.name} last {points.text(series.values[last])}")
    hollow = sum(len(series.immature) for series in points.series)
    return ". ".join([*told, f"{words.count(hollow, 'point')} with too few rows, not judged"] if hollow else told)


FAIRNESS_OVER_TIME: Chart[TimePoints] = Chart(time_plot, over_time_title, over_time_summary, time_columns, time_rows)
