"""What can be set on a deployment: its settings and its health settings, as types with defaults.

`Deployment.settings` and `Deployment.health_settings` hold JSON of these types in the words of the reference; `parse`
reads it, `merged` applies a PATCH to it. A PATCH names groups and keys to change and leaves the rest alone; unknown
keys are ignored. Rules that need the deployment's model are in `settings_rules`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

Ratio = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Name = Annotated[str, Meta(min_length=1, max_length=500)]
T = TypeVar("T")


class FairnessSet(Enum):
    """The pairs of fairness metrics that can be monitored together."""

    PROPORTIONAL_PARITY = "proportionalParity"
    EQUAL_PARITY = "equalParity"
    PREDICTION_BALANCE = "predictionBalance"
    TRUE_FAVORABLE = "trueFavorableAndUnfavorableRateParity"
    PREDICTIVE_VALUE = "favorableAndUnfavorablePredictiveValueParity"


class Interval(Enum):
    """For how long a processing limit counts."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


class Window(Enum):
    """Time windows of health rules; two hours are spelled `T2H` by the reference."""

    TWO_HOURS = "T2H"
    DAY = "P1D"
    WEEK = "P7D"
    MONTH = "P30D"
    QUARTER = "P90D"
    HALF_YEAR = "P180D"
    YEAR = "P365D"


class Measurement(Enum):
    """How the accuracy rule compares: with the baseline in percent, or the metric's value itself."""

    PERCENT = "percent"
    VALUE = "value"


BATCH_COUNTS = ("1", "5", "10", "50", "100", "1000", "10000")
MAX_SEGMENT_ATTRIBUTES = 10
MAX_PROTECTED_FEATURES = 10
MAX_CONDITIONS = 100


# --- Settings ---------------------------------------------------------------------------------------------------


class Group(Struct, rename="camel", frozen=True, omit_defaults=False):
    """Base of all groups: camel case outside, snake case inside."""


class Switch(Group, frozen=True):
    enabled: bool = False


class On(Group, frozen=True):
    enabled: bool = True


class AssociationId(Group, frozen=True):
    column_names: Annotated[list[Name], Meta(max_length=10)] = []
    required_in_prediction_requests: bool = False


class BiasAndFairness(Group, frozen=True):
    protected_features: Annotated[list[Name], Meta(max_length=MAX_PROTECTED_FEATURES)] = []
    preferable_target_value: bool | int | float | str | None = None
    fairness_metrics_set: FairnessSet | None = None
    fairness_threshold: Ratio = 0.8


class PredictionIntervals(Group, frozen=True):
    enabled: bool = False
    percentiles: Annotated[list[Annotated[int, Meta(ge=1, le=100)]], Meta(max_length=10)] = []


class Boundaries(Group, frozen=True):
    lower: float
    upper: float


class PredictionWarning(Group, frozen=True):
    enabled: bool = False
    custom_boundaries: Boundaries | None = None


class ByForecastDate(Group, frozen=True):
    enabled: bool = False
    column_name: Name | None = None
    datetime_format: Annotated[str, Meta(max_length=100)] | None = None


class ProcessingLimits(Group, frozen=True):
    interval: Interval = Interval.HOUR


class SegmentAnalysis(Group, frozen=True):
    enabled: bool = False
    attributes: Annotated[list[Name], Meta(max_length=MAX_SEGMENT_ATTRIBUTES)] = []


class Settings(Group, frozen=True):
    """All settings of a deployment; what is not stored has its default."""

    association_id: AssociationId = AssociationId()
    automatic_actuals: Switch = Switch()
    bias_and_fairness: BiasAndFairness = BiasAndFairness()
    challenger_models: Switch = Switch()
    feature_drift: On = On()
    humility: Switch = Switch()
    prediction_intervals: PredictionIntervals = PredictionIntervals()
    prediction_warning: PredictionWarning = PredictionWarning()
    predictions_by_forecast_date: ByForecastDate = ByForecastDate()
    predictions_data_collection: On = On()
    processing_limits: ProcessingLimits = ProcessingLimits()
    segment_analysis: SegmentAnalysis = SegmentAnalysis()
    target_drift: On = On()


class SettingsPatch(Group, frozen=True):
    """The groups of a PATCH; null puts a group back to its defaults."""

    association_id: dict[str, Any] | UnsetType | None = UNSET
    automatic_actuals: dict[str, Any] | UnsetType | None = UNSET
    bias_and_fairness: dict[str, Any] | UnsetType | None = UNSET
    challenger_models: dict[str, Any] | UnsetType | None = UNSET
    feature_drift: dict[str, Any] | UnsetType | None = UNSET
    humility: dict[str, Any] | UnsetType | None = UNSET
    prediction_intervals: dict[str, Any] | UnsetType | None = UNSET
    prediction_warning: dict[str, Any] | UnsetType | None = UNSET
    predictions_by_forecast_date: dict[str, Any] | UnsetType | None = UNSET
    predictions_data_collection: dict[str, Any] | UnsetType | None = UNSET
    processing_limits: dict[str, Any] | UnsetType | None = UNSET
    segment_analysis: dict[str, Any] | UnsetType | None = UNSET
    target_drift: dict[str, Any] | UnsetType | None = UNSET


