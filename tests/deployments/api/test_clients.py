"""What existing clients of the reference insist on, line by line."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import override_settings
from rest_framework.test import APIClient

from deployments import jobs
from deployments.api.authentication import issue
from deployments.models import Deployment, JobState, Role, TokenScope
from tests.deployments.api.conftest import client_of, member
from tests.deployments.factories import make_deployment, make_user

pytestmark = pytest.mark.django_db
API = "/api/v2/"


def one(deployment: Deployment, tail: str = "") -> str:
    return f"{API}deployments/{deployment.public_id}/{tail}"


@pytest.fixture
def deployment(user: User) -> Deployment:
    made = make_deployment("Binary")
    made.roles.create(user=user, role=Role.OWNER)
    return made


# --- Connecting ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["Bearer", "Token", "bearer"])
def test_both_schemes_of_the_token_are_taken(user: User, scheme: str) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"{scheme} {issue(user, 'test')}")
    assert client.get(f"{API}projects/").status_code == 200


def test_the_version_is_told_to_everybody_and_its_major_is_two() -> None:
    answer = APIClient().get(f"{API}version/").json()
    assert (answer["major"], answer["versionString"]) == (2, "2.36.0")


def test_the_list_of_projects_is_empty(client: APIClient) -> None:
    answer = client.get(f"{API}projects/").json()
    assert (answer["data"], answer["count"], answer["next"]) == ([], 0, None)


def test_a_path_without_its_slash_is_not_redirected(client: APIClient) -> None:
    assert client.get("/api/v2/deployments").status_code == 404


def test_a_wrong_token_is_told_so_and_not_let_in() -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION="Bearer nothing")
    answer = client.get(f"{API}deployments/")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"


def test_a_token_of_a_closed_account_opens_nothing() -> None:
    user = make_user(is_active=False)
    assert client_of(user).get(f"{API}deployments/").status_code == 401


def test_a_reading_token_may_not_write(user: User, deployment: Deployment) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {issue(user, 'test', TokenScope.READ)}")
    assert client.get(one(deployment)).status_code == 200
    assert client.delete(one(deployment)).status_code == 403


# --- Errors -------------------------------------------------------------------------------------------------------


def errors_of_all_kinds(client: APIClient, deployment: Deployment) -> list[tuple[int, Any]]:
    reader = member(deployment, Role.CONSUMER)
    return [
        (401, APIClient().get(one(deployment))),
        (403, reader.delete(one(deployment))),
        (404, client.get(f"{API}nothing/at/all/")),
        (404, client.get(f"{API}deployments/{'0' * 24}/")),
        (405, client.put(one(deployment))),
        (422, client.get(one(deployment, "serviceStats/?start=yesterday"))),
        (422, client.patch(one(deployment), "not json", content_type="application/json")),
    ]


def test_every_error_has_the_one_shape_and_the_plain_type(client: APIClient, deployment: Deployment) -> None:
    for status, answer in errors_of_all_kinds(client, deployment):
        assert answer.status_code == status, answer.content
        assert answer["Content-Type"] == "application/json"
        assert isinstance(answer.json()["message"], str)
        assert isinstance(answer.json()["errors"], dict)


def test_what_nobody_foresaw_is_json_too(client: APIClient, deployment: Deployment) -> None:
    deployment.settings = {"segmentAnalysis": {"enabled": "broken by hand"}}
    deployment.save()
    answer = client.get(one(deployment))
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/json")
    assert answer.json() == {"message": "Something went wrong on the server.", "errors": {}}


@override_settings(RATE_LIMIT_API=3)
def test_too_many_requests_are_told_when_to_come_again(client: APIClient) -> None:
    answers = [client.get(f"{API}projects/") for _ in range(8)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert 1 <= int(refused[0]["Retry-After"]) <= 60


def test_who_has_no_role_does_not_learn_that_the_deployment_exists(deployment: Deployment) -> None:
    assert client_of(make_user()).get(one(deployment)).status_code == 404


# --- Jobs ---------------------------------------------------------------------------------------------------------


def test_a_job_is_asked_about_at_an_absolute_address_and_ends_in_303(client: APIClient, deployment: Deployment) -> None:
    answer = client.patch(one(deployment, "settings/"), {"humility": {"enabled": True}})
    assert (answer.status_code, answer.json()) == (202, {})
    assert answer["Location"].startswith("http://testserver/api/v2/status/")
    done = client.get(answer["Location"])
    assert done.status_code == 303
    assert done["Location"] == f"http://testserver{one(deployment, 'settings/')}"
    assert client.get(answer["Location"]).status_code == 303


def test_a_running_job_answers_200_with_its_state(client: APIClient, user: User, deployment: Deployment) -> None:
    jobs.JOBS["sleep"] = lambda job: "/api/v2/"
    job = jobs.start("sleep", deployment, user, {})
    answer = client.get(f"{API}status/{job.public_id}/")
    assert answer.status_code == 200
    assert {"statusId", "status", "message", "code", "description", "statusType"} <= answer.json().keys()
    assert answer.json()["status"] == JobState.INITIALIZED


def test_a_failed_job_answers_200_with_its_reason(client: APIClient, user: User, deployment: Deployment) -> None:
    def fail(job: Any) -> str:
        raise jobs.JobFailed("The file is gone.")

    jobs.JOBS["fail"] = fail
    job = jobs.start("fail", deployment, user, {})
    assert jobs.run(job.pk)
    answer = client.get(f"{API}status/{job.public_id}/").json()
    assert (answer["status"], answer["message"], answer["code"]) == ("ERROR", "The file is gone.", 1)


def test_another_persons_job_is_not_shown(user: User, deployment: Deployment) -> None:
    job = jobs.done("settings", deployment, user, "/api/v2/")
    assert client_of(make_user()).get(f"{API}status/{job.public_id}/").status_code == 404


def test_a_job_runs_once_however_often_its_message_comes(user: User, deployment: Deployment) -> None:
    ran: list[int] = []

    def count(job: Any) -> str:
        ran.append(job.pk)
        return "/api/v2/"

    jobs.JOBS["count"] = count
    job = jobs.start("count", deployment, user, {})
    assert jobs.run(job.pk)
    assert not jobs.run(job.pk)
    assert ran == [job.pk]


def test_a_job_of_a_dead_worker_is_taken_over_when_its_lease_ends(user: User, deployment: Deployment) -> None:
    jobs.JOBS["count"] = lambda job: "/api/v2/"
    job = jobs.start("count", deployment, user, {})
    job.state, job.lease_until = JobState.RUNNING, job.created_at + jobs.LEASE
    job.save()
    assert job.pk not in jobs.waiting(job.created_at)
    assert job.pk in jobs.waiting(job.created_at + jobs.LEASE + timedelta(seconds=1))


# --- Lists and encodings ------------------------------------------------------------------------------------------


def test_pages_link_to_each_other_with_every_parameter_kept(client: APIClient, user: User) -> None:
    for _ in range(3):
        make_deployment("Binary").roles.create(user=user, role=Role.USER)
    first = client.get(f"{API}deployments/?limit=2&role=USER").json()
    assert (first["count"], first["totalCount"], first["previous"]) == (2, 3, None)
    assert first["next"].startswith("http://testserver/api/v2/deployments/?")
    second = client.get(first["next"]).json()
    assert (second["count"], second["next"]) == (1, None)
    assert not {row["id"] for row in first["data"]} & {row["id"] for row in second["data"]}
    assert client.get(second["previous"]).json()["data"] == first["data"]


def test_filters_come_repeated_or_by_commas(client: APIClient, deployment: Deployment) -> None:
    for query in ("importance=LOW&importance=HIGH", "importance=HIGH,LOW"):
        assert client.get(f"{API}deployments/?{query}").json()["count"] == 1
    assert client.get(f"{API}deployments/?importance=HIGH").json()["count"] == 0


@pytest.mark.parametrize("flag", ["true", "True", "false", "False"])
def test_booleans_come_in_two_spellings(client: APIClient, deployment: Deployment, flag: str) -> None:
    assert client.get(one(deployment, f"features/?forSegmentedAnalysis={flag}")).status_code == 200


@pytest.mark.parametrize("start", ["2026-03-01T00:00:00Z", "2026-03-01T02:00:00%2B02:00", "2026-03-01T00:00:00"])
def test_times_come_with_z_with_an_offset_or_naive(client: APIClient, deployment: Deployment, start: str) -> None:
    answer = client.get(one(deployment, f"serviceStats/?start={start}&end=2026-03-02T00:00:00Z"))
    assert answer.json()["period"] == {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"}


def test_unknown_settings_are_ignored_and_null_clears_boundaries(client: APIClient, user: User) -> None:
    deployment = make_deployment("Regression")
    deployment.roles.create(user=user, role=Role.OWNER)
    bounds = {"predictionWarning": {"enabled": True, "customBoundaries": {"lower": 1, "upper": 2}}, "newerThing": {}}
    assert client.patch(one(deployment, "settings/"), bounds).status_code == 202
    client.patch(one(deployment, "settings/"), {"predictionWarning": {"customBoundaries": None}})
    warning = client.get(one(deployment, "settings/")).json()["predictionWarning"]
    assert warning == {"enabled": True, "customBoundaries": None}


# --- Keys that clients insist on ----------------------------------------------------------------------------------


def test_a_deployment_has_the_keys_that_clients_read(client: APIClient, deployment: Deployment) -> None:
    answer = client.get(one(deployment)).json()
    assert answer["model"]["id"]
    assert answer["predictionUsage"]["dailyRates"] == [0] * 7
    assert {"status", "startDate", "endDate"} <= answer["serviceHealth"].keys()
    assert {"status", "startDate", "endDate", "message"} <= answer["modelHealth"].keys()


def test_service_stats_hold_the_eleven_metrics_and_nothing_else(client: APIClient, deployment: Deployment) -> None:
    answer = client.get(one(deployment, "serviceStats/")).json()
    assert set(answer["metrics"]) == {
        *("totalPredictions", "totalRequests", "slowRequests", "executionTime", "responseTime", "userErrorRate"),
        *("serverErrorRate", "numConsumers", "cacheHitRatio", "medianLoad", "peakLoad"),
    }
    assert set(answer["period"]) == {"start", "end"}


def test_accuracy_keeps_to_the_default_set(client: APIClient, deployment: Deployment) -> None:
    answer = client.get(one(deployment, "accuracy/")).json()
    assert set(answer["metrics"]) == {"LogLoss", "AUC", "Kolmogorov-Smirnov", "Gini Norm", "Rate@Top10%"}
    assert {"value", "baselineValue", "percentChange"} <= answer["metrics"]["AUC"].keys()


@pytest.mark.parametrize(
    ("tail", "keys"),
    [
        ("serviceStatsOverTime/", {"buckets", "summary", "metric", "modelId"}),
        ("accuracyOverTime/", {"buckets", "summary", "baseline", "baselines", "metric", "modelId"}),
        (
            "targetDrift/",
            {"period", "metric", "modelId", "targetName", "driftScore", "sampleSize", "baselineSampleSize"},
        ),
        ("featureDrift/", {"data", "next", "period", "metric", "modelId"}),
        ("featureDriftOverTime/?featureNames=age", {"buckets", "features", "metric", "summaries"}),
        ("predictionsOverTime/", {"baselines", "buckets", "segmentAttribute", "segmentValue"}),
        ("predictionsVsActualsOverTime/", {"baselines", "buckets", "summary", "segmentAttribute", "segmentValue"}),
    ],
)
def test_answers_without_data_have_every_key(
    client: APIClient, deployment: Deployment, tail: str, keys: set[str]
) -> None:
    answer = client.get(one(deployment, tail))
    assert answer.status_code == 200, answer.content
    assert keys <= answer.json().keys()


def test_settings_always_hold_prediction_intervals(client: APIClient, deployment: Deployment) -> None:
    assert client.get(one(deployment, "settings/")).json()["predictionIntervals"] == {
        "enabled": False,
        "percentiles": [],
    }
    patch = {"predictionIntervals": {"enabled": True, "percentiles": [80]}}
    assert client.patch(one(deployment, "settings/"), patch).status_code == 202
    assert client.get(one(deployment, "settings/")).json()["predictionIntervals"]["percentiles"] == [80]


def test_a_deleted_deployment_is_gone(client: APIClient, deployment: Deployment) -> None:
    assert client.delete(one(deployment)).status_code == 204
    assert client.get(one(deployment)).status_code == 404
    assert client.get(f"{API}deployments/").json()["count"] == 0
