"""The charts that matter for one deployment on the agenda, made by the code of its own tabs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from dashboard.charts.accuracy import ACCURACY
from dashboard.charts.chart import ChartView
from dashboard.charts.drift_over_time import DRIFT_OVER_TIME
from dashboard.charts.flags import Change
from dashboard.filters import View
from dashboard.reader import Reader
from dashboard.tabs import accuracy, drift, overview
from dashboard.tabs.parts import Lane
from dashboard.tabs.subject import Subject
from monitoring.models import Area, Status, Watched
from monitoring.strips import strips

LEADS, HEIGHT = 2, 208
Marks = tuple[Change, ...]
LOUD = (Status.FAILING, Status.WARNING)


@dataclass(frozen=True)
class Charts:
    """`leads`: the worst areas at length, two at most; `lanes`: every area on one clock."""

    leads: tuple[ChartView, ...]
    lanes: tuple[Lane, ...]
    subject: Subject


def charts(reader: Reader, watched: Watched, last: datetime | None, known_at: datetime, now: datetime) -> Charts:
    """As known at the meeting; nothing is asked of the source. The last review is a mark in the leads."""
    query = {"as_of": known_at.isoformat()} if known_at < now else {}
    subject = Subject.load(reader, watched, View.parse(query, now, reader.zone), now)
    if watched.batch_monitoring or watched.last_prediction_at is None:
        return Charts((), (), subject)
    tab = overview.build(subject)
    marks = (Change(last, "last review", ""),) if last is not None else ()
    lanes: Sequence[Lane] = tab.more["lanes"]
    return Charts(tuple(_leads(subject, marks))[:LEADS], tuple(lanes), subject)


def _leads(subject: Subject, marks: Marks) -> list[ChartView]:
    """Drift and accuracy, the worse one first."""
    made = {Area.DRIFT: _drift, Area.ACCURACY: _accuracy}
    order = sorted(made, key=lambda area: -subject.status(area).severity if subject.status(area) in LOUD else 0)
    return [view for area in order if (view := made[area](subject, marks)) is not None]


def _drift(subject: Subject, marks: Marks) -> ChartView | None:
    worst = overview.lines(subject)
    if not worst:
        return None
    points = drift.series_points(subject, [one.name for one in worst[:1]], height=HEIGHT)
    if not any(value is not None for value in points.series[0].values):
        return None
    return DRIFT_OVER_TIME.view(
        "review-drift",
        replace(points, changes=_with(points.changes, marks)),
        caption=f"PSI of {worst[0].name} by {subject.view.bucket_noun}, against training",
        status=_tone(subject.status(Area.DRIFT)),
        csv_url=subject.csv_url("overview", "drift"),
        api_url=subject.api_url(drift.series_question(subject, worst[0].name)),
    )


def _accuracy(subject: Subject, marks: Marks) -> ChartView | None:
    points = accuracy.points(subject, subject.metric)
    time = points.time
    if not any(value is not None for line in time.series for value in line.values):
        return None
    return ACCURACY.view(
        "review-accuracy",
        replace(points, time=replace(time, height=HEIGHT - 26, changes=_with(time.changes, marks))),
        caption=f"{subject.metric} by {subject.view.bucket_noun} of prediction, against the holdout baseline",
        status=_tone(subject.status(Area.ACCURACY)),
        csv_url=subject.csv_url("overview", "accuracy"),
        api_url=subject.api_url(accuracy.series_question(subject, subject.metric)),
    )


def sparks(watched: Watched, known_at: datetime) -> dict[str, tuple[float | None, ...]]:
    """The numbers of the last thirty days, for the lines of the table: one statement."""
    bars = strips([watched.pk], until=known_at.date())
    found = {
        key: tuple(bar.value for bar in bars.get((watched.pk, area.value), ()))
        for key, area in (("accuracy", Area.ACCURACY), ("drift", Area.DRIFT))
    }
    rates: Any = watched.daily_rates if isinstance(watched.daily_rates, list) else []
    found["served"] = tuple(rate if isinstance(rate, int | float) else None for rate in rates)
    return {key: values for key, values in found.items() if any(value is not None for value in values)}


def _with(changes: Marks, marks: Marks) -> Marks:
    """The marks in the place of what the deployment's own history says of the same moments."""
    moments = {mark.at for mark in marks}
    return (*(change for change in changes if change.at not in moments), *marks)


def _tone(status: Status) -> str:
    return status.value if status in LOUD else ""


def about(reader: Reader, watched: Watched, area: str, began_at: datetime, now: datetime) -> ChartView | None:
    """The chart of one area with the start of its trouble as a mark; None where there is none to draw."""
    if watched.batch_monitoring or watched.last_prediction_at is None:
        return None
    quiet = {} if reader.user.pk else {"marks": "off"}  # notes and people stay inside
    subject = Subject.load(reader, watched, View.parse(quiet, now, reader.zone), now)
    tab = overview.build(subject)
    marks = (Change(began_at, "began", "incident"),)
    made = {Area.DRIFT.value: _drift, Area.ACCURACY.value: _accuracy}.get(area)
    if made is not None:
        return made(subject, marks)
    return tab.charts.get("service") if area == Area.SERVICE else None
