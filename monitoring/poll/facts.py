"""What the stored answers say about a deployment, as the plan and the verdicts need it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from metrics.accuracy import ACCURACY_METRICS, JUDGED_METRIC, TargetType
from monitoring import conf
from monitoring import questions as q
from monitoring.client import Drift, DriftedFeature, HealthSettings, Malformed, Settings, parse
from monitoring.clock import HOUR, duration_or
from monitoring.kept_buckets import Point
from monitoring.models import Watched
from monitoring.poll.areas import area_fact_questions, area_facts
from monitoring.poll.standing import DAYS, DEFAULT_INTERVAL, HOURS, Facts
from monitoring.poll.things import thing_fact_questions, thing_facts
from monitoring.questions import Bucket, Last, Question
from monitoring.snapshots import Snapshot

#: Labels count as complete from the age on at which this share of the final coverage has arrived.
COMPLETE = 0.95
#: Fewer buckets with predictions teach nothing about the lag.
_LEAST_BUCKETS = 6
T = TypeVar("T")


def fact_questions(watched: Watched) -> list[Question]:
    """What `facts_of` reads; the drift window is only known once the health settings are."""
    return [
        q.settings(),
        q.health_settings(),
        q.batches(),
        *(q.feature_drift(Last(interval)) for interval in {DEFAULT_INTERVAL, _cached_interval(watched)}),
        q.predictions_vs_actuals_over_time(DAYS),
        q.predictions_vs_actuals_over_time(HOURS, Bucket.HOUR),
        q.predictions_vs_actuals_over_batch(),
        *area_fact_questions(),
        *thing_fact_questions(),
    ]


def facts_of(watched: Watched, known: Snapshot, now: datetime) -> Facts:
    """Facts from the snapshot; what the source has not said stays None or at the reference's default."""
    settings = shaped(Settings, known.payload(q.settings()))
    health = shaped(HealthSettings, known.payload(q.health_settings()))
    interval = judged_interval(health)
    starred = (health.data_drift.starred_features if health.data_drift else None) or []
    batches = batch_ids(known.payload(q.batches()))
    return Facts(
        target_type=watched.target_type,
        batch=watched.batch_monitoring,
        judged_metric=judged_metric(watched.target_type, health),
        interval=interval,
        drift_on=settings.feature_drift.enabled if settings.feature_drift else None,
        target_drift_on=settings.target_drift.enabled if settings.target_drift else None,
        has_association=_has_association(settings, known),
        features=top_features(_drifted(known, interval), starred),
        label_lag=label_lag(known, now),
        service_batches=batches[: count_of(health.service.batch_count if health.service else None)],
        drift_batches=batches[: count_of(health.data_drift.batch_count if health.data_drift else None)],
        accuracy_batches=batches[: count_of(health.accuracy.batch_count if health.accuracy else None)],
        areas=area_facts(settings, health, known),
        things=thing_facts(known),
    )


def _has_association(settings: Settings, known: Snapshot) -> bool | None:
    """Whether actuals can be matched: a column is named, or some have been. None while the source has not said."""
    if settings.association_id is None:
        return None
    return bool(settings.association_id.column_names) or _has_labels(known)


def _has_labels(known: Snapshot) -> bool:
    view = known.series(q.predictions_vs_actuals_over_time(DAYS))
    if view is not None and any(point.number("rowCountWithActual") for point in view.points):
        return True
    buckets = known.payload(q.predictions_vs_actuals_over_batch()).get("buckets")
    listed = buckets if isinstance(buckets, list) else []
    return any(isinstance(bucket, dict) and bucket.get("rowCountWithActual") for bucket in listed)


def shaped(shape: type[T], payload: dict[str, Any]) -> T:
    """The payload as its shape; an empty shape where it does not fit (its topic says so)."""
    try:
        return parse(shape, payload)
    except Malformed:
        return parse(shape, {})


def judged_interval(health: HealthSettings) -> str:
    """The window that drift and accuracy are judged over; the usual one where what the source says is no duration."""
    told = health.data_drift.time_interval if health.data_drift else None
    return told if told and duration_or(told, timedelta(0)) else DEFAULT_INTERVAL


def judged_metric(target_type: str, health: HealthSettings) -> str:
    """The metric that health looks at: the chosen one, else the usual one of the target; "" if there is none."""
    chosen = health.accuracy.metric if health.accuracy else None
    if chosen in ACCURACY_METRICS:
        return str(chosen)
    try:
        return JUDGED_METRIC.get(TargetType(target_type), "")
    except ValueError:
        return ""


def top_features(drifted: Sequence[DriftedFeature], starred: Sequence[str]) -> tuple[str, ...]:
    """The features whose drift over time is polled: starred ones, then those of highest impact."""
    ranked = sorted(drifted, key=lambda one: (one.name not in starred, -(one.feature_impact or 0.0)))
    return tuple(one.name for one in ranked[: conf.TOP_FEATURES] if one.name)


def _drifted(known: Snapshot, interval: str) -> Sequence[DriftedFeature]:
    for window in (interval, DEFAULT_INTERVAL):
        if data := shaped(Drift, known.payload(q.feature_drift(Last(window)))).data:
            return data
    return ()


def _cached_interval(watched: Watched) -> str:
    cached = watched.health.get("interval") if isinstance(watched.health, dict) else None
    return cached if isinstance(cached, str) else DEFAULT_INTERVAL


def count_of(value: str | int | None) -> int:
    """How many batches a verdict looks at; 1 where the source does not say."""
    return int(value) if value is not None and str(value).isdigit() and int(value) else 1


def batch_ids(payload: dict[str, Any]) -> tuple[str, ...]:
    """Newest first; a batch that says it holds nothing yet is not judged."""
    data = payload.get("data")
    entries = [one for one in data if isinstance(one, dict)] if isinstance(data, list) else []
    return tuple(str(one["id"]) for one in entries if one.get("id") and one.get("predictionsCount") != 0)


def label_lag(known: Snapshot, now: datetime) -> timedelta | None:
    """Learned from the newest label coverage by hour, else by day; None while there is too little to learn from."""
    for question in (q.predictions_vs_actuals_over_time(HOURS, Bucket.HOUR), q.predictions_vs_actuals_over_time(DAYS)):
        view = known.series(question)
        if view is not None and (learned := learn_lag(view.points, now)) is not None:
            return -(-learned // HOUR) * HOUR  # windows end on whole hours
    return None


def learn_lag(points: Sequence[Point], now: datetime) -> timedelta | None:
    """The age of the newest two neighbouring buckets that hold COMPLETE of the coverage that old buckets have.

    The final coverage is the median of the older half of the buckets. Looking back from now, a day that lost labels
    for good (cancelled flights, say) does not make all later days look unfinished. None if there are few buckets, no
    labels, or no such buckets.
    """
    shares = [(point.end, share) for point in points if (share := _coverage(point)) is not None]
    if len(shares) < _LEAST_BUCKETS:
        return None
    older = sorted(share for _, share in shares[: len(shares) // 2])
    final = older[len(older) // 2]
    if final <= 0:
        return None
    complete = [share >= COMPLETE * final for _, share in shares]
    for index in range(len(shares) - 1, 0, -1):
        if complete[index] and complete[index - 1]:
            return max(timedelta(0), now - shares[index][0])
    return None


def _coverage(point: Point) -> float | None:
    total, labelled = point.number("rowCountTotal"), point.number("rowCountWithActual")
    return labelled / total if total and labelled is not None else None
