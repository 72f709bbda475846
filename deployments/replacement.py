"""Replacing the champion: the checks of the reference, really evaluated, and the job that does it.

Every check has a status (`passing`, `warning`, `failing`) and a sentence. A failing one forbids the replacement, a
warning says what will be different.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

import msgspec
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from deployments import health, humility, jobs, registry, runtime
from deployments.ingest.shape import Shape, shape_of_package
from deployments.models import (
    UNFINISHED_RUNS,
    Deployment,
    DeploymentStatus,
    Job,
    ModelPackage,
    ModelRole,
    RetrainingRun,
    RunStatus,
)
from deployments.reports.segments import SERVICE_ATTRIBUTES
from deployments.settings_rules import categorical_columns, geospatial_columns
from deployments.settings_schema import Settings, parse
from metrics import TargetType

KIND = "modelReplacement"
REPLACEABLE = (DeploymentStatus.ACTIVE, DeploymentStatus.INACTIVE)


class Reason(StrEnum):
    """Why a model is replaced, in the words of the reference."""

    ACCURACY = "ACCURACY"
    DATA_DRIFT = "DATA_DRIFT"
    ERRORS = "ERRORS"
    SCHEDULED_REFRESH = "SCHEDULED_REFRESH"
    SCORING_SPEED = "SCORING_SPEED"
    DEPRECATION = "DEPRECATION"
    OTHER = "OTHER"


class Outcome(StrEnum):
    """How a check ended, worst last."""

    PASSING = "passing"
    WARNING = "warning"
    FAILING = "failing"


@dataclass(frozen=True)
class Check:
    """One check of a replacement."""

    status: Outcome
    message: str


@dataclass(frozen=True)
class Case:
    """A package that is to take the champion's place."""

    deployment: Deployment
    package: ModelPackage
    user: User
    under_way: bool = False
    run: RetrainingRun | None = None

    @property
    def current(self) -> ModelPackage | None:
        """The champion's package."""
        return None if self.deployment.champion is None else self.deployment.champion.package

    @cached_property
    def settings(self) -> Settings:
        return parse(Settings, self.deployment.settings)

    @cached_property
    def shapes(self) -> tuple[Shape | None, Shape]:
        """The columns of the champion and of the package."""
        old = None if self.current is None else shape_of_package(self.current.pk)
        return old, shape_of_package(self.package.pk)


def validate(
    deployment: Deployment,
    package: ModelPackage,
    user: User,
    *,
    under_way: bool = False,
    run: RetrainingRun | None = None,
) -> dict[str, Check]:
    """Every check by its name.

    `under_way`: the deployment's status says already that its model is being replaced. `run`: the retraining run that
    has made the package and replaces the model itself.
    """
    case = Case(deployment, package, user, under_way, run)
    return {name: check(case) for name, check in CHECKS.items()}


def overall(checks: Mapping[str, Check]) -> Check:
    """The worst of all checks, with a sentence."""
    failing = [name for name, check in checks.items() if check.status is Outcome.FAILING]
    warning = [name for name, check in checks.items() if check.status is Outcome.WARNING]
    if failing:
        return Check(Outcome.FAILING, f"The model cannot replace the current one: {', '.join(failing)}.")
    if warning:
        return Check(Outcome.WARNING, f"The model can replace the current one, with warnings: {', '.join(warning)}.")
    return Check(Outcome.PASSING, "The model can replace the current one.")


def start(
    deployment: Deployment,
    package: ModelPackage,
    reason: Reason,
    user: User,
    runtime_values: list[dict[str, Any]] | None = None,
) -> Job:
    """Mark the deployment as replacing its model and put the job down; the caller holds the deployment's row."""
    job = jobs.start(
        KIND,
        deployment,
        user,
        {
            "package": package.pk,
            "reason": reason.value,
            "status": deployment.status,
            "runtimeValues": runtime_values,
        },
    )
    deployment.status = DeploymentStatus.REPLACING_MODEL
    deployment.save(update_fields=["status"])
    return job


def _restore(job: Job) -> None:
    """Whatever became of it, the deployment is not replacing its model any longer."""
    assert job.deployment is not None
    Deployment.objects.filter(pk=job.deployment.pk, status=DeploymentStatus.REPLACING_MODEL).update(
        status=job.args["status"]
    )


