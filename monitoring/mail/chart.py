"""What a mail's chart shows, as plain numbers. The setting MAIL_CHART names the function that draws it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from metrics.accuracy import ACCURACY_METRICS, Direction
from metrics.health import Measurement
from monitoring import client, health, snapshots
from monitoring import questions as q
from monitoring.models import Area, Status, Transition
from monitoring.poll.facts import fact_questions, facts_of, shaped
from monitoring.poll.standing import DAYS, Facts
from monitoring.questions import Question, ServiceMetric
from monitoring.snapshots import Point, Snapshot

_WORDS = {status.value: status.label.lower() for status in Status}
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limit:
    """A line of the chart. `above`: the bad side lies above it."""

    status: str
    value: float
    above: bool


@dataclass(frozen=True, slots=True)
class MailChart:
    """Day buckets of one number: `starts[i]` holds `values[i]`, None for a gap; `immature[i]`: labels still come."""

    metric: str
    caption: str
    status: str
    starts: tuple[datetime, ...]
    values: tuple[float | None, ...]
    immature: tuple[bool, ...]
    baseline: float | None = None
    limits: tuple[Limit, ...] = ()
    is_rate: bool = False

    @property
    def alt(self) -> str:
        """The finding in words, for readers without pictures."""
        known = [(start, value) for start, value in zip(self.starts, self.values, strict=True) if value is not None]
        if not known:
            return f"{self.metric}: no values."
        (_, first), (_, last) = known[0], known[-1]
        shown = [f"{value:.1%}" if self.is_rate else f"{value:.3g}" for value in (first, last)]
        limits = "".join(
            f"; {_WORDS.get(limit.status, limit.status)} {'above' if limit.above else 'below'} {limit.value:.3g}"
            for limit in self.limits
        )
        return f"{self.metric} by day, {len(known)} days: from {shown[0]} to {shown[1]}{limits}."


def chart_of(transition: Transition, now: datetime) -> MailChart | None:
    """The series behind the verdict; None where nothing is stored to draw."""
    watched = transition.watched
    facts = facts_of(watched, snapshots.read(watched, fact_questions(watched), now=now), now)
    name = _worst_feature(transition) or next(iter(facts.features), "")
    area = Area(transition.area)
    further = None if area.is_core else _further(transition, facts)
    asked = _QUESTIONS[area](facts.judged_metric, name) if area.is_core else [further] if further else []
    known = snapshots.read(watched, [q.health_settings(), *asked], now=now)
    if further is not None:
        chart = _further_chart(transition, known, further)
    else:
        chart = _CHARTS[area](transition, known, facts.judged_metric, name) if area.is_core else None
    if chart is None or not any(value is not None for value in chart.values):
        return None
    return chart


def draw(chart: MailChart) -> bytes | None:
    """The chart as PNG; None if nothing draws or the drawing fails: a mail goes out without its picture."""
    return _draw("draw", chart)


def draw_icon(status: str) -> bytes | None:
    """The status icon as PNG, 14 CSS pixels at twice the density; None if nothing draws."""
    return _draw("icon", status)


def _draw(name: str, argument: Any) -> bytes | None:
    path = getattr(settings, "MAIL_CHART", "")
    if not path:
        return None
    try:
        drawer: Callable[[Any], bytes] = import_string(f"{path.rpartition('.')[0]}.{name}")
        return bytes(drawer(argument))
    except Exception:
        logger.exception("A mail goes out without its picture: %s failed", name)
        return None


def _worst_feature(transition: Transition) -> str:
    for listed in ("highImportance", "lowImportance"):
        found = transition.evidence.get(listed)
        if isinstance(found, list) and found and isinstance(found[0], dict):
            return str(found[0].get("name", ""))
    return ""


def _service_chart(transition: Transition, known: Snapshot, metric: str, feature: str) -> MailChart | None:
    server = known.series(q.service_over_time(ServiceMetric.SERVER_ERROR_RATE, DAYS))
    user = known.series(q.service_over_time(ServiceMetric.USER_ERROR_RATE, DAYS))
    if server is None:
        return None
    others = {point.start: point.number() for point in user.points} if user is not None else {}
    values = [
        None if point.number() is None else (point.number() or 0.0) + (others.get(point.start) or 0.0)
        for point in server.points
    ]
    starts = tuple(point.start for point in server.points)
    return MailChart(
        metric="Errors",
        caption="Share of requests answered with an error, by UTC day",
        status=transition.new,
        starts=starts,
        values=tuple(values),
        immature=(False,) * len(starts),
        is_rate=True,
    )


def _drift_chart(transition: Transition, known: Snapshot, metric: str, feature: str) -> MailChart | None:
    view = known.series(q.feature_drift_over_time(feature, DAYS)) if feature else None
    if view is None:
        return None
    rule = health.drift_rule(shaped(client.HealthSettings, known.payload(q.health_settings())))
    return MailChart(
        metric=f"PSI of {feature}",
        caption=f"Drift of {feature} from training, by UTC day",
        status=transition.new,
        starts=tuple(point.start for point in view.points),
        values=tuple(point.number("driftScore") for point in view.points),
        immature=(False,) * len(view.points),
        limits=(Limit("drifted", rule.drift_threshold, above=True),),
    )


def _accuracy_chart(transition: Transition, known: Snapshot, metric: str, feature: str) -> MailChart | None:
    view = known.series(q.accuracy_over_time(metric, DAYS)) if metric else None
    if view is None:
        return None
    rule = health.accuracy_rule(shaped(client.HealthSettings, known.payload(q.health_settings())), metric)
    baseline = health.baseline_of(view.frame)
    lower_is_worse = ACCURACY_METRICS[metric].direction is Direction.HIGHER
    limits = []
    for status, threshold in (("failing", rule.failing_threshold), ("warning", rule.warning_threshold)):
        value = _limit_value(threshold, rule.measurement, baseline, -1 if lower_is_worse else 1)
        if value is not None:
            limits.append(Limit(status, value, above=not lower_is_worse))
    lag_hours = transition.evidence.get("labelLagHours")
    mature_before = transition.at.timestamp() - 3600 * (lag_hours if isinstance(lag_hours, int | float) else 0)
    return MailChart(
        metric=metric,
        caption=f"{metric} by UTC day; hollow points still wait for labels",
        status=transition.new,
        starts=tuple(point.start for point in view.points),
        values=tuple(point.number() for point in view.points),
        immature=tuple(point.end.timestamp() > mature_before for point in view.points),
        baseline=baseline,
        limits=tuple(limits),
    )


def _limit_value(threshold: float | None, measurement: Measurement, baseline: float | None, sign: int) -> float | None:
    """A limit in the metric's own unit; percent limits lead away from the baseline to the bad side."""
    if threshold is None or measurement is Measurement.VALUE:
        return threshold
    return None if baseline is None else baseline + sign * abs(threshold) / 100 * abs(baseline)


