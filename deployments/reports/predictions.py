"""Predictions, and predictions against actuals: counts, means, classes, percentiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deployments.models import ModelPackage
from deployments.registry import held_out
from deployments.reports.numbers import finite, share
from deployments.rollups.read import Segment
from deployments.rollups.states import AccuracyState, PredictionState
from metrics import TargetType
from metrics.regression import mean_actual, mean_predicted

PERCENTILES = (10, 50, 90)
WITHOUT_PERCENTILES = (TargetType.MULTICLASS, TargetType.TEXT_GENERATION)


def bucket(package: ModelPackage, state: PredictionState, classes: Sequence[str], percentiles: bool) -> dict[str, Any]:
    """What is known of the predictions of one state; `classes` are those to show."""
    return {
        "rowCount": state.n_rows,
        "meanPredictedValue": _mean(package, state),
        "meanProbabilities": _mean_probabilities(package, state, classes),
        "classDistribution": distribution(package.class_names, state.class_counts.tolist(), classes),
        "percentiles": _percentiles(package, state) if percentiles else [],
        "predictionsWarningCount": int(state.warnings),
    }


def baseline(
    package: ModelPackage, classes: Sequence[str], percentiles: bool, segment: Segment | None = None
) -> dict[str, Any]:
    """The same of the holdout's predictions, or of those with the segment."""
    known = _known(package, segment)
    counts = known.get("classCounts", {})
    means = known.get("mean")
    return {
        "modelId": package.model_id,
        "rowCount": known.get("rows", 0),
        "meanPredictedValue": means if package.kind is TargetType.REGRESSION else None,
        "meanProbabilities": _named_means(package, known, classes),
        "classDistribution": distribution(
            package.class_names, [counts.get(c, 0) for c in package.class_names], classes
        ),
        "percentiles": _baseline_percentiles(package, known) if percentiles else [],
        "predictionsWarningCount": 0,
    }


def distribution(names: Sequence[str], counts: Sequence[int], classes: Sequence[str]) -> list[dict[str, Any]]:
    """Rows by class, in percent of all rows whatever classes are shown; empty for a target without classes."""
    total = sum(counts)
    rows = zip(names, counts, strict=False)
    return [
        {"className": name, "count": int(count), "percent": share(count, total)}
        for name, count in rows
        if name in classes
    ]


def versus(package: ModelPackage, state: AccuracyState, classes: Sequence[str]) -> dict[str, Any]:
    """Predicted beside actual, both over the rows whose actual is known, so that like is compared with like."""
    return {
        "rowCountTotal": int(state.n_total),
        "rowCountWithActual": int(state.n_actual),
        **_means(package, state),
        "predictedClassDistribution": distribution(package.class_names, state.predicted_class_counts.tolist(), classes),
        "actualClassDistribution": distribution(package.class_names, state.actual_class_counts.tolist(), classes),
    }


def versus_baseline(package: ModelPackage, classes: Sequence[str], segment: Segment | None = None) -> dict[str, Any]:
    """The same of the holdout, or of its rows with the segment."""
    known = _known(package, segment)
    rows = known.get("rows", 0)
    regression = package.kind is TargetType.REGRESSION
    return {
        "modelId": package.model_id,
        "rowCountTotal": rows,
        "rowCountWithActual": rows,
        "meanPredictedValue": known.get("mean") if regression else None,
        "meanActualValue": known.get("actualMean") if regression else None,
        "predictedClassDistribution": _named_counts(package, known.get("classCounts", {}), classes),
        "actualClassDistribution": _named_counts(package, known.get("actualClassCounts", {}), classes),
    }


def _known(package: ModelPackage, segment: Segment | None) -> Mapping[str, Any]:
    found = held_out(package, None if segment is None else (segment.attribute, segment.value))
    return {} if found is None else found.predictions


def _named_counts(package: ModelPackage, counts: Mapping[str, int], classes: Sequence[str]) -> list[dict[str, Any]]:
    return distribution(package.class_names, [counts.get(name, 0) for name in package.class_names], classes)


def _mean(package: ModelPackage, state: PredictionState) -> float | None:
    return finite(state.mean_prediction) if package.kind is TargetType.REGRESSION else None


def _means(package: ModelPackage, state: AccuracyState) -> dict[str, float | None]:
    if package.kind is not TargetType.REGRESSION:
        return {"meanPredictedValue": None, "meanActualValue": None}
    return {
        "meanPredictedValue": finite(float(mean_predicted(state.sums, package.center))),
        "meanActualValue": finite(float(mean_actual(state.sums, package.center))),
    }


def _mean_probabilities(package: ModelPackage, state: PredictionState, classes: Sequence[str]) -> list[dict[str, Any]]:
    if package.kind is TargetType.REGRESSION:
        return []
    n, sums = state.n_predicted, state.sum_probabilities
    means = {name: finite(sums[k] / n) if n else None for k, name in enumerate(package.class_names)}
    return [{"className": name, "value": value} for name, value in means.items() if name in classes]


def _named_means(package: ModelPackage, known: Mapping[str, Any], classes: Sequence[str]) -> list[dict[str, Any]]:
    means = known.get("meanProbabilities", {})
    return [
        {"className": name, "value": means[name]} for name in package.class_names if name in classes and name in means
    ]


def _percentiles(package: ModelPackage, state: PredictionState) -> list[dict[str, Any]]:
    if package.kind in WITHOUT_PERCENTILES or state.quantiles is None:
        return []
    values = state.quantiles.quantiles([percent / 100 for percent in PERCENTILES])
    return [{"percent": p, "value": finite(v)} for p, v in zip(PERCENTILES, values, strict=True)]


def _baseline_percentiles(package: ModelPackage, known: Mapping[str, Any]) -> list[dict[str, Any]]:
    stored = known.get("percentiles", {})
    if package.kind in WITHOUT_PERCENTILES:
        return []
    return [{"percent": p, "value": stored.get(str(p))} for p in PERCENTILES]