@jobs.register(KIND, ended=_restore)
def replace(job: Job) -> str:
    """Check again, replace, judge anew; returns the deployment's address."""
    assert job.deployment is not None
    row = (
        Deployment.objects.select_for_update(of=("self",)).select_related("champion__package").get(pk=job.deployment.pk)
    )
    package = ModelPackage.objects.get(pk=job.args["package"])
    if job.created_by is None:
        raise jobs.JobFailed("The person who asked for this is gone.")
    found = overall(validate(row, package, job.created_by, under_way=True))
    if found.status is Outcome.FAILING:
        raise jobs.JobFailed(found.message)
    now = timezone.now()
    registry.replace_model(row, package, now, job.args["reason"], job.created_by)
    if (values := job.args.get("runtimeValues")) is not None:
        try:
            runtime.replace(
                row, msgspec.convert(values, list[runtime.Setting]), job.created_by, "runtimeParameterValues"
            )
        except runtime.BadValues as bad:
            raise jobs.JobFailed(str(bad)) from None
    transaction.on_commit(lambda: health.refresh(row.pk, timezone.now()))
    return f"/api/v2/deployments/{row.public_id}/"


# --- The checks -------------------------------------------------------------------------------------------------


def _passing(message: str) -> Check:
    return Check(Outcome.PASSING, message)


def _failing(message: str) -> Check:
    return Check(Outcome.FAILING, message)


def _combined(case: Case) -> Check:
    return _passing("A model package is one model: none is put together from models by segment.")


def _tracked_segments(case: Case) -> Check:
    analysis = case.settings.segment_analysis
    wanted = set(analysis.attributes) - SERVICE_ATTRIBUTES if analysis.enabled else set()
    wanted |= set(case.settings.bias_and_fairness.protected_features)
    missing = sorted(wanted - categorical_columns(case.package) - geospatial_columns(case.package))
    if missing:
        return _failing(f"The deployment is split by {', '.join(missing)}, which the model does not have.")
    return _passing("The model has every attribute by which the deployment is split.")


def _drift(case: Case) -> Check:
    settings, old, new = case.settings, case.current, case.package
    if settings.feature_drift.enabled and not new.training_rows and old is not None and old.training_rows:
        return _failing("Feature drift is tracked, and the model was registered without training data.")
    if settings.target_drift.enabled and not new.holdout_rows and old is not None and old.holdout_rows:
        return _failing("Target drift is tracked, and the model was registered without holdout predictions.")
    return _passing("The model has what the tracking of drift needs.")


def _types(case: Case) -> Check:
    old, new = case.shapes
    known = {} if old is None else old.features
    changed = sorted(name for name, kind in new.features.items() if known.get(name, kind) != kind)
    if changed:
        told = ", ".join(f"{name} ({known[name]} → {new.features[name]})" for name in changed)
        return _failing(f"Features changed their type: {told}.")
    return _passing("The features that both models have are of the same type.")


def _features(case: Case) -> Check:
    old, new = case.shapes
    more = [] if old is None else sorted(set(new.features) - set(old.features))
    if more:
        return Check(Outcome.WARNING, f"The model also takes {', '.join(more)}, which requests have to send.")
    return _passing("The model takes no feature that the current one does not take.")


def _humility(case: Case) -> Check:
    if not case.settings.humility.enabled:
        return _passing("Humility is switched off.")
    wrong = humility.misfits(case.deployment, case.package)
    if wrong:
        return _failing(f"Rules that do not fit the model: {', '.join(wrong)}.")
    return _passing("The rules of humility fit the model.")


def _deployable(case: Case) -> Check:
    if not case.shapes[1].features:
        return _failing("The model was registered without features.")
    return _passing("The model is registered with its target and features.")


def _status(case: Case) -> Check:
    made_by = RetrainingRun.objects.filter(package=case.package).select_related("policy").first()
    if made_by is None:
        return _passing("The model package is registered.")
    name = f"The run of the retraining policy {made_by.policy.name!r} that made the model"
    if made_by.status in UNFINISHED_RUNS and made_by != case.run:
        return _failing(f"{name} is not finished.")
    if made_by.status in (RunStatus.FAILED, RunStatus.CANCELLED):
        ended = "has failed" if made_by.status == RunStatus.FAILED else "was cancelled"
        return Check(Outcome.WARNING, f"{name} {ended}. {made_by.error_message}".strip())
    return _passing("The model package is registered, and its retraining is done.")


