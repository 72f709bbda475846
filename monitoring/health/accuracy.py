"""The verdict on accuracy, from labels that are complete: the window ends one learned label lag ago."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from metrics.health import AccuracyRule, Measurement, Status, Verdict, judge_accuracy
from metrics.wording import duration
from monitoring import client
from monitoring import questions as q
from monitoring.clock import floor_day, parse_duration
from monitoring.health.parts import Judged, batches_text, no_batches, not_answered, period_of
from monitoring.models import Watched
from monitoring.poll.facts import shaped
from monitoring.poll.standing import DAYS, Facts
from monitoring.questions import Mature
from monitoring.snapshots import SeriesView, Snapshot


def accuracy_rule(settings: client.HealthSettings, metric: str) -> AccuracyRule:
    """The source's limits; 5 and 10 percent where it tells nothing."""
    rule = settings.accuracy
    if rule is None:
        return AccuracyRule(metric)
    measured = Measurement.VALUE if rule.measurement == Measurement.VALUE else Measurement.PERCENT
    return AccuracyRule(metric, measured, rule.warning_threshold, rule.failing_threshold)


def accuracy(watched: Watched, known: Snapshot, facts: Facts) -> Judged:
    if facts.has_association is False:
        return Judged(Verdict(Status.UNAVAILABLE, "No association id is set, so actuals cannot be matched."))
    if not facts.judged_metric:
        return Judged(
            Verdict(Status.UNAVAILABLE, f"No accuracy metric for a {watched.target_type or 'nameless'} target.")
        )
    question = q.accuracy(Mature(facts.interval, 0))
    if facts.batch:
        if not facts.accuracy_batches:
            return Judged(no_batches(known))
        question = q.batch_accuracy(facts.accuracy_batches)
    if (missing := not_answered(known, question, "Accuracy")) is not None:
        return Judged(missing)
    answer = shaped(client.Accuracy, known.payload(question))
    if facts.batch:
        rows, ever, waiting = _rows_of_batches(known, facts), True, 0
        return _judged(answer, known, facts, rows, ever, waiting, batches_text(len(facts.accuracy_batches)))
    rows, ever, waiting = _rows(known, answer)
    return _judged(answer, known, facts, rows, ever, waiting, duration(parse_duration(facts.interval)))


def judge_accuracy_of(answer: client.Accuracy, known: Snapshot, facts: Facts) -> Judged:
    """The same for an answer over any window, as history needs it."""
    rows, ever, waiting = _rows(known, answer)
    return _judged(answer, known, facts, rows, ever, waiting, duration(parse_duration(facts.interval)))


def _judged(
    answer: client.Accuracy, known: Snapshot, facts: Facts, rows: int, ever: bool, waiting: int, window: str
) -> Judged:
    found = (answer.metrics or {}).get(facts.judged_metric) or _from_series(known, facts, answer)
    rule = accuracy_rule(shaped(client.HealthSettings, known.payload(q.health_settings())), facts.judged_metric)
    verdict = judge_accuracy(found.value, found.baseline_value, rule, rows=rows, window=window, ever=ever)
    return Judged(_with_lag(verdict, facts, waiting), facts.judged_metric, found.value)


def _with_lag(verdict: Verdict, facts: Facts, waiting: int) -> Verdict:
    """Says what was left out, so that a verdict that differs from the source's explains itself."""
    evidence = dict(verdict.evidence)
    if facts.label_lag is not None:
        evidence["labelLagHours"] = round(facts.label_lag / timedelta(hours=1), 1)
    reason = verdict.reason
    if verdict.status is Status.NOT_STARTED and waiting:
        reason = f"No actuals yet; {waiting:,} predictions wait for labels."
    elif verdict.status.is_verdict and facts.label_lag is not None and facts.label_lag >= timedelta(hours=1):
        reason = f"{reason} Labels younger than {duration(facts.label_lag)} are left out."
    return replace(verdict, reason=reason, evidence=evidence)


def _from_series(known: Snapshot, facts: Facts, answer: client.Accuracy) -> client.AccuracyMetric:
    """A metric outside of the answer's default set: the mean of its days, each weighed by its scored rows."""
    view = known.series(q.accuracy_over_time(facts.judged_metric, DAYS))
    start, end = period_of(answer.period)
    if view is None or start is None or end is None:
        return client.AccuracyMetric()
    weighed = [
        (value, weight)
        for point in view.points
        if floor_day(start) <= point.start < end
        and (value := point.number()) is not None
        and (weight := point.number("sampleSize"))
    ]
    total = sum(weight for _, weight in weighed)
    value = sum(value * weight for value, weight in weighed) / total if total else None
    return client.AccuracyMetric(value=value, baseline_value=baseline_of(view.frame))


def baseline_of(frame: Mapping[str, object]) -> float | None:
    """The baseline that an accuracy series carries, in either of the reference's two places."""
    baselines, single = frame.get("baselines"), frame.get("baseline")
    first = baselines[0] if isinstance(baselines, list) and baselines else single
    value = first.get("value") if isinstance(first, dict) else None
    return float(value) if isinstance(value, int | float) else None


def _rows(known: Snapshot, answer: client.Accuracy) -> tuple[int, bool, int]:
    return rows_of(known.series(q.predictions_vs_actuals_over_time(DAYS)), answer)


def rows_of(view: SeriesView | None, answer: client.Accuracy) -> tuple[int, bool, int]:
    """Scored rows of the answer's period by whole days, whether labels ever came, and predictions without one."""
    start, end = period_of(answer.period)
    if view is None:
        return 0, False, 0
    counts = [
        (point.start, point.number("rowCountTotal") or 0, point.number("rowCountWithActual") or 0)
        for point in view.points
    ]
    labelled = sum(
        count for moment, _, count in counts if start is None or (floor_day(start) <= moment < (end or moment))
    )
    total, with_actual = sum(count for _, count, _ in counts), sum(count for _, _, count in counts)
    return round(labelled), with_actual > 0, round(total - with_actual)


def _rows_of_batches(known: Snapshot, facts: Facts) -> int:
    buckets = known.payload(q.accuracy_over_batch(facts.judged_metric)).get("buckets")
    chosen = [
        one.get("sampleSize") or 0
        for one in (buckets if isinstance(buckets, list) else [])
        if isinstance(one, dict) and one.get("batchId") in facts.accuracy_batches
    ]
    return round(sum(size for size in chosen if isinstance(size, int | float)))
