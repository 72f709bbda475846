"""What examples of operations on models name: a challenger, packages, a person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from deployments import challengers
from deployments.models import Deployment, DeploymentRole, Role
from deployments.retraining import policies, run
from deployments.retraining.options import Cause, FeatureList, Policy
from tests.deployments.factories import make_user
from tests.deployments.onnx_models import make_scoring_package

UNKNOWN = "0123456789abcdef01234567"
INFORMATIVE = {"featureListStrategy": "informative_features"}
REFUSED: Mapping[str, list[tuple[Any, str]]] = {
    "PATCH deployments/{deploymentId}/retrainingSettings/": [
        ({"datasetId": UNKNOWN}, "datasetId"),
        ({"retrainingUserId": UNKNOWN}, "retrainingUserId"),
        ({"credentialId": "c"}, "credentialId"),
        ({"predictionEnvironmentId": "e"}, "predictionEnvironmentId"),
    ],
    "POST deployments/{deploymentId}/retrainingPolicies/": [
        ({"action": "create_model_package"}, "name"),
        ({"name": "New"}, "action"),
        ({**INFORMATIVE, "name": "Weekly", "action": "create_model_package"}, "name"),
        ({"name": "New", "action": "celebrate"}, "action"),
        ({"name": "New", "action": "create_challenger", "trigger": {"type": "schedule"}}, "trigger.schedule"),
        (
            {**INFORMATIVE, "name": "New", "action": "create_challenger", "timeSeriesOptions": {"calendarId": []}},
            "timeSeriesOptions.calendarId",
        ),
        (
            {
                **INFORMATIVE,
                "name": "New",
                "action": "create_challenger",
                "timeSeriesOptions": {"exponentiallyWeightedMovingAlpha": "auto"},
            },
            "timeSeriesOptions.exponentiallyWeightedMovingAlpha",
        ),
    ],
    "PATCH deployments/{deploymentId}/retrainingPolicies/{retrainingPolicyId}/": [
        ({"name": ""}, "name"),
        ({"name": "Daily"}, "name"),
        ({"autopilotOptions": {"shapOnlyMode": True}}, "autopilotOptions.shapOnlyMode"),
        ({"projectOptions": 3}, "projectOptions"),
    ],
    "PATCH deployments/{deploymentId}/retrainingPolicies/{retrainingPolicyId}/runs/{runId}/": [
        ({"status": "succeeded"}, "status"),
        ({}, "status"),
    ],
    "PATCH deployments/{deploymentId}/model/": [
        ({"reason": "ACCURACY"}, "modelPackageId"),
        ({"modelId": UNKNOWN, "reason": "ACCURACY"}, "modelId"),
        ({"modelPackageId": UNKNOWN, "reason": "ACCURACY"}, "modelPackageId"),
        ({"modelId": UNKNOWN}, "reason"),
        ({"modelId": UNKNOWN, "reason": "BORED"}, "reason"),
    ],
    "POST deployments/{deploymentId}/model/validation/": [
        ({}, "modelPackageId"),
        ({"modelId": UNKNOWN}, "modelId"),
        ({"modelId": 3}, "modelId"),
    ],
    "POST deployments/{deploymentId}/challengers/": [
        ({"name": "A"}, "modelPackageId"),
        ({"modelPackageId": UNKNOWN, "name": "A"}, "modelPackageId"),
        ({"modelPackageId": UNKNOWN, "name": ""}, "name"),
        ({"modelPackageId": UNKNOWN, "name": "A", "predictionEnvironmentId": "e"}, "predictionEnvironmentId"),
    ],
    "PATCH deployments/{deploymentId}/challengers/{challengerId}/": [
        ({"name": ""}, "name"),
        ({"predictionEnvironmentId": "e"}, "predictionEnvironmentId"),
    ],
    "POST deployments/{deploymentId}/challengerPredictions/": [
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"timestamp": "2199-01-01T00:00:00Z"}, "timestamp"),
    ],
    "PATCH deployments/{deploymentId}/challengerReplaySettings/": [
        ({"enabled": "yes"}, "enabled"),
        ({"enabled": True}, "schedule"),
        ({"schedule": {"hour": [25]}}, "schedule.hour"),
        ({"schedule": {"dayOfMonth": [31], "month": [2]}}, "schedule"),
    ],
    "PATCH deployments/{deploymentId}/sharedRoles/": [
        ({}, "roles"),
        ({"roles": []}, "roles"),
        ({"operation": "forget", "roles": [{"role": "OWNER", "username": "nobody"}]}, "operation"),
        ({"roles": [{"role": "OWNER", "username": "nobody at all"}]}, "roles[0].username"),
        ({"roles": [{"role": "OWNER", "id": UNKNOWN}]}, "roles[0].id"),
        ({"roles": [{"role": "OWNER"}]}, "roles[0].username"),
        ({"roles": [{"role": "OWNER", "id": UNKNOWN, "username": "a"}]}, "roles[0].username"),
        ({"roles": [{"role": "KING", "id": UNKNOWN}]}, "roles[0].role"),
        ({"roles": [{"role": "USER", "id": UNKNOWN, "canShare": True}]}, "roles[0].canShare"),
        ({"roles": [{"role": "USER", "id": UNKNOWN, "shareRecipientType": "planet"}]}, "roles[0].shareRecipientType"),
    ],
}


def made(deployment: Deployment, now: datetime) -> dict[str, str]:
    """A challenger, and a package of the owner's that can take its place or the champion's."""
    deployment.settings |= {"challengerModels": {"enabled": True}}
    deployment.save(update_fields=["settings"])
    owner = DeploymentRole.objects.filter(deployment=deployment, role=Role.OWNER).latest("pk").user
    assert owner is not None
    challenger = challengers.create(deployment, make_scoring_package(place=True, owner=owner), "Challenger", owner, now)
    # a policy whose run is not finished, and one that can be run
    policy = policies.create(
        deployment, Policy(name="Weekly", feature_list_strategy=FeatureList.INFORMATIVE), owner, now
    )
    idle = policies.create(deployment, Policy(name="Daily", feature_list_strategy=FeatureList.INFORMATIVE), owner, now)
    return {
        "retrainingPolicyId": policy.public_id,
        "runId": run.start(policy, Cause.MANUAL, now).public_id,
        "idlePolicyId": idle.public_id,
        "challengerId": challenger.public_id,
        "packageId": make_scoring_package(place=True, owner=owner).public_id,
        "username": make_user().get_username(),
    }