def _not_current(case: Case) -> Check:
    if case.current is not None and case.current.pk == case.package.pk:
        return _failing("This model is the champion already.")
    return _passing("The model is not the current one.")


def _permission(case: Case) -> Check:
    known = case.deployment.models.filter(package=case.package).exists()
    if case.user.is_superuser or case.package.owner_id == case.user.pk or known:
        return _passing("You may use the model package.")
    return _failing("The model package belongs to somebody else.")


def _intervals(case: Case) -> Check:
    if case.settings.prediction_intervals.enabled and case.package.target_type != TargetType.REGRESSION:
        return _failing("Prediction intervals are switched on, and only numbers have them.")
    return _passing("Nothing stands against the setting of prediction intervals.")


def _ready(case: Case) -> Check:
    artifact = case.package.artifact
    if artifact and not artifact.storage.exists(artifact.name or ""):
        return _failing("The model's artifact is missing in the file storage.")
    if artifact or case.package.scoring_address:
        return _passing("The model can be asked here.")
    return _passing("Predictions are made elsewhere and reported here.")


def _series(case: Case) -> Check:
    several = [bool(one.time_series.get("seriesIdColumns")) for one in (case.current, case.package) if one is not None]
    if len(set(several)) > 1:
        return _failing("One of the models forecasts several series, the other one does not.")
    return _passing(
        "Both models forecast several series." if all(several) else "Neither model forecasts several series."
    )


def _supported(case: Case) -> Check:
    if case.under_way or case.deployment.status in REPLACEABLE:
        return _passing("The model of this deployment can be replaced.")
    return _failing(f"The deployment is {case.deployment.status}: neither active nor inactive.")


def _target(case: Case) -> Check:
    old, new = case.current, case.package
    if old is not None and old.target_name != new.target_name:
        return _failing(f"The target is {new.target_name!r}, the current model's is {old.target_name!r}.")
    return _passing("Both models have the same target.")


def _classes(case: Case) -> Check:
    old, new = case.current, case.package
    if old is not None and sorted(map(str, old.class_names)) != sorted(map(str, new.class_names)):
        theirs, ours = (", ".join(map(str, one.class_names)) or "none" for one in (new, old))
        return _failing(f"The classes are {theirs}; the current model's are {ours}.")
    if old is not None and old.positive_class != new.positive_class:
        return _failing(f"The positive class is {new.positive_class!r}, the current model's is {old.positive_class!r}.")
    return _passing("Both models have the same classes.")


def _kind(case: Case) -> Check:
    old, new = case.current, case.package
    if old is not None and old.target_type != new.target_type:
        return _failing(f"The target is {new.target_type}, the current model's is {old.target_type}.")
    return _passing("Both models have the same kind of target.")


def _time_series(case: Case) -> Check:
    old, new = case.current, case.package
    if old is None or old.time_series == new.time_series:
        return _passing("Both models forecast alike." if new.time_series else "Neither model is a time series model.")
    if not old.time_series or not new.time_series:
        return _failing("One of the models is a time series model, the other one is not.")
    changed = sorted(name for name, value in new.time_series.items() if old.time_series.get(name) != value)
    if not changed:
        return _passing("Both models forecast alike.")
    return _failing(f"The models do not forecast alike: {', '.join(changed)}.")


def _challenger(case: Case) -> Check:
    found = case.deployment.models.filter(package=case.package).first()
    if found is not None and found.role == ModelRole.REMOVED:
        return _failing("The model is a challenger that is just being removed.")
    if found is not None and found.role == ModelRole.CHALLENGER:
        return _passing("The model is a challenger of this deployment.")
    return _passing("The model is no challenger of this deployment, and need not be one.")


CHECKS: Mapping[str, Callable[[Case], Check]] = {
    "combinedModelSegments": _combined,
    "containsTrackedSegmentAttributes": _tracked_segments,
    "driftTracking": _drift,
    "featureDataTypes": _types,
    "features": _features,
    "humilityRules": _humility,
    "modelCanBeDeployed": _deployable,
    "modelStatus": _status,
    "notCurrentModel": _not_current,
    "permission": _permission,
    "predictionIntervals": _intervals,
    "predictionReady": _ready,
    "seriesType": _series,
    "supported": _supported,
    "target": _target,
    "targetClasses": _classes,
    "targetType": _kind,
    "timeSeriesCompatibility": _time_series,
    "validChallenger": _challenger,
}
"""The checks of the reference, by its names."""
