"""The verdicts, case by case: facts, limits, status and sentence."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from metrics import (
    AccuracyRule,
    DriftRule,
    FeatureDrift,
    FeatureStatus,
    Measurement,
    ServiceFacts,
    Status,
    Verdict,
    feature_noise,
    feature_status,
    judge_accuracy,
    judge_drift,
    judge_service,
    judge_timeliness,
    worst,
)
from metrics.health import USUAL_BINS
from metrics.wording import NARROW

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
WARNING = Verdict(Status.WARNING, "2 user errors in 24 h.")


def plain(reason: str) -> str:
    return reason.replace(NARROW, " ")


@pytest.mark.parametrize(
    ("facts", "status", "reason"),
    [
        # Nothing ever came: waiting, not broken.
        (ServiceFacts(0, 0, 0, ever=False), Status.NOT_STARTED, "No request received yet."),
        # Silence in the window says nothing about errors.
        (ServiceFacts(0, 0, 0), Status.UNKNOWN, "No request in 24 h."),
        (ServiceFacts(1200, 0, 0), Status.PASSING, "No error in 1,200 requests in 24 h."),
        (ServiceFacts(1, 0, 0), Status.PASSING, "No error in 1 request in 24 h."),
        # One user error is a warning, one server error is failing whatever else there is.
        (ServiceFacts(2000, 1, 0), Status.WARNING, "1 user error in 24 h, < 0.1 % of 2,000 requests; limit 1."),
        (ServiceFacts(200, 50, 3), Status.FAILING, "3 server errors in 24 h, 1.5 % of 200 requests; limit 1."),
    ],
)
def test_service(facts: ServiceFacts, status: Status, reason: str) -> None:
    verdict = judge_service(facts)
    assert (verdict.status, plain(verdict.reason)) == (status, reason)


@pytest.mark.parametrize(
    ("timely", "last", "status"),
    [
        (True, WARNING, Status.WARNING),
        (False, WARNING, Status.UNKNOWN),
        (True, None, Status.UNKNOWN),
        (True, Verdict(Status.NOT_STARTED, ""), Status.UNKNOWN),
    ],
)
def test_where_silence_is_watched_the_last_service_verdict_stays(
    timely: bool, last: Verdict | None, status: Status
) -> None:
    assert judge_service(ServiceFacts(0, 0, 0), timely=timely, last=last).status is status


DELAY = FeatureDrift("dep_delay", 0.31, importance=1.0)
WIND = FeatureDrift("wind", 0.22, importance=0.1)
CALM = FeatureDrift("hour", 0.08, importance=0.9)


@pytest.mark.parametrize(
    ("features", "rule", "status", "reason"),
    [
        ([CALM], DriftRule(), Status.PASSING, "No feature above PSI 0.15; highest hour 0.08."),
        # A score at the threshold has not drifted.
        ([replace(CALM, score=0.15)], DriftRule(), Status.PASSING, "No feature above PSI 0.15; highest hour 0.15."),
        (
            [CALM, DELAY, WIND],
            DriftRule(),
            Status.FAILING,
            "1 high-importance feature above PSI 0.15, limit 1: dep_delay 0.31.",
        ),
        ([CALM, WIND], DriftRule(), Status.WARNING, "1 low-importance feature above PSI 0.15, limit 1: wind 0.22."),
        # A star makes any feature important, an unknown importance is low.
        (
            [WIND],
            DriftRule(starred_features=frozenset({"wind"})),
            Status.FAILING,
            "1 high-importance feature above PSI 0.15, limit 1: wind 0.22.",
        ),
        (
            [replace(DELAY, importance=None)],
            DriftRule(),
            Status.WARNING,
            "1 low-importance feature above PSI 0.15, limit 1: dep_delay 0.31.",
        ),
        # The target is as important as can be.
        (
            [FeatureDrift("late", 0.4, is_target=True)],
            DriftRule(),
            Status.FAILING,
            "1 high-importance feature above PSI 0.15, limit 1: late 0.40.",
        ),
        # What is excluded is not counted, whatever its score.
        (
            [CALM, DELAY],
            DriftRule(excluded_features=frozenset({"dep_delay"})),
            Status.PASSING,
            "No feature above PSI 0.15; highest hour 0.08.",
        ),
        # Limits are reached by "at least"; a limit that is off is never reached.
        (
            [DELAY, WIND],
            DriftRule(high_importance_failing_count=2, low_importance_warning_count=None),
            Status.PASSING,
            "2 features above PSI 0.15, within the limits: dep_delay 0.31, wind 0.22.",
        ),
        (
            [DELAY, WIND],
            DriftRule(high_importance_failing_count=None, high_importance_warning_count=1),
            Status.WARNING,
            "1 high-importance feature above PSI 0.15, limit 1: dep_delay 0.31.",
        ),
        (
            [replace(WIND, name=name) for name in "dcba"],
            DriftRule(low_importance_failing_count=4),
            Status.FAILING,
            "4 low-importance features above PSI 0.15, limit 4: a 0.22, b 0.22, c 0.22 and 1 more.",
        ),
        # Importance exactly at its threshold is high.
        (
            [replace(WIND, importance=0.5)],
            DriftRule(),
            Status.FAILING,
            "1 high-importance feature above PSI 0.15, limit 1: wind 0.22.",
        ),
        # Undefined scores are no evidence of calm.
        ([replace(DELAY, score=None)], DriftRule(), Status.UNKNOWN, "No drift score in 7 d: nothing to compare."),
        (
            [replace(DELAY, score=float("nan"))],
            DriftRule(),
            Status.UNKNOWN,
            "No drift score in 7 d: nothing to compare.",
        ),
        ([], DriftRule(), Status.UNKNOWN, "No drift score in 7 d: nothing to compare."),
    ],
)
def test_drift(features: list[FeatureDrift], rule: DriftRule, status: Status, reason: str) -> None:
    for order in (features, features[::-1]):
        verdict = judge_drift(order, rule, predictions=500)
        assert (verdict.status, plain(verdict.reason)) == (status, reason)


def test_a_score_that_sampling_explains_does_not_count_as_drift() -> None:
    few = FeatureDrift("wind", 0.22, importance=1.0, rows=110, baseline_rows=100_000, bins=13)
    assert feature_noise(few) == pytest.approx(0.2386, abs=1e-3)
    assert feature_status(few, DriftRule()) is FeatureStatus.NOISE
    verdict = judge_drift([few], DriftRule(), predictions=110)
    assert verdict.status is Status.PASSING
    assert plain(verdict.reason) == "1 feature above PSI 0.15, within sampling noise: wind 0.22 < 0.24."
    many = replace(few, rows=400)
    assert feature_status(many, DriftRule()) is FeatureStatus.FAILING


def test_without_sizes_there_is_no_noise_to_compare_with() -> None:
    assert feature_noise(WIND) == 0
    assert set(USUAL_BINS.values()) == {13, 28, 1000}


@pytest.mark.parametrize(
    ("predictions", "ever", "status", "reason"),
    [
        (0, False, Status.NOT_STARTED, "No prediction yet."),
        (0, True, Status.UNKNOWN, "0 predictions in 7 d; a verdict needs 100."),
        (41, True, Status.UNKNOWN, "41 predictions in 7 d; a verdict needs 100."),
        (100, True, Status.FAILING, "1 high-importance feature above PSI 0.15, limit 1: dep_delay 0.31."),
    ],
)
def test_drift_needs_enough_predictions(predictions: int, ever: bool, status: Status, reason: str) -> None:
    verdict = judge_drift([DELAY], DriftRule(), predictions=predictions, ever=ever)
    assert (verdict.status, plain(verdict.reason)) == (status, reason)


AUC = AccuracyRule("AUC")
LOSS = AccuracyRule("LogLoss", Measurement.VALUE, warning_threshold=0.5, failing_threshold=0.6)
GINI = AccuracyRule("Gini Norm", Measurement.VALUE, warning_threshold=0.5, failing_threshold=0.4)


@pytest.mark.parametrize(
    ("rule", "value", "baseline", "status", "reason"),
    [
        (AUC, 0.754, 0.801, Status.WARNING, "AUC 0.754, 5.9 % below baseline 0.801; limit 5.0 %."),
        (AUC, 0.700, 0.801, Status.FAILING, "AUC 0.700, 12.6 % below baseline 0.801; limit 10.0 %."),
        (AUC, 0.790, 0.801, Status.PASSING, "AUC 0.790, 1.4 % below baseline 0.801; within limits."),
        (AUC, 0.950, 0.801, Status.PASSING, "AUC 0.950, 18.6 % above baseline 0.801; within limits."),
        # A loss gets worse by growing.
        (
            AccuracyRule("LogLoss"),
            0.6,
            0.5,
            Status.FAILING,
            "LogLoss 0.600, 20.0 % above baseline 0.500; limit 10.0 %.",
        ),
        (
            AccuracyRule("LogLoss"),
            0.4,
            0.5,
            Status.PASSING,
            "LogLoss 0.400, 20.0 % below baseline 0.500; within limits.",
        ),
        # Exactly at the limit is still within.
        (
            AccuracyRule("RMSE", warning_threshold=25.0, failing_threshold=50.0),
            1.25,
            1.0,
            Status.PASSING,
            "RMSE 1.250, 25.0 % above baseline 1.000; within limits.",
        ),
        (AUC, 0.95, 1.0, Status.PASSING, "AUC 0.950, 5.0 % below baseline 1.000; within limits."),
        # By value: above for losses, below for scores; no baseline is needed.
        (LOSS, 0.61, None, Status.FAILING, "LogLoss 0.610; limit 0.600."),
        (LOSS, 0.6, None, Status.WARNING, "LogLoss 0.600; limit 0.500."),
        (LOSS, 0.5, None, Status.PASSING, "LogLoss 0.500; within limits."),
        (GINI, 0.39, None, Status.FAILING, "Gini Norm 0.390; limit 0.400."),
        (GINI, 0.45, None, Status.WARNING, "Gini Norm 0.450; limit 0.500."),
        (GINI, 0.5, None, Status.PASSING, "Gini Norm 0.500; within limits."),
        # A level that is off is never reached.
        (
            replace(AUC, failing_threshold=None),
            0.1,
            0.8,
            Status.WARNING,
            "AUC 0.100, 87.5 % below baseline 0.800; limit 5.0 %.",
        ),
        # What cannot be judged is unknown, never passing.
        (AUC, 0.7, None, Status.UNKNOWN, "AUC 0.700; no baseline to compare it with in percent."),
        (AUC, 0.7, 0.0, Status.UNKNOWN, "AUC 0.700; no baseline to compare it with in percent."),
        (AUC, None, 0.8, Status.UNKNOWN, "AUC is undefined for the 500 rows in 7 d."),
        (AUC, float("nan"), 0.8, Status.UNKNOWN, "AUC is undefined for the 500 rows in 7 d."),
        (AccuracyRule("AUC", Measurement.VALUE, None, None), 0.7, 0.8, Status.UNKNOWN, "AUC 0.700; no limit is set."),
    ],
)
def test_accuracy(rule: AccuracyRule, value: float | None, baseline: float | None, status: Status, reason: str) -> None:
    verdict = judge_accuracy(value, baseline, rule, rows=500)
    assert (verdict.status, plain(verdict.reason)) == (status, reason)


@pytest.mark.parametrize(
    ("rows", "ever", "status", "reason"),
    [
        (0, False, Status.NOT_STARTED, "No scored row yet."),
        (99, True, Status.UNKNOWN, "99 scored rows in the last 3 batches; a verdict needs 100."),
        (100, True, Status.FAILING, "AUC 0.500, 37.5 % below baseline 0.800; limit 10.0 %."),
    ],
)
def test_accuracy_needs_enough_actuals(rows: int, ever: bool, status: Status, reason: str) -> None:
    verdict = judge_accuracy(0.5, 0.8, AUC, rows=rows, ever=ever, window="the last 3 batches")
    assert (verdict.status, plain(verdict.reason)) == (status, reason)


def test_a_metric_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(KeyError):
        judge_accuracy(1.0, 1.0, AccuracyRule("Charm"), rows=500)


@pytest.mark.parametrize(
    ("enabled", "last", "status", "reason"),
    [
        (False, NOW, Status.UNAVAILABLE, "Timeliness of predictions is switched off."),
        (True, None, Status.NOT_STARTED, "No predictions received yet; expected every 1 d."),
        (True, NOW - timedelta(days=1), Status.PASSING, "Last predictions 1 d ago, expected every 1 d."),
        (True, NOW - timedelta(hours=26), Status.FAILING, "No predictions for 26 h, expected every 1 d."),
    ],
)
def test_timeliness(enabled: bool, last: datetime | None, status: Status, reason: str) -> None:
    verdict = judge_timeliness(enabled=enabled, expected=timedelta(days=1), last_event=last, now=NOW)
    assert (verdict.status, plain(verdict.reason)) == (status, reason)


def test_the_worst_is_failing_then_at_risk_then_the_greys_then_passing() -> None:
    order = [
        Status.FAILING,
        Status.WARNING,
        Status.UNAVAILABLE,
        Status.UNKNOWN,
        Status.NOT_STARTED,
        Status.PASSING,
    ]
    assert sorted(Status, key=lambda status: -status.severity) == order
    for pair in permutations(order, 2):
        assert worst(pair) is min(pair, key=order.index)
    assert worst([]) is Status.UNAVAILABLE


def test_statuses_are_said_in_words() -> None:
    assert [status.label for status in Status] == [
        "Failing",
        "At risk",
        "Unavailable",
        "Unknown",
        "Not started",
        "Passing",
    ]


def test_evidence_is_plain_json() -> None:
    verdicts = [
        judge_service(ServiceFacts(10, 1, 0)),
        judge_drift([DELAY, WIND, CALM], DriftRule(), predictions=500),
        judge_accuracy(0.7, 0.8, AUC, rows=500),
        judge_timeliness(enabled=True, expected=timedelta(hours=1), last_event=NOW, now=NOW),
    ]
    for verdict in verdicts:
        assert json.loads(json.dumps(verdict.evidence)) == verdict.evidence
    assert verdicts[1].evidence["highImportance"] == [{"name": "dep_delay", "score": 0.31}]
