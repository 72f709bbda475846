"""The service's own verdicts on a deployment, one an area, by the rules of `metrics.health`.

Verdicts are worked out when states or time move, and kept on the deployment's row, so that lists filter and sort by
them in SQL. A deployment with batch monitoring is judged by its latest batches instead of by a time window.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q

from deployments import timeliness
from deployments.custom_metrics import judging
from deployments.models import DeployedModel, Deployment, MonitoringBatch
from deployments.reports import accuracy, drift, fairness
from deployments.reports.drift import Tracked
from deployments.rollups import read
from deployments.rollups.read import Scope
from deployments.rollups.states import PredictionState, ServiceState
from deployments.settings_schema import HealthSettings, Settings, parse
from metrics import (
    JUDGED_METRIC,
    MINIMUM_ROWS,
    AccuracyRule,
    DriftRule,
    FeatureDrift,
    Measurement,
    ServiceFacts,
    Status,
    Verdict,
    judge_accuracy,
    judge_drift,
    judge_service,
    occupied_bins,
    parse_interval,
)
from metrics.buckets import Bucket, top_of_next_hour
from metrics.service import column

logger = logging.getLogger(__name__)

STALE_AFTER = timedelta(minutes=5)
JUDGED_TOGETHER = 100
SERVICE_WINDOW = timedelta(hours=24)
MOST_BATCHES = 100
GAP = "\u202f"
DATES = ("startDate", "endDate")


@dataclass(frozen=True)
class Case:
    """What is judged: the champion with its rules, up to the next whole hour."""

    deployment: Deployment
    model: DeployedModel
    settings: Settings
    rules: HealthSettings
    now: datetime

    @property
    def end(self) -> datetime:
        """The next whole hour."""
        return top_of_next_hour(self.now)

    @property
    def scope(self) -> Scope:
        """All rows of the champion."""
        return Scope(self.deployment, self.model)

    def batches(self, count: str) -> list[MonitoringBatch]:
        """The latest batches that hold rows."""
        rows = MonitoringBatch.objects.filter(deployment=self.deployment, predictions_count__gt=0)
        return list(rows.order_by("-created_at", "-pk")[: int(count)])

    @property
    def interval(self) -> Bucket:
        """The window of drift and accuracy."""
        window = self.rules.data_drift.time_interval.value
        return self.end - timedelta(hours=parse_interval(window).hours), self.end


@dataclass(frozen=True)
class Judged:
    """A verdict and the period that it speaks of."""

    verdict: Verdict
    period: tuple[datetime | None, datetime | None]

    def as_json(self) -> dict[str, object]:
        """As it is kept on the deployment."""
        start, end = self.period
        return {
            "status": self.verdict.status.value,
            "message": self.verdict.reason,
            "startDate": None if start is None else start.isoformat(),
            "endDate": None if end is None else end.isoformat(),
        }


def refresh(pk: int, now: datetime) -> None:
    """Judge one deployment and keep the verdicts; nothing for one that is deleted or has no champion."""
    deployment = (
        Deployment.objects.filter(pk=pk, deleted_at=None).select_related("champion", "champion__package").first()
    )
    if deployment is None or deployment.champion is None:
        return
    found = {area: judged.as_json() for area, judged in judge(deployment, deployment.champion, now).items()}
    Deployment.objects.filter(pk=pk).update(
        health=found,
        health_at=now,
        **{f"{area}_status": verdict["status"] for area, verdict in found.items()},
    )
    if deployment.batch_monitoring:
        _judge_batches(deployment, deployment.champion)


def stale(now: datetime, among: Sequence[int] | None = None) -> list[int]:
    """The deployments whose verdicts are older than STALE_AFTER, the oldest first: windows move on without data."""
    old = Q(health_at=None) | Q(health_at__lt=now - STALE_AFTER)
    found = Deployment.objects.filter(old, deleted_at=None, champion__isnull=False)
    if among is not None:
        found = found.filter(pk__in=among)
    return list(found.order_by(F("health_at").asc(nulls_first=True), "pk").values_list("pk", flat=True))


def portions(now: datetime) -> list[list[int]]:
    """All stale deployments, JUDGED_TOGETHER at a time: each portion is one task, so that all workers share them."""
    waiting = stale(now)
    return [waiting[start : start + JUDGED_TOGETHER] for start in range(0, len(waiting), JUDGED_TOGETHER)]


def refresh_stale(pks: Sequence[int], now: datetime) -> None:
    """Judge those of these deployments that are still stale; one that cannot be judged is no reason to leave others."""
    for pk in stale(now, pks):
        try:
            refresh(pk, now)
        except Exception:
            logger.exception("Deployment %s could not be judged.", pk)


def judge(deployment: Deployment, champion: DeployedModel, now: datetime) -> Mapping[str, Judged]:
    """The verdicts by area."""
    case = Case(
        deployment,
        champion,
        parse(Settings, deployment.settings),
        parse(HealthSettings, deployment.health_settings),
        now,
    )
    return {area: judged(case) for area, judged in AREAS.items()}


def _service(case: Case) -> Judged:
    window = f"24{GAP}h"
    if case.deployment.batch_monitoring:
        batches = case.batches(case.rules.service.batch_count)
        state, period, window = read.service_of_batches(case.scope, batches), _span(batches), _last(batches)
    else:
        period = (case.end - SERVICE_WINDOW, case.end)
        state = read.service_over(case.scope, [period])[0]
    facts = service_facts(state, ever=case.deployment.last_request_at is not None)
    timely, last = case.rules.predictions_timeliness.enabled, _last_of_service(case)
    verdict = judge_service(facts, window=window, timely=timely, last=None if last is None else last.verdict)
    return last if last is not None and verdict is last.verdict else Judged(verdict, period)


def _last_of_service(case: Case) -> Judged | None:
    """What was last said of the service, as it is kept on the deployment."""
    known = case.deployment.health.get("service")
    if not known:
        return None
    start, end = (None if known[name] is None else datetime.fromisoformat(known[name]) for name in DATES)
    return Judged(Verdict(Status(known["status"]), known["message"]), (start, end))


def service_facts(state: ServiceState, *, ever: bool) -> ServiceFacts:
    """What the rule needs of a state."""
    return ServiceFacts(
        requests=int(column(state.sums, "requests")),
        user_errors=int(column(state.sums, "user_errors")),
        server_errors=int(column(state.sums, "server_errors")),
        predictions=int(column(state.sums, "predictions")),
        ever=ever,
    )


def _drift(case: Case) -> Judged:
    rule, package = case.rules.data_drift, case.model.package
    features = drift.tracked_features(package, None) if case.settings.feature_drift.enabled else []
    if case.settings.target_drift.enabled:
        features.append(drift.tracked_target(package, None))
    state, period, window = _predictions(case)
    usable = [feature for feature in features if feature.bins is not None and feature.counts is not None]
    if not features:
        return Judged(Verdict(Status.UNAVAILABLE, "Drift tracking is switched off."), period)
    if not usable:
        missing = "The model was registered without training data and holdout, so there is nothing to compare with."
        return Judged(Verdict(Status.UNAVAILABLE, missing), period)
    verdict = judge_drift(
        [_scored(feature, state) for feature in usable],
        DriftRule(
            drift_threshold=rule.drift_threshold,
            importance_threshold=rule.importance_threshold,
            high_importance_failing_count=rule.high_importance_failing_count,
            high_importance_warning_count=rule.high_importance_warning_count,
            low_importance_failing_count=rule.low_importance_failing_count,
            low_importance_warning_count=rule.low_importance_warning_count,
            excluded_features=frozenset(rule.excluded_features),
            starred_features=frozenset(rule.starred_features),
        ),
        predictions=state.n_rows,
        window=window,
        ever=case.deployment.first_prediction_at is not None,
    )
    return Judged(verdict, period)


def _predictions(case: Case) -> tuple[PredictionState, tuple[datetime | None, datetime | None], str]:
    """The rows that drift is judged on, their period, and how a sentence names it."""
    if not case.deployment.batch_monitoring:
        return read.predictions_over(case.scope, [case.interval])[0], case.interval, _words(case.interval)
    batches = case.batches(case.rules.data_drift.batch_count)
    states = read.predictions_by_batch(case.scope, batches)
    return read.merged_predictions(states, case.model), _span(batches), _last(batches)


def _scored(feature: Tracked, state: PredictionState) -> FeatureDrift:
    """A feature's PSI with what decides whether chance explains it."""
    live = drift.live_counts(feature, [state])[0]
    assert feature.counts is not None
    return FeatureDrift(
        name=feature.name,
        score=drift.scores(feature, [state], "psi")[0],
        importance=feature.impact,
        rows=int(live.sum()),
        baseline_rows=int(feature.counts.sum()),
        bins=int(occupied_bins(feature.counts, live)),
        is_target=feature.is_target,
    )


