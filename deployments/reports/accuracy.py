"""Accuracy: the metrics of merged states, by model and by class, against the holdout's baseline."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deployments.baselines import OF_ONE_CLASS
from deployments.models import ModelPackage
from deployments.registry import HeldOut, held_out
from deployments.reports.numbers import finite
from deployments.rollups.read import Segment
from deployments.rollups.states import AccuracyState
from metrics import (
    ACCURACY_METRICS,
    RANKING_METRICS,
    TargetType,
    binary_intervals,
    binary_metrics,
    confusion,
    multiclass_intervals,
    multiclass_metrics,
    per_class_metrics,
    percent_change,
    ranking_bounds,
    regression_intervals,
    regression_metrics,
)
from metrics.arrays import FloatArray
from metrics.scores import ScoreCounts

PER_CLASS = frozenset(OF_ONE_CLASS)


@dataclass(frozen=True)
class Measured:
    """One metric over some states: `values[i]` and `bounds[i]` belong to state i, `by_class[i]` to its classes.

    A bound says how far the exact value may lie from the value where scores were binned; 0 where it is exact, None
    for metrics that need no scores.
    """

    values: list[float | None]
    bounds: list[float | None]
    by_class: list[dict[str, float | None]]


def measure(package: ModelPackage, states: Sequence[AccuracyState], metric: str, classes: Sequence[str]) -> Measured:
    """The metric of each state; `classes` are those wanted one by one (only models with several classes have them)."""
    if not states:
        return Measured([], [], [])
    sums = np.stack([state.sums for state in states])
    found = _overall(package, states, sums, metric)
    return Measured(
        values=[finite(value) for value in found],
        bounds=[_bound(package, state, metric) for state in states],
        by_class=_by_class(package, states, sums, metric, classes),
    )


def interval(package: ModelPackage, state: AccuracyState, metric: str) -> dict[str, float] | None:
    """The 95 % interval of a metric, `{"low": …, "high": …}`; None where it has no simple formula or too few rows."""
    sums = state.sums[None]
    if package.kind is TargetType.REGRESSION:
        found = regression_intervals(sums)
    elif package.kind is TargetType.BINARY:
        found = binary_intervals(sums, [state.scores[0]] if metric in RANKING_METRICS else None)
    else:
        found = multiclass_intervals(sums, len(package.class_names))
    if metric not in found:
        return None
    low, high = (finite(ends[0]) for ends in found[metric])
    return None if low is None or high is None else {"low": low, "high": high}


def over_classes(package: ModelPackage, state: AccuracyState, metric: str, classes: Sequence[str]) -> float | None:
    """The metric over the rows of some classes only: the mean of the classes' own, weighed by how often each occurred.

    None for a metric that has no meaning for a single class.
    """
    own = _by_class(package, [state], state.sums[None], metric, classes)[0]
    support = confusion(state.sums, len(package.class_names)).sum(-1)
    return _weighed(own, {name: float(support[package.class_names.index(name)]) for name in own})


def compared(package: ModelPackage, metric: str, value: float | None, baseline: float | None) -> dict[str, Any]:
    """A value beside its baseline; the change is positive where the value is better."""
    change = percent_change(value, baseline, ACCURACY_METRICS[metric].direction)
    return {"value": value, "baselineValue": baseline, "percentChange": change}


def baseline_of(
    package: ModelPackage, metric: str, segment: Segment | None = None, classes: Sequence[str] = ()
) -> float | None:
    """The metric on the holdout, or on its part with the segment, if there was one; `classes` as in `over_classes`."""
    known = _held_out(package, segment)
    if known is None:
        return None
    if classes and package.kind is TargetType.MULTICLASS:
        return _weighed(baseline_by_class(package, metric, segment, classes), known.class_counts)
    found = known.accuracy.get("MAE" if metric == "MAD" else metric)
    return None if found is None else finite(found)


def baseline_by_class(
    package: ModelPackage, metric: str, segment: Segment | None, classes: Sequence[str]
) -> dict[str, float | None]:
    """The metric on the holdout's rows by class; empty where it has no meaning for one class."""
    known = _held_out(package, segment)
    values = {} if known is None else known.by_class.get(metric, {})
    return {name: values[name] for name in classes if name in values}


def baseline_rows(package: ModelPackage, segment: Segment | None) -> int:
    """How many rows of the holdout the baseline is of."""
    known = _held_out(package, segment)
    return 0 if known is None else known.rows


def _held_out(package: ModelPackage, segment: Segment | None) -> HeldOut | None:
    return held_out(package, None if segment is None else (segment.attribute, segment.value))


def _weighed(own: Mapping[str, float | None], weights: Mapping[str, float]) -> float | None:
    """The mean of the classes' values, weighed by how often each occurred."""
    known = [(value, weights[name]) for name, value in own.items() if value is not None and weights.get(name)]
    total = sum(weight for _, weight in known)
    return sum(value * weight for value, weight in known) / total if total else None


def per_class_json(by_class: Mapping[str, float | None]) -> list[dict[str, Any]]:
    """Values by class, as the reference lists them."""
    return [{"className": name, "value": value} for name, value in by_class.items()]


def _overall(package: ModelPackage, states: Sequence[AccuracyState], sums: FloatArray, metric: str) -> FloatArray:
    if package.kind is TargetType.REGRESSION:
        return regression_metrics(sums, package.center, [metric])[metric]
    if package.kind is TargetType.BINARY:
        return binary_metrics(sums, [metric], [state.scores[0] for state in states])[metric]
    return multiclass_metrics(sums, len(package.class_names), [metric], _scores_by_class(package, states))[metric]


def _by_class(
    package: ModelPackage,
    states: Sequence[AccuracyState],
    sums: FloatArray,
    metric: str,
    classes: Sequence[str],
) -> list[dict[str, float | None]]:
    if not classes or package.kind is not TargetType.MULTICLASS or metric not in PER_CLASS:
        return [{} for _ in states]
    scores = _scores_by_class(package, states) if metric in RANKING_METRICS else None
    table = per_class_metrics(sums, len(package.class_names), [metric], scores)[metric]
    places = [(name, package.class_names.index(name)) for name in classes]
    return [{name: finite(row[place]) for name, place in places} for row in table]


def _scores_by_class(package: ModelPackage, states: Sequence[AccuracyState]) -> list[list[ScoreCounts]]:
    return [[state.scores[place] for state in states] for place in range(len(package.class_names))]


def _bound(package: ModelPackage, state: AccuracyState, metric: str) -> float | None:
    if metric not in RANKING_METRICS:
        return None
    reaches = [_reach(counts, metric) for counts in state.scores]
    known = [reach for reach in reaches if not math.isnan(reach)]
    # A mean of the classes' values is off by no more than the worst of them.
    return max(known, default=None)


def _reach(counts: ScoreCounts, metric: str) -> float:
    least, most = ranking_bounds(counts, metric)
    value = RANKING_METRICS[metric](counts)
    return max(value - least, most - value)
