"""Rules on settings that depend on the deployment's model, and the health rules' defaults.

`check` and `check_health` raise BadSettings with one error a field.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec

from deployments.ingest.shape import Target, labels_of, target_of
from deployments.ingest.values import spelled
from deployments.models import CustomKinds, CustomMetric, Deployment, FeatureType, ModelPackage
from deployments.reports.segments import SERVICE_ATTRIBUTES
from deployments.segments import automatic
from deployments.settings_schema import (
    BATCH_COUNTS,
    AccuracyRule,
    BadSettings,
    HealthSettings,
    Settings,
    parse,
)
from metrics import ACCURACY_METRICS, ALL_METRICS, JUDGED_METRIC, DurationError, TargetType, parse_duration

Problem = tuple[str, str]


def check(deployment: Deployment, settings: Settings) -> None:
    """Raise BadSettings if the settings do not fit the deployment's model."""
    package = None if deployment.champion is None else deployment.champion.package
    rules = (_boundaries, _segments, _fairness, _forecasts)
    _raise([problem for rule in rules for problem in rule(settings, package)] + list(_axis(deployment, settings)))


def default_health(deployment: Deployment) -> HealthSettings:
    """The health rules that hold while nobody set others: the judged metric goes by the kind of target."""
    if deployment.champion is None:
        return HealthSettings()
    metric = JUDGED_METRIC.get(TargetType(deployment.champion.package.target_type))
    return HealthSettings(accuracy=AccuracyRule(metric=metric))


def health_settings(deployment: Deployment) -> HealthSettings:
    """The health rules in force."""
    defaults = default_health(deployment)
    settings = parse(HealthSettings, deployment.health_settings)
    if "accuracy" in deployment.health_settings and settings.accuracy.metric is not None:
        return settings
    return parse(HealthSettings, {**deployment.health_settings, "accuracy": _builtins(defaults.accuracy)})


def check_health(deployment: Deployment, settings: HealthSettings) -> None:
    """Raise BadSettings if the rules contradict themselves or the deployment's model."""
    _raise(
        [
            *_accuracy_rule(deployment, settings),
            *_counts(settings),
            *_frequencies(settings),
            *_conditions(deployment, settings),
        ]
    )


def _raise(problems: list[Problem]) -> None:
    if problems:
        raise BadSettings(dict(problems))


def _builtins(rule: AccuracyRule) -> object:
    return msgspec.to_builtins(rule)


def _boundaries(settings: Settings, package: ModelPackage | None) -> Iterator[Problem]:
    warning = settings.prediction_warning
    if warning.custom_boundaries is not None:
        bounds = warning.custom_boundaries
        if not (math.isfinite(bounds.lower) and math.isfinite(bounds.upper)) or bounds.lower >= bounds.upper:
            yield "predictionWarning.customBoundaries", "The lower boundary must lie below the upper one."
    if warning.enabled and package is not None and package.target_type != TargetType.REGRESSION:
        yield "predictionWarning.enabled", "Warnings are for regression models only."


def _segments(settings: Settings, package: ModelPackage | None) -> Iterator[Problem]:
    known = set() if package is None else categorical_columns(package) | geospatial_columns(package)
    own = set() if package is None else set(automatic(package))
    strange = [name for name in settings.segment_analysis.attributes if name not in known | SERVICE_ATTRIBUTES | own]
    if settings.segment_analysis.enabled and strange:
        names = ", ".join(strange)
        yield "segmentAnalysis.attributes", f"Not a categorical or geospatial column of the training data: {names}."


def _forecasts(settings: Settings, package: ModelPackage | None) -> Iterator[Problem]:
    series = {} if package is None else package.time_series
    if settings.automatic_actuals.enabled and not series:
        yield "automaticActuals.enabled", "Automatic actuals are for models of time series."
    by_date = settings.predictions_by_forecast_date
    if not by_date.enabled or package is None:
        return
    if by_date.column_name is None and not series:
        yield "predictionsByForecastDate.columnName", "A model without time series needs the name of a date column."
    dates = {*package.features.filter(kind=FeatureType.DATE).values_list("name", flat=True)}
    if series:
        dates = {series["datetimeColumn"]}
    if by_date.column_name is not None and by_date.column_name not in dates:
        known = ", ".join(sorted(dates)) or "none"
        yield "predictionsByForecastDate.columnName", f"Not a date column of the model; known: {known}."