def _accuracy(case: Case) -> Judged:
    rule, package = case.rules.accuracy, case.model.package
    metric = rule.metric or JUDGED_METRIC.get(package.kind)
    period: tuple[datetime | None, datetime | None] = case.interval
    if metric is None:
        return Judged(Verdict(Status.UNAVAILABLE, f"No accuracy metric for a {package.target_type} target."), period)
    if case.deployment.batch_monitoring:
        batches = case.batches(rule.batch_count)
        state = read.merged_accuracy(read.accuracy_by_batch(case.scope, batches), package)
        period, window = _span(batches), _last(batches)
    else:
        state, window = read.accuracy_over(case.scope, [case.interval])[0], _words(case.interval)
    limits = AccuracyRule(
        metric=metric,
        measurement=Measurement((rule.measurement or Measurement.PERCENT).value),
        warning_threshold=rule.warning_threshold,
        failing_threshold=rule.failing_threshold,
    )
    value = accuracy.measure(package, [state], metric, ()).values[0]
    baseline = accuracy.baseline_of(package, metric)
    ever = case.deployment.last_actual_at is not None
    least = 1 if package.time_series else MINIMUM_ROWS
    verdict = judge_accuracy(value, baseline, limits, rows=state.n_actual, window=window, ever=ever, least=least)
    return Judged(verdict, period)


