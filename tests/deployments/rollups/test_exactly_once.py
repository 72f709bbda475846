"""However rows are cut into requests, and wherever a worker dies, the same states come out."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import numpy as np
import psycopg
import pytest
from django.db import connection
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from deployments.models import Deployment, DirtyBucket, IngestRequest, State
from deployments.rollups import fill
from deployments.rollups.read import Scope, accuracy_over, predictions_over
from tests.deployments.factories import HOUR, NOW, make_deployment, roll_up, send_actuals, send_predictions
from tests.deployments.killing import kill

DAY = (HOUR - timedelta(days=1)).replace(hour=0)
WINDOW = [(DAY + hour * timedelta(hours=1), DAY + (hour + 1) * timedelta(hours=1)) for hour in range(48)]
ROWS = 60


def rows(seed: int) -> list[tuple[float, int, str, float, int]]:
    """Probability, hour, association id (some twice), age, outcome."""
    rng = np.random.default_rng(seed)
    return [
        (
            float(rng.uniform().__round__(3)),
            int(rng.integers(0, 30)),
            f"id{rng.integers(0, ROWS * 3 // 4)}",
            float(rng.integers(15, 80)),
            int(rng.integers(0, 2)),
        )
        for _ in range(ROWS)
    ]


def send(deployment: Deployment, part: list[tuple[float, int, str, float, int]]) -> None:
    if part:
        send_predictions(
            deployment,
            [row[0] for row in part],
            at=[DAY + row[1] * timedelta(hours=1) + timedelta(minutes=row[1]) for row in part],
            ids=[row[2] for row in part],
            ages=[row[3] for row in part],
        )


def figures(deployment: Deployment) -> list[object]:
    """Everything that can be compared exactly, hour by hour and for two days."""
    assert deployment.champion is not None
    scope = Scope(deployment, deployment.champion)
    buckets = [*WINDOW, (WINDOW[0][0], WINDOW[-1][1])]
    counted, scored = predictions_over(scope, buckets), accuracy_over(scope, buckets)
    return [
        (
            *(one.n_rows, one.feature_counts["age"].tolist(), one.class_counts.tolist()),
            round(one.sum_prediction, 9),
            *(two.n_total, two.n_actual, two.n_duplicates, two.actual_class_counts.tolist()),
            *np.round(two.sums, 9).tolist(),
            two.scores[0].auc() if two.actual_class_counts.any() else None,
        ).__repr__()
        for one, two in zip(counted, scored, strict=True)
    ]


@pytest.mark.django_db(transaction=True)
@hypothesis_settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 1000),
    cuts=st.lists(st.integers(0, ROWS), max_size=4),
    pauses=st.lists(st.booleans(), min_size=8, max_size=8),
    actuals_at=st.integers(0, 5),
)
def test_any_split_into_requests_gives_the_same_states(
    seed: int, cuts: list[int], pauses: list[bool], actuals_at: int
) -> None:
    given_rows = rows(seed)
    outcomes = {row[2]: row[4] for row in given_rows}
    whole, parted = make_deployment(), make_deployment()
    send(whole, given_rows)
    send_actuals(whole, outcomes)
    roll_up(whole)
    edges = [0, *sorted(cuts), ROWS]
    for number, (left, right) in enumerate(pairwise(edges)):
        if number == actuals_at:
            send_actuals(parted, outcomes)
        send(parted, given_rows[left:right])
        if pauses[number]:
            roll_up(parted)
    if actuals_at >= len(edges) - 1:
        send_actuals(parted, outcomes)
    roll_up(parted)
    assert figures(parted) == figures(whole)


@pytest.mark.django_db(transaction=True)
def test_corrected_actuals_equal_a_computation_from_scratch() -> None:
    given_rows = rows(7)
    corrected, fresh = make_deployment(), make_deployment()
    for deployment in (corrected, fresh):
        send(deployment, given_rows)
    send_actuals(corrected, {row[2]: 1 - row[4] for row in given_rows})
    roll_up(corrected)
    for deployment in (corrected, fresh):
        send_actuals(deployment, {row[2]: row[4] for row in given_rows})
        roll_up(deployment)
    assert figures(corrected) == figures(fresh)


WORKER = """
from datetime import datetime, UTC
from deployments.rollups import fill, assign, keys, recompute, write
at, deployment = sys.argv[1], int(sys.argv[2])
stop_after(*{
    "filing": (assign, "mark"), "keys": (keys, "_called"), "actuals": (assign, "_store"),
    "states": (recompute, "replace_states"), "marks": (recompute, "unmark"),
}[at])
fill.run(deployment, datetime(2026, 3, 2, 12, 30, tzinfo=UTC))
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", ["filing", "keys", "actuals", "states", "marks"])
def test_a_worker_killed_in_the_middle_loses_and_doubles_nothing(moment: str) -> None:
    given_rows = rows(11)
    killed, calm = make_deployment(), make_deployment()
    for deployment in (killed, calm):
        send(deployment, given_rows)
        send_actuals(deployment, {row[2]: row[4] for row in given_rows})
    connection.close()
    kill(WORKER, moment, str(killed.pk))
    roll_up(killed)
    roll_up(calm)
    assert figures(killed) == figures(calm)
    assert not DirtyBucket.objects.filter(deployment_id=killed.pk).exists()
    assert IngestRequest.objects.get(deployment=killed, kind=2).matched >= len({row[2] for row in given_rows})


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_work_on_one_deployment() -> None:
    deployment = make_deployment()
    send(deployment, rows(3))
    parameters = connection.get_connection_params()
    wanted = {name: parameters[name] for name in ("dbname", "user", "host", "port", "password") if parameters.get(name)}
    with psycopg.connect(**wanted) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s, %s)", [fill._LOCKS, deployment.pk])
        assert not fill.run(deployment.pk, NOW)
        assert not State.objects.filter(deployment_id=deployment.pk).exists()
    assert fill.run(deployment.pk, NOW)
    assert State.objects.filter(deployment_id=deployment.pk).exists()
