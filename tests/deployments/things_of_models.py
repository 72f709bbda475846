"""What examples of operations on models name: a challenger, packages, a person."""

from __future__ import annotations

from datetime import datetime

from deployments import challengers
from deployments.models import Deployment, DeploymentRole, Role
from tests.deployments.factories import make_user
from tests.deployments.onnx_models import make_scoring_package


def made(deployment: Deployment, now: datetime) -> dict[str, str]:
    """A challenger, and a package of the owner's that can take its place or the champion's."""
    deployment.settings |= {"challengerModels": {"enabled": True}}
    deployment.save(update_fields=["settings"])
    owner = DeploymentRole.objects.filter(deployment=deployment, role=Role.OWNER).latest("pk").user
    challenger = challengers.create(deployment, make_scoring_package(owner=owner), "Challenger", owner, now)
    return {
        "challengerId": challenger.public_id,
        "packageId": make_scoring_package(owner=owner).public_id,
        "username": make_user().get_username(),
    }
