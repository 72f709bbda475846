"""What a retraining policy says, and what of it the built-in trainer can honour.

The types are the reference's. An option that the trainer cannot honour is refused by name, never left aside: there is
no leakage detection, no blending, no scoring code, no project of its own, and no time series.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from deployments import schedules
from deployments.models import Deployment, FeatureType, ModelPackage
from deployments.schedules import Schedule
from metrics import ALL_METRICS, DurationError, TargetType, parse_duration

Problem = tuple[str, str]
NOT_CHOSEN = {"differencingMethod": "auto", "treatAsExponential": "auto", "periodicities": []}
"""The options of time series that ask for nothing, and what they say then; null asks for nothing either."""

T = TypeVar("T")
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(max_length=10_000)]


class Action(StrEnum):
    """What becomes of the new model."""

    CHALLENGER = "create_challenger"
    PACKAGE = "create_model_package"
    REPLACEMENT = "model_replacement"


class FeatureList(StrEnum):
    """Which of the champion's features are used: all, or those that tell something."""

    SAME = "same_as_champion"
    INFORMATIVE = "informative_features"


class Selection(StrEnum):
    """Which kind of model is fitted."""

    RECOMMENDED = "autopilot_recommended"
    SAME_BLUEPRINT = "same_blueprint"
    SAME_PARAMETERS = "same_hyperparameters"


class Mode(StrEnum):
    """How many candidates are tried: one, two, or several settings of both."""

    QUICK = "quick"
    AUTO = "auto"
    COMPREHENSIVE = "comprehensive"


class Partition(StrEnum):
    """How rows are parted."""

    RANDOM = "RandomCV"
    STRATIFIED = "StratifiedCV"


class Validation(StrEnum):
    """How candidates are compared: by folds, or on one part that is set aside."""

    FOLDS = "CV"
    SET_ASIDE = "TVH"


class OptionsStrategy(StrEnum):
    """Whether the policy's own project options hold."""

    SAME = "same_as_champion"
    OVERRIDE = "override_champion"
    CUSTOM = "custom"


class Cause(StrEnum):
    """What starts runs."""

    SCHEDULE = "schedule"
    DRIFT = "data_drift_decline"
    ACCURACY = "accuracy_decline"
    MANUAL = "manual"


class Autopilot(Struct, rename="camel", frozen=True):
    mode: Mode = Mode.AUTO
    blend_best_models: bool = False
    run_leakage_removed_feature_list: bool = False
    scoring_code_only: bool = False
    shap_only_mode: bool = False


class ProjectOptions(Struct, rename="camel", frozen=True):
    cv_method: Partition = Partition.RANDOM
    validation_type: Validation = Validation.FOLDS
    holdout_pct: Annotated[float, Meta(ge=5, le=50)] | None = None
    validation_pct: Annotated[float, Meta(ge=5, le=50)] | None = None
    reps: Annotated[int, Meta(ge=2, le=10)] | None = None
    metric: str | None = None


class Trigger(Struct, rename="camel", frozen=True):
    """When to run by itself; `manual` never does."""

    type: Cause = Cause.MANUAL
    schedule: Schedule | None = None
    status_declines_to_warning: bool = False
    status_declines_to_failing: bool = False
    status_still_in_decline: bool = False
    min_interval_between_runs: str | None = None


class Policy(Struct, rename="camel", frozen=True):
    """A whole policy. `useActuals`: also train on stored requests whose outcome is known (ours)."""

    name: Name
    description: Text = ""
    action: Action = Action.PACKAGE
    feature_list_strategy: FeatureList = FeatureList.SAME
    model_selection_strategy: Selection = Selection.RECOMMENDED
    autopilot_options: Autopilot = Autopilot()
    project_options_strategy: OptionsStrategy = OptionsStrategy.SAME
    project_options: ProjectOptions = ProjectOptions()
    time_series_options: dict[str, Any] | None = None
    trigger: Trigger = Trigger()
    use_actuals: bool = True

    @property
    def effective(self) -> ProjectOptions:
        """The project options that hold."""
        return ProjectOptions() if self.project_options_strategy is OptionsStrategy.SAME else self.project_options


class PolicyPatch(Struct, rename="camel"):
    """What of a policy is to change; a group is changed key by key, null puts it back to its defaults."""

    name: Name | UnsetType = UNSET
    description: Text | UnsetType | None = UNSET
    action: Action | UnsetType = UNSET
    feature_list_strategy: FeatureList | UnsetType | None = UNSET
    model_selection_strategy: Selection | UnsetType | None = UNSET
    autopilot_options: dict[str, Any] | UnsetType | None = UNSET
    project_options_strategy: OptionsStrategy | UnsetType | None = UNSET
    project_options: dict[str, Any] | UnsetType | None = UNSET
    time_series_options: dict[str, Any] | UnsetType | None = UNSET
    trigger: dict[str, Any] | UnsetType | None = UNSET
    use_actuals: bool | UnsetType = UNSET


class BadPolicy(ValueError):
    """A policy that cannot be carried out; `errors` by field."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {text}" for name, text in errors.items()))
        self.errors = errors


def read(stored: dict[str, Any]) -> Policy:
    """A policy as it was stored."""
    return msgspec.convert(stored, Policy)


def as_json(policy: Policy) -> dict[str, Any]:
    """In the reference's words."""
    found: dict[str, Any] = msgspec.to_builtins(policy)
    if policy.trigger.schedule is not None:
        found["trigger"]["schedule"] = schedules.as_json(policy.trigger.schedule)
    return found


