"""What a mail's chart shows, as plain numbers. The setting MAIL_CHART names the function that draws it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from metrics.accuracy import ACCURACY_METRICS, Direction
from metrics.health import Measurement
from monitoring import client, health, snapshots
from monitoring import questions as q
from monitoring.models import Area, Status, Watched
from monitoring.poll.facts import fact_questions, facts_of, shaped
from monitoring.poll.standing import DAYS
from monitoring.questions import Question, ServiceMetric
from monitoring.snapshots import Snapshot

_WORDS = {status.value: status.label.lower() for status in Status}
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the chart is to show: one area of a deployment, as it was judged at a time."""

    watched: Watched
    area: str
    status: str
    evidence: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class Limit:
    """A line of the chart. `above`: the bad side lies above it."""

    status: str
    value: float
    above: bool

    def breaks(self, value: float) -> bool:
        """Whether the value lies on its bad side."""
        return value > self.value if self.above else value < self.value


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
    def finding(self) -> str:
        """The title: since when the line is beyond the limit that it breaks, else that it stayed within."""
        days = [
            (start, value)
            for start, value, young in zip(self.starts, self.values, self.immature, strict=True)
            if value is not None and not young
        ]
        if not days or not self.limits:
            return f"{self.metric}, {len(self.starts)} days"
        broken = [limit for limit in self.limits if limit.breaks(days[-1][1])]
        if not broken:
            return f"{self.metric} is within its limits on the last judged day"
        limit = broken[0]
        run = list(takewhile(lambda day: limit.breaks(day[1]), reversed(days)))
        first = run[-1][0]
        side = "above" if limit.above else "below"
        return f"{self.metric} has been {side} {limit.value:.3g} since {first:%a} {first.day} {first:%b}"

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


def chart_of(verdict: Verdict, now: datetime) -> MailChart | None:
    """The series behind the verdict; None where nothing is stored to draw, or the area has no series of its own."""
    watched = verdict.watched
    if verdict.area not in _CHARTS:
        return None
    facts = facts_of(watched, snapshots.read(watched, fact_questions(watched), now=now), now)
    name = _worst_feature(verdict) or next(iter(facts.features), "")
    questions = [q.health_settings(), *_QUESTIONS[verdict.area](facts.judged_metric, name)]
    known = snapshots.read(watched, questions, now=now)
    chart = _CHARTS[verdict.area](verdict, known, facts.judged_metric, name)
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


def _worst_feature(verdict: Verdict) -> str:
    for listed in ("highImportance", "lowImportance"):
        found = verdict.evidence.get(listed)
        if isinstance(found, list) and found and isinstance(found[0], dict):
            return str(found[0].get("name", ""))
    return ""


def _service_chart(verdict: Verdict, known: Snapshot, metric: str, feature: str) -> MailChart | None:
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
        status=verdict.status,
        starts=starts,
        values=tuple(values),
        immature=(False,) * len(starts),
        is_rate=True,
    )


def _drift_chart(verdict: Verdict, known: Snapshot, metric: str, feature: str) -> MailChart | None:
    view = known.series(q.feature_drift_over_time(feature, DAYS)) if feature else None
    if view is None:
        return None
    rule = health.drift_rule(shaped(client.HealthSettings, known.payload(q.health_settings())))
    return MailChart(
        metric=f"PSI of {feature}",
        caption=f"Drift of {feature} from training, by UTC day",
        status=verdict.status,
        starts=tuple(point.start for point in view.points),
        values=tuple(point.number("driftScore") for point in view.points),
        immature=(False,) * len(view.points),
        limits=(Limit("drifted", rule.drift_threshold, above=True),),
    )


def _accuracy_chart(verdict: Verdict, known: Snapshot, metric: str, feature: str) -> MailChart | None:
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
    lag_hours = verdict.evidence.get("labelLagHours")
    mature_before = verdict.at.timestamp() - 3600 * (lag_hours if isinstance(lag_hours, int | float) else 0)
    return MailChart(
        metric=metric,
        caption=f"{metric} by UTC day; hollow points still wait for labels",
        status=verdict.status,
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


_QUESTIONS: dict[str, Callable[[str, str], list[Question]]] = {
    Area.SERVICE: lambda metric, feature: [
        q.service_over_time(ServiceMetric.SERVER_ERROR_RATE, DAYS),
        q.service_over_time(ServiceMetric.USER_ERROR_RATE, DAYS),
    ],
    Area.DRIFT: lambda metric, feature: [q.feature_drift_over_time(feature, DAYS)],
    Area.ACCURACY: lambda metric, feature: [q.accuracy_over_time(metric, DAYS)],
}
_CHARTS: dict[str, Callable[[Verdict, Snapshot, str, str], MailChart | None]] = {
    Area.SERVICE: _service_chart,
    Area.DRIFT: _drift_chart,
    Area.ACCURACY: _accuracy_chart,
}
