"""What is switched off is not done, what is required is asked for, and every change is on record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from deployments import registry
from deployments.api.authentication import issue
from deployments.exports.rows import Wanted, pieces
from deployments.ingest.errors import Refused
from deployments.ingest.files import Home, take_predictions
from deployments.models import AuditEntry, Deployment, DeploymentStatus
from deployments.rollups import fill
from tests.deployments.factories import HOUR, NOW, make_package, make_user, send_predictions

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return make_user()


@pytest.fixture
def deployment(owner: User) -> Deployment:
    return registry.create_deployment(make_package(), "Watched", owner, started_at=NOW - timedelta(days=30))


@pytest.fixture
def client(owner: User) -> APIClient:
    return APIClient(headers={"Authorization": f"Bearer {issue(owner, 'test')}"})


def path(deployment: Deployment, tail: str = "settings/") -> str:
    return f"/api/v2/deployments/{deployment.public_id}/{tail}"


def switch(client: APIClient, deployment: Deployment, **settings: Any) -> None:
    assert client.patch(path(deployment), settings).status_code == 202
    deployment.refresh_from_db()


def drift_of(client: APIClient, deployment: Deployment) -> dict[str, int]:
    span = {"start": (HOUR - timedelta(hours=1)).isoformat(), "end": (HOUR + timedelta(hours=1)).isoformat()}
    found = client.get(path(deployment, "featureDrift/"), span).json()["data"]
    return {one["name"]: one["sampleSize"] for one in found}


def test_feature_drift_is_counted_only_while_it_is_on(client: APIClient, deployment: Deployment) -> None:
    switch(client, deployment, featureDrift={"enabled": False})
    send_predictions(deployment, [0.5] * 3, ages=[30, 40, 50])
    assert fill.run(deployment.pk, NOW)
    assert not any(drift_of(client, deployment).values())
    assert client.get(path(deployment, "")).json()["modelHealth"]["status"] in ("unavailable", "unknown")
    switch(client, deployment, featureDrift={"enabled": True})
    send_predictions(deployment, [0.5] * 2, at=HOUR - timedelta(hours=1), ages=[30, 40])
    assert fill.run(deployment.pk, NOW)
    assert drift_of(client, deployment)["age"] == 2


def test_an_association_id_is_asked_for_where_it_is_required(client: APIClient, deployment: Deployment) -> None:
    send_predictions(deployment, [0.5])
    switch(client, deployment, associationId={"columnNames": ["case"], "requiredInPredictionRequests": True})
    body = {"data": [{"predictions": [0.5, 0.6]}]}
    door = path(deployment, "predictionInputs/fromJSON/")
    refused = client.post(door, body)
    assert (refused.status_code, set(refused.json()["errors"])) == (422, {"data[0].associationIds"})
    half = {"data": [{**body["data"][0], "associationIds": ["a", None]}]}
    assert set(client.post(door, half).json()["errors"]) == {"data[0].associationIds[1]"}
    table = pl.DataFrame({"prediction": [0.5, 0.6], "association_id": ["a", None], "timestamp": [HOUR, HOUR]})
    with pytest.raises(Refused) as caught:
        take_predictions(deployment, table, Home(), NOW)
    assert set(caught.value.errors) == {"association_id[1]"}
    assert send_predictions(deployment, [0.5, 0.6], ids=["a", "b"]).fresh


def test_rows_that_came_while_nothing_is_collected_are_not_handed_out(
    client: APIClient, deployment: Deployment
) -> None:
    send_predictions(deployment, [0.1], ids=["kept"])
    switch(client, deployment, predictionsDataCollection={"enabled": False})
    send_predictions(deployment, [0.2], ids=["private"])
    assert fill.run(deployment.pk, NOW)
    assert deployment.champion is not None
    exported = pl.concat(pieces(Wanted(deployment.champion, None, None)), how="diagonal_relaxed")
    assert exported["id"].to_list() == ["kept"]
    assert sum(bucket["rowCount"] for bucket in over_time(client, deployment)) == 2
    results = client.get(path(deployment, "predictionResults/")).json()["data"]
    assert [row["associationId"] for row in results] == ["kept"]


def over_time(client: APIClient, deployment: Deployment) -> list[dict[str, Any]]:
    span = {"start": (HOUR - timedelta(days=1)).isoformat(), "end": (HOUR + timedelta(hours=1)).isoformat()}
    buckets: list[dict[str, Any]] = client.get(path(deployment, "predictionsOverTime/"), span).json()["buckets"]
    return buckets


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"associationId": {"columnNames": "case"}}, "associationId.columnNames"),
        ({"associationId": {"requiredInPredictionRequests": "yes"}}, "associationId.requiredInPredictionRequests"),
        ({"automaticActuals": {"enabled": 1.5}}, "automaticActuals.enabled"),
        ({"biasAndFairness": {"fairnessThreshold": 2}}, "biasAndFairness.fairnessThreshold"),
        ({"biasAndFairness": {"fairnessMetricsSet": "all"}}, "biasAndFairness.fairnessMetricsSet"),
        ({"challengerModels": {"enabled": "on"}}, "challengerModels.enabled"),
        ({"featureDrift": {"enabled": "no"}}, "featureDrift.enabled"),
        ({"humility": {"enabled": 3}}, "humility.enabled"),
        ({"predictionIntervals": {"percentiles": [0]}}, "predictionIntervals.percentiles"),
        ({"predictionWarning": {"customBoundaries": {"lower": 2, "upper": 1}}}, "predictionWarning.customBoundaries"),
        ({"predictionsByForecastDate": {"enabled": True}}, "predictionsByForecastDate"),
        ({"predictionsDataCollection": {"enabled": "no"}}, "predictionsDataCollection.enabled"),
        ({"processingLimits": {"interval": "year"}}, "processingLimits.interval"),
        ({"segmentAnalysis": {"attributes": [3]}}, "segmentAnalysis.attributes"),
        ({"targetDrift": {"enabled": []}}, "targetDrift.enabled"),
    ],
)
def test_every_group_of_the_settings_is_checked_and_named(
    client: APIClient, deployment: Deployment, body: dict[str, Any], place: str
) -> None:
    before = deployment.settings
    answer = client.patch(path(deployment), body)
    assert answer.status_code == 422
    assert any(name.startswith(place) for name in answer.json()["errors"]), answer.json()
    deployment.refresh_from_db()
    assert deployment.settings == before


def test_changes_are_on_record_with_before_and_after(client: APIClient, deployment: Deployment, owner: User) -> None:
    switch(client, deployment, challengerModels={"enabled": True})
    entry = AuditEntry.objects.get(action="settings.updated")
    assert entry.user == owner
    assert entry.after["challengerModels"] == {"enabled": True}
    assert client.patch(path(deployment, "healthSettings/"), {"dataDrift": {"driftThreshold": 0.3}}).status_code == 200
    entry = AuditEntry.objects.get(action="healthSettings.updated")
    assert entry.after["dataDrift"]["driftThreshold"] == 0.3


@pytest.mark.parametrize(
    ("status", "wanted", "code"),
    [
        ("active", "inactive", 202),
        ("inactive", "active", 202),
        ("errored", "active", 202),
        ("active", "active", 409),
        ("launching", "inactive", 409),
        ("replacingModel", "inactive", 409),
        ("stopping", "active", 409),
        ("archived", "active", 422),
        ("active", "archived", 422),
    ],
)
def test_the_status_changes_only_as_it_may(
    client: APIClient, deployment: Deployment, status: str, wanted: str, code: int
) -> None:
    Deployment.objects.filter(pk=deployment.pk).update(status=status)
    assert client.patch(path(deployment, "status/"), {"status": wanted}).status_code == code
    deployment.refresh_from_db()
    assert deployment.status == (wanted if code == 202 else DeploymentStatus(status))
