"""Deployments, their settings, batches and segments: what can be listed, changed and refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from deployments import health
from deployments.models import AuditEntry, Deployment, Feature, Role, SegmentAttribute
from tests.deployments.api.conftest import member
from tests.deployments.factories import NOW, make_deployment, roll_up, send_actuals, send_predictions, send_service

pytestmark = pytest.mark.django_db
API = "/api/v2/deployments/"


def path(deployment: Deployment, tail: str = "") -> str:
    return f"{API}{deployment.public_id}/{tail}"


def owned(user: User, kind: str = "Binary", **overrides: Any) -> Deployment:
    deployment = make_deployment(kind, **overrides)
    deployment.roles.create(user=user, role=Role.OWNER)
    return deployment


def change(deployment: Deployment, **fields: Any) -> Deployment:
    Deployment.objects.filter(pk=deployment.pk).update(**fields)
    deployment.refresh_from_db()
    return deployment


def labels(client: APIClient, query: str) -> list[str]:
    answer = client.get(f"{API}?{query}")
    assert answer.status_code == 200, answer.content
    return [row["label"] for row in answer.json()["data"]]


# --- The list -----------------------------------------------------------------------------------------------------


@pytest.fixture
def three(user: User) -> list[Deployment]:
    now = datetime.now(UTC)
    rows: list[dict[str, Any]] = [
        {"label": "alpha", "importance": "LOW", "service_status": "passing", "recent_predictions": 7, "health_at": now},
        {"label": "beta", "importance": "CRITICAL", "service_status": "failing", "recent_predictions": 700},
        {"label": "gamma", "description": "The ALPHA of flights", "service_status": "warning", "status": "inactive"},
    ]
    made = [
        change(owned(user, kind), **row) for kind, row in zip(("Binary", "Regression", "Binary"), rows, strict=True)
    ]
    change(made[0], last_prediction_at=NOW, tags=[{"id": "1", "name": "team", "value": "air"}])
    change(made[1], last_prediction_at=NOW - timedelta(days=3))
    return made


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("orderBy=label", ["alpha", "beta", "gamma"]),
        ("orderBy=-label", ["gamma", "beta", "alpha"]),
        ("orderBy=-serviceHealth", ["beta", "gamma", "alpha"]),
        ("orderBy=-importance", ["beta", "alpha", "gamma"]),
        ("", ["alpha", "beta", "gamma"]),
        ("orderBy=lastPredictionTimestamp", ["beta", "alpha", "gamma"]),
        ("orderBy=-recentPredictions", ["beta", "alpha", "gamma"]),
        ("orderBy=label&search=alpha", ["alpha", "gamma"]),
        ("orderBy=label&serviceHealth=failing,warning", ["beta", "gamma"]),
        ("orderBy=label&serviceHealth=failing&serviceHealth=passing", ["alpha", "beta"]),
        ("orderBy=label&serviceHealth=failing,passing&importance=LOW", ["alpha"]),
        ("orderBy=label&status=inactive", ["gamma"]),
        ("orderBy=label&championModelTargetType=binary", ["alpha", "gamma"]),
        ("lastPredictionTimestampStart=2026-03-01T00:00:00Z", ["alpha"]),
        ("lastPredictionTimestampEnd=2026-03-01T00:00:00Z", ["beta"]),
        ("predictionUsageDailyAvgGreaterThan=1", ["beta"]),
        ("orderBy=label&predictionUsageDailyAvgLessThan=2", ["alpha", "gamma"]),
        ("tagKeys=team&tagValues=air", ["alpha"]),
        ("tagKeys=team&tagValues=sea", []),
        ("role=USER", []),
        ("createdByMe=true", []),
        ("executionEnvironmentType=datarobot", []),
    ],
)
def test_the_list_is_filtered_and_sorted(
    client: APIClient, three: list[Deployment], query: str, expected: list[str]
) -> None:
    assert labels(client, query) == expected


@pytest.mark.parametrize("query", ["orderBy=beauty", "serviceHealth=fine", "limit=0", "limit=101", "offset=-1"])
def test_bad_values_of_the_list_are_refused(client: APIClient, query: str) -> None:
    answer = client.get(f"{API}?{query}")
    assert answer.status_code == 422
    assert query.split("=")[0] in answer.json()["errors"]


def test_the_list_costs_the_same_queries_for_one_row_and_for_many(client: APIClient, user: User) -> None:
    owned(user)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert client.get(API).status_code == 200
        return len(seen)

    client.get(API)
    one = queries()
    for _ in range(4):
        owned(user)
    assert queries() == one <= 5


def test_a_list_shows_only_what_the_caller_may_see(client: APIClient) -> None:
    make_deployment()
    assert client.get(API).json()["totalCount"] == 0


# --- One deployment -----------------------------------------------------------------------------------------------


def test_a_deployment_is_changed_and_the_change_is_noted(client: APIClient, user: User) -> None:
    deployment = owned(user)
    answer = client.patch(path(deployment), {"label": "New", "importance": "HIGH"})
    assert answer.status_code == 204
    found = client.get(path(deployment)).json()
    assert (found["label"], found["importance"]) == ("New", "HIGH")
    entry = AuditEntry.objects.get(deployment=deployment, action="deployment.updated")
    assert entry.after == {"label": "New", "importance": "HIGH"}


@pytest.mark.parametrize("body", [{"label": ""}, {"importance": "HUGE"}, {"label": 5}])
def test_a_bad_change_is_refused(client: APIClient, user: User, body: dict[str, Any]) -> None:
    assert client.patch(path(owned(user)), body).status_code == 422


@pytest.mark.parametrize("role", [Role.USER, Role.CONSUMER])
def test_only_owners_change_a_deployment(role: Role) -> None:
    deployment = make_deployment()
    client = member(deployment, role)
    assert client.get(path(deployment)).status_code == 200
    assert client.patch(path(deployment), {"label": "x"}).status_code == 403
    assert client.patch(path(deployment, "settings/"), {}).status_code == 403


def test_a_deployment_is_stopped_and_started(client: APIClient, user: User) -> None:
    deployment = owned(user)
    assert client.patch(path(deployment, "status/"), {"status": "active"}).status_code == 409
    answer = client.patch(path(deployment, "status/"), {"status": "inactive"})
    assert answer.status_code == 202
    assert client.get(answer["Location"]).status_code == 303
    assert client.get(path(deployment)).json()["status"] == "inactive"
    assert client.patch(path(deployment, "status/"), {"status": "errored"}).status_code == 422


def test_every_capability_that_is_missing_says_why(client: APIClient, user: User) -> None:
    rows = client.get(path(owned(user), "capabilities/")).json()["data"]
    assert len(rows) == 17
    assert all(bool(row["messages"]) != row["supported"] for row in rows)


def test_features_are_searched_and_sorted(client: APIClient, user: User) -> None:
    deployment = owned(user)
    Feature.objects.filter(package__deployed__deployment=deployment, name="town").update(importance=0.9)

    def names(query: str) -> list[str]:
        return [row["name"] for row in client.get(path(deployment, f"features/?{query}")).json()["data"]]

    assert names("") == ["age", "town"]
    assert names("orderBy=-name") == ["town", "age"]
    assert names("orderBy=-importance") == ["town", "age"]
    assert names("search=AG") == ["age"]
    assert names("forSegmentedAnalysis=true") == ["town"]


# --- Settings -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"predictionWarning": {"customBoundaries": {"lower": 5, "upper": 1}}}, "predictionWarning.customBoundaries"),
        ({"segmentAnalysis": {"enabled": True, "attributes": ["age"]}}, "segmentAnalysis.attributes"),
        (
            {"biasAndFairness": {"protectedFeatures": ["age"], "preferableTargetValue": "yes"}},
            "biasAndFairness.protectedFeatures",
        ),
        ({"humility": {"enabled": "perhaps"}}, "humility.enabled"),
    ],
)
def test_settings_that_do_not_fit_are_refused(client: APIClient, user: User, body: dict[str, Any], field: str) -> None:
    deployment = owned(user)
    before = client.get(path(deployment, "settings/")).json()
    answer = client.patch(path(deployment, "settings/"), body)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])
    assert client.get(path(deployment, "settings/")).json() == before


def test_health_settings_begin_with_their_defaults(client: APIClient, user: User) -> None:
    deployment = owned(user, "Regression")
    defaults = client.get(path(deployment, "healthSettings/defaults/")).json()
    assert client.get(path(deployment, "healthSettings/")).json() == defaults
    assert defaults["accuracy"]["metric"] == "RMSE"
    assert (defaults["dataDrift"]["driftThreshold"], defaults["dataDrift"]["timeInterval"]) == (0.15, "P7D")


def test_a_change_of_the_health_settings_keeps_the_rest(client: APIClient, user: User) -> None:
    deployment = owned(user)
    patch = {"dataDrift": {"driftThreshold": 0.3, "timeInterval": "PT2H", "batchCount": 10}}
    answer = client.patch(path(deployment, "healthSettings/"), patch)
    assert (answer.status_code, answer.json()) == (200, {})
    found = client.get(path(deployment, "healthSettings/")).json()
    assert found["dataDrift"] | {"importanceThreshold": 0.5} == found["dataDrift"]
    assert (found["dataDrift"]["timeInterval"], found["dataDrift"]["batchCount"]) == ("T2H", "10")
    assert found["accuracy"]["metric"] == "LogLoss"


@pytest.mark.parametrize(
    "body",
    [
        {"dataDrift": {"driftThreshold": 2}},
        {"dataDrift": {"highImportanceFailingCount": 0}},
        {"dataDrift": {"timeInterval": "P3D"}},
        {"accuracy": {"metric": "RMSE"}},
        {"accuracy": {"batchCount": "7"}},
        {"predictionsTimeliness": {"enabled": True, "expectedFrequency": "PT5M"}},
    ],
)
def test_health_settings_that_do_not_fit_are_refused(client: APIClient, user: User, body: dict[str, Any]) -> None:
    assert client.patch(path(owned(user), "healthSettings/"), body).status_code == 422


# --- Health -------------------------------------------------------------------------------------------------------


def test_health_goes_from_not_started_to_a_verdict_with_its_reason(client: APIClient, user: User) -> None:
    deployment = owned(user)
    health.refresh(deployment.pk, NOW)
    fresh = client.get(path(deployment)).json()
    assert {fresh[f"{area}Health"]["status"] for area in ("service", "model", "accuracy")} == {"not_started"}
    n = 120
    ids = [f"i{k}" for k in range(n)]
    send_predictions(deployment, [[0.2, 0.8]] * n, ids=ids, ages=[69.0] * n, towns=["Oslo", "Bergen"] * 60)
    send_service(deployment, [{"numPredictions": n, "executionTime": 3, "systemError": True}])
    send_actuals(deployment, dict.fromkeys(ids, "yes"))
    roll_up(deployment)
    found = client.get(path(deployment)).json()
    assert found["serviceHealth"]["status"] == "failing"
    assert found["modelHealth"]["status"] == "warning"
    assert "age" in found["modelHealth"]["message"]
    assert found["accuracyHealth"]["status"] == "unknown"
    assert labels(client, "serviceHealth=failing&modelHealth=warning") == ["A deployment"]


def test_drift_that_is_switched_off_is_unavailable(client: APIClient, user: User) -> None:
    deployment = owned(user)
    client.patch(path(deployment, "settings/"), {"featureDrift": {"enabled": False}, "targetDrift": {"enabled": False}})
    health.refresh(deployment.pk, NOW)
    assert client.get(path(deployment)).json()["modelHealth"]["status"] == "unavailable"


def test_a_looser_limit_is_judged_at_once(client: APIClient, user: User) -> None:
    deployment = owned(user)
    n = 120
    now = datetime.now(UTC)
    send_predictions(deployment, [[0.2, 0.8]] * n, at=now - timedelta(minutes=1), ages=[69.0] * n, received=now)
    roll_up(deployment)
    health.refresh(deployment.pk, now)
    assert client.get(path(deployment)).json()["modelHealth"]["status"] == "warning"
    client.patch(path(deployment, "healthSettings/"), {"dataDrift": {"excludedFeatures": ["age", "town"]}})
    assert client.get(path(deployment)).json()["modelHealth"]["status"] != "warning"


# --- Batches ------------------------------------------------------------------------------------------------------


def test_a_batch_is_made_changed_and_deleted(client: APIClient, user: User) -> None:
    deployment = owned(user, batch_monitoring=True)
    made = client.post(path(deployment, "monitoringBatches/"), {"batchName": "January", "description": "first"})
    assert made.status_code == 200, made.content
    one = path(deployment, f"monitoringBatches/{made.json()['id']}/")
    assert client.get(one).json()["createdBy"]["name"] == "ada"
    assert client.patch(one, {"isLocked": True, "externalContextUrl": "https://x.example/"}).json()["isLocked"]
    assert client.patch(one, {"externalContextUrl": "javascript:alert(1)"}).status_code == 422
    assert client.post(path(deployment, "monitoringBatches/"), {"batchName": "January"}).status_code == 422
    assert client.post(path(deployment, "monitoringBatches/"), {}).json()["errors"]["batchName"]
    assert client.delete(one).status_code == 200
    assert client.get(one).status_code == 404


def test_batches_need_batch_monitoring(client: APIClient, user: User) -> None:
    assert client.post(path(owned(user), "monitoringBatches/"), {"batchName": "x"}).status_code == 422


def test_each_batch_has_figures_of_its_own(client: APIClient, user: User) -> None:
    deployment = owned(user, "Regression", batch_monitoring=True)
    ids = []
    for name, error in (("January", 1.0), ("February", 3.0)):
        made = client.post(path(deployment, "monitoringBatches/"), {"batchName": name}).json()
        ids.append(made["id"])
        rows = [f"{name}-{k}" for k in range(4)]
        send_predictions(deployment, [10.0 + error] * 4, ids=rows, batchId=made["id"])
        send_actuals(deployment, dict.fromkeys(rows, 10.0))
    roll_up(deployment)
    over = client.get(path(deployment, "accuracyOverBatch/?metric=RMSE")).json()
    assert [(row["batchName"], row["value"], row["sampleSize"]) for row in over["buckets"]] == [
        ("January", pytest.approx(1.0), 4),
        ("February", pytest.approx(3.0), 4),
    ]
    both = client.get(path(deployment, f"accuracy/?batchId={ids[0]}&batchId={ids[1]}")).json()
    assert both["metrics"]["RMSE"]["value"] == pytest.approx(5**0.5)
    assert both["batchIds"] == ids
    counts = client.get(path(deployment, f"predictionsOverBatch/?batchId={ids[1]}")).json()["buckets"]
    assert [(row["batch"]["name"], row["rowCount"], row["meanPredictedValue"]) for row in counts] == [
        ("February", 4, pytest.approx(13.0))
    ]
    versus = client.get(path(deployment, "predictionsVsActualsOverBatch/")).json()["buckets"]
    assert [(row["meanActualValue"], row["rowCountWithActual"]) for row in versus] == [(10.0, 4), (10.0, 4)]
    listed = client.get(path(deployment, "monitoringBatches/?orderBy=name&search=janu")).json()["data"]
    assert [(row["name"], row["predictionsCount"]) for row in listed] == [("January", 4)]
    unknown = client.get(path(deployment, f"serviceStatsOverBatch/?batchId={'0' * 24}"))
    assert unknown.json()["buckets"] == []
    assert client.get(path(deployment, f"featureDrift/?batchId={ids[0]}")).json()["batchId"] == [ids[0]]
    drift = client.get(path(deployment, "featureDriftOverBatch/?featureNames=age"))
    assert len(drift.json()["buckets"]) == 2


# --- Segments -----------------------------------------------------------------------------------------------------


def followed(deployment: Deployment) -> Deployment:
    """Segments count what came after they were switched on, so they were switched on before these tests' clock."""
    SegmentAttribute.objects.filter(deployment=deployment).update(since=NOW - timedelta(days=1))
    return deployment


