"""Replacing the champion: what is checked, what is kept, and what a kill leaves behind."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from deployments import jobs, registry, replacement
from deployments.api.authentication import issue
from deployments.models import (
    AuditEntry,
    Deployment,
    DeploymentRole,
    DeploymentStatus,
    Feature,
    HumilityRule,
    Job,
    JobState,
    ModelPackage,
    ModelRole,
    Reign,
    RetrainingPolicy,
    RetrainingRun,
    Role,
    RunStatus,
)
from deployments.replacement import CHECKS, Outcome, Reason, validate
from deployments.rollups import fill
from tests.deployments.factories import (
    HOUR,
    NOW,
    make_deployment,
    make_package,
    make_user,
    send_actuals,
    send_predictions,
)
from tests.deployments.onnx_models import make_scoring_package

pytestmark = pytest.mark.django_db
BODY = {"reason": "ACCURACY"}
FORECASTS = {
    "datetimeColumn": "at",
    "forecastDistances": [1],
    "forecastUnit": "DAY",
    "seriesIdColumns": [],
    "forecastDistanceColumn": "distance",
    "forecastPointColumn": "point",
}


@pytest.fixture
def owner() -> User:
    return make_user()


@pytest.fixture
def deployment(owner: User) -> Deployment:
    made = make_deployment(segments=True)
    DeploymentRole.objects.create(deployment=made, user=owner, role=Role.OWNER)
    return made


@pytest.fixture
def client(owner: User) -> APIClient:
    return APIClient(headers={"Authorization": f"Bearer {issue(owner, 'test')}"})


def path(deployment: Deployment, tail: str = "model/") -> str:
    return f"/api/v2/deployments/{deployment.public_id}/{tail}"


def failing(deployment: Deployment, package: ModelPackage, user: User) -> set[str]:
    return {name for name, check in validate(deployment, package, user).items() if check.status is Outcome.FAILING}


def test_a_replacement_is_a_job_after_which_the_deployment_shows_the_new_model(
    deployment: Deployment, client: APIClient, owner: User
) -> None:
    package = make_package(owner=owner)
    answer = client.patch(path(deployment), BODY | {"modelPackageId": package.public_id})
    assert (answer.status_code, answer.json()["status"]) == (202, "passing")
    assert client.get(path(deployment, "")).json()["status"] == "replacingModel"
    status = answer["Location"].removeprefix("http://testserver")
    assert client.get(status).json()["status"] == "INITIALIZED"
    assert jobs.run(jobs.waiting()[0])
    done = client.get(status)
    assert (done.status_code, done["Location"]) == (303, f"http://testserver{path(deployment, '')}")
    shown = client.get(path(deployment, "")).json()
    assert (shown["model"]["id"], shown["status"]) == (package.model_id, "active")
    entry = AuditEntry.objects.get(action="model.replace")
    assert entry.user == owner
    assert entry.after == {"modelId": package.model_id, "reason": "ACCURACY"}


def test_every_past_model_is_read_by_its_id(deployment: Deployment, client: APIClient, owner: User) -> None:
    first = deployment.champion
    assert first is not None
    send_predictions(deployment, [0.2, 0.9], ids=["a", "b"], ages=[30, 40])
    send_actuals(deployment, {"a": "no", "b": "yes"})
    second = registry.replace_model(deployment, make_package(owner=owner), NOW, "OTHER", owner)
    send_predictions(deployment, [0.3], at=HOUR, ids=["c"], ages=[50])
    # predictions of the old model that come late are still its own
    send_predictions(deployment, [0.4], at=HOUR, ages=[55], modelId=first.public_id)
    registry.replace_model(deployment, make_package(owner=owner), NOW, "OTHER", owner)
    assert fill.run(deployment.pk, NOW)
    span = {"start": (HOUR - timedelta(days=1)).isoformat(), "end": (HOUR + timedelta(hours=1)).isoformat()}
    counts = {}
    for model in (first, second):
        found = client.get(path(deployment, "predictionsOverTime/"), span | {"modelId": model.public_id}).json()
        counts[model.pk] = sum(bucket["rowCount"] for bucket in found["buckets"])
        for what in ("accuracy/", "featureDrift/", "targetDrift/", "serviceStats/"):
            assert client.get(path(deployment, what), span | {"modelId": model.public_id}).status_code == 200
    assert counts == {first.pk: 3, second.pk: 1}


def test_the_history_keeps_each_reign_of_a_model_that_comes_back(
    deployment: Deployment, client: APIClient, owner: User
) -> None:
    first = deployment.champion
    assert first is not None
    other = make_package(owner=owner)
    registry.replace_model(deployment, other, NOW, "DATA_DRIFT", owner)
    registry.replace_model(deployment, first.package, NOW + timedelta(days=1), "ERRORS", owner)
    found = client.get(path(deployment, "modelHistory/")).json()["data"]
    assert [(one["modelId"], one["reason"], one["endDate"] is None) for one in found] == [
        (first.package.model_id, "ERRORS", True),
        (other.model_id, "DATA_DRIFT", False),
        (first.package.model_id, None, False),
    ]
    assert deployment.models.get(package=other).role == ModelRole.FORMER
    assert Reign.objects.filter(deployment=deployment, ended_at=None).count() == 1


def test_every_check_of_the_reference_is_there_with_a_sentence(
    deployment: Deployment, client: APIClient, owner: User
) -> None:
    body = {"modelId": make_package(owner=owner).model_id}
    found = client.post(path(deployment, "model/validation/"), body).json()
    assert set(found["checks"]) == set(CHECKS)
    assert len(CHECKS) == 19
    assert all(check["message"].endswith(".") for check in found["checks"].values())
    assert found["status"] == "passing"


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"target_name": "other"}, "target"),
        ({"class_names": ["no", "maybe"]}, "targetClasses"),
        ({"positive_class": "no"}, "targetClasses"),
        ({"training_rows": 0}, "driftTracking"),
        ({"artifact": "artifacts/gone.onnx"}, "predictionReady"),
        ({"time_series": FORECASTS}, "timeSeriesCompatibility"),
    ],
)
def test_a_package_that_does_not_fit_fails_its_check(
    deployment: Deployment, owner: User, changes: dict[str, Any], check: str
) -> None:
    assert failing(deployment, make_package(owner=owner, **changes), owner) == {check}


def test_another_kind_of_target_fails(deployment: Deployment, owner: User) -> None:
    package = make_package("Regression", owner=owner)
    assert failing(deployment, package, owner) == {"targetType", "targetClasses"}


def test_a_package_without_a_followed_attribute_fails(deployment: Deployment, owner: User) -> None:
    package = make_package(owner=owner, segment_attributes=[])
    Feature.objects.filter(package=package, name="town").delete()
    assert failing(deployment, package, owner) == {"containsTrackedSegmentAttributes"}


def test_features_of_another_type_fail_and_more_features_warn(deployment: Deployment, owner: User) -> None:
    package = make_package(owner=owner)
    Feature.objects.filter(package=package, name="age").update(kind="Text")
    Feature.objects.create(package=package, position=2, name="height", kind="Numeric")
    checks = validate(deployment, package, owner)
    assert checks["featureDataTypes"].status is Outcome.FAILING
    assert "age (Numeric → Text)" in checks["featureDataTypes"].message
    assert checks["features"].status is Outcome.WARNING
    assert "height" in checks["features"].message


def test_the_champion_somebody_elses_package_and_a_busy_deployment_fail(deployment: Deployment, owner: User) -> None:
    assert deployment.champion is not None
    assert failing(deployment, deployment.champion.package, owner) == {"notCurrentModel"}
    assert failing(deployment, make_package(owner=make_user()), owner) == {"permission"}
    deployment.status = DeploymentStatus.ERRORED
    assert failing(deployment, make_package(owner=owner), owner) == {"supported"}


def test_settings_that_the_model_cannot_honour_fail(owner: User) -> None:
    several = make_deployment("Multiclass", settings={"humility": {"enabled": True}})
    several.settings |= {"predictionIntervals": {"enabled": True}}
    HumilityRule.objects.create(
        deployment=several, name="far", position=0, trigger="uncertainPrediction", action="noOperation"
    )
    found = failing(several, make_package("Multiclass", owner=owner), owner)
    assert found == {"humilityRules", "predictionIntervals"}


def test_a_model_whose_retraining_is_not_done_cannot_replace(deployment: Deployment, owner: User) -> None:
    package = make_package(owner=owner)
    policy = RetrainingPolicy.objects.create(deployment=deployment, name="Weekly", created_by=owner)
    run = RetrainingRun.objects.create(policy=policy, package=package, status=RunStatus.RUNNING, started_at=NOW)
    assert failing(deployment, package, owner) == {"modelStatus"}
    assert validate(deployment, package, owner, run=run)["modelStatus"].status is Outcome.PASSING
    RetrainingRun.objects.update(status=RunStatus.FAILED, error_message="No owner.")
    found = validate(deployment, package, owner)["modelStatus"]
    assert found.status is Outcome.WARNING
    assert found.message == "The run of the retraining policy 'Weekly' that made the model has failed. No owner."
    RetrainingRun.objects.update(status=RunStatus.SUCCEEDED)
    assert validate(deployment, package, owner)["modelStatus"].status is Outcome.PASSING


def test_a_failing_validation_replaces_nothing(deployment: Deployment, client: APIClient, owner: User) -> None:
    package = make_package(owner=owner, target_name="other")
    answer = client.patch(path(deployment), BODY | {"modelPackageId": package.public_id})
    assert (answer.status_code, set(answer.json()["errors"])) == (422, {"checks.target"})
    deployment.refresh_from_db()
    assert deployment.status == DeploymentStatus.ACTIVE
    assert not Job.objects.exists()


def test_only_one_replacement_at_a_time(deployment: Deployment, client: APIClient, owner: User) -> None:
    first, second = make_package(owner=owner), make_package(owner=owner)
    assert client.patch(path(deployment), BODY | {"modelId": first.model_id}).status_code == 202
    assert client.patch(path(deployment), BODY | {"modelId": second.model_id}).status_code == 409
    assert client.patch(path(deployment, "status/"), {"status": "inactive"}).status_code == 409


class Killed(BaseException):
    """The worker's process ended."""


