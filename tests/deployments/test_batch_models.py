"""The models that have data in a batch, and the limits of batches."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from deployments import batches
from deployments.api.authentication import issue
from deployments.models import Deployment, DeploymentRole, MonitoringBatch, Role
from deployments.registry import replace_model
from tests.deployments.factories import HOUR, NOW, make_deployment, make_package, make_user, roll_up, send_predictions

pytestmark = pytest.mark.django_db


@pytest.fixture
def deployment() -> Deployment:
    return make_deployment(batch_monitoring=True)


@pytest.fixture
def batch(deployment: Deployment) -> MonitoringBatch:
    """Three rows of the former champion and, later, two of the present one."""
    batch = batches.create(deployment, make_user(), {"name": "May"})
    former = deployment.champion
    assert former is not None
    send_predictions(deployment, [0.1, 0.2, 0.3], at=HOUR, batchId=batch.public_id)
    replace_model(deployment, make_package(), NOW, "ACCURACY")
    send_predictions(deployment, [0.4, 0.5], at=HOUR + timedelta(minutes=5), batchId=batch.public_id)
    roll_up(deployment)
    return batch


@pytest.fixture
def call(deployment: Deployment) -> Any:
    user = make_user()
    DeploymentRole.objects.create(deployment=deployment, user=user, role=Role.USER)
    client = Client(headers={"Authorization": f"Bearer {issue(user, 'test')}"})
    one = f"/api/v2/deployments/{deployment.public_id}/"

    def send(path: str, body: Any = None) -> Any:
        return client.get(one + path) if body is None else client.patch(one + path, body, "application/json")

    return send


def test_each_model_has_its_own_rows_and_times(deployment: Deployment, batch: MonitoringBatch, call: Any) -> None:
    answer = call(f"monitoringBatches/{batch.public_id}/models/").json()
    assert [row["predictionsCount"] for row in answer["data"]] == [3, 2]
    assert {row["batchId"] for row in answer["data"]} == {batch.public_id}
    assert deployment.champion is not None
    newest = answer["data"][1]
    assert newest["modelId"] == deployment.champion.public_id
    assert newest["startTime"] == newest["endTime"] == "2026-03-02T09:05:00Z"
    only = call(f"monitoringBatches/{batch.public_id}/models/?modelId={newest['modelId']}").json()
    assert only["data"] == [newest]
    assert call(f"monitoringBatches/{batch.public_id}/models/?modelId={'0' * 24}").json()["data"] == []


def test_more_rows_of_a_model_widen_its_part(deployment: Deployment, batch: MonitoringBatch, call: Any) -> None:
    send_predictions(deployment, [0.4], at=HOUR + timedelta(minutes=50), batchId=batch.public_id)
    roll_up(deployment)
    row = call(f"monitoringBatches/{batch.public_id}/models/").json()["data"][1]
    assert (row["predictionsCount"], row["endTime"]) == (3, "2026-03-02T09:50:00Z")


def test_the_batch_follows_times_that_are_set_by_hand(
    deployment: Deployment, batch: MonitoringBatch, call: Any
) -> None:
    assert deployment.champion is not None
    path = f"monitoringBatches/{batch.public_id}/models/{deployment.champion.public_id}/"
    body = {"startTime": "2026-02-01T00:00:00Z", "endTime": "2026-02-28T00:00:00+01:00"}
    answer = call(path, body).json()
    assert (answer["startTime"], answer["endTime"]) == ("2026-02-01T00:00:00Z", "2026-02-27T23:00:00Z")
    shown = call(f"monitoringBatches/{batch.public_id}/").json()
    assert shown["earliestPredictionTimestamp"] == "2026-02-01T00:00:00Z"
    assert shown["latestPredictionTimestamp"] == "2026-03-02T09:00:00Z"
    change = deployment.audit.get(action="batch.model.updated")
    assert change.before["startTime"] == "2026-03-02T09:05:00+00:00"


def test_a_model_without_rows_in_the_batch_is_not_found(batch: MonitoringBatch, call: Any) -> None:
    assert call(f"monitoringBatches/{batch.public_id}/models/{'0' * 24}/").status_code == 404
    assert call(f"monitoringBatches/{batch.public_id}/models/{'0' * 24}/", {}).status_code == 404


def test_the_limits_tell_how_many_batches_are_left_today(deployment: Deployment, call: Any) -> None:
    assert call("monitoringBatchLimits/").json()["batchesLeftToday"] == batches.MAX_BATCHES_PER_DAY
    batches.create(deployment, make_user(), {"name": "June"})
    assert call("monitoringBatchLimits/").json() == {
        "batchesPerDayLimit": batches.MAX_BATCHES_PER_DAY,
        "batchesCreatedToday": 1,
        "batchesLeftToday": batches.MAX_BATCHES_PER_DAY - 1,
    }
