"""Verdicts from stored answers: what is judged, what is left out, and the sentence with the arithmetic in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitoring import questions as q
from monitoring.health import BLIND_SPOT_QUESTIONS, blind_spots, judge, judged_questions
from monitoring.kept_buckets import Point
from monitoring.models import Area, Status, Topic, TopicState, Watched
from monitoring.poll.standing import DAYS, Facts
from monitoring.questions import Last, Mature, Question
from monitoring.snapshots import AnswerView, SeriesView, Snapshot, _series_slot

NOW = datetime(2026, 5, 1, 10, 20, tzinfo=UTC)
FACTS = Facts("Binary", judged_metric="LogLoss", has_association=True, label_lag=timedelta(hours=26))
WEEK = {"start": "2026-04-23T00:00:00Z", "end": "2026-04-30T00:00:00Z"}
WATCHED = Watched(label="Loan default", target_type="Binary", last_prediction_at=NOW)


def days(**values: float) -> SeriesView:
    points = [
        Point(NOW.replace(hour=0, minute=0) - timedelta(days=back), NOW, dict(values), NOW) for back in range(10, 0, -1)
    ]
    return SeriesView(tuple(points), {"baselines": [{"value": 0.8}]}, NOW, NOW, ())


def known(
    answers: dict[Question, Any],
    serieses: dict[Question, SeriesView] | None = None,
    states: dict[str, TopicState] | None = None,
) -> Snapshot:
    snapshot = Snapshot(now=NOW)
    for question, payload in answers.items():
        snapshot.answers[question.key] = AnswerView(payload, NOW, NOW)
    for question, view in (serieses or {}).items():
        snapshot.serieses[_series_slot(question, NOW)] = view
    for path, state in (states or {}).items():
        for question in judged_questions(FACTS):
            if question.path.startswith(path):
                snapshot.topics[question.key] = Topic(state=state, problem="403: not enabled")
    return snapshot


def drift(*features: dict[str, Any], settings: dict[str, Any] | None = None) -> tuple[str, str]:
    data = [{"type": "numeric", "sampleSize": 14_000, "baselineSampleSize": 20_000, **one} for one in features]
    answers: dict[Question, Any] = {q.feature_drift(Last("P7D")): {"data": data}}
    if settings is not None:
        answers[q.health_settings()] = {"dataDrift": settings}
    verdict = judge(WATCHED, known(answers), FACTS)[Area.DRIFT].verdict
    return verdict.status.value, verdict.reason


def test_a_drifted_feature_of_high_importance_fails_with_its_arithmetic() -> None:
    status, reason = drift({"name": "income", "driftScore": 0.31, "featureImpact": 0.9})
    assert (status, reason) == ("failing", "1 high-importance feature above PSI 0.15, limit 1: income 0.31.")


def test_the_sources_own_limits_are_used_and_null_switches_a_rule_off() -> None:
    limits = {"driftThreshold": 0.5, "importanceThreshold": 0.5, "lowImportanceWarningCount": None}
    assert drift({"name": "income", "driftScore": 0.31, "featureImpact": 0.9}, settings=limits)[0] == "passing"


def test_an_excluded_feature_does_not_count() -> None:
    limits = {"driftThreshold": 0.15, "highImportanceFailingCount": 1, "excludedFeatures": ["income"]}
    features = [
        {"name": name, "driftScore": score, "featureImpact": 0.9} for name, score in (("income", 1), ("age", 0))
    ]
    assert drift(*features, settings=limits)[0] == "passing"


def test_what_sampling_alone_explains_is_no_drift() -> None:
    small = {"sampleSize": 110, "baselineSampleSize": 120}
    assert drift({"name": "income", "driftScore": 0.16, "featureImpact": 0.9, **small})[0] == "passing"


def test_under_a_hundred_predictions_there_is_no_verdict() -> None:
    status, reason = drift({"name": "income", "driftScore": 9.0, "featureImpact": 0.9, "sampleSize": 41})
    assert (status, reason) == ("unknown", "41 predictions in 7\u202fd; a verdict needs 100.")


def accuracy(
    metrics: dict[str, Any] | None,
    *,
    counts: tuple[float, float] = (2000, 1900),
    settings: dict[str, Any] | None = None,
    facts: Facts = FACTS,
    series: dict[Question, SeriesView] | None = None,
) -> tuple[str, str]:
    answers: dict[Question, Any] = {q.accuracy(Mature("P7D", 0)): {"metrics": metrics, "period": WEEK}}
    if settings is not None:
        answers[q.health_settings()] = {"accuracy": settings}
    labels = {q.predictions_vs_actuals_over_time(DAYS): days(rowCountTotal=counts[0], rowCountWithActual=counts[1])}
    verdict = judge(WATCHED, known(answers, {**labels, **(series or {})}), facts)[Area.ACCURACY].verdict
    return verdict.status.value, verdict.reason


def test_accuracy_is_judged_on_labels_that_are_complete_and_so_it_is_told() -> None:
    status, reason = accuracy({"LogLoss": {"value": 0.47, "baselineValue": 0.4}})
    assert status == "failing"
    assert reason == (
        "LogLoss 0.470, 17.5\u202f% above baseline 0.400; limit 10.0\u202f%. "
        "Labels younger than 26\u202fh are left out."
    )


def test_a_limit_by_value_is_held_against_the_value() -> None:
    limits = {"metric": "LogLoss", "measurement": "value", "warningThreshold": 0.45, "failingThreshold": 0.6}
    assert accuracy({"LogLoss": {"value": 0.47, "baselineValue": 0.4}}, settings=limits)[0] == "warning"


def test_without_a_baseline_percent_limits_judge_nothing() -> None:
    assert accuracy({"LogLoss": {"value": 0.47}})[0] == "unknown"


def test_predictions_without_labels_are_not_started_and_say_how_many_wait() -> None:
    status, reason = accuracy({"LogLoss": None}, counts=(646, 0))
    assert (status, reason) == ("not_started", "No actuals yet; 6,460 predictions wait for labels.")


def test_a_metric_outside_of_the_answer_is_taken_from_its_days() -> None:
    facts = Facts("Binary", judged_metric="F1", has_association=True)
    series = {q.accuracy_over_time("F1", DAYS): days(value=0.6, sampleSize=500)}
    status, reason = accuracy({"LogLoss": {"value": 0.4}}, facts=facts, series=series)
    assert status == "failing"
    assert reason.startswith("F1 0.600, 25.0\u202f% below baseline 0.800")


def test_metrics_of_null_are_unknown_and_no_crash() -> None:
    assert accuracy(None)[0] == "unknown"


AREAS = {"serviceStats/": Area.SERVICE, "featureDrift/": Area.DRIFT, "accuracy/": Area.ACCURACY}
STATES = [
    (TopicState.REFUSED, Status.UNAVAILABLE, "is not available at the source"),
    (TopicState.MALFORMED, Status.UNKNOWN, "could not be read from the source"),
    (TopicState.FAILED, Status.UNKNOWN, "could not be read from the source"),
]


@pytest.mark.parametrize(("state", "status", "words"), STATES)
@pytest.mark.parametrize("path", AREAS)
def test_an_answer_that_never_came_has_a_named_reason(path: str, state: TopicState, status: Status, words: str) -> None:
    verdict = judge(WATCHED, known({}, states={path: state}), FACTS)[AREAS[path]].verdict
    assert verdict.status.value == status
    assert words in verdict.reason
    assert "403: not enabled" in verdict.reason


def test_what_is_switched_off_is_unavailable() -> None:
    off = Facts("Binary", judged_metric="LogLoss", drift_on=False, target_drift_on=False, has_association=False)
    areas = judge(WATCHED, known({}), off)
    assert areas[Area.DRIFT].verdict.reason == "Drift tracking is switched off."
    assert areas[Area.ACCURACY].verdict.status.value == Status.UNAVAILABLE


def test_a_target_without_metrics_is_unavailable() -> None:
    verdict = judge(WATCHED, known({}), Facts("TextGeneration", has_association=True))[Area.ACCURACY].verdict
    assert verdict.status.value == Status.UNAVAILABLE


def test_blind_spots_are_named() -> None:
    same = {question: {"accuracy": {"metric": "AUC"}} for question in BLIND_SPOT_QUESTIONS}
    off = Facts(drift_on=False, target_drift_on=False, has_association=False)
    assert blind_spots(known(same), off, readers=0) == [
        "Drift tracking is off",
        "No association id: accuracy cannot be computed",
        "Thresholds still default",
        "Nobody gets mail",
    ]
    assert blind_spots(known({}), FACTS, readers=2) == []


@pytest.mark.parametrize(("rows", "expected"), [(300, "passing"), (10_000, "failing")])
def test_few_texts_do_not_drift_by_chance_and_many_do(rows: int, expected: str) -> None:
    prompts = {"name": "prompt", "type": "text", "driftScore": 0.6, "featureImpact": 1.0}
    assert drift({**prompts, "sampleSize": rows, "baselineSampleSize": rows})[0] == expected
