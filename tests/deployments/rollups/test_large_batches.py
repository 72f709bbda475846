"""A batch that is counted part by part has the states of one that is counted whole."""

from __future__ import annotations

import os
import resource

import numpy as np
import pytest
from django.db import connection
from sklearn.metrics import log_loss, roc_auc_score

from deployments.models import Area, Deployment, DirtyBucket, Grain, MonitoringBatch, SegmentAttribute, State
from deployments.rollups import large_batches
from deployments.rollups.declarations import ROLLUPS
from deployments.rollups.marks import mark
from deployments.rollups.read import Scope, Segment, accuracy_by_batch, layout_of, predictions_by_batch
from deployments.rollups.states import decode_predictions
from metrics import binary_metrics
from tests.deployments.factories import HOUR, make_deployment, roll_up, send_actuals, send_predictions
from tests.deployments.killing import kill

pytestmark = pytest.mark.django_db
REQUESTS, ROWS = 9, 60


WORKER = """
from datetime import datetime, UTC
from deployments.rollups import fill, large_batches, recompute
recompute.MOST_ROWS = 100
stop_after(large_batches, sys.argv[2])
fill.run(int(sys.argv[1]), datetime(2026, 3, 2, 12, 30, tzinfo=UTC))
"""


def make_batch(seed: int = 1) -> tuple[Deployment, MonitoringBatch, dict[str, tuple[float, str]]]:
    """A batch of several requests: ids that return, rows without any, actuals of most; and what is to be scored."""
    random = np.random.default_rng(seed)
    deployment = make_deployment(batch_monitoring=True)
    SegmentAttribute.objects.create(deployment=deployment, name="town", since=HOUR)
    batch = deployment.batches.create(name="January")
    scored: dict[str, tuple[float, str]] = {}
    for _ in range(REQUESTS):
        ids = [None if n % 7 == 0 else f"row-{n}" for n in random.integers(0, 300, ROWS).tolist()]
        p = random.uniform(size=ROWS).round(3).tolist()
        towns = random.choice(["Oslo", "Rome", "Bonn"], ROWS).tolist()
        ages = random.integers(18, 70, ROWS).astype(float).tolist()
        send_predictions(deployment, p, ids=ids, ages=ages, towns=towns, batchId=batch.public_id)
        scored |= {name: (score, "") for name, score in zip(ids, p, strict=True) if name is not None}
    actuals = {name: str(random.choice(["yes", "no"])) for name in list(scored)[::2]}
    send_actuals(deployment, dict.fromkeys(actuals, "no"))
    send_actuals(deployment, actuals)
    roll_up(deployment)
    return deployment, batch, {name: (scored[name][0], given) for name, given in actuals.items()}


def states(deployment: Deployment, area: Area) -> dict[tuple[int, int], bytes]:
    rows = State.objects.filter(deployment_id=deployment.pk, area=area, grain=Grain.BATCH)
    return {(row.attribute_id, row.value_id): bytes(row.payload) for row in rows}


def again(deployment: Deployment, batch: MonitoringBatch, area: Area, most_rows: int) -> None:
    assert deployment.champion is not None
    State.objects.filter(deployment_id=deployment.pk, area=area, grain=Grain.BATCH).delete()
    large_batches.recompute(deployment.champion, ROLLUPS[area], batch.pk, most_rows)


@pytest.mark.parametrize("most_rows", [1, 100, 250, 10_000])
def test_predictions_of_a_batch_are_those_of_all_parts(most_rows: int) -> None:
    deployment, batch, _ = make_batch()
    assert deployment.champion is not None
    layout, whole = layout_of(deployment.champion), states(deployment, Area.PREDICTIONS)
    again(deployment, batch, Area.PREDICTIONS, most_rows)
    parted = states(deployment, Area.PREDICTIONS)
    assert len(parted) == len(whole) == 4
    for value, payload in whole.items():
        one, other = decode_predictions(payload, layout), decode_predictions(parted[value], layout)
        assert (other.n_rows, other.n_predicted) == (one.n_rows, one.n_predicted)
        assert {name: counts.tolist() for name, counts in other.feature_counts.items()} == {
            name: counts.tolist() for name, counts in one.feature_counts.items()
        }
        assert other.sums == pytest.approx(one.sums)
        assert one.quantiles is not None
        assert other.quantiles is not None
        assert other.quantiles.quantiles([0, 0.5, 1]) == pytest.approx(one.quantiles.quantiles([0, 0.5, 1]), abs=0.02)


