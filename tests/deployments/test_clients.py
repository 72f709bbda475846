"""What existing clients of the reference rely on without the reference saying so: one test for each fact."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.dateparse import parse_datetime

from deployments import jobs, listing, registry
from deployments.api.authentication import issue
from deployments.models import Deployment, IngestRequest, Job, JobState, ModelPackage
from deployments.rollups import fill
from metrics import DEFAULT_METRICS, TargetType
from tests.deployments.factories import (
    make_deployment,
    make_package,
    make_user,
    send_actuals,
    send_predictions,
    send_service,
)

JSON = "application/json"
ABSOLUTE_STATUS = re.compile(r"http://testserver/api/v2/status/[0-9a-f]{24}/")
SERVICE_NAMES = {
    *("totalPredictions", "totalRequests", "slowRequests", "executionTime", "responseTime", "userErrorRate"),
    *("serverErrorRate", "numConsumers", "cacheHitRatio", "medianLoad", "peakLoad"),
}

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return make_user(is_superuser=True)


@pytest.fixture
def token(user: User) -> str:
    return issue(user, "test")


@pytest.fixture
def api(token: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {token}"}, raise_request_exception=False)


def url(deployment: Deployment, tail: str = "") -> str:
    return f"/api/v2/deployments/{deployment.public_id}/{tail}"


def filled(kind: str = "Binary") -> Deployment:
    """A deployment with ten scored predictions and a service event, three hours ago."""
    now = datetime.now(UTC)
    at = now - timedelta(hours=3)
    deployment = make_deployment(kind, started_at=now - timedelta(days=30))
    predicted: dict[str, list[Any]] = {
        "Binary": [i / 10 for i in range(10)],
        "Regression": [float(i) for i in range(10)],
        "Multiclass": [[0.2, 0.3, 0.5] if i % 2 else [0.6, 0.3, 0.1] for i in range(10)],
    }
    outcomes: dict[str, list[Any]] = {"Binary": ["no", "yes"], "Regression": [1.0, 2.5], "Multiclass": ["red", "blue"]}
    ids = [f"row-{i}" for i in range(10)]
    send_predictions(deployment, predicted[kind], at=at, ids=ids, ages=[30.0 + i for i in range(10)], received=now)
    send_service(deployment, [{"timestamp": at.isoformat(), "numPredictions": 10, "executionTime": 5}], received=now)
    send_actuals(deployment, {name: outcomes[kind][i % 2] for i, name in enumerate(ids)}, received=now)
    assert fill.run(deployment.pk, now)
    return deployment


def post(api: Client, path: str, body: Any, **more: Any) -> Any:
    return api.post(path, data=body, content_type=JSON, **more)


def patch(api: Client, path: str, body: Any) -> Any:
    return api.patch(path, data=body, content_type=JSON)


# --- Connecting -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["Bearer", "Token", "bearer", "token"])
def test_both_words_before_the_token_are_taken(token: str, scheme: str) -> None:
    answer = Client().get("/api/v2/deployments/", headers={"Authorization": f"{scheme} {token}"})
    assert answer.status_code == 200


def test_the_version_is_told_to_anyone_and_its_major_is_2(api: Client) -> None:
    for client in (Client(), api):
        told = client.get("/api/v2/version/").json()
        assert {"major": 2, "minor": 36, "versionString": "2.36.0"}.items() <= told.items()


def test_listing_projects_proves_a_token(api: Client) -> None:
    assert api.get("/api/v2/projects/").json()["data"] == []
    assert Client().get("/api/v2/projects/").status_code == 401


def test_no_path_with_its_slash_is_ever_redirected(api: Client) -> None:
    deployment = make_deployment()
    for path in (
        "/api/v2/version/",
        "/api/v2/projects/",
        "/api/v2/deployments/",
        url(deployment),
        url(deployment, "no/"),
    ):
        assert api.get(path).status_code in (200, 404)


# --- Errors -----------------------------------------------------------------------------------------------------


def test_errors_are_a_message_and_errors_with_the_bare_content_type(api: Client) -> None:
    deployment = make_deployment()
    answers = [
        (api.get("/api/v2/nothing/"), 404),
        (api.get("/api/v2/deployments/none/"), 404),
        (api.put(url(deployment)), 405),
        (api.get(url(deployment, "accuracy/"), query_params={"start": "x"}), 422),
        (Client().get(url(deployment)), 401),
    ]
    for answer, status in answers:
        assert answer.status_code == status
        assert answer["Content-Type"] == "application/json"
        assert isinstance(answer.json()["message"], str)
        assert isinstance(answer.json()["errors"], dict)
        assert "detail" not in answer.json()


def test_an_error_that_nobody_foresaw_is_json_and_tells_nothing(api: Client) -> None:
    deployment = make_deployment()
    Deployment.objects.filter(pk=deployment.pk).update(daily_predictions=[1])
    answer = api.get(url(deployment))
    assert answer.status_code == 500
    assert answer["Content-Type"] == "application/json"
    assert answer.json() == {"message": "Something went wrong on the server.", "errors": {}}


def test_too_many_requests_say_when_to_try_again(api: Client, settings: Any) -> None:
    settings.RATE_LIMIT_API = 2
    answers = [api.get("/api/v2/projects/") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[-1]["Retry-After"]) >= 1


# --- Asynchronous jobs ------------------------------------------------------------------------------------------


def test_a_job_is_accepted_with_an_absolute_address_then_runs_then_points_to_the_resource(api: Client) -> None:
    deployment = make_deployment()
    body = {"data": [{"associationId": "row-1", "actualValue": "yes"}]}
    accepted = post(api, url(deployment, "actuals/fromJSON/"), body)
    assert accepted.status_code == 202
    assert ABSOLUTE_STATUS.fullmatch(accepted["Location"])

    running = api.get(accepted["Location"])
    assert running.status_code == 200
    told = running.json()
    assert {"statusId", "status", "message", "code", "description", "statusType"} <= set(told)
    assert told["status"] in ("INITIALIZED", "RUNNING")

    assert jobs.run(Job.objects.get().pk)
    finished = api.get(accepted["Location"])
    assert finished.status_code == 303
    assert finished["Location"] == f"http://testserver{url(deployment)}"
    assert api.get(finished["Location"]).status_code == 200
    assert api.get(accepted["Location"]).status_code == 303, "a finished job stays readable"


@pytest.mark.parametrize("state", [JobState.ERROR, JobState.ABORTED])
def test_a_failed_job_is_told_with_200_and_its_message(api: Client, user: User, state: JobState) -> None:
    job = Job.objects.create(kind="actuals", created_by=user, state=state, message="The rows are gone.")
    told = api.get(f"/api/v2/status/{job.public_id}/")
    assert told.status_code == 200
    assert (told.json()["status"], told.json()["message"]) == (state.value, "The rows are gone.")


def test_every_job_that_is_done_at_once_points_to_a_resource_that_answers(api: Client) -> None:
    deployment = make_deployment()
    for tail, body in (("settings/", {"challengerModels": {"enabled": True}}), ("status/", {"status": "inactive"})):
        accepted = patch(api, url(deployment, tail), body)
        assert accepted.status_code == 202
        finished = api.get(accepted["Location"])
        assert finished.status_code == 303
        assert finished["Location"].startswith("http://testserver/")
        assert finished["Location"].endswith("/")
        assert api.get(finished["Location"]).status_code == 200


def test_behind_a_proxy_addresses_are_those_that_the_client_sees(api: Client, settings: Any) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.USE_X_FORWARDED_HOST = True
    settings.ALLOWED_HOSTS = ["vitals.example.org"]
    deployment = make_deployment()
    seen = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "vitals.example.org"}
    accepted = api.patch(url(deployment, "settings/"), data={}, content_type=JSON, headers=seen)
    assert accepted["Location"].startswith("https://vitals.example.org/api/v2/status/")
    finished = api.get(accepted["Location"], headers=seen)
    assert finished["Location"].startswith("https://vitals.example.org/api/v2/deployments/")


# --- Lists ------------------------------------------------------------------------------------------------------


def test_a_list_needs_no_window_and_ends_with_null(api: Client) -> None:
    deployment = make_deployment()
    for path in ("/api/v2/deployments/", url(deployment, "features/"), url(deployment, "monitoringBatches/")):
        page = api.get(path).json()
        assert {"count", "next", "previous", "data", "totalCount"} <= set(page)
        assert (page["next"], page["previous"]) == (None, None)
        assert page["count"] == len(page["data"]) == page["totalCount"]


def test_the_next_page_is_absolute_and_keeps_every_parameter(api: Client) -> None:
    for _ in range(3):
        make_deployment()
    page = api.get("/api/v2/deployments/?limit=2&search=A&importance=LOW&importance=HIGH&unknown=kept").json()
    address = page["next"]
    assert address.startswith("http://testserver/api/v2/deployments/?")
    for piece in ("search=A", "importance=LOW", "importance=HIGH", "unknown=kept", "limit=2", "offset=2"):
        assert piece in address
    last = api.get(address).json()
    assert (last["count"], last["next"], last["totalCount"]) == (1, None, 3)
    assert last["previous"].startswith("http://testserver/")


# --- Encodings --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "own"), [("true", True), ("True", True), ("false", False), ("False", False)])
def test_booleans_come_in_four_spellings(api: Client, user: User, text: str, own: bool) -> None:
    registry.create_deployment(make_package(), "Mine", user)
    make_deployment()
    page = api.get("/api/v2/deployments/", query_params={"createdByMe": text}).json()
    assert ("Mine" in [row["label"] for row in page["data"]]) is own


@pytest.mark.parametrize(
    "text", ["2026-03-02T09:00:00Z", "2026-03-02T10:00:00+01:00", "2026-03-02T09:00:00", "2026-03-02 09:00:00"]
)
def test_times_with_z_with_an_offset_or_naive_mean_the_same(api: Client, text: str) -> None:
    answer = api.get(
        url(make_deployment(), "serviceStats/"), query_params={"start": text, "end": "2026-03-03T00:00:00Z"}
    )
    assert datetime.fromisoformat(answer.json()["period"]["start"]) == datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_a_plus_that_was_not_escaped_is_understood(api: Client) -> None:
    path = url(make_deployment(), "serviceStats/") + "?start=2026-03-02T09:00:00+00:00&end=2026-03-03T00:00:00+00:00"
    assert datetime.fromisoformat(api.get(path).json()["period"]["start"]) == datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_ingest_takes_times_with_a_space_and_an_offset_without_colon(api: Client) -> None:
    deployment = make_deployment()
    text = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%d %H:%M:%S.678+0000")
    predicted = {"data": [{"timestamp": text, "predictions": [[0.3, 0.7]], "features": [], "associationIds": ["a"]}]}
    events = {
        "data": [
            {"timestamp": text, "numPredictions": 1, "executionTime": 1.5, "userError": False, "systemError": False}
        ]
    }
    assert post(api, url(deployment, "predictionInputs/fromJSON/"), predicted).status_code == 202
    assert post(api, url(deployment, "predictionRequests/fromJSON/"), events).status_code == 202


def test_filters_are_repeated_or_separated_by_commas_and_combine(api: Client) -> None:
    rows = {name: make_deployment() for name in ("red", "yellow", "green")}
    for row, status in zip(rows.values(), ("failing", "warning", "passing"), strict=True):
        Deployment.objects.filter(pk=row.pk).update(service_status=status)
    Deployment.objects.filter(pk=rows["red"].pk).update(importance="HIGH")

    def found(query: str) -> set[str]:
        page = api.get(f"/api/v2/deployments/?{query}").json()
        return {name for name, row in rows.items() if row.public_id in {one["id"] for one in page["data"]}}

    assert found("serviceHealth=failing,warning") == {"red", "yellow"}
    assert found("serviceHealth=failing&serviceHealth=warning") == {"red", "yellow"}
    assert found("serviceHealth=failing,warning&importance=HIGH") == {"red"}


def test_unknown_keys_in_settings_are_ignored(api: Client) -> None:
    deployment = make_deployment()
    body = {"noSuchGroup": {"enabled": True}, "challengerModels": {"enabled": True, "noSuchKey": 3}}
    assert patch(api, url(deployment, "settings/"), body).status_code == 202
    shown = api.get(url(deployment, "settings/")).json()
    assert shown["challengerModels"] == {"enabled": True}
    assert "noSuchGroup" not in shown


def test_null_clears_the_boundaries_of_warnings(api: Client) -> None:
    deployment = make_deployment("Regression")
    for bounds in ({"lower": 1.0, "upper": 2.0}, None):
        body = {"predictionWarning": {"enabled": True, "customBoundaries": bounds}}
        assert patch(api, url(deployment, "settings/"), body).status_code == 202
        assert api.get(url(deployment, "settings/")).json()["predictionWarning"]["customBoundaries"] == bounds


# --- Keys that clients insist on --------------------------------------------------------------------------------


def is_moment(text: Any) -> bool:
    return isinstance(text, str) and parse_datetime(text) is not None


def assert_period(period: Mapping[str, Any]) -> None:
    assert set(period) == {"start", "end"}
    assert is_moment(period["start"])
    assert is_moment(period["end"])


def test_a_deployment_has_its_id_its_model_its_rates_and_dated_healths(api: Client) -> None:
    deployment = filled()
    listed = api.get("/api/v2/deployments/").json()["data"][0]
    for shown in (api.get(url(deployment)).json(), listed):
        assert shown["id"] == deployment.public_id
        assert re.fullmatch("[0-9a-f]{24}", shown["model"]["id"])
        rates = shown["predictionUsage"]["dailyRates"]
        assert len(rates) == listing.DAYS_OF_USAGE
        assert all(isinstance(rate, int | float) for rate in rates)
        assert sum(rates) == 10
        for name in ("serviceHealth", "modelHealth", "accuracyHealth"):
            assert is_moment(shown[name]["startDate"])
            assert is_moment(shown[name]["endDate"])


def test_service_stats_have_only_the_eleven_known_names(api: Client) -> None:
    shown = api.get(url(filled(), "serviceStats/")).json()
    assert_period(shown["period"])
    assert "modelId" in shown
    assert set(shown["metrics"]) == SERVICE_NAMES
    assert shown["metrics"]["totalPredictions"] == 10


@pytest.mark.parametrize("metric", sorted(SERVICE_NAMES))
def test_service_stats_over_time_have_buckets_with_period_and_value(api: Client, metric: str) -> None:
    shown = api.get(url(filled(), "serviceStatsOverTime/"), query_params={"metric": metric}).json()
    assert shown["metric"] == metric
    assert "modelId" in shown
    for bucket in [*shown["buckets"], shown["summary"]]:
        assert_period(bucket["period"])
        assert "value" in bucket


@pytest.mark.parametrize("kind", ["Binary", "Regression", "Multiclass"])
def test_accuracy_is_an_object_of_the_default_metrics_only(api: Client, kind: str) -> None:
    shown = api.get(url(filled(kind), "accuracy/")).json()
    assert_period(shown["period"])
    assert "modelId" in shown
    assert set(shown["metrics"]) == set(DEFAULT_METRICS[TargetType(kind)])
    for metric in shown["metrics"].values():
        assert {"value", "baselineValue", "percentChange"} <= set(metric)


def test_metric_names_are_spelled_as_clients_know_them(api: Client) -> None:
    assert {"Kolmogorov-Smirnov", "Rate@Top10%"} <= set(api.get(url(filled(), "accuracy/")).json()["metrics"])


@pytest.mark.parametrize("metric", ["F1", "MCC", "TPR"])
def test_other_metrics_are_served_over_time_and_over_batches(api: Client, metric: str) -> None:
    deployment = filled()
    assert metric not in api.get(url(deployment, "accuracy/")).json()["metrics"]
    over_time = api.get(url(deployment, "accuracyOverTime/"), query_params={"metric": metric}).json()
    assert over_time["summary"]["value"] is not None
    assert api.get(url(deployment, "accuracyOverBatch/"), query_params={"metric": metric}).status_code == 200


def test_accuracy_over_time_has_buckets_summary_and_the_deprecated_baseline(api: Client) -> None:
    shown = api.get(url(filled(), "accuracyOverTime/")).json()
    assert "modelId" in shown
    assert shown["metric"] == "LogLoss"
    for part in [*shown["buckets"], shown["summary"], shown["baseline"]]:
        assert {"period", "value", "sampleSize"} <= set(part)
    for bucket in shown["buckets"]:
        assert_period(bucket["period"])
    assert shown["summary"]["sampleSize"] == 10


def test_target_drift_has_every_key_even_without_a_score(api: Client) -> None:
    for deployment in (filled(), make_deployment()):
        shown = api.get(url(deployment, "targetDrift/")).json()
        assert_period(shown["period"])
        assert {"metric", "modelId", "targetName", "driftScore", "sampleSize", "baselineSampleSize"} <= set(shown)


def test_feature_drift_has_a_page_of_features(api: Client) -> None:
    shown = api.get(url(filled(), "featureDrift/")).json()
    assert_period(shown["period"])
    assert {"data", "next", "metric", "modelId"} <= set(shown)
    assert [row["name"] for row in shown["data"]] == ["age", "town"]


@pytest.mark.parametrize("kind", ["Binary", "Regression", "Multiclass"])
def test_any_deployment_has_prediction_intervals_and_takes_a_change_of_them(api: Client, kind: str) -> None:
    deployment = make_deployment(kind)
    assert isinstance(api.get(url(deployment, "settings/")).json()["predictionIntervals"], dict)
    wanted = {"enabled": True, "percentiles": [80, 90]}
    assert patch(api, url(deployment, "settings/"), {"predictionIntervals": wanted}).status_code == 202
    assert api.get(url(deployment, "settings/")).json()["predictionIntervals"] == wanted


# --- The life of a deployment -----------------------------------------------------------------------------------


def package_of(user: User) -> ModelPackage:
    return make_package(owner=user)


def test_a_new_deployment_is_readable_at_once_under_the_answered_id(api: Client, user: User) -> None:
    body = {"modelPackageId": package_of(user).public_id, "label": "New", "predictionEnvironmentId": None, "extra": 1}
    accepted = post(api, "/api/v2/deployments/fromModelPackage/", body)
    assert accepted.status_code == 202
    shown = api.get(f"/api/v2/deployments/{accepted.json()['id']}/").json()
    assert (shown["label"], shown["status"]) == ("New", "active")
    finished = api.get(accepted["Location"])
    assert finished["Location"] == f"http://testserver/api/v2/deployments/{accepted.json()['id']}/"


def test_after_a_replacement_the_new_model_is_shown(api: Client) -> None:
    deployment = make_deployment()
    successor = make_package()
    registry.replace_model(deployment, successor, datetime.now(UTC), "ACCURACY")
    assert api.get(url(deployment)).json()["model"]["id"] == successor.model_id


def test_a_deleted_deployment_is_not_found_any_more(api: Client) -> None:
    deployment = make_deployment()
    assert api.delete(url(deployment)).status_code == 204
    assert api.get(url(deployment)).status_code == 404
    assert api.get(url(deployment, "settings/")).status_code == 404
    assert api.get("/api/v2/deployments/").json()["data"] == []


def test_answers_that_have_nothing_to_say_are_an_empty_object(api: Client) -> None:
    deployment = make_deployment(batch_monitoring=True)
    assert patch(api, url(deployment, "healthSettings/"), {"service": {"batchCount": "5"}}).content == b"{}"
    assert patch(api, url(deployment, "settings/"), {}).content == b"{}"
    batch = post(api, url(deployment, "monitoringBatches/"), {"batchName": "May"}).json()
    assert api.delete(url(deployment, f"monitoringBatches/{batch['id']}/")).content == b"{}"


# --- How data comes in ------------------------------------------------------------------------------------------


def test_service_events_as_reporting_libraries_send_them_are_counted(api: Client) -> None:
    deployment = make_deployment(started_at=datetime.now(UTC) - timedelta(days=30))
    at = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    rows = [
        {"timestamp": at, "numPredictions": 5, "executionTime": 20.0, "userError": False, "systemError": False},
        {"timestamp": at, "numPredictions": 0, "executionTime": 1.0, "userError": True, "systemError": False},
        {"timestamp": at, "numPredictions": 0, "executionTime": 1.0, "userError": False, "systemError": True},
    ]
    assert post(api, url(deployment, "predictionRequests/fromJSON/"), {"data": rows}).status_code == 202
    assert fill.run(deployment.pk, datetime.now(UTC))
    metrics = api.get(url(deployment, "serviceStats/")).json()["metrics"]
    assert (metrics["totalRequests"], metrics["totalPredictions"]) == (3, 5)
    assert metrics["userErrorRate"] == pytest.approx(1 / 3)
    assert metrics["serverErrorRate"] == pytest.approx(1 / 3)


def test_predictions_as_reporting_libraries_send_them_are_counted(api: Client) -> None:
    deployment = make_deployment(started_at=datetime.now(UTC) - timedelta(days=30))
    item = {
        "timestamp": (datetime.now(UTC) - timedelta(hours=1)).isoformat(),
        "modelId": deployment.champion.public_id if deployment.champion else None,
        "features": [{"name": "age", "values": [30, 40]}, {"name": "town", "values": ["Oslo", None]}],
        "predictions": [[0.9, 0.1], [0.2, 0.8]],
        "associationIds": ["a", "b"],
    }
    body = {"data": [item], "skipDriftTracking": False, "skipAccuracyTracking": False}
    assert post(api, url(deployment, "predictionInputs/fromJSON/"), body).status_code in (200, 202)
    assert fill.run(deployment.pk, datetime.now(UTC))
    buckets = api.get(url(deployment, "predictionsOverTime/")).json()["buckets"]
    assert sum(bucket["rowCount"] for bucket in buckets) == 2


def test_ten_thousand_rows_are_one_batch_and_more_are_refused_whole(api: Client) -> None:
    deployment = make_deployment("Regression")
    at = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    for rows, status in ((10_000, 202), (10_001, 413)):
        body = msgspec.json.encode({"data": [{"timestamp": at, "predictions": [1.0] * rows, "features": []}]})
        answer = api.post(url(deployment, "predictionInputs/fromJSON/"), data=body, content_type=JSON)
        assert answer.status_code == status
    assert [row.rows for row in IngestRequest.objects.all()] == [10_000]


def test_actuals_may_come_before_their_predictions(api: Client) -> None:
    now = datetime.now(UTC)
    deployment = make_deployment(started_at=now - timedelta(days=30))
    rows = [{"associationId": "a", "actualValue": "yes", "wasActedOn": False, "timestamp": now.isoformat()}]
    body = {"data": rows, "keepActualsWithoutPredictions": True}
    assert post(api, url(deployment, "actuals/fromJSON/"), body).status_code == 202
    assert fill.run(deployment.pk, now)
    send_predictions(deployment, [0.8], at=now - timedelta(hours=2), ids=["a"], received=now)
    assert fill.run(deployment.pk, now)
    assert api.get(url(deployment, "accuracyOverTime/")).json()["summary"]["sampleSize"] == 1
