"""What the operations around jobs are tried on: things that their paths name, and bodies that are refused."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from deployments import datasets, scoring_code
from deployments.custom_jobs import library
from deployments.exports import work
from deployments.models import (
    CustomJob,
    Deployment,
    ExportKind,
    Role,
    ScheduledReport,
    SecondaryConfiguration,
    SecondaryUse,
)
from tests.deployments.factories import make_deployment

UNKNOWN = "0123456789abcdef01234567"
REFUSED: Mapping[str, list[tuple[Any, str]]] = {
    "POST deployments/{deploymentId}/customMetrics/fromCustomJob/": [
        ({"name": "x"}, "customJobId"),
        ({"customJobId": UNKNOWN, "name": "x"}, "customJobId"),
        ({"customJobId": UNKNOWN, "name": ""}, "name"),
        ({"customJobId": UNKNOWN, "name": "x", "schedule": {"minute": 5}}, "schedule"),
    ],
    "POST deployments/{deploymentId}/onDemandReports/": [({}, "id"), ({"id": UNKNOWN}, "id")],
    "POST deployments/fromLearningModel/": [
        ({"label": "x"}, "modelId"),
        ({"modelId": UNKNOWN, "label": "x"}, "modelId"),
        ({"modelId": UNKNOWN, "label": ""}, "label"),
        ({"modelId": UNKNOWN, "label": "x", "predictionThreshold": 1.5}, "predictionThreshold"),
        ({"modelId": UNKNOWN, "label": "x", "status": "errored"}, "status"),
        ({"modelId": UNKNOWN, "label": "x", "importance": "URGENT"}, "importance"),
    ],
    "PUT deployments/{deploymentId}/runtimeParameters/": [
        ({}, "runtimeParameterValues"),
        ({"runtimeParameterValues": "[{"}, "runtimeParameterValues"),
        ({"runtimeParameterValues": "[{}]"}, "runtimeParameterValues[0].fieldName"),
        ({"runtimeParameterValues": [{"fieldName": "tries", "value": 1}]}, "runtimeParameterValues[0].fieldName"),
        ({"runtimeParameterValues": [{"fieldName": "retries", "value": 10}]}, "runtimeParameterValues[0].value"),
        ({"runtimeParameterValues": [{"fieldName": "retries", "value": True}]}, "runtimeParameterValues[0].value"),
        (
            {"runtimeParameterValues": [{"fieldName": "retries", "type": "string", "value": "1"}]},
            "runtimeParameterValues[0].type",
        ),
    ],
    "PATCH deployments/{deploymentId}/model/secondaryDatasetConfiguration/": [
        ({}, "secondaryDatasetConfigId"),
        ({"secondaryDatasetConfigId": UNKNOWN}, "secondaryDatasetConfigId"),
    ],
    "POST deployments/{deploymentId}/scoringCodeBuilds/": [
        ({"includeAgent": "yes"}, "includeAgent"),
        ({"includePredictionExplanations": True}, "includePredictionExplanations"),
        ({"includePredictionIntervals": True}, "includePredictionIntervals"),
    ],
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
    library.ensure()
    report = ScheduledReport.objects.create(name="Weekly", created_by=owner)
    report.deployments.set([deployment])
    package = champion.package
    package.runtime_parameters = [{"fieldName": "retries", "type": "numeric", "maxValue": 9}]
    package.owner = deployment.roles.get(role=Role.CONSUMER).user  # may deploy it again
    package.save()
    scoring_code.attach(package, jar({"Model.class": b"code"}), "model.jar", explanations=False, intervals=False)
    configuration = SecondaryConfiguration.objects.create(deployment=deployment, name="Weather", created_by=owner)
    SecondaryUse.objects.create(deployment=deployment, configuration=configuration, user=owner)
    deleted = make_deployment()
    Deployment.objects.filter(pk=deleted.pk).update(deleted_at=timezone.now())
    return {
        "championId": champion.public_id,
        "customJobId": CustomJob.objects.filter(built_in="missingRate").get().public_id,
        "reportId": report.public_id,
        "ownModelId": champion.public_id,
        "secondaryConfigId": configuration.public_id,
        "deletedDeploymentId": deleted.public_id,
        **{f"{work.PATHS[kind]}/exportId": export.public_id for kind, export in exports.items()},
    }


def jar(entries: Mapping[str, bytes]) -> bytes:
    """A small Java archive."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")
        for name, content in entries.items():
            archive.writestr(name, content)
    return made.getvalue()
