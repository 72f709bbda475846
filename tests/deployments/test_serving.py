"""Runtime parameters, secondary datasets, scoring code, prediction servers, deployments by a model's id."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from deployments import datasets, jobs, registration, runtime, scoring_code
from deployments.models import AuditEntry, Deployment, Job, ModelPackage, Role, RuntimeValue, ScoringCodeBuild
from tests.deployments.api.conftest import client_of, member
from tests.deployments.factories import make_deployment, make_package, make_user
from tests.deployments.killing import kill
from tests.deployments.things_of_jobs import jar

API = "/api/v2/"
DEFINED = [
    {"fieldName": "retries", "type": "numeric", "defaultValue": 3, "minValue": 0, "maxValue": 9},
    {"fieldName": "verbose", "type": "boolean", "defaultValue": False},
    {"fieldName": "greeting", "type": "string", "allowEmpty": False},
    {"fieldName": "apiKey", "type": "credential", "credentialType": "api_token"},
]


@pytest.fixture
def deployment(db: None) -> Deployment:
    made = make_deployment()
    assert made.champion is not None
    made.champion.package.runtime_parameters = DEFINED
    made.champion.package.owner = made.created_by
    made.champion.package.save()
    return made


@pytest.fixture
def owner(deployment: Deployment) -> User:
    assert deployment.created_by is not None
    return deployment.created_by


@pytest.fixture
def client(owner: User) -> APIClient:
    return client_of(owner)


def path(deployment: Deployment, tail: str) -> str:
    return f"{API}deployments/{deployment.public_id}/{tail}"


# --- Runtime parameters -------------------------------------------------------------------------------------------


def put(client: APIClient, deployment: Deployment, values: Any) -> Any:
    return client.put(path(deployment, "runtimeParameters/"), {"runtimeParameterValues": values}, format="json")


def test_what_is_set_holds_and_what_is_left_out_goes_back(deployment: Deployment, client: APIClient) -> None:
    text = json.dumps(
        [{"fieldName": "retries", "type": "numeric", "value": 5}, {"fieldName": "verbose", "value": True}]
    )
    rows = {row["fieldName"]: row for row in put(client, deployment, text).json()["data"]}
    assert (rows["retries"]["currentValue"], rows["retries"]["defaultValue"]) == (5, 3)
    assert runtime.current(deployment) == {"retries": 5, "verbose": True, "greeting": None, "apiKey": None}
    assert put(client, deployment, [{"fieldName": "greeting", "value": "Hi"}]).status_code == 200
    assert runtime.current(deployment) == {"retries": 3, "verbose": False, "greeting": "Hi", "apiKey": None}
    listed = client.get(path(deployment, "runtimeParameters/?orderBy=-name&limit=2")).json()
    assert [row["fieldName"] for row in listed["data"]] == ["verbose", "retries"]
    assert listed["totalCount"] == 4


def test_a_credential_is_kept_encrypted_and_never_shown(deployment: Deployment, client: APIClient) -> None:
    answer = put(client, deployment, [{"fieldName": "apiKey", "value": "open sesame"}])
    shown = next(row for row in answer.json()["data"] if row["fieldName"] == "apiKey")
    assert (shown["currentValue"], shown["overrideValue"]) == (runtime.MASK, runtime.MASK)
    stored = RuntimeValue.objects.get(name="apiKey")
    assert stored.value is None
    assert b"open sesame" not in bytes(stored.secret_encrypted or b"")
    assert runtime.current(deployment)["apiKey"] == "open sesame"
    told = AuditEntry.objects.get(action="runtimeParameters.updated")
    assert "open sesame" not in json.dumps([told.before, told.after])


def test_a_wrong_value_changes_nothing(deployment: Deployment, client: APIClient) -> None:
    put(client, deployment, [{"fieldName": "retries", "value": 5}])
    refused = put(client, deployment, [{"fieldName": "verbose", "value": True}, {"fieldName": "greeting", "value": ""}])
    assert refused.status_code == 422
    assert list(refused.json()["errors"]) == ["runtimeParameterValues[1].value"]
    assert runtime.current(deployment)["retries"] == 5


@pytest.mark.parametrize(
    ("definition", "place"),
    [
        ({"fieldName": "a", "type": "numeric", "minValue": 2, "maxValue": 1}, "runtimeParameters[0].minValue"),
        ({"fieldName": "a", "type": "numeric", "defaultValue": 2, "maxValue": 1}, "runtimeParameters[0].defaultValue"),
        ({"fieldName": "a", "type": "string", "maxValue": 1}, "runtimeParameters[0].minValue"),
        ({"fieldName": "a", "type": "credential", "defaultValue": "x"}, "runtimeParameters[0].defaultValue"),
        ({"fieldName": "a b", "type": "string"}, "runtimeParameters[0].fieldName"),
        ({"fieldName": "a", "type": "deployment"}, "runtimeParameters[0].type"),
    ],
)
def test_a_package_with_wrong_definitions_is_refused(client: APIClient, definition: Any, place: str) -> None:
    body = {
        "name": "x",
        "target": {"name": "y", "type": "Regression"},
        "features": [{"name": "a", "type": "Numeric"}],
        "runtimeParameters": [definition],
    }
    answer = client.post(f"{API}modelPackages/", body, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [place])


def test_a_package_keeps_its_definitions(owner: User) -> None:
    spec = registration.PackageSpec(
        "x",
        registration.TargetSpec("y", "Regression"),
        [registration.FeatureSpec("a", "Numeric")],
        runtime_parameters=[runtime.Definition("retries", "numeric", 3.0, max_value=9.0)],
    )
    package = ModelPackage.objects.get(pk=registration.register(spec, owner).pk)
    assert runtime.definitions_of(package) == spec.runtime_parameters


# --- Secondary datasets -------------------------------------------------------------------------------------------


def test_the_set_in_use_changes_and_the_history_stays(deployment: Deployment, client: APIClient, owner: User) -> None:
    weather = datasets.store(b"day,rain\n1,0\n", "weather.csv", "text/csv", owner)
    one, all_sets = path(deployment, "model/secondaryDatasetConfiguration/"), "secondaryDatasetConfigurations/"
    assert client.get(one).status_code == 404
    made = []
    for name in ("First", "Second"):
        body = {"name": name, "secondaryDatasets": [{"identifier": "weather", "catalogId": weather.public_id}]}
        answer = client.post(path(deployment, all_sets), body, format="json")
        assert answer.status_code == 201, answer.content
        made.append(answer.json()["secondaryDatasetConfigId"])
        assert client.patch(one, {"secondaryDatasetConfigId": made[-1]}, format="json").status_code == 204
    used = client.get(one).json()
    assert (used["name"], used["isDefault"]) == ("Second", False)
    assert used["secondaryDatasets"][0]["catalogVersionId"] == weather.public_id
    listed = client.get(path(deployment, "model/secondaryDatasetConfigurationHistory/?limit=1")).json()
    assert [row["configName"] for row in listed["data"]] == ["Second"]
    assert listed["totalCount"] == 2
    wrong = {"secondaryDatasetConfigId": made[0], "credentialsIds": [{"catalogVersionId": "0" * 24}]}
    assert client.patch(one, wrong, format="json").status_code == 422
    assert client.delete(path(deployment, f"{all_sets}{made[0]}/")).status_code == 204
    assert client.patch(one, {"secondaryDatasetConfigId": made[0]}, format="json").status_code == 422
    again = {"name": "Second", "secondaryDatasets": [{"identifier": "w", "catalogId": weather.public_id}]}
    assert client.post(path(deployment, all_sets), again, format="json").status_code == 422
    unknown = {"name": "Third", "secondaryDatasets": [{"identifier": "w", "catalogId": "0" * 24}]}
    assert client.post(path(deployment, all_sets), unknown, format="json").status_code == 422


# --- Scoring code -------------------------------------------------------------------------------------------------


def package_of(deployment: Deployment) -> ModelPackage:
    assert deployment.champion is not None
    return deployment.champion.package


def upload(client: APIClient, deployment: Deployment, content: bytes, query: str = "") -> Any:
    where = f"{API}modelPackages/{package_of(deployment).public_id}/scoringCode/{query}"
    return client.post(where, content, content_type="application/java-archive")


def read(answer: Any) -> bytes:
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "application/java-archive"
    assert "attachment" in answer["Content-Disposition"]
    return b"".join(answer.streaming_content)


def test_the_archive_comes_back_as_it_was_given(deployment: Deployment, client: APIClient) -> None:
    code = path(deployment, "scoringCode/")
    assert client.get(code).status_code == 422
    program, sources = jar({"Model.class": b"program"}), jar({"Model.java": b"sources"})
    assert upload(client, deployment, sources, "?sourceCode=true").status_code == 422
    assert upload(client, deployment, program, "?name=late.jar&includesPredictionIntervals=true").status_code == 201
    assert upload(client, deployment, program).status_code == 409
    assert read(client.get(code)) == program
    assert read(client.get(f"{code}?includePredictionIntervals=true")) == program
    assert client.get(f"{code}?sourceCode=true").json()["errors"].keys() == {"sourceCode"}
    assert upload(client, deployment, sources, "?sourceCode=true").status_code == 201
    assert read(client.get(f"{code}?sourceCode=true")) == sources
    for query in ("includeAgent=true", "includePe=true", "sourceCode=true&includeAgent=true"):
        refused = client.get(f"{code}?{query}")
        assert (refused.status_code, set(refused.json()["errors"])) == (422, {query.split("=")[0]})
    assert member(deployment, Role.CONSUMER).get(code).status_code == 403


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04 not really", b"GIF89a", jar({"../../etc/passwd": b"x"}), jar({"a": b"x"})[:-30]]
)
def test_what_is_no_java_archive_is_refused(deployment: Deployment, client: APIClient, content: bytes) -> None:
    refused = upload(client, deployment, content)
    assert (refused.status_code, list(refused.json()["errors"])) == (422, ["file"])


def test_an_archive_that_unpacks_to_too_much_is_refused(
    deployment: Deployment, client: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring_code, "MOST_UNPACKED", 1000)
    assert upload(client, deployment, jar({"zeros": bytes(10_000)})).status_code == 413


def test_a_rebuilt_archive_reports_to_its_deployment_and_is_the_same_every_time(
    deployment: Deployment, client: APIClient, django_capture_on_commit_callbacks: Any
) -> None:
    upload(client, deployment, jar({"Model.class": b"program", "data.bin": bytes(5000)}))
    builds: list[bytes] = []
    for _ in range(2):
        answer = client.post(path(deployment, "scoringCodeBuilds/"), {"includeAgent": True}, format="json")
        assert answer.status_code == 200
        with django_capture_on_commit_callbacks(execute=True):
            assert jobs.run(Job.objects.latest("pk").pk)
        done = client.get(answer["Location"])
        assert (done.status_code, done["Location"].endswith("scoringCode/?includeAgent=true")) == (303, True)
        builds.append(read(client.get(done["Location"])))
    assert builds[0] == builds[1]
    assert ScoringCodeBuild.objects.count() == 1
    with zipfile.ZipFile(io.BytesIO(builds[0])) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["META-INF/MANIFEST.MF", "Model.class", "data.bin", scoring_code.CONFIGURATION]
        assert archive.read("Model.class") == b"program"
        told = json.loads(archive.read(scoring_code.CONFIGURATION))
    assert told["deploymentId"] == deployment.public_id
    assert told["predictions"].endswith(f"/api/v2/deployments/{deployment.public_id}/predictionInputs/fromJSON/")
    assert client.get(path(deployment, "")).json()["capabilities"]["supportsScoringCodeDownload"]


WORKER = """
from deployments import jobs, scoring_code
stop_after(scoring_code, sys.argv[1])
jobs.run(int(sys.argv[2]))
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", ["rebuilt", "_keep"])
def test_a_build_killed_in_the_middle_is_completed_after_its_lease(moment: str) -> None:
    deployment = make_deployment()
    content = jar({"Model.class": b"program"})
    scoring_code.attach(package_of(deployment), content, "m.jar", explanations=False, intervals=False)
    assert deployment.champion is not None
    args = {"model": deployment.champion.pk, "api": "http://localhost/api/v2/"}
    job = jobs.start(scoring_code.KIND, deployment, None, args)
    connection.close()
    kill(WORKER, moment, str(job.pk))
    assert not ScoringCodeBuild.objects.exists()
    assert jobs.run(job.pk, timezone.now() + jobs.LEASE + timedelta(minutes=1))
    with ScoringCodeBuild.objects.get().file.open("rb") as file, zipfile.ZipFile(file) as archive:
        assert scoring_code.CONFIGURATION in archive.namelist()