def merged(stored: dict[str, Any], patch: PolicyPatch) -> Policy:
    """A policy with some of it changed. Raises BadPolicy by field."""
    result = dict(stored)
    for name, value in msgspec.to_builtins(patch).items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict) and isinstance(result.get(name), dict):
            result[name] = {**result[name], **value}
        else:
            result[name] = value
    for group in ("autopilotOptions", "projectOptions", "trigger"):
        if isinstance(result.get(group), dict):
            kept = {"holdoutPct", "validationPct", "reps", "metric", "schedule", "minIntervalBetweenRuns"}
            result[group] = {name: one for name, one in result[group].items() if one is not None or name in kept}
    try:
        return msgspec.convert(result, Policy)
    except msgspec.ValidationError as bad:
        sentence, _, place = str(bad).partition(" - at `$")
        raise BadPolicy({place.strip("`.") or "body": sentence.replace("`", "'") + "."}) from None


def check(policy: Policy, deployment: Deployment) -> None:
    """Raise BadPolicy for everything that the trainer cannot honour for this deployment."""
    package = None if deployment.champion is None else deployment.champion.package
    found = dict(
        [*_unserved(policy), *_options(policy, package), *_trigger(policy.trigger), *_champion(policy, package)]
    )
    if found:
        raise BadPolicy(found)


def untrainable(package: ModelPackage) -> str:
    """Why no model like this one can be trained here, whatever a policy says; empty where one can."""
    if package.time_series:
        return "Time series are not trained here."
    if package.target_type not in (TargetType.REGRESSION, TargetType.BINARY, TargetType.MULTICLASS):
        return f"A {package.target_type} target cannot be trained here."
    return ""


def _unserved(policy: Policy) -> Iterator[Problem]:
    options = policy.autopilot_options
    for name, asked, text in (
        ("blendBestModels", options.blend_best_models, "Models are not blended here."),
        ("runLeakageRemovedFeatureList", options.run_leakage_removed_feature_list, "Leakage is not looked for here."),
        ("scoringCodeOnly", options.scoring_code_only, "The trainer makes ONNX, no scoring code."),
        ("shapOnlyMode", options.shap_only_mode, "SHAP values are not computed here."),
    ):
        if asked:
            yield f"autopilotOptions.{name}", text
    for name, value in (policy.time_series_options or {}).items():
        if value is not None and value != NOT_CHOSEN.get(name):
            yield f"timeSeriesOptions.{name}", "Time series are not trained here."


def _options(policy: Policy, package: ModelPackage | None) -> Iterator[Problem]:
    options = policy.project_options
    if policy.project_options_strategy is OptionsStrategy.SAME and options != ProjectOptions():
        yield "projectOptions", "They hold only with projectOptionsStrategy override_champion or custom."
    if options.validation_pct is not None and options.validation_type is Validation.FOLDS:
        yield "projectOptions.validationPct", "Only with validationType TVH; folds have reps."
    if options.reps is not None and options.validation_type is Validation.SET_ASIDE:
        yield "projectOptions.reps", "Only with validationType CV; a part that is set aside has validationPct."
    if package is None:
        return
    target = TargetType(package.target_type)
    if options.metric is not None and options.metric not in ALL_METRICS.get(target, ()):
        yield "projectOptions.metric", f"Must be one of: {', '.join(ALL_METRICS.get(target, ()))}."
    if options.cv_method is Partition.STRATIFIED and target is TargetType.REGRESSION:
        yield "projectOptions.cvMethod", "Only classes can be stratified."


def _trigger(trigger: Trigger) -> Iterator[Problem]:
    if trigger.type is Cause.SCHEDULE:
        if trigger.schedule is None:
            yield "trigger.schedule", "A trigger of type schedule needs one."
        else:
            yield from schedules.problems(trigger.schedule, "trigger.schedule").items()
    declines = (
        trigger.status_declines_to_warning,
        trigger.status_declines_to_failing,
        trigger.status_still_in_decline,
    )
    if trigger.type in (Cause.DRIFT, Cause.ACCURACY) and not any(declines):
        yield (
            "trigger.statusDeclinesToFailing",
            "Say which decline starts a run: to warning, to failing or still in it.",
        )
    if trigger.min_interval_between_runs is not None:
        try:
            parse_duration(trigger.min_interval_between_runs)
        except DurationError as bad:
            yield "trigger.minIntervalBetweenRuns", str(bad)


def _champion(policy: Policy, package: ModelPackage | None) -> Iterator[Problem]:
    if package is None:
        yield "action", "The deployment has no champion to train anew."
        return
    if obstacle := untrainable(package):
        yield "action", obstacle
    if policy.model_selection_strategy is not Selection.RECOMMENDED and not package.trainer:
        yield "modelSelectionStrategy", "The champion was not trained here, so how it was made is not known."
    strange = package.features.filter(kind__in=(FeatureType.DATE, FeatureType.GEOSPATIAL))
    names = ", ".join(strange.values_list("name", flat=True))
    if policy.feature_list_strategy is FeatureList.SAME and names:
        yield "featureListStrategy", f"Dates and places cannot be trained on ({names}); take informative_features."
