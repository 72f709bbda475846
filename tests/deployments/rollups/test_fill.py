"""Rows in, states out: literal rows at fixed hours, and equality with scikit-learn."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest
from sklearn.metrics import log_loss, mean_squared_error, roc_auc_score

from deployments.models import Area, Block, Deployment, DirtyBucket, State
from deployments.rollups import fill, loading
from deployments.rollups.declarations import ROLLUPS
from deployments.rollups.read import Scope, Segment, accuracy_over, predictions_over, service_over
from deployments.rollups.states import AccuracyState, PredictionState
from metrics import binary_metrics, multiclass_metrics, regression_metrics
from tests.deployments.factories import (
    HOUR,
    NOW,
    make_deployment,
    roll_up,
    send_actuals,
    send_predictions,
    send_service,
)

pytestmark = pytest.mark.django_db
ONE_HOUR = timedelta(hours=1)
DAY = HOUR.replace(hour=0)


def scope(deployment: Deployment, segment: Segment | None = None) -> Scope:
    assert deployment.champion is not None
    return Scope(deployment, deployment.champion, segment)


def hour_of(deployment: Deployment, at: datetime = HOUR, segment: Segment | None = None) -> PredictionState:
    return predictions_over(scope(deployment, segment), [(at, at + ONE_HOUR)])[0]


def scored_in(deployment: Deployment, at: datetime = HOUR, segment: Segment | None = None) -> AccuracyState:
    return accuracy_over(scope(deployment, segment), [(at, at + ONE_HOUR)])[0]


def test_predictions_are_counted_on_the_frozen_bins() -> None:
    deployment = make_deployment()
    send_predictions(deployment, [0.2, 0.8, 0.9], ages=[19, 24, None], towns=["Oslo", "Rome", None])
    roll_up(deployment)
    state = hour_of(deployment)
    assert state.n_rows == state.n_predicted == 3
    assert state.feature_counts["age"].tolist() == [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert state.feature_counts["town"].tolist() == [0, 1, 0, 1, 1]
    assert state.class_counts.tolist() == [1, 2]
    assert state.sum_prediction == pytest.approx(1.9)
    assert state.quantiles is not None
    assert state.quantiles.n == 3


def test_a_feature_that_was_not_sent_is_missing() -> None:
    deployment = make_deployment()
    send_predictions(deployment, [0.2, 0.8])
    roll_up(deployment)
    assert hour_of(deployment).feature_counts["age"][-1] == 2
    assert hour_of(deployment).feature_counts["town"][-1] == 2


def test_an_hour_without_rows_has_zeros_of_the_right_shape() -> None:
    deployment = make_deployment("Multiclass")
    empty, scored = hour_of(deployment), scored_in(deployment)
    assert empty.n_rows == 0
    assert empty.feature_counts["age"].tolist() == [0] * 13
    assert empty.class_counts.tolist() == [0, 0, 0]
    assert scored.sums.tolist() == [0.0] * len(scored.sums)
    assert len(scored.scores) == 3


def test_hours_are_kept_apart_and_add_up_to_days() -> None:
    deployment = make_deployment()
    times = [DAY, DAY + ONE_HOUR, DAY + ONE_HOUR, DAY - ONE_HOUR]
    send_predictions(deployment, [0.1, 0.2, 0.3, 0.4], at=times)
    roll_up(deployment)
    buckets = [(DAY - ONE_HOUR, DAY), (DAY, DAY + ONE_HOUR), (DAY + ONE_HOUR, DAY + 2 * ONE_HOUR)]
    whole_day, mixed = (DAY, DAY + 24 * ONE_HOUR), (DAY - ONE_HOUR, DAY + 24 * ONE_HOUR)
    states = predictions_over(scope(deployment), [*buckets, whole_day, mixed])
    assert [state.n_rows for state in states] == [1, 1, 2, 3, 4]
    assert states[-1].sum_prediction == pytest.approx(1.0)


def test_a_day_counted_from_rows_equals_a_day_added_up_from_hours() -> None:
    at_once, bit_by_bit = make_deployment(), make_deployment()
    times = [DAY + hour * ONE_HOUR for hour in range(24)]
    predicted = [hour / 24 for hour in range(24)]
    send_predictions(at_once, predicted, at=times)
    roll_up(at_once)
    for hour in range(24):
        send_predictions(bit_by_bit, [predicted[hour]], at=times[hour])
        roll_up(bit_by_bit)
    whole = (DAY, DAY + 24 * ONE_HOUR)
    first, second = (predictions_over(scope(one), [whole])[0] for one in (at_once, bit_by_bit))
    assert first.n_rows == second.n_rows == 24
    assert first.sum_prediction == pytest.approx(second.sum_prediction, rel=1e-12)
    assert first.target_counts.tolist() == second.target_counts.tolist()


def test_binary_accuracy_is_what_scikit_learn_says() -> None:
    deployment = make_deployment()
    rng = np.random.default_rng(1)
    p = rng.uniform(size=300).round(3)
    y = (rng.uniform(size=300) < p).astype(int)
    ids = [f"row-{number}" for number in range(300)]
    send_predictions(deployment, p.tolist(), ids=ids)
    send_actuals(deployment, dict(zip(ids, y.tolist(), strict=True)))
    roll_up(deployment)
    state = scored_in(deployment)
    assert (state.n_total, state.n_actual, state.n_duplicates) == (300, 300, 0)
    values = binary_metrics(state.sums, ["LogLoss", "Accuracy"])
    assert float(values["LogLoss"]) == pytest.approx(log_loss(y, p), rel=1e-9)
    assert float(values["Accuracy"]) == pytest.approx(((p > 0.5) == y).mean(), rel=1e-12)
    assert state.scores[0].auc() == pytest.approx(roc_auc_score(y, p), rel=1e-9)
    assert state.actual_class_counts.tolist() == [int((y == 0).sum()), int(y.sum())]


def test_regression_accuracy_is_what_scikit_learn_says() -> None:
    deployment = make_deployment("Regression")
    rng = np.random.default_rng(2)
    y = rng.normal(50, 9, 200)
    z = y + rng.normal(0, 3, 200)
    ids = [f"row-{number}" for number in range(200)]
    send_predictions(deployment, z.tolist(), ids=ids)
    send_actuals(deployment, dict(zip(ids, y.tolist(), strict=True)))
    roll_up(deployment)
    state = scored_in(deployment)
    assert float(regression_metrics(state.sums)["RMSE"]) == pytest.approx(mean_squared_error(y, z) ** 0.5, rel=1e-9)
    assert state.sum_actual == pytest.approx(y.sum(), rel=1e-12)


def test_multiclass_accuracy_is_what_scikit_learn_says() -> None:
    deployment = make_deployment("Multiclass")
    rng = np.random.default_rng(3)
    p = rng.dirichlet([1, 1, 1], 200)
    names = np.array(["red", "green", "blue"])
    y = rng.integers(0, 3, 200)
    ids = [f"row-{number}" for number in range(200)]
    send_predictions(deployment, p.tolist(), ids=ids)
    send_actuals(deployment, dict(zip(ids, names[y].tolist(), strict=True)))
    roll_up(deployment)
    state = scored_in(deployment)
    values = multiclass_metrics(state.sums[None], 3, ["LogLoss", "Accuracy"])
    assert float(values["LogLoss"][0]) == pytest.approx(log_loss(y, p, labels=[0, 1, 2]), rel=1e-9)
    assert float(values["Accuracy"][0]) == pytest.approx((p.argmax(1) == y).mean(), rel=1e-12)
    assert hour_of(deployment).class_counts.tolist() == np.bincount(p.argmax(1), minlength=3).tolist()


def test_late_actuals_restate_the_hour_of_their_prediction_and_no_other() -> None:
    deployment = make_deployment()
    send_predictions(deployment, [0.9, 0.1], at=[HOUR, HOUR - ONE_HOUR], ids=["a", "b"])
    roll_up(deployment)
    before = dict(
        State.objects.filter(bucket=int((HOUR - ONE_HOUR).timestamp()) // 3600).values_list("area", "payload")
    )
    send_actuals(deployment, {"a": "yes"}, received=NOW + timedelta(days=3))
    roll_up(deployment)
    assert scored_in(deployment).n_actual == 1
    assert scored_in(deployment, HOUR - ONE_HOUR).n_actual == 0
    after = dict(State.objects.filter(bucket=int((HOUR - ONE_HOUR).timestamp()) // 3600).values_list("area", "payload"))
    assert {area: bytes(payload) for area, payload in before.items()} == {
        area: bytes(payload) for area, payload in after.items()
    }


def test_only_blocks_that_hold_a_touched_hour_are_read_again() -> None:
    deployment = make_deployment()
    assert deployment.champion is not None
    for hour in range(6):
        send_predictions(deployment, [0.5], at=DAY + hour * ONE_HOUR, ids=[f"row-{hour}"])
    send_predictions(deployment, [0.1, 0.2], at=[DAY, DAY + 5 * ONE_HOUR], ids=["early", "late"])
    roll_up(deployment)
    first = int(DAY.timestamp()) // 3600
    rollup = ROLLUPS[Area.ACCURACY]
    found = loading.of_days(deployment.champion, rollup, [first // 24], [first + 1, first + 2, first + 4])
    assert found["id"].to_list() == ["row-1", "row-2", "row-4", "early", "late"]
    assert loading.of_days(deployment.champion, rollup, [first // 24], [first + 9]).height == 0


def test_a_corrected_actual_takes_the_place_of_the_first() -> None:
    deployment = make_deployment()
    send_predictions(deployment, [0.9], ids=["a"])
    send_actuals(deployment, {"a": "no"})
    roll_up(deployment)
    assert scored_in(deployment).actual_class_counts.tolist() == [1, 0]
    send_actuals(deployment, {"a": "yes"})
    roll_up(deployment)
    assert scored_in(deployment).actual_class_counts.tolist() == [0, 1]
    assert scored_in(deployment).n_actual == 1


def test_an_actual_waits_for_its_prediction() -> None:
    deployment = make_deployment()
    send_actuals(deployment, {"a": "yes", "b": "no"})
    roll_up(deployment)
    assert scored_in(deployment).n_actual == 0
    send_predictions(deployment, [0.9], ids=["a"])
    roll_up(deployment)
    assert scored_in(deployment).n_actual == 1
    send_predictions(deployment, [0.2], ids=["b"])
    roll_up(deployment)
    assert scored_in(deployment).n_actual == 2
    request = deployment.ingest_requests.get(kind=2)
    assert (request.matched, request.waiting, request.refused) == (2, 0, 0)


def test_a_waiting_actual_does_not_undo_a_later_correction() -> None:
    deployment = make_deployment()
    send_actuals(deployment, {"a": "yes"})
    roll_up(deployment)
    send_actuals(deployment, {"a": "no"})
    roll_up(deployment)
    send_predictions(deployment, [0.9], ids=["a"])
    roll_up(deployment)
    assert scored_in(deployment).actual_class_counts.tolist() == [1, 0]


def test_an_actual_that_may_not_wait_is_refused_and_counted() -> None:
    deployment = make_deployment()
    send_actuals(deployment, {"a": "yes"}, keep=False)
    roll_up(deployment)
    send_predictions(deployment, [0.9], ids=["a"])
    roll_up(deployment)
    assert scored_in(deployment).n_actual == 0
    assert deployment.ingest_requests.get(kind=2).refused == 1


def test_of_two_predictions_in_an_hour_the_later_is_scored() -> None:
    deployment = make_deployment()
    minute = timedelta(minutes=1)
    send_predictions(deployment, [0.9, 0.2], at=[HOUR + 2 * minute, HOUR + minute], ids=["a", "a"])
    send_actuals(deployment, {"a": "yes"})
    roll_up(deployment)
    state = scored_in(deployment)
    assert (state.n_total, state.n_actual, state.n_duplicates) == (2, 1, 1)
    assert state.sum_predicted == pytest.approx(0.9)


@pytest.mark.parametrize("later_first", [False, True])
@pytest.mark.parametrize("actual_between", [False, True])
def test_of_predictions_in_two_hours_the_later_is_scored(later_first: bool, actual_between: bool) -> None:
    deployment = make_deployment()
    rows = [(0.2, HOUR - ONE_HOUR), (0.9, HOUR)]
    for number, (p, at) in enumerate(reversed(rows) if later_first else rows):
        send_predictions(deployment, [p], at=at, ids=["a"])
        roll_up(deployment)
        if number == 0 and actual_between:
            send_actuals(deployment, {"a": "yes"})
            roll_up(deployment)
    if not actual_between:
        send_actuals(deployment, {"a": "yes"})
        roll_up(deployment)
    assert scored_in(deployment).n_actual == 1
    earlier = scored_in(deployment, HOUR - ONE_HOUR)
    assert (earlier.n_actual, earlier.n_duplicates) == (0, 1)


def test_segments_count_rows_received_since_they_are_followed() -> None:
    deployment = make_deployment(segments=True)
    deployment.attributes.update(since=NOW)
    send_predictions(deployment, [0.1], towns=["Oslo"], received=NOW - ONE_HOUR)
    send_predictions(deployment, [0.2, 0.3, 0.4], towns=["Oslo", "Bergen", None], ids=["a", "b", "c"])
    send_actuals(deployment, {"a": "yes", "b": "no"})
    roll_up(deployment)
    assert hour_of(deployment).n_rows == 4
    assert hour_of(deployment, segment=Segment("town", "Oslo")).n_rows == 1
    assert hour_of(deployment, segment=Segment("town", "")).sum_prediction == pytest.approx(0.4)
    assert hour_of(deployment, segment=Segment("town", "Rome")).n_rows == 0
    assert scored_in(deployment, segment=Segment("town", "Bergen")).n_actual == 1
    assert scored_in(deployment, segment=Segment("town", "")).n_actual == 0


def test_drift_that_is_switched_off_is_not_counted() -> None:
    deployment = make_deployment(settings={"featureDrift": {"enabled": False}, "targetDrift": {"enabled": False}})
    send_predictions(deployment, [0.1], ages=[30], ids=["a"])
    send_actuals(deployment, {"a": "yes"})
    roll_up(deployment)
    state = hour_of(deployment)
    assert state.n_rows == 1
    assert not state.feature_counts["age"].any()
    assert not state.target_counts.any()
    assert scored_in(deployment).n_actual == 1


def test_rows_that_skip_drift_or_accuracy_count_only_elsewhere() -> None:
    deployment = make_deployment()
    send_predictions(deployment, [0.1], ids=["a"], skipDriftTracking=True)
    send_predictions(deployment, [0.2], ids=["b"], skipAccuracyTracking=True)
    send_actuals(deployment, {"a": "yes", "b": "yes"}, keep=False)
    roll_up(deployment)
    assert (hour_of(deployment).n_rows, hour_of(deployment).n_skipped) == (1, 1)
    assert (scored_in(deployment).n_total, scored_in(deployment).n_actual) == (1, 1)


def test_service_events_are_counted_by_the_hour_they_were_received() -> None:
    deployment = make_deployment(segments=True)
    send_service(
        deployment,
        [
            {"numPredictions": 10, "executionTime": 12.5, "responseTime": 20.0, "consumer": "ana@example.org"},
            {"numPredictions": 5, "responseTime": 1500.0, "consumer": "ben@example.org", "cacheHit": True},
            {"userError": True},
            {"systemError": True},
        ],
        received=NOW + timedelta(days=1),
    )
    roll_up(deployment)
    state = service_over(scope(deployment), [(HOUR, HOUR + ONE_HOUR)])[0]
    assert state.sums.tolist() == [4, 15, 1, 1, 1]
    assert state.response.slow(1000) == 1
    assert state.consumers.count() == 2
    assert state.load.peak() == 4
    assert deployment.last_request_at == HOUR


def test_batches_and_time_are_never_mixed() -> None:
    from deployments.rollups.read import accuracy_by_batch, predictions_by_batch

    deployment = make_deployment(batch_monitoring=True)
    batch = deployment.batches.create(name="January")
    send_predictions(deployment, [0.1, 0.9], ids=["a", "b"], batchId=batch.public_id)
    send_predictions(deployment, [0.5], ids=["c"])
    send_actuals(deployment, {"a": "no", "b": "yes", "c": "no"})
    roll_up(deployment)
    batch.refresh_from_db()
    assert hour_of(deployment).n_rows == 1
    assert predictions_by_batch(scope(deployment), [batch])[0].n_rows == 2
    assert accuracy_by_batch(scope(deployment), [batch])[0].n_actual == 2
    assert (batch.predictions_count, batch.earliest_prediction_at) == (2, HOUR)


def test_many_small_requests_become_one_block_and_the_same_states() -> None:
    deployment = make_deployment()
    for number in range(20):
        send_predictions(deployment, [number / 20], ids=[f"row-{number}"])
    roll_up(deployment)
    assert Block.objects.filter(deployment_id=deployment.pk, kind=1).count() == 1
    send_actuals(deployment, {f"row-{number}": "yes" for number in range(20)})
    roll_up(deployment)
    assert scored_in(deployment).n_actual == 20
    assert hour_of(deployment).n_rows == 20


def test_figures_of_the_list_follow_the_rows() -> None:
    deployment = make_deployment()
    send_predictions(deployment, [0.1, 0.2, 0.3], at=[HOUR, HOUR - timedelta(days=1), HOUR - timedelta(days=30)])
    roll_up(deployment)
    assert deployment.daily_predictions == {"2026-03-01": 1, "2026-03-02": 1}
    assert deployment.recent_predictions == 2
    assert deployment.last_prediction_at == HOUR
    assert deployment.first_prediction_at == HOUR - timedelta(days=30)


def test_nothing_is_left_to_do_after_a_run() -> None:
    deployment = make_deployment()
    send_predictions(deployment, [0.1])
    assert deployment.pk in fill.waiting_deployments()
    roll_up(deployment)
    assert deployment.pk not in fill.waiting_deployments()
    assert not DirtyBucket.objects.filter(deployment_id=deployment.pk).exists()
