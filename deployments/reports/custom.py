"""Custom metrics as JSON: what they are, and what their values add up to."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User

from deployments.models import CustomKinds, CustomMetric, Directionality
from deployments.reports.numbers import finite
from metrics import CustomState, Direction, custom_categories, custom_change, custom_value

TIME_STEP = "hour"


def definition(metric: CustomMetric) -> dict[str, Any]:
    """The metric itself; what no column was named for is null."""
    return {
        "id": metric.public_id,
        "name": metric.name,
        "description": metric.description,
        "type": metric.kind,
        "units": metric.units,
        "directionality": metric.directionality,
        "isModelSpecific": metric.is_model_specific,
        "displayChart": metric.display_chart,
        "timeStep": TIME_STEP,
        "baselineValues": [{"value": value} for value in metric.baseline_values],
        "categories": metric.categories,
        "value": _column(metric.value_column),
        "sampleCount": _column(metric.sample_count_column),
        "timestamp": _times(metric),
        "batch": _column(metric.batch_column),
        "createdAt": metric.created_at,
        "createdBy": None if metric.created_by is None else {"id": _user_id(metric.created_by)},
    }


def values(metric: CustomMetric, state: CustomState) -> dict[str, Any]:
    """The value of one bucket; null without values, and for categories, which are counted instead."""
    named, unknown = _categories(metric, state)
    return {
        "value": value_of(metric, state),
        "sampleSize": state.samples,
        "categories": [{"categoryName": name, "count": count} for name, count in named.items()],
        "unknownCategoriesCount": unknown,
    }


def summary(metric: CustomMetric, state: CustomState) -> dict[str, Any]:
    """The value of a whole period against the baseline; `percentChange` is positive when it is better."""
    found = values(metric, state)
    baseline = metric.baseline_values[0] if metric.baseline_values else None
    better = Direction.HIGHER if metric.directionality == Directionality.HIGHER else Direction.LOWER
    return {
        "id": metric.public_id,
        "name": metric.name,
        "value": found["value"],
        "baselineValue": baseline,
        "percentChange": custom_change(found["value"], baseline, better),
        "sampleCount": found["sampleSize"],
        "categories": found["categories"],
        "unknownCategoriesCount": found["unknownCategoriesCount"],
    }


def value_of(metric: CustomMetric, state: CustomState) -> float | None:
    """The one value of a state; None without values and for categories."""
    return finite(custom_value(state, metric.reads_as))


def _categories(metric: CustomMetric, state: CustomState) -> tuple[dict[str, int], int]:
    if metric.kind != CustomKinds.CATEGORICAL:
        return {}, 0
    return custom_categories(state, metric.categories)


def _column(name: str) -> dict[str, str] | None:
    return {"columnName": name} if name else None


def _times(metric: CustomMetric) -> dict[str, str | None] | None:
    if not metric.timestamp_column:
        return None
    return {"columnName": metric.timestamp_column, "timeFormat": metric.timestamp_format or None}


def _user_id(user: User) -> str:
    return f"{user.pk:024x}"