# --- Areas that not every deployment has ---------------------------------------------------------------------------


def _further(transition: Transition, facts: Facts) -> Question | None:
    """The series behind the verdict; None where the evidence names none."""
    area, evidence = Area(transition.area), transition.evidence
    if area is Area.FAIRNESS:
        feature = (_first(evidence, "below") or {}).get("feature")
        metric = facts.areas.fairness_metrics[0] or None
        return q.fairness_over_time(str(feature), DAYS, metric=metric) if feature else None
    if area is Area.CUSTOM_METRICS:
        met = evidence.get("condition")
        return q.custom_over_time(str(met["metricId"]), DAYS) if isinstance(met, dict) and met.get("metricId") else None
    if area is Area.ACTUALS_TIMELINESS:
        return q.predictions_vs_actuals_over_time(DAYS)
    return q.predictions_over_time(DAYS)


def _further_chart(transition: Transition, known: Snapshot, question: Question) -> MailChart | None:
    view = known.series(question)
    if view is None:
        return None
    name, caption, read, limits = _reading(transition)
    return MailChart(
        metric=name,
        caption=f"{caption}, by UTC day",
        status=transition.new,
        starts=tuple(point.start for point in view.points),
        values=tuple(read(point) for point in view.points),
        immature=(False,) * len(view.points),
        limits=limits,
    )


def _reading(transition: Transition) -> tuple[str, str, Callable[[Point], float | None], tuple[Limit, ...]]:
    """What the number is called, what is drawn of it, how it is read from a bucket, and its limit."""
    area, evidence = Area(transition.area), transition.evidence
    if area is Area.FAIRNESS:
        one = _first(evidence, "below") or {}
        name = f"{one.get('feature')} {one.get('class')}"
        limit = Limit(transition.new, float(evidence.get("threshold") or 0.0), above=False)
        return name, f"Score of {name} against the most favoured class", partial(_score_of, one.get("class")), (limit,)
    if area is Area.CUSTOM_METRICS:
        met: dict[str, Any] = evidence.get("condition") or {}
        limit = Limit(
            transition.new, float(met.get("threshold") or 0.0), above=str(met.get("operator")).startswith("g")
        )
        return str(met.get("name")), str(met.get("name")), Point.number, (limit,)
    if area is Area.ACTUALS_TIMELINESS:
        caption = "Predictions that have an actual"
        return "Actuals", caption, lambda point: point.number("rowCountWithActual"), ()
    return "Predictions", "Predictions", lambda point: point.number("rowCount"), ()


def _score_of(name: object, point: Point) -> float | None:
    scores = point.values.get("scores")
    for one in scores if isinstance(scores, list) else []:
        if isinstance(one, dict) and one.get("label") == name and isinstance(one.get("value"), int | float):
            return float(one["value"])
    return None


def _first(evidence: dict[str, Any], name: str) -> dict[str, Any] | None:
    listed = evidence.get(name)
    return listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else None


_QUESTIONS: dict[Area, Callable[[str, str], list[Question]]] = {
    Area.SERVICE: lambda metric, feature: [
        q.service_over_time(ServiceMetric.SERVER_ERROR_RATE, DAYS),
        q.service_over_time(ServiceMetric.USER_ERROR_RATE, DAYS),
    ],
    Area.DRIFT: lambda metric, feature: [q.feature_drift_over_time(feature, DAYS)],
    Area.ACCURACY: lambda metric, feature: [q.accuracy_over_time(metric, DAYS)],
}
_CHARTS: dict[Area, Callable[[Transition, Snapshot, str, str], MailChart | None]] = {
    Area.SERVICE: _service_chart,
    Area.DRIFT: _drift_chart,
    Area.ACCURACY: _accuracy_chart,
}