def _fairness(case: Case) -> Judged:
    return Judged(fairness.judge(case.scope, case.settings, case.rules.fairness, case.interval), case.interval)


def _custom_metrics(case: Case) -> Judged:
    """Over the window of drift, or over its batches."""
    rule = case.rules.custom_metrics
    if case.deployment.batch_monitoring:
        batches = case.batches(case.rules.data_drift.batch_count)
        return Judged(judging.judge(case.model, rule, batches, _last(batches)), _span(batches))
    return Judged(judging.judge(case.model, rule, case.interval, _words(case.interval)), case.interval)


def _predictions_timeliness(case: Case) -> Judged:
    return Judged(*timeliness.of_predictions(case.deployment, case.rules.predictions_timeliness, case.now))


def _actuals_timeliness(case: Case) -> Judged:
    return Judged(*timeliness.of_actuals(case.deployment, case.settings, case.rules.actuals_timeliness, case.now))


AREAS: Mapping[str, Callable[[Case], Judged]] = {
    "service": _service,
    "model": _drift,
    "accuracy": _accuracy,
    "fairness": _fairness,
    "custom_metrics": _custom_metrics,
    "predictions_timeliness": _predictions_timeliness,
    "actuals_timeliness": _actuals_timeliness,
}
"""Each area with its judge; the verdict's status is kept in the column `<area>_status`."""


def _judge_batches(deployment: Deployment, champion: DeployedModel) -> None:
    """Each recent batch's own service status."""
    batches = list(MonitoringBatch.objects.filter(deployment=deployment).order_by("-created_at", "-pk")[:MOST_BATCHES])
    for batch, state in zip(batches, read.service_by_batch(Scope(deployment, champion), batches), strict=True):
        facts = service_facts(state, ever=batch.predictions_count > 0)
        verdict = judge_service(facts, window="this batch")
        if (batch.service_status, batch.service_message) != (verdict.status.value, verdict.reason):
            batch.service_status, batch.service_message = verdict.status.value, verdict.reason
            batch.save(update_fields=["service_status", "service_message"])


def _span(batches: Sequence[MonitoringBatch]) -> tuple[datetime | None, datetime | None]:
    starts = [batch.earliest_prediction_at for batch in batches if batch.earliest_prediction_at is not None]
    ends = [batch.latest_prediction_at for batch in batches if batch.latest_prediction_at is not None]
    return min(starts, default=None), max(ends, default=None)


def _last(batches: Sequence[MonitoringBatch]) -> str:
    return "the last batch" if len(batches) == 1 else f"the last {len(batches)} batches"


def _words(interval: Bucket) -> str:
    hours = round((interval[1] - interval[0]).total_seconds() / 3600)
    return f"{hours}{GAP}h" if hours < 48 else f"{hours // 24}{GAP}d"
