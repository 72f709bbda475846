"""Strips for days before the watcher saw them: verdicts rebuilt from stored day buckets, and marked as such. Pure.

A day's verdict is made from that day alone (live ones look back over the source's own window), by the same limits.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

from metrics.health import FeatureDrift, Verdict, judge_accuracy
from metrics.health import Status as Found
from monitoring import client
from monitoring import questions as q
from monitoring.clock import DAY
from monitoring.health import (
    Judged,
    accuracy_rule,
    baseline_of,
    bins_of,
    drift_rule,
    judge_drift_features,
    judge_service_numbers,
)
from monitoring.kept_buckets import Point
from monitoring.models import Area, Watched
from monitoring.poll.facts import shaped
from monitoring.poll.standing import DAYS, Facts
from monitoring.questions import Question, ServiceMetric
from monitoring.snapshots import SeriesView, Snapshot
from monitoring.verdicts import Day

_WINDOW = "that day"
_SERVICE = (
    ServiceMetric.TOTAL_REQUESTS,
    ServiceMetric.TOTAL_PREDICTIONS,
    ServiceMetric.USER_ERROR_RATE,
    ServiceMetric.SERVER_ERROR_RATE,
)


def day_questions(facts: Facts) -> list[Question]:
    """The series that `rebuild` reads."""
    asked = [q.health_settings(), *(q.service_over_time(metric, DAYS) for metric in _SERVICE)]
    asked += [q.feature_drift_over_time(name, DAYS) for name in facts.features]
    return asked + ([q.accuracy_over_time(facts.judged_metric, DAYS)] if facts.judged_metric else [])


EVERYTHING = frozenset(Area)
IMMATURE = Judged(Verdict(Found.UNKNOWN, "Labels of that day are not complete yet."))


def rebuild(
    watched: Watched, known: Snapshot, facts: Facts, today: date, now: datetime, areas: Collection[Area] = EVERYTHING
) -> list[Day]:
    """One row a whole day before today and an area, where there was anything to judge."""
    if facts.batch:
        return []
    found: dict[Area, dict[date, Judged]] = {}
    if Area.SERVICE in areas:
        found[Area.SERVICE] = _service(watched, known)
    if Area.DRIFT in areas and facts.drift_on is not False:
        found[Area.DRIFT] = _drift(known, facts)
    if Area.ACCURACY in areas and facts.judged_metric:
        found[Area.ACCURACY] = _accuracy(known, facts, now)
    return [
        day_of(watched, area, day, judged)
        for area, by_day in found.items()
        for day, judged in sorted(by_day.items())
        if day < today
    ]


def day_of(watched: Watched, area: Area, day: date, judged: Judged) -> Day:
    """A reconstructed day."""
    verdict = judged.verdict
    return Day(watched.pk, area.value, day, verdict.status.value, verdict.reason, judged.value, reconstructed=True)


def _service(watched: Watched, known: Snapshot) -> dict[date, Judged]:
    series = {metric: _by_day(known.series(q.service_over_time(metric, DAYS))) for metric in _SERVICE}
    requests = series[ServiceMetric.TOTAL_REQUESTS]
    first = next((day for day, point in sorted(requests.items()) if point.number()), None)
    return {
        day: judge_service_numbers(
            requests=point.number(),
            predictions=_number(series[ServiceMetric.TOTAL_PREDICTIONS].get(day)),
            user_error_rate=_number(series[ServiceMetric.USER_ERROR_RATE].get(day)),
            server_error_rate=_number(series[ServiceMetric.SERVER_ERROR_RATE].get(day)),
            ever=first is not None and first <= day,
            window=_WINDOW,
        )
        for day, point in requests.items()
        if point.number() is not None
    }


def _drift(known: Snapshot, facts: Facts) -> dict[date, Judged]:
    rule = drift_rule(shaped(client.HealthSettings, known.payload(q.health_settings())))
    days: dict[date, list[FeatureDrift]] = {}
    for name in facts.features:
        for day, feature in features_by_day(known.series(q.feature_drift_over_time(name, DAYS)), name):
            days.setdefault(day, []).append(feature)
    seen = [day for day, features in days.items() if any(one.rows for one in features)]
    return {
        day: judge_drift_features(features, rule, window=_WINDOW, ever=bool(seen) and min(seen) <= day)
        for day, features in days.items()
    }


def features_by_day(view: SeriesView | None, name: str) -> list[tuple[date, FeatureDrift]]:
    """The drift of one feature on each day of its series."""
    impact, kind = _of_feature(view, "summaries", "featureImpact"), _of_feature(view, "features", "featureType")
    return [(day, _feature(name, point, impact, kind)) for day, point in _by_day(view).items()]


def _feature(name: str, point: Point, impact: object, kind: object) -> FeatureDrift:
    own = point.number("featureImpact")
    return FeatureDrift(
        name=name,
        score=point.number("driftScore"),
        importance=own if own is not None else float(impact) if isinstance(impact, int | float) else None,
        rows=_whole(point.number("sampleSize")),
        baseline_rows=_whole(point.number("baselineSampleSize")),
        bins=bins_of(kind if isinstance(kind, str) else None),
    )


def _of_feature(view: SeriesView | None, listed: str, name: str) -> object:
    """A property of the feature from one of the lists around its buckets; None where it is missing."""
    entries = view.frame.get(listed) if view is not None else None
    first = entries[0] if isinstance(entries, list) and entries else None
    return first.get(name) if isinstance(first, dict) else None


def _accuracy(known: Snapshot, facts: Facts, now: datetime) -> dict[date, Judged]:
    view = known.series(q.accuracy_over_time(facts.judged_metric, DAYS))
    if view is None:
        return {}
    rule = accuracy_rule(shaped(client.HealthSettings, known.payload(q.health_settings())), facts.judged_metric)
    baseline, lag = baseline_of(view.frame), facts.label_lag or timedelta(0)
    found = {}
    for day, point in _by_day(view).items():
        rows = _whole(point.number("sampleSize")) or 0
        verdict = judge_accuracy(point.number(), baseline, rule, rows=rows, window=_WINDOW, ever=rows > 0)
        mature = point.start + DAY + lag <= now
        found[day] = Judged(verdict, facts.judged_metric, point.number()) if mature else IMMATURE
    return found


def _by_day(view: SeriesView | None) -> dict[date, Point]:
    return {point.start.date(): point for point in view.points} if view is not None else {}


def _number(point: Point | None) -> float | None:
    return point.number() if point is not None else None


def _whole(number: float | None) -> int | None:
    return round(number) if number is not None else None


def only_gaps(rebuilt: Sequence[Day], live: Sequence[tuple[str, object]]) -> list[Day]:
    """Leaves out the days that were judged live: what was said then stays said."""
    said = set(live)
    return [row for row in rebuilt if (row.area, row.day) not in said]