def test_a_segment_is_cut_out_of_every_read(client: APIClient, user: User) -> None:
    deployment = followed(owned(user, segments=True))
    towns: list[str | None] = ["Oslo"] * 3 + ["Bergen"] * 2 + [None]
    ids = [f"r{k}" for k in range(6)]
    period = "start=2026-03-02T00:00:00Z&end=2026-03-03T00:00:00Z&bucketSize=P1D&segmentAttribute=town"
    send_predictions(deployment, [[0.4, 0.6]] * 6, towns=towns, ids=ids)
    send_actuals(deployment, dict.fromkeys(ids, "yes"))
    roll_up(deployment)

    def rows(value: str) -> int:
        answer = client.get(path(deployment, f"predictionsOverTime/?{period}&segmentValue={value}")).json()
        assert (answer["segmentAttribute"], answer["segmentValue"]) == ("town", value)
        return int(answer["buckets"][0]["rowCount"])

    assert [rows("Oslo"), rows("Bergen"), rows(""), rows("Rome")] == [3, 2, 1, 0]
    accuracy = client.get(path(deployment, f"accuracyOverTime/?{period}&segmentValue=Oslo&metric=Accuracy")).json()
    assert (accuracy["summary"]["value"], accuracy["summary"]["sampleSize"]) == (1.0, 3)
    values = client.get(path(deployment, "segmentValues/?segmentAttribute=town")).json()["data"]
    assert sorted(row["value"] for row in values) == ["", "Bergen", "Oslo"]
    found = client.get(path(deployment, "segmentAttributes/?monitoringType=dataDrift")).json()
    assert found == {"data": ["DataRobot-Consumer", "town"], "monitoringType": "dataDrift"}
    assert client.get(path(deployment, "segmentValues/?segmentAttribute=planet")).status_code == 422


def test_service_is_cut_by_its_three_attributes(client: APIClient, user: User) -> None:
    deployment = followed(owned(user, segments=True))
    send_service(deployment, [{"numPredictions": 1, "executionTime": 1, "consumer": c} for c in ("a", "a", "b")])
    roll_up(deployment)
    query = "start=2026-03-02T00:00:00Z&end=2026-03-03T00:00:00Z&segmentAttribute=DataRobot-Consumer&segmentValue=a"
    answer = client.get(path(deployment, f"serviceStats/?{query}")).json()
    assert answer["metrics"]["totalRequests"] == 2
    assert client.get(path(deployment, "serviceStats/?segmentAttribute=town&segmentValue=x")).status_code == 422
