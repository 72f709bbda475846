"""The verdicts on silence: when the last predictions and actuals came, against the expected frequency."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from metrics import DurationError
from metrics import parse_duration as parse_frequency
from metrics.health import Status, Verdict, judge_timeliness
from monitoring import questions as q
from monitoring.health.parts import Judged
from monitoring.kept_buckets import Point
from monitoring.models import Area, Watched
from monitoring.poll.standing import DAYS, HOURS, Facts
from monitoring.questions import Bucket, Question
from monitoring.snapshots import Snapshot

_LABELS = (q.predictions_vs_actuals_over_time(HOURS, Bucket.HOUR), q.predictions_vs_actuals_over_time(DAYS))


def timeliness_questions(facts: Facts) -> list[Question]:
    """The series that tell when actuals came."""
    return list(_LABELS) if facts.areas.actuals_every and not facts.batch else []


def predictions_timeliness(watched: Watched, known: Snapshot, facts: Facts) -> Judged:
    """From the time of the last prediction that the deployment list tells."""
    every = facts.areas.predictions_every
    if not every:
        return Judged(Verdict(Status.UNAVAILABLE, "Timeliness of predictions is switched off."))
    usage = watched.listing.get("predictionUsage") if isinstance(watched.listing, dict) else None
    told = isinstance(usage, dict) and "lastTimestamp" in usage
    if watched.last_prediction_at is None and not told:
        return Judged(Verdict(Status.UNKNOWN, "The source does not tell when the last prediction came."))
    return Judged(_judged(every, watched.last_prediction_at, known.now, "predictions"))


def actuals_timeliness(watched: Watched, known: Snapshot, facts: Facts) -> Judged:
    """The source's own verdict, for it alone knows when actuals came; else from what was seen of labels.

    A label is seen when the count of a bucket changes; in answers of the first look it came about one learned lag
    after its bucket.
    """
    every = facts.areas.actuals_every
    if not every:
        return Judged(Verdict(Status.UNAVAILABLE, "Timeliness of actuals is switched off."))
    if facts.has_association is False:
        return Judged(Verdict(Status.UNAVAILABLE, "No association id is set, so actuals cannot be matched."))
    said = watched.source_health.get(Area.ACTUALS_TIMELINESS.value) if isinstance(watched.source_health, dict) else None
    if said and said.get("status") in {*(status.value for status in Status if status.is_verdict), "unavailable"}:
        reason = said.get("message") or "So the source says."
        return Judged(Verdict(Status(said["status"]), reason, {"judgedBy": "source", "expected": every}))
    views = [view for question in _LABELS if (view := known.series(question)) is not None]
    if not views:
        return Judged(Verdict(Status.UNKNOWN, "The source does not tell when the last actuals came."))
    lag = facts.label_lag or timedelta(0)
    last = max((_seen(point, lag) for view in views for point in view.points if _labelled(point)), default=None)
    verdict = _judged(every, last, known.now, "actuals")
    if last is None:
        return Judged(verdict)
    return Judged(replace(verdict, reason=f"{verdict.reason} When they came is estimated from what was seen."))


def _labelled(point: Point) -> bool:
    return bool(point.number("rowCountWithActual"))


def _seen(point: Point, lag: timedelta) -> datetime:
    """The latest moment at which labels of the bucket are known to have come."""
    if point.reconstructed:
        return min(point.known_at, point.end + lag)
    return point.known_at if point.end <= point.known_at else point.start


def _judged(every: str, last: datetime | None, now: datetime, what: str) -> Verdict:
    since = last or now
    try:
        expected = parse_frequency(every).after(since) - since
    except DurationError:
        return Verdict(Status.UNKNOWN, f"The expected frequency of {what}, {every[:40]}, cannot be read.")
    verdict = judge_timeliness(enabled=True, expected=expected, last_event=last, now=now, what=what)
    age = None if last is None else int((now - last).total_seconds())
    return replace(verdict, evidence={**verdict.evidence, "ageSeconds": age})
