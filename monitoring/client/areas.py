"""The shapes of fairness, humility, custom metrics and timeliness; what holds of `schemas` holds here."""

from __future__ import annotations

import msgspec

Number = float | None


class Shape(msgspec.Struct, frozen=True, rename="camel"):
    """Base: camel case on the wire, immutable here."""


# --- Settings and limits ------------------------------------------------------------------------------------------


class BiasAndFairness(Shape, frozen=True):
    protected_features: list[str] | None = None
    fairness_metrics_set: str | None = None
    preferable_target_value: bool | int | float | str | None = None
    fairness_threshold: Number = None


class FairnessRule(Shape, frozen=True):
    protected_class_failing_count: int | None = None
    protected_class_warning_count: int | None = None


class Condition(Shape, frozen=True):
    metric_id: str | None = None
    compare_operator: str | None = None
    threshold: Number = None


class CustomRule(Shape, frozen=True):
    warning_conditions: list[Condition] | None = None
    failing_conditions: list[Condition] | None = None


class TimelinessRule(Shape, frozen=True):
    enabled: bool | None = None
    expected_frequency: str | None = None


# --- Answers ------------------------------------------------------------------------------------------------------


class FairnessScore(Shape, frozen=True):
    """One class of a protected feature; `value` is relative to the most favoured class."""

    label: str | None = None
    value: Number = None
    absolute_value: Number = None
    is_statistically_significant: bool | None = None
    sample_size: Number = None


class FairnessSummary(Shape, frozen=True):
    scores: list[FairnessScore] | None = None


class Fairness(Shape, frozen=True):
    """fairnessScoresOverTime/, over the whole period."""

    summary: FairnessSummary | None = None
    fairness_threshold: Number = None


class RuleCount(Shape, frozen=True):
    rule_id: str | None = None
    rule_name: str | None = None
    value: Number = None


class HumilityStats(Shape, frozen=True):
    """humilityStats/."""

    data: list[RuleCount] | None = None


class CustomMetric(Shape, frozen=True):
    id: str | None = None
    name: str | None = None
    type: str | None = None
    units: str | None = None
    directionality: str | None = None
    display_chart: bool | None = None


class CustomMetrics(Shape, frozen=True):
    """customMetrics/, all pages."""

    data: list[CustomMetric] | None = None


class CustomValue(Shape, frozen=True):
    id: str | None = None
    name: str | None = None
    value: Number = None
    baseline_value: Number = None
    percent_change: Number = None
    sample_count: Number = None


class CustomDates(Shape, frozen=True):
    latest_date: str | None = None


class CustomSummary(Shape, frozen=True):
    """customMetricsSummary/ and customMetricsBatchSummary/."""

    metrics: list[CustomValue] | None = None
    details: CustomDates | None = None