# --- Health settings --------------------------------------------------------------------------------------------


class AccuracyRule(Group, frozen=True):
    batch_count: str = "1"
    metric: str | None = None
    measurement: Measurement | None = Measurement.PERCENT
    warning_threshold: float | None = 5
    failing_threshold: float | None = 10


class DriftRule(Group, frozen=True):
    batch_count: str = "1"
    time_interval: Window = Window.WEEK
    drift_threshold: Ratio = 0.15
    importance_threshold: Ratio = 0.5
    low_importance_warning_count: Count | None = 1
    low_importance_failing_count: Count | None = None
    high_importance_warning_count: Count | None = None
    high_importance_failing_count: Count | None = 1
    excluded_features: Annotated[list[Name], Meta(max_length=1000)] = []
    starred_features: Annotated[list[Name], Meta(max_length=1000)] = []


class FairnessRule(Group, frozen=True):
    protected_class_warning_count: Count | None = 1
    protected_class_failing_count: Count | None = 2


class ServiceRule(Group, frozen=True):
    batch_count: str = "1"


class TimelinessRule(Group, frozen=True):
    enabled: bool = False
    expected_frequency: str = "P1D"


class Condition(Group, frozen=True):
    metric_id: str
    compare_operator: Annotated[str, Meta(pattern="^(lt|lte|gt|gte)$")]
    threshold: float


class CustomRule(Group, frozen=True):
    warning_conditions: Annotated[list[Condition], Meta(max_length=MAX_CONDITIONS)] = []
    failing_conditions: Annotated[list[Condition], Meta(max_length=MAX_CONDITIONS)] = []


class HealthSettings(Group, frozen=True):
    """The rules behind the statuses of a deployment."""

    service: ServiceRule = ServiceRule()
    data_drift: DriftRule = DriftRule()
    accuracy: AccuracyRule = AccuracyRule()
    fairness: FairnessRule = FairnessRule()
    custom_metrics: CustomRule = CustomRule()
    predictions_timeliness: TimelinessRule = TimelinessRule()
    actuals_timeliness: TimelinessRule = TimelinessRule()


class HealthPatch(Group, frozen=True):
    """The groups of a PATCH of the health settings."""

    service: dict[str, Any] | UnsetType | None = UNSET
    data_drift: dict[str, Any] | UnsetType | None = UNSET
    accuracy: dict[str, Any] | UnsetType | None = UNSET
    fairness: dict[str, Any] | UnsetType | None = UNSET
    custom_metrics: dict[str, Any] | UnsetType | None = UNSET
    predictions_timeliness: dict[str, Any] | UnsetType | None = UNSET
    actuals_timeliness: dict[str, Any] | UnsetType | None = UNSET


class BadSettings(ValueError):
    """A PATCH that does not fit; `errors` by field in dotted camel case."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {text}" for name, text in errors.items()))
        self.errors = dict(errors)


def parse(kind: type[T], stored: Mapping[str, Any]) -> T:
    """Stored JSON as a type; raises BadSettings that names the key."""
    try:
        return msgspec.convert(dict(stored), kind)
    except msgspec.ValidationError as bad:
        sentence, _, place = str(bad).partition(" - at `$")
        raise BadSettings({place.strip("`.") or "body": sentence.replace("`", "'") + "."}) from None


def merged(stored: Mapping[str, Any], patch: Struct, kind: type[T]) -> tuple[T, dict[str, Any]]:
    """Apply a patch (`SettingsPatch`, `HealthPatch`) to stored JSON; returns the result as a type and as JSON.

    Groups that the patch leaves out stay; keys that a group leaves out stay; null puts a group back to its defaults.
    """
    result: dict[str, Any] = {name: dict(group) for name, group in stored.items() if isinstance(group, Mapping)}
    for name, group in msgspec.to_builtins(patch).items():
        if group is None:
            result.pop(name, None)
        else:
            result[name] = result.get(name, {}) | accepted_spellings(group)
    settings = parse(kind, result)
    return settings, msgspec.to_builtins(settings)


def accepted_spellings(group: Mapping[str, Any]) -> dict[str, Any]:
    """Spellings that clients send besides the reference's: `batchCount` as a number, `PT2H` for `T2H`."""
    known = dict(group)
    count = known.get("batchCount")
    if isinstance(count, int) and not isinstance(count, bool):
        known["batchCount"] = str(count)
    if known.get("timeInterval") == "PT2H":
        known["timeInterval"] = Window.TWO_HOURS.value
    return known


def finite(value: float | None) -> bool:
    """Whether a threshold is absent or a real number."""
    return value is None or math.isfinite(value)