def _axis(deployment: Deployment, settings: Settings) -> Iterator[Problem]:
    """Rows that are counted stay where they are: the axis of time is chosen before the first of them."""
    before = parse(Settings, deployment.settings).predictions_by_forecast_date
    if deployment.first_prediction_at is not None and settings.predictions_by_forecast_date != before:
        yield "predictionsByForecastDate", "Cannot be changed once there are predictions."


def _fairness(settings: Settings, package: ModelPackage | None) -> Iterator[Problem]:
    fairness = settings.bias_and_fairness
    if not fairness.protected_features:
        return
    if not settings.target_drift.enabled:
        yield "biasAndFairness.protectedFeatures", "Fairness needs the target to be tracked (targetDrift.enabled)."
    if fairness.preferable_target_value is None:
        yield "biasAndFairness.preferableTargetValue", "Say which outcome people want."
    if package is None:
        return
    if package.target_type != TargetType.BINARY:
        yield "biasAndFairness.protectedFeatures", "Fairness is for binary models only."
    elif fairness.preferable_target_value is not None and favourable(settings, target_of(package)) is None:
        names = ", ".join(package.class_names)
        yield "biasAndFairness.preferableTargetValue", f"Not one of the classes {names}."
    known = categorical_columns(package)
    strange = [name for name in fairness.protected_features if name not in known]
    if strange:
        yield "biasAndFairness.protectedFeatures", f"Not a categorical column: {', '.join(strange)}."


def favourable(settings: Settings, target: Target) -> str | None:
    """The class that people want; None without one, or if the target has no such class."""
    wanted = settings.bias_and_fairness.preferable_target_value
    return None if wanted is None else labels_of(target).get(spelled(wanted) or "")


def categorical_columns(package: ModelPackage) -> set[str]:
    """Columns of the training data whose values can make segments."""
    features = package.features.filter(kind=FeatureType.CATEGORICAL).values_list("name", flat=True)
    return {*features, *package.segment_attributes} - geospatial_columns(package)


def geospatial_columns(package: ModelPackage) -> set[str]:
    """Features that say where on the globe something is."""
    return set(package.features.filter(kind=FeatureType.GEOSPATIAL).values_list("name", flat=True))


def _accuracy_rule(deployment: Deployment, settings: HealthSettings) -> Iterator[Problem]:
    rule = settings.accuracy
    if rule.metric is None:
        return
    if rule.metric not in ACCURACY_METRICS:
        yield "accuracy.metric", f"Must be one of: {', '.join(ACCURACY_METRICS)}."
    elif deployment.champion is not None:
        target = TargetType(deployment.champion.package.target_type)
        if rule.metric not in ALL_METRICS[target]:
            yield "accuracy.metric", f"{rule.metric} does not fit a {target.value} target."
    for name, threshold in (("warning", rule.warning_threshold), ("failing", rule.failing_threshold)):
        if threshold is not None and not math.isfinite(threshold):
            yield f"accuracy.{name}Threshold", "Must be a finite number."


def _counts(settings: HealthSettings) -> Iterator[Problem]:
    for name, count in (
        ("service", settings.service.batch_count),
        ("dataDrift", settings.data_drift.batch_count),
        ("accuracy", settings.accuracy.batch_count),
    ):
        if count not in BATCH_COUNTS:
            yield f"{name}.batchCount", f"Must be one of: {', '.join(BATCH_COUNTS)}."


def _conditions(deployment: Deployment, settings: HealthSettings) -> Iterator[Problem]:
    """Conditions speak of metrics of this deployment that have one value."""
    rules = settings.custom_metrics
    kinds = dict(CustomMetric.objects.filter(deployment=deployment).values_list("public_id", "kind"))
    for name, conditions in (("warning", rules.warning_conditions), ("failing", rules.failing_conditions)):
        for number, one in enumerate(conditions):
            place = f"customMetrics.{name}Conditions[{number}]"
            if one.metric_id not in kinds:
                yield f"{place}.metricId", "There is no such custom metric in this deployment."
            elif kinds[one.metric_id] == CustomKinds.CATEGORICAL:
                yield f"{place}.metricId", "A categorical metric has no single value to judge."
            if not math.isfinite(one.threshold):
                yield f"{place}.threshold", "Must be a finite number."


def _frequencies(settings: HealthSettings) -> Iterator[Problem]:
    for name, rule in (
        ("predictionsTimeliness", settings.predictions_timeliness),
        ("actualsTimeliness", settings.actuals_timeliness),
    ):
        try:
            parse_duration(rule.expected_frequency)
        except DurationError as bad:
            yield f"{name}.expectedFrequency", str(bad)
