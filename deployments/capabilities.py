"""What a deployment can and cannot do, with the reason for each thing it cannot.

The names are the reference's. A capability is said to be supported only if this version really serves it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deployments.models import Deployment, ModelPackage, TargetType
from deployments.retraining.options import untrainable

NOT_YET = "Not served by this version."


def _feature_drift(package: ModelPackage) -> str:
    return "" if package.training_rows else "The model was registered without training data."


def _target_drift(package: ModelPackage) -> str:
    return "" if package.holdout_rows else "The model was registered without holdout predictions."


def _segments(package: ModelPackage) -> str:
    return "" if package.training_rows else "Segments are compared with training data, and there are none."


def _automatic_actuals(package: ModelPackage) -> str:
    return "" if package.time_series else "Only requests to a model of time series tell what happened before."


def _calculated_bounds(package: ModelPackage) -> str:
    return "" if package.training_rows or package.holdout_rows else "There is no training data and no holdout."


def _warnings(package: ModelPackage) -> str:
    return "" if package.target_type == TargetType.REGRESSION else "Warnings are for regression models only."


def _always(package: ModelPackage) -> str:
    return ""


def _not_yet(package: ModelPackage) -> str:
    return NOT_YET


def _scoring_code(package: ModelPackage) -> str:
    return "" if hasattr(package, "scoring_code") else "The model was registered without scoring code."


def _secondary(package: ModelPackage) -> str:
    return "Sets of secondary datasets are kept and listed, but no model that draws on them runs here."


CAPABILITIES: dict[str, Callable[[ModelPackage], str]] = {
    "supportsAutomaticActuals": _automatic_actuals,
    "supportsChallengerModels": _always,
    "supportsFeatureDriftTracking": _feature_drift,
    "supportsFeatureTypeInfoValidation": _not_yet,
    "supportsHumilityRecommendedRules": _not_yet,
    "supportsHumilityRules": _always,
    "supportsHumilityRulesDefaultCalculations": _calculated_bounds,
    "supportsModelReplacement": _always,
    "supportsPortablePredictionServer": _not_yet,
    "supportsPredictionIntervals": _not_yet,
    "supportsPredictionWarning": _warnings,
    "supportsRetraining": untrainable,
    "supportsScoringCodeDownload": _scoring_code,
    "supportsSecondaryDatasets": _secondary,
    "supportsSegmentedAnalysisDriftAndAccuracy": _segments,
    "supportsShapBasedPredictionExplanations": _not_yet,
    "supportsTargetDriftTracking": _target_drift,
}
"""Each capability, and what stands against it for a model; empty when nothing does."""


def flags(deployment: Deployment) -> dict[str, bool]:
    """Every capability as yes or no."""
    return {name: not obstacle for name, obstacle in _obstacles(deployment).items()}


def explained(deployment: Deployment) -> list[dict[str, Any]]:
    """Every capability with its messages, by name."""
    return [
        {"name": name, "supported": not obstacle, "messages": [obstacle] if obstacle else []}
        for name, obstacle in sorted(_obstacles(deployment).items())
    ]


def _obstacles(deployment: Deployment) -> dict[str, str]:
    if deployment.champion is None:
        return dict.fromkeys(CAPABILITIES, "The deployment has no model.")
    package = deployment.champion.package
    return {name: obstacle(package) for name, obstacle in CAPABILITIES.items()}