@pytest.mark.parametrize("most_rows", [1, 100, 250, 10_000])
def test_accuracy_of_a_batch_is_what_scikit_learn_says_of_the_last_predictions(most_rows: int) -> None:
    deployment, batch, scored = make_batch()
    assert deployment.champion is not None
    before = {
        segment: accuracy_by_batch(Scope(deployment, deployment.champion, segment), [batch])[0]
        for segment in (None, *(Segment("town", town) for town in ("Oslo", "Rome", "Bonn")))
    }
    again(deployment, batch, Area.ACCURACY, most_rows)
    p = np.array([score for score, _ in scored.values()])
    y = np.array([given == "yes" for _, given in scored.values()])
    state = accuracy_by_batch(Scope(deployment, deployment.champion), [batch])[0]
    assert (state.n_total, state.n_actual) == (REQUESTS * ROWS, len(scored))
    assert state.scores[0].auc() == pytest.approx(roc_auc_score(y, p))
    assert binary_metrics(state.sums[None])["LogLoss"][0] == pytest.approx(log_loss(y, p))
    for segment, whole in before.items():
        parted = accuracy_by_batch(Scope(deployment, deployment.champion, segment), [batch])[0]
        counts = (whole.n_total, whole.n_actual, whole.n_duplicates)
        assert (parted.n_total, parted.n_actual, parted.n_duplicates) == counts
        assert parted.sums == pytest.approx(whole.sums)
        assert parted.scores[0].auc() == pytest.approx(whole.scores[0].auc())


def test_a_segment_value_without_any_id_has_no_accuracy() -> None:
    deployment = make_deployment(batch_monitoring=True)
    SegmentAttribute.objects.create(deployment=deployment, name="town", since=HOUR)
    batch = deployment.batches.create(name="January")
    send_predictions(
        deployment, [0.1, 0.9, 0.4], ids=["a", None, None], towns=["Oslo", "Rome", "Oslo"], batchId=batch.public_id
    )
    roll_up(deployment)
    whole = states(deployment, Area.ACCURACY)
    again(deployment, batch, Area.ACCURACY, 1)
    assert len(whole) == 2
    assert states(deployment, Area.ACCURACY) == whole


def test_a_batch_of_more_parts_than_open_files_are_allowed_is_counted() -> None:
    deployment, batch, scored = make_batch()
    assert deployment.champion is not None
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(name) for name in os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 20, most))
    try:
        again(deployment, batch, Area.ACCURACY, 1)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
    state = accuracy_by_batch(Scope(deployment, deployment.champion), [batch])[0]
    assert (state.n_total, state.n_actual) == (REQUESTS * ROWS, len(scored))


def test_a_batch_beyond_the_bound_is_rolled_up_part_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    from deployments.rollups import recompute

    monkeypatch.setattr(recompute, "MOST_ROWS", 100)
    deployment, batch, scored = make_batch(2)
    assert deployment.champion is not None
    scope = Scope(deployment, deployment.champion)
    assert predictions_by_batch(scope, [batch])[0].n_rows == REQUESTS * ROWS
    assert accuracy_by_batch(scope, [batch])[0].n_actual == len(scored)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", ["_needed", "replace_states"])
def test_a_worker_killed_among_the_parts_leaves_the_old_states_and_the_next_one_completes(moment: str) -> None:
    deployment, batch, _ = make_batch(3)
    assert deployment.champion is not None
    whole = states(deployment, Area.ACCURACY)
    mark(deployment.pk, [(int(Area.ACCURACY), int(Grain.BATCH), deployment.champion.pk, batch.pk)])
    connection.close()
    kill(WORKER, str(deployment.pk), moment)
    assert states(deployment, Area.ACCURACY) == whole
    assert DirtyBucket.objects.filter(deployment_id=deployment.pk).count() == 1
    roll_up(deployment)
    assert states(deployment, Area.ACCURACY) == whole
    assert not DirtyBucket.objects.filter(deployment_id=deployment.pk).exists()
