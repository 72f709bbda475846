"""Charts of the areas that not every deployment has: fairness, custom metrics and timeliness, as plain numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from monitoring import questions as q
from monitoring import snapshots
from monitoring.kept_buckets import Point
from monitoring.mail.chart import Limit, MailChart, Verdict
from monitoring.models import Area
from monitoring.poll.facts import fact_questions, facts_of
from monitoring.poll.standing import DAYS
from monitoring.questions import Question


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What is drawn: the series, the name of its number, and how a bucket is read."""

    question: Question
    name: str
    caption: str
    read: Callable[[Point], float | None]
    limit: Limit | None = None


def chart_of(verdict: Verdict, now: datetime) -> MailChart | None:
    """The series behind the verdict; None for the areas that every deployment has, and where nothing is stored."""
    drawn = _DRAWN[verdict.area](verdict, now) if verdict.area in _DRAWN else None
    view = snapshots.series(verdict.watched, drawn.question, now=now) if drawn is not None else None
    if drawn is None or view is None:
        return None
    values = tuple(drawn.read(point) for point in view.points)
    if not any(value is not None for value in values):
        return None
    return MailChart(
        metric=drawn.name,
        caption=f"{drawn.caption}, by UTC day",
        status=verdict.status,
        starts=tuple(point.start for point in view.points),
        values=values,
        immature=(False,) * len(values),
        limits=(drawn.limit,) if drawn.limit is not None else (),
    )


def _fairness(verdict: Verdict, now: datetime) -> _Drawn | None:
    """The least favoured class, by the first watched metric."""
    watched, listed = verdict.watched, verdict.evidence.get("below")
    one = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}
    feature, label = one.get("feature"), one.get("class")
    if not feature:
        return None
    facts = facts_of(watched, snapshots.read(watched, fact_questions(watched), now=now), now)
    question = q.fairness_over_time(str(feature), DAYS, metric=facts.areas.fairness_metrics[0] or None)
    name, limit = f"Fairness to {feature} {label}", _limit(verdict, verdict.evidence.get("threshold"), above=False)
    return _Drawn(question, name, "Score against the most favoured class", partial(_score_of, label), limit)


def _score_of(label: object, point: Point) -> float | None:
    scores = point.values.get("scores")
    for one in scores if isinstance(scores, list) else []:
        if isinstance(one, dict) and one.get("label") == label and isinstance(one.get("value"), int | float):
            return float(one["value"])
    return None


def _custom(verdict: Verdict, now: datetime) -> _Drawn | None:
    """The metric whose condition came true."""
    met = verdict.evidence.get("condition")
    if not isinstance(met, Mapping) or not met.get("metricId"):
        return None
    limit = _limit(verdict, met.get("threshold"), above=str(met.get("operator")).startswith("g"))
    name = str(met.get("name"))
    return _Drawn(q.custom_over_time(str(met["metricId"]), DAYS), name, name, Point.number, limit)


def _predictions(verdict: Verdict, now: datetime) -> _Drawn:
    return _Drawn(q.predictions_over_time(DAYS), "Predictions", "Predictions", partial(_count, "rowCount"))


def _actuals(verdict: Verdict, now: datetime) -> _Drawn:
    read = partial(_count, "rowCountWithActual")
    return _Drawn(q.predictions_vs_actuals_over_time(DAYS), "Actuals", "Predictions that have an actual", read)


def _count(name: str, point: Point) -> float | None:
    return point.number(name)


def _limit(verdict: Verdict, value: Any, *, above: bool) -> Limit | None:
    return Limit(verdict.status, float(value), above) if isinstance(value, int | float) else None


_DRAWN: dict[str, Callable[[Verdict, datetime], _Drawn | None]] = {
    Area.FAIRNESS: _fairness,
    Area.CUSTOM_METRICS: _custom,
    Area.PREDICTIONS_TIMELINESS: _predictions,
    Area.ACTUALS_TIMELINESS: _actuals,
}
