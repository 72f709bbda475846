"""What the operations around jobs are tried on: things that their paths name, and bodies that are refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from deployments import datasets
from deployments.exports import work
from deployments.models import Deployment, ExportKind
from tests.deployments.factories import make_deployment

UNKNOWN = "0123456789abcdef01234567"
REFUSED: Mapping[str, list[tuple[Any, str]]] = {
    "POST deployments/{deploymentId}/monitoringDataDeletions/": [
        ({}, "modelId"),
        ({"modelId": UNKNOWN, "start": "2026-03-02T09:30:00Z"}, "start"),
        ({"modelId": UNKNOWN, "end": "soon"}, "end"),
        ({"modelId": UNKNOWN, "start": "2026-03-02T09:00:00Z", "end": "2026-03-02T08:00:00Z"}, "start"),
    ],
    "PATCH deletedDeployments/": [
        ({"deploymentIds": [UNKNOWN]}, "action"),
        ({"action": "Forget", "deploymentIds": [UNKNOWN]}, "action"),
        ({"action": "PermanentlyErase", "deploymentIds": []}, "deploymentIds"),
        ({"action": "PermanentlyErase", "deploymentIds": [UNKNOWN]}, "deploymentIds[0]"),
    ],
    "POST deployments/{deploymentId}/predictionDataExports/": [
        ({"start": "yesterday"}, "start"),
        ({"start": "2026-03-02T09:00:00Z", "end": "2026-03-02T09:00:00Z"}, "start"),
        ({"modelId": UNKNOWN}, "modelId"),
        ({"augmentationType": "ACTUALS_AND_METRICS"}, "augmentationType"),
        ({"batchIds": [UNKNOWN]}, "batchIds[0]"),
        ({"batchIds": []}, "batchIds"),
        ({"format": "xlsx"}, "format"),
    ],
    "POST deployments/{deploymentId}/actualsDataExports/": [
        ({"end": "1066-10-14T09:00:00Z"}, "end"),
        ({"onlyMatchedPredictions": "yes"}, "onlyMatchedPredictions"),
        ({"modelId": UNKNOWN}, "modelId"),
    ],
    "POST deployments/{deploymentId}/trainingDataExports/": [({"modelId": UNKNOWN}, "modelId")],
    "PATCH deployments/{deploymentId}/predictionDataExports/{exportId}/": [
        ({"status": "FAILED"}, "status"),
        ({}, "status"),
    ],
    "PATCH deployments/{deploymentId}/actualsDataExports/{exportId}/": [({"status": 1}, "status")],
}


def made(deployment: Deployment, owner: User) -> dict[str, str]:
    """The ids of an export of each kind; and training data to export."""
    champion = deployment.champion
    assert champion is not None
    champion.package.training_dataset = datasets.store(b"age,town\n20,Oslo\n", "training.csv", "text/csv", owner)
    champion.package.save()
    exports = {kind: work.start(work.make(kind, deployment, champion, created_by=owner)) for kind in ExportKind}
    deleted = make_deployment()
    Deployment.objects.filter(pk=deleted.pk).update(deleted_at=timezone.now())
    return {
        "championId": champion.public_id,
        "deletedDeploymentId": deleted.public_id,
        **{f"{work.PATHS[kind]}/exportId": export.public_id for kind, export in exports.items()},
    }
