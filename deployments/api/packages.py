"""Packages as others see them: whose they are, and the champion's in the words of the reference."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from deployments import capabilities, listing
from deployments.api.permissions import visible
from deployments.api.shown import user_id
from deployments.models import Dataset, DeployedModel, Deployment, ModelPackage
from deployments.models.package import TargetType

EXECUTION_TYPE = "external"
SUPPORTS = (
    *("supportsAutomaticActuals", "supportsChallengerModels", "supportsFeatureDriftTracking"),
    *("supportsHumilityRecommendedRules", "supportsHumilityRules", "supportsHumilityRulesDefaultCalculations"),
    *("supportsPredictionWarning", "supportsRetraining", "supportsScoringCodeDownload", "supportsSecondaryDatasets"),
    *("supportsSegmentedAnalysisDriftAndAccuracy", "supportsShapBasedPredictionExplanations"),
    "supportsTargetDriftTracking",
)
TIME_SERIES = (
    *("datetimeColumnFormat", "datetimeColumnName", "effectiveFeatureDerivationWindowEnd"),
    *("effectiveFeatureDerivationWindowStart", "featureDerivationWindowEnd", "featureDerivationWindowStart"),
    *("forecastDistanceColumnName", "forecastDistancesTimeUnit", "forecastPointColumnName", "seriesColumnName"),
)
MODEL_KINDS = (
    *("isAnomalyDetectionModel", "isCombinedModel", "isFeatureDiscovery", "isMultiseries"),
    *("isTimeSeries", "isUnsupervisedLearning"),
)
SERIES_KINDS = ("isCrossSeries", "isNewSeriesSupport", "isTraditionalTimeSeries")
CHAMPION = {
    "id": "69235c1e8d2f4a7b9c0d1e2f",
    "modelId": "69235c1e1b2c3d4e5f607182",
    "name": "Late flights, trained in January",
    "buildStatus": "complete",
    "capabilities": {"supportsRetraining": True},
    "datasets": {"trainingDataSize": 20000, "datasetName": "training.csv", "targetHistogramBaseline": "predictions"},
    "importMeta": {"creatorUsername": "ada", "dateCreated": "2026-01-02T03:04:05Z"},
    "isArchived": False,
    "isDeprecated": False,
    "mlpkgFileContents": {"allTimeSeriesPredictionIntervals": None},
    "modelDescription": {"modelName": "Late flights, trained in January", "buildEnvironmentType": "Other"},
    "modelExecutionType": "external",
    "modelKind": {"isTimeSeries": False},
    "sourceMeta": {"projectId": None},
    "target": {"name": "late", "type": "Binary", "classNames": ["no", "yes"], "predictionThreshold": 0.5},
    "timeseries": {"forecastDistances": []},
    "updatedBy": {"id": "000000000000000000000001", "name": "Ada", "email": "ada@example.org"},
    "userProvidedId": None,
}


def seen(user: User) -> QuerySet[ModelPackage]:
    """The packages that a person may look at: their own, and those in deployments that they see."""
    rows = ModelPackage.objects.select_related("training_dataset", "holdout_dataset", "owner")
    if user.is_superuser:
        return rows
    within = DeployedModel.objects.filter(deployment__in=visible(user)).values("package_id")
    return rows.filter(Q(owner=user) | Q(pk__in=within))


def usable(user: User, deployment: Deployment) -> QuerySet[ModelPackage]:
    """The packages that a person may put into a deployment: their own, and those that it has had."""
    rows = ModelPackage.objects.select_related("training_dataset", "holdout_dataset", "owner")
    if user.is_superuser:
        return rows
    return rows.filter(Q(owner=user) | Q(pk__in=deployment.models.values("package_id")))


def champion_package(deployment: Deployment) -> dict[str, Any]:
    """The champion's package; what this version has no counterpart for is null, false or empty, never left out."""
    champion = deployment.champion
    package = None if champion is None else champion.package
    if package is None:
        return dict.fromkeys(CHAMPION)
    flags = capabilities.flags(deployment)
    return {
        "id": package.public_id,
        "modelId": package.model_id,
        "name": package.name,
        "buildStatus": "complete",
        "capabilities": {name: flags.get(name, False) for name in SUPPORTS},
        "datasets": _datasets(package),
        "importMeta": _imported(package),
        "isArchived": False,
        "isDeprecated": False,
        "mlpkgFileContents": {"allTimeSeriesPredictionIntervals": None},
        "modelDescription": _description(package),
        "modelExecutionType": EXECUTION_TYPE,
        "modelKind": {
            **dict.fromkeys(MODEL_KINDS, False),
            "isTimeSeries": bool(package.time_series),
            "isMultiseries": bool(package.time_series.get("seriesIdColumns")),
        },
        "sourceMeta": _source(package),
        "target": _target(package),
        "timeseries": _timeseries(package),
        "updatedBy": None if package.owner is None else _person(package.owner),
        "userProvidedId": None,
    }