def test_a_replacement_that_is_killed_is_done_whole_by_the_next_worker(
    deployment: Deployment, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = make_package(owner=owner)
    former = deployment.champion_id
    job = replacement.start(deployment, package, Reason.ERRORS, owner)
    real = registry.replace_model

    def dying(*args: Any) -> None:
        real(*args)
        raise Killed

    monkeypatch.setattr(registry, "replace_model", dying)
    with pytest.raises(Killed):
        jobs.run(job.pk)
    monkeypatch.undo()
    deployment.refresh_from_db()
    assert (deployment.champion_id, deployment.status) == (former, DeploymentStatus.REPLACING_MODEL)
    assert jobs.run(job.pk, now=NOW + timedelta(days=400))
    deployment.refresh_from_db()
    assert deployment.champion is not None
    assert (deployment.champion.package_id, deployment.status) == (package.pk, DeploymentStatus.ACTIVE)
    assert Reign.objects.filter(deployment=deployment).count() == 2


def test_a_replacement_that_no_longer_fits_fails_and_the_status_is_put_back(
    deployment: Deployment, owner: User
) -> None:
    Deployment.objects.filter(pk=deployment.pk).update(status=DeploymentStatus.INACTIVE)
    deployment.refresh_from_db()
    package = make_package(owner=owner)
    job = replacement.start(deployment, package, Reason.ERRORS, owner)
    ModelPackage.objects.filter(pk=package.pk).update(target_name="other")
    assert jobs.run(job.pk)
    job.refresh_from_db()
    deployment.refresh_from_db()
    assert (job.state, "target" in job.message) == (JobState.ERROR, True)
    assert deployment.status == DeploymentStatus.INACTIVE


def test_a_job_from_before_runtime_values_were_kept_with_it_replaces_the_model(
    deployment: Deployment, owner: User
) -> None:
    package = make_package(owner=owner)
    job = replacement.start(deployment, package, Reason.ERRORS, owner)
    del job.args["runtimeValues"]
    job.save()
    assert jobs.run(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.COMPLETED, job.message


def test_a_replacement_that_is_cancelled_puts_the_status_back(deployment: Deployment, owner: User) -> None:
    job = replacement.start(deployment, make_package(owner=owner), Reason.OTHER, owner)
    assert jobs.cancel(job)
    deployment.refresh_from_db()
    assert deployment.status == DeploymentStatus.ACTIVE


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_of_the_reference_is_taken(
    deployment: Deployment, client: APIClient, owner: User, reason: Reason
) -> None:
    body = {"modelId": make_package(owner=owner).model_id, "reason": reason.value}
    assert client.patch(path(deployment), body).status_code == 202


def test_the_champions_package_is_told_with_every_key(client: APIClient, owner: User) -> None:
    deployment = registry.create_deployment(make_scoring_package(owner=owner), "With an artifact", owner)
    found = client.get(path(deployment, "championModelPackage/")).json()
    assert deployment.champion is not None
    assert (found["modelId"], found["target"]["classNames"]) == (deployment.champion.public_id, ["no", "yes"])
    assert found["importMeta"]["originalFileName"] == "model.onnx"
    assert found["datasets"]["baselineSegmentedBy"] == ["town"]
    assert found["datasets"]["trainingDataSize"] == 50


def test_runtime_parameters_are_set_with_the_new_model(deployment: Deployment, client: APIClient, owner: User) -> None:
    parameters = [{"fieldName": "retries", "type": "numeric", "defaultValue": 3, "minValue": 0, "maxValue": 10}]
    package = make_package(owner=owner, runtime_parameters=parameters)
    body = BODY | {"modelPackageId": package.public_id}
    for wrong, place in (
        ("[", "runtimeParameterValues"),
        ('[{"fieldName": "speed", "value": 1}]', "runtimeParameterValues[0].fieldName"),
        ('[{"fieldName": "retries", "value": 11}]', "runtimeParameterValues[0].value"),
    ):
        answer = client.patch(path(deployment), body | {"runtimeParameterValues": wrong})
        assert (answer.status_code, set(answer.json()["errors"])) == (422, {place})
    values = '[{"fieldName": "retries", "type": "numeric", "value": 5}]'
    assert client.patch(path(deployment), body | {"runtimeParameterValues": values}).status_code == 202
    assert jobs.run(jobs.waiting()[0])
    found = client.get(path(deployment, "runtimeParameters/")).json()["data"]
    assert [(one["fieldName"], one["currentValue"]) for one in found] == [("retries", 5)]