# --- Prediction servers and deployments by a model's id -----------------------------------------------------------


def test_deployments_name_their_prediction_server_and_are_found_by_it(
    deployment: Deployment, client: APIClient
) -> None:
    admin = client_of(make_user(is_superuser=True))
    assert client.post(f"{API}predictionServers/", {"url": "https://a.example"}, format="json").status_code == 403
    assert admin.post(f"{API}predictionServers/", {"url": "ftp://a.example"}, format="json").status_code == 422
    made = admin.post(f"{API}predictionServers/", {"url": "https://a.example", "key": "k"}, format="json").json()
    assert client.get(f"{API}predictionServers/").json()["data"] == [made]
    body = {"modelId": package_of(deployment).model_id, "label": "New", "defaultPredictionServerId": made["id"]}
    answer = client.post(f"{API}deployments/fromLearningModel/", body, format="json")
    assert answer.status_code == 202
    shown = client.get(f"{API}deployments/{answer.json()['id']}/").json()
    assert shown["defaultPredictionServer"] == {"id": made["id"], "url": "https://a.example", "datarobot-key": "k"}
    assert shown["model"]["id"] == package_of(deployment).model_id
    listed = client.get(f"{API}deployments/?defaultPredictionServerId={made['id']}").json()
    assert [row["id"] for row in listed["data"]] == [shown["id"]]
    assert client.get(f"{API}deployments/?defaultPredictionServerId={'0' * 24}").json()["totalCount"] == 0
    assert admin.delete(f"{API}predictionServers/{made['id']}/").status_code == 204
    assert admin.delete(f"{API}predictionServers/{made['id']}/").status_code == 404
    assert client.get(f"{API}deployments/{shown['id']}/").json()["defaultPredictionServer"] is None


def test_a_deployment_by_a_models_id_takes_what_it_is_given(deployment: Deployment, owner: User) -> None:
    admin_user = make_user(is_superuser=True)
    admin = client_of(admin_user)
    body = {
        "modelId": package_of(deployment).model_id,
        "label": "New",
        "status": "inactive",
        "importance": "HIGH",
        "predictionThreshold": 0.5,
        "grantInitialDeploymentRolesFromProject": True,
    }
    made = Deployment.objects.get(
        public_id=admin.post(f"{API}deployments/fromLearningModel/", body, format="json").json()["id"]
    )
    assert (made.status, made.importance) == ("inactive", "HIGH")
    assert set(made.roles.values_list("user", "role")) == {(admin_user.pk, "OWNER"), (owner.pk, "OWNER")}
    for field, value in (("predictionThreshold", 0.4), ("defaultPredictionServerId", "0" * 24)):
        refused = admin.post(f"{API}deployments/fromLearningModel/", body | {field: value}, format="json")
        assert list(refused.json()["errors"]) == [field]
    stranger = client_of(make_user())
    assert stranger.post(f"{API}deployments/fromLearningModel/", body, format="json").status_code == 422
    assert make_package().model_id != package_of(deployment).model_id