def _datasets(package: ModelPackage) -> dict[str, Any]:
    training, holdout = package.training_dataset, package.holdout_dataset
    return {
        "baselineSegmentedBy": package.segment_attributes,
        "datasetName": training.name if training else None,
        "holdoutDatasetName": holdout.name if holdout else None,
        **_dataset("holdout", holdout),
        **_dataset("training", training),
        "targetHistogramBaseline": "predictions" if package.holdout_rows else None,
        "trainingDataSize": package.training_rows,
    }


def _dataset(kind: str, dataset: Dataset | None) -> dict[str, Any]:
    owner = None if dataset is None else dataset.owner
    values: dict[str, Any] = {
        "CatalogId": dataset.public_id if dataset else None,
        "CatalogVersionId": dataset.public_id if dataset else None,
        "CreatedAt": dataset.created_at if dataset else None,
        "CreatorEmail": owner.email or None if owner else None,
        "CreatorId": user_id(owner) if owner else None,
        "CreatorName": owner.get_full_name() or owner.get_username() if owner else None,
    }
    return {f"{kind}Data{name}": value for name, value in values.items()}


def _imported(package: ModelPackage) -> dict[str, Any]:
    owner = package.owner
    return {
        **dict.fromkeys(
            ("containsFearPipeline", "containsFeaturelists", "containsLeaderboardMeta", "containsProjectMeta"), False
        ),
        "creatorFullName": owner.get_full_name() or None if owner else None,
        "creatorId": user_id(owner) if owner else None,
        "creatorUsername": owner.get_username() if owner else None,
        "dateCreated": package.created_at,
        "originalFileName": package.artifact_name or None,
    }


def _description(package: ModelPackage) -> dict[str, Any]:
    owner = package.owner
    return {
        "buildEnvironmentType": listing.BUILD_ENVIRONMENT,
        "description": package.description or None,
        "location": None,
        "modelCreatedAt": package.created_at,
        "modelCreatorEmail": owner.email or None if owner else None,
        "modelCreatorId": user_id(owner) if owner else None,
        "modelCreatorName": owner.get_full_name() or owner.get_username() if owner else None,
        "modelName": package.name,
    }


def _source(package: ModelPackage) -> dict[str, Any]:
    return {
        "customModelDetails": None,
        "environmentUrl": None,
        "fips_140_2Enabled": False,
        **dict.fromkeys(("projectCreatedAt", "projectCreatorEmail", "projectCreatorId", "projectCreatorName")),
        **dict.fromkeys(("projectId", "projectName", "scoringCode", "useCaseDetails")),
    }


def _target(package: ModelPackage) -> dict[str, Any]:
    classes = list(package.class_names)
    return {
        "classCount": len(classes) if package.target_type == TargetType.MULTICLASS else None,
        "classNames": classes or None,
        "name": package.target_name,
        "predictionProbabilitiesColumn": f"prediction_{package.positive_class}" if package.positive_class else None,
        "predictionThreshold": package.prediction_threshold if package.target_type == TargetType.BINARY else None,
        "type": package.target_type,
    }


def _timeseries(package: ModelPackage) -> dict[str, Any]:
    known = package.time_series
    series = known.get("seriesIdColumns") or []
    told = {
        "datetimeColumnName": known.get("datetimeColumn"),
        "forecastDistanceColumnName": known.get("forecastDistanceColumn"),
        "forecastDistances": known.get("forecastDistances", []),
        "forecastDistancesTimeUnit": known.get("forecastUnit"),
        "forecastPointColumnName": known.get("forecastPointColumn"),
        "seriesColumnName": series[0] if series else None,
    }
    return {**dict.fromkeys(TIME_SERIES), **dict.fromkeys(SERIES_KINDS, False), **told}


def _person(user: User) -> dict[str, Any]:
    return {"id": user_id(user), "name": user.get_full_name() or user.get_username(), "email": user.email or None}
