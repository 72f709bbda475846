"""The shapes of answers that the watcher reasons about. JSON becomes typed here and nowhere else.

Every field may be missing or null: then it is None or empty, and what follows from it is "unknown". Unknown fields are
ignored. A field of the wrong type is a named problem (`problem_of`), so that one bad answer never stops the others.
Times stay text here (`monitoring.clock.parse_time` reads them).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
import orjson

from monitoring.client.areas import (
    BiasAndFairness,
    CustomMetrics,
    CustomRule,
    CustomSummary,
    FairnessRule,
    HumilityStats,
    Number,
    TimelinessRule,
)
from monitoring.client.areas import Shape as _Shape
from monitoring.client.errors import Malformed


class HealthObject(_Shape, frozen=True):
    status: str | None = None
    message: str | None = None


class Model(_Shape, frozen=True):
    id: str | None = None
    type: str | None = None
    target_name: str | None = None
    target_type: str | None = None
    deployed_at: str | None = None


class Package(_Shape, frozen=True):
    id: str | None = None
    name: str | None = None


class Usage(_Shape, frozen=True):
    daily_rates: list[float | None] | None = None
    last_timestamp: str | None = None


class Tag(_Shape, frozen=True):
    name: str | None = None
    value: str | None = None


class Person(_Shape, frozen=True):
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None


class Owners(_Shape, frozen=True):
    preview: list[Person] | None = None


class EntrySettings(_Shape, frozen=True):
    batch_monitoring_enabled: bool | None = None


class Entry(_Shape, frozen=True):
    """One entry of the deployment list, and the answer of retrieve."""

    id: str | None = None
    label: str | None = None
    description: str | None = None
    importance: str | None = None
    status: str | None = None
    created_at: str | None = None
    model: Model | None = None
    model_package: Package | None = None
    prediction_usage: Usage | None = None
    owners: Owners | None = None
    settings: EntrySettings | None = None
    tags: list[Tag] | None = None
    service_health: HealthObject | None = None
    model_health: HealthObject | None = None
    accuracy_health: HealthObject | None = None
    fairness_health: HealthObject | None = None
    custom_metrics_health: HealthObject | None = None
    predictions_timeliness_health: HealthObject | None = None
    actuals_timeliness_health: HealthObject | None = None


class Switch(_Shape, frozen=True):
    enabled: bool | None = None


class Association(_Shape, frozen=True):
    column_names: list[str] | None = None


class SegmentSettings(_Shape, frozen=True):
    enabled: bool | None = None
    attributes: list[str] | None = None


class Settings(_Shape, frozen=True):
    """settings/: which monitoring is switched on."""

    feature_drift: Switch | None = None
    target_drift: Switch | None = None
    association_id: Association | None = None
    segment_analysis: SegmentSettings | None = None
    challenger_models: Switch | None = None
    predictions_data_collection: Switch | None = None
    humility: Switch | None = None
    bias_and_fairness: BiasAndFairness | None = None


class AccuracyRule(_Shape, frozen=True):
    metric: str | None = None
    measurement: str | None = None
    warning_threshold: Number = None
    failing_threshold: Number = None
    batch_count: str | int | None = None


class DriftRule(_Shape, frozen=True):
    drift_threshold: Number = None
    importance_threshold: Number = None
    high_importance_warning_count: int | None = None
    high_importance_failing_count: int | None = None
    low_importance_warning_count: int | None = None
    low_importance_failing_count: int | None = None
    excluded_features: list[str] | None = None
    starred_features: list[str] | None = None
    time_interval: str | None = None
    batch_count: str | int | None = None


class ServiceRule(_Shape, frozen=True):
    batch_count: str | int | None = None


class HealthSettings(_Shape, frozen=True):
    """healthSettings/: the thresholds."""

    service: ServiceRule | None = None
    data_drift: DriftRule | None = None
    accuracy: AccuracyRule | None = None
    fairness: FairnessRule | None = None
    custom_metrics: CustomRule | None = None
    predictions_timeliness: TimelinessRule | None = None
    actuals_timeliness: TimelinessRule | None = None


class Period(_Shape, frozen=True):
    start: str | None = None
    end: str | None = None


class DriftedFeature(_Shape, frozen=True):
    name: str | None = None
    type: str | None = None
    drift_score: Number = None
    feature_impact: Number = None
    sample_size: Number = None
    baseline_sample_size: Number = None


class Drift(_Shape, frozen=True):
    """featureDrift/, all pages."""

    data: list[DriftedFeature] | None = None
    metric: str | None = None
    model_id: str | None = None
    period: Period | None = None


class TargetDrift(_Shape, frozen=True):
    """targetDrift/."""

    drift_score: Number = None
    metric: str | None = None
    target_name: str | None = None
    type: str | None = None
    sample_size: Number = None
    baseline_sample_size: Number = None
    period: Period | None = None


class AccuracyMetric(_Shape, frozen=True):
    value: Number = None
    baseline_value: Number = None
    percent_change: Number = None


class Accuracy(_Shape, frozen=True):
    """accuracy/."""

    metrics: dict[str, AccuracyMetric | None] | None = None
    model_id: str | None = None
    period: Period | None = None


class ServiceMetrics(_Shape, frozen=True):
    total_predictions: Number = None
    total_requests: Number = None
    slow_requests: Number = None
    response_time: Number = None
    execution_time: Number = None
    user_error_rate: Number = None
    server_error_rate: Number = None
    num_consumers: Number = None
    cache_hit_ratio: Number = None
    median_load: Number = None
    peak_load: Number = None


class ServiceStats(_Shape, frozen=True):
    """serviceStats/ and batchServiceStats/."""

    metrics: ServiceMetrics | None = None
    model_id: str | None = None
    period: Period | None = None


class FeatureEntry(_Shape, frozen=True):
    name: str | None = None
    feature_type: str | None = None
    importance: Number = None


class Features(_Shape, frozen=True):
    data: list[FeatureEntry] | None = None


class SeriesBucket(_Shape, frozen=True):
    """The fields of a bucket that are judged or counted; the rest is shown as it came."""

    period: Period | None = None
    value: Number = None
    sample_size: Number = None
    drift_score: Number = None
    row_count: Number = None
    row_count_total: Number = None
    row_count_with_actual: Number = None
    model_id: str | None = None
    feature_name: str | None = None


class Series(_Shape, frozen=True):
    """…OverTime/ and …OverBatch/."""

    buckets: list[SeriesBucket] | None = None


class Capability(_Shape, frozen=True):
    name: str | None = None
    supported: bool | None = None


class Capabilities(_Shape, frozen=True):
    data: list[Capability] | None = None


SHAPES: dict[str, type[msgspec.Struct]] = {
    "": Entry,
    "settings/": Settings,
    "healthSettings/": HealthSettings,
    "healthSettings/defaults/": HealthSettings,
    "capabilities/": Capabilities,
    "features/": Features,
    "featureDrift/": Drift,
    "targetDrift/": TargetDrift,
    "accuracy/": Accuracy,
    "serviceStats/": ServiceStats,
    "batchServiceStats/": ServiceStats,
    "serviceStatsOverTime/": Series,
    "accuracyOverTime/": Series,
    "featureDriftOverTime/": Series,
    "predictionsOverTime/": Series,
    "predictionsVsActualsOverTime/": Series,
    "serviceStatsOverBatch/": Series,
    "accuracyOverBatch/": Series,
    "featureDriftOverBatch/": Series,
    "predictionsOverBatch/": Series,
    "predictionsVsActualsOverBatch/": Series,
    "fairnessScoresOverTime/": Series,
    "humilityStats/": HumilityStats,
    "humilityStatsOverTime/": Series,
    "customMetrics/": CustomMetrics,
    "customMetricsSummary/": CustomSummary,
    "customMetricsBatchSummary/": CustomSummary,
}

T = TypeVar("T")


def parse(shape: type[T], data: Any) -> T:
    """The JSON value as `shape`. Raises Malformed, naming the field, if a type does not fit."""
    try:
        return msgspec.convert(data, shape)
    except msgspec.ValidationError as error:
        raise Malformed(f"The answer does not fit the reference: {error}") from None


def problem_of(path: str, data: Any) -> str:
    """Why the answer to `path` cannot be used; "" if it can. Paths without a shape must answer an object."""
    if not isinstance(data, dict):
        return "The answer is not an object."
    shape = SHAPES.get(path)
    if shape is None:
        return ""
    try:
        parse(shape, data)
    except Malformed as error:
        return str(error)
    return ""


def normalise(path: str, data: Any) -> Any:
    """The same answer in its one form: some servers send accuracy metrics as JSON text, or one level deeper."""
    change = _NORMALISERS.get(path)
    return change(data) if change is not None and isinstance(data, dict) else data


def _accuracy(data: dict[str, Any]) -> dict[str, Any]:
    metrics = data.get("metrics")
    if isinstance(metrics, str):
        try:
            metrics = orjson.loads(metrics)
        except orjson.JSONDecodeError:
            return data
    if isinstance(metrics, dict) and set(metrics) == {"metrics"}:
        metrics = metrics["metrics"]
    return {**data, "metrics": metrics}


_NORMALISERS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {"accuracy/": _accuracy}
