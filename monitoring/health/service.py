"""The verdict on service health, from the counts and rates of the last 24 hours or the last batches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from metrics.health import ServiceFacts, Status, Verdict, judge_service
from metrics.wording import duration
from monitoring import client
from monitoring import questions as q
from monitoring.health.parts import Judged, batches_text, no_batches, not_answered
from monitoring.models import Watched
from monitoring.poll.facts import shaped
from monitoring.poll.standing import BATCH_SERVICE, Facts
from monitoring.questions import Last, ServiceMetric
from monitoring.snapshots import Snapshot

SERVICE_WINDOW = Last("P1D")


def service(watched: Watched, known: Snapshot, facts: Facts) -> Judged:
    """From the counts of the last 24 hours, or of the last batches."""
    if facts.batch:
        return _of_batches(watched, known, facts)
    question = q.service_stats(SERVICE_WINDOW)
    if (missing := not_answered(known, question, "Service health")) is not None:
        return Judged(missing)
    return _of_stats(watched, known.payload(question), duration(timedelta(days=1)))


def _of_batches(watched: Watched, known: Snapshot, facts: Facts) -> Judged:
    """From the figures of the batches together, or added up where the source tells them one by one only."""
    if not facts.service_batches:
        return Judged(no_batches(known))
    question, window = q.batch_service_stats(facts.service_batches), batches_text(len(facts.service_batches))
    if known.answer(question) is not None:
        return _of_stats(watched, known.payload(question), window)
    by_batch = {metric: _by_batch(known, metric, facts.service_batches) for metric in BATCH_SERVICE}
    requests = by_batch[ServiceMetric.TOTAL_REQUESTS]
    if not requests:
        return Judged(not_answered(known, question, "Service health") or no_batches(known))
    total = sum(requests.values())

    def rate(metric: ServiceMetric) -> float:
        found = sum(by_batch[metric].get(batch, 0.0) * count for batch, count in requests.items())
        return found / total if total else 0.0

    return judge_service_numbers(
        requests=total,
        predictions=sum(by_batch[ServiceMetric.TOTAL_PREDICTIONS].values()),
        user_error_rate=rate(ServiceMetric.USER_ERROR_RATE),
        server_error_rate=rate(ServiceMetric.SERVER_ERROR_RATE),
        ever=True,
        window=window,
    )


def _by_batch(known: Snapshot, metric: ServiceMetric, batch_ids: Sequence[str]) -> dict[str, float]:
    """The values of the named batches; batches without a value are left out."""
    buckets = known.payload(q.service_over_batch(metric)).get("buckets")
    found = {}
    for bucket in buckets if isinstance(buckets, list) else []:
        batch = bucket.get("batch") if isinstance(bucket, dict) else None
        name, value = (batch.get("id"), bucket.get("value")) if isinstance(batch, dict) else (None, None)
        if name in batch_ids and isinstance(value, int | float):
            found[str(name)] = float(value)
    return found


def _of_stats(watched: Watched, payload: dict[str, Any], window: str) -> Judged:
    stats = shaped(client.ServiceStats, payload).metrics or shaped(client.ServiceMetrics, {})
    return judge_service_numbers(
        requests=stats.total_requests,
        predictions=stats.total_predictions,
        user_error_rate=stats.user_error_rate,
        server_error_rate=stats.server_error_rate,
        ever=watched.last_prediction_at is not None or bool(stats.total_requests),
        window=window,
    )


def judge_service_numbers(
    *,
    requests: float | None,
    predictions: float | None,
    user_error_rate: float | None,
    server_error_rate: float | None,
    ever: bool,
    window: str,
) -> Judged:
    """From rates (0 … 1) of one period. Without a count of requests nothing can be judged."""
    if requests is None:
        return Judged(Verdict(Status.UNKNOWN, f"The source tells no number of requests in {window}."))
    errors = (user_error_rate or 0.0) + (server_error_rate or 0.0)
    facts = ServiceFacts(
        requests=round(requests),
        user_errors=round((user_error_rate or 0.0) * requests),
        server_errors=round((server_error_rate or 0.0) * requests),
        predictions=round(predictions or 0),
        ever=ever,
    )
    return Judged(judge_service(facts, window=window), "errors", errors if requests else None)
