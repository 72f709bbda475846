"""What is frozen with a model when it is registered: bins and counts of training data and holdout predictions.

Training data gives the bins of each tracked feature and how its rows fall into them, for all rows and for each value
of a segment attribute. The holdout gives the same for the model's predictions, the value of each accuracy metric, and
the mean, percentiles and class shares that live predictions are compared with.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deployments.ingest.tables import as_numbers, as_words
from deployments.models import FeatureType
from metrics import (
    ALL_METRICS,
    BinSpec,
    CategoricalBins,
    NumericBins,
    TargetType,
    binary_metrics,
    binary_sums,
    count_by_group,
    fit_categorical,
    fit_numeric,
    fit_text,
    multiclass_metrics,
    multiclass_scores,
    multiclass_sums,
    per_class_metrics,
    quantile_sketches,
    regression_metrics,
    regression_sums,
    score_counts,
)
from metrics.arrays import FloatArray, IntArray
from metrics.multiclass import PER_CLASS_METRICS

MOST_SEGMENT_VALUES = 100
OF_ONE_CLASS = ("LogLoss", "AUC", *PER_CLASS_METRICS)
"""Metrics that have a meaning for one class of several."""

PERCENTILES = (10, 50, 90)
USUAL = (0.05, 0.95)
"""Between these shares of the training rows (or holdout predictions) a value is usual."""
RARE = (0.005, 0.995)
"""Outside these shares of the holdout a prediction is worth a warning."""
DOUBTFUL = 0.05
"""The share of the holdout on either side of the threshold whose predictions are uncertain."""
TRACKED = {FeatureType.NUMERIC, FeatureType.CATEGORICAL, FeatureType.TEXT}


@dataclass(frozen=True)
class Holdout:
    """The holdout's rows: actual values and predictions.

    Regression: `actual` and `predicted` are numbers. Classes: `actual` holds class numbers, `probabilities` one
    column a class in the order of `classes`, the positive class last for binary targets.
    """

    kind: TargetType
    actual: FloatArray
    predicted: FloatArray
    probabilities: FloatArray | None = None
    classes: tuple[str, ...] = ()
    threshold: float = 0.5

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.actual)

    def part(self, chosen: NDArray[np.bool_]) -> Holdout:
        """The chosen rows."""
        probabilities = None if self.probabilities is None else self.probabilities[chosen]
        return replace(self, actual=self.actual[chosen], predicted=self.predicted[chosen], probabilities=probabilities)

    @property
    def labels(self) -> IntArray:
        """The predicted class of each row: above the threshold (binary), else the most probable one."""
        assert self.probabilities is not None
        if self.kind is TargetType.BINARY:
            return np.asarray(self.probabilities[:, 1] > self.threshold, dtype=np.int64)
        return np.asarray(self.probabilities.argmax(axis=1), dtype=np.int64)


def fit_feature(kind: FeatureType, column: pl.Series) -> BinSpec | None:
    """The bins of a training column; None for a kind whose drift is not tracked. Raises BadColumn."""
    if kind is FeatureType.NUMERIC:
        return fit_numeric(as_numbers(column).to_numpy())
    if kind is FeatureType.CATEGORICAL:
        return fit_categorical(as_words(column).to_list())
    if kind is FeatureType.TEXT:
        return fit_text(as_words(column).to_list())
    return None


def counts_by(bins: BinSpec, column: pl.Series, group: IntArray, n_groups: int) -> IntArray:
    """Training rows by group and bin, shape `[n_groups, bins]`; a negative group is left out."""
    if isinstance(bins, NumericBins):
        return bins.tally(as_numbers(column).to_numpy(), group, n_groups)
    if isinstance(bins, CategoricalBins):
        words = as_words(column).fill_null("")
        uniques = words.unique().to_list()
        codes = _mapped(words, dict(zip(uniques, bins.codes(uniques).tolist(), strict=True)))
        return count_by_group(codes, group, n_groups, bins.size)
    return bins.tally(as_words(column).to_list(), group, n_groups)


def segment_groups(column: pl.Series) -> tuple[list[str], IntArray]:
    """The most frequent values of an attribute (missing ones are "") and the number of each row's value, else −1."""
    words = as_words(column).fill_null("").alias("value")
    counted = words.value_counts(sort=True).sort(["count", "value"], descending=[True, False])
    values = counted["value"].head(MOST_SEGMENT_VALUES).to_list()
    return values, _mapped(words, {value: place for place, value in enumerate(values)})


def _mapped(words: pl.Series, number: dict[str, int]) -> IntArray:
    """The number of each word, −1 for one that has none."""
    found = words.replace_strict(list(number), list(number.values()), default=-1, return_dtype=pl.Int64)
    return found.to_numpy().astype(np.int64, copy=False)


def target_bins(holdout: Holdout) -> BinSpec:
    """The bins of what is predicted: the value, the probability of the positive class, or the class."""
    if holdout.kind is TargetType.MULTICLASS:
        return CategoricalBins(holdout.classes)
    return fit_numeric(target_values(holdout))


def target_values(holdout: Holdout) -> FloatArray:
    """What `target_bins` bins for numeric targets, shape `[rows]`."""
    if holdout.kind is TargetType.REGRESSION:
        return holdout.predicted
    assert holdout.probabilities is not None
    return np.ascontiguousarray(holdout.probabilities[:, 1])


def target_counts(bins: BinSpec, holdout: Holdout, group: IntArray, n_groups: int) -> IntArray:
    """Holdout predictions by group and bin, shape `[n_groups, bins]`."""
    if isinstance(bins, NumericBins):
        return bins.tally(target_values(holdout), group, n_groups)
    return bins.tally([holdout.classes[label] for label in holdout.labels], group, n_groups)


def accuracy_on(holdout: Holdout, center: float) -> dict[str, float | None]:
    """Every metric of the target's kind on the holdout; None where it is undefined."""
    group, names = np.zeros(holdout.rows, dtype=np.int64), ALL_METRICS[holdout.kind]
    values: Mapping[str, FloatArray]
    if holdout.kind is TargetType.REGRESSION:
        values = regression_metrics(regression_sums(holdout.actual, holdout.predicted, group, 1, center), center, names)
    elif holdout.kind is TargetType.BINARY:
        positive, score = holdout.actual == 1, target_values(holdout)
        sums = binary_sums(positive, score, group, 1, holdout.threshold)
        values = binary_metrics(sums, names, score_counts(score, positive, group, 1, cap=None))
    else:
        values = _multiclass_accuracy(holdout, group, names)
    return {name: finite(float(value[0])) for name, value in values.items()}


def _multiclass_accuracy(holdout: Holdout, group: IntArray, names: Sequence[str]) -> dict[str, FloatArray]:
    assert holdout.probabilities is not None
    actual, n_classes = holdout.actual.astype(np.int64), len(holdout.classes)
    sums = multiclass_sums(actual, holdout.labels, holdout.probabilities, group, 1, n_classes)
    scores = multiclass_scores(actual, holdout.probabilities, group, 1, cap=None)
    return multiclass_metrics(sums, n_classes, names, [[of_class[0]] for of_class in scores])


def accuracy_by_class(holdout: Holdout) -> dict[str, dict[str, float | None]]:
    """Every metric that has a meaning for one class of several, by class; empty for other targets."""
    if holdout.kind is not TargetType.MULTICLASS:
        return {}
    assert holdout.probabilities is not None
    group, n_classes = np.zeros(holdout.rows, dtype=np.int64), len(holdout.classes)
    actual = holdout.actual.astype(np.int64)
    sums = multiclass_sums(actual, holdout.labels, holdout.probabilities, group, 1, n_classes)
    scores = multiclass_scores(actual, holdout.probabilities, group, 1, cap=None)
    by_class = [[of_class[0]] for of_class in scores]
    return {
        name: {
            label: finite(float(value))
            for label, value in zip(
                holdout.classes, per_class_metrics(sums, n_classes, [name], by_class)[name][0], strict=True
            )
        }
        for name in OF_ONE_CLASS
    }


def frozen(holdout: Holdout, center: float) -> dict[str, Any]:
    """What is kept of a holdout, or of a part of it: metrics, metrics by class, and what predictions look like."""
    return {
        "rows": holdout.rows,
        "accuracy": accuracy_on(holdout, center),
        "byClass": accuracy_by_class(holdout),
        "predictions": predictions_on(holdout),
    }


def by_segment(holdout: Holdout, center: float, column: pl.Series) -> dict[str, Any]:
    """The same of each value of a segment attribute; `column` has a word for each row of the holdout."""
    values, group = segment_groups(column)
    return {value: frozen(holdout.part(group == place), center) for place, value in enumerate(values)}


def predictions_on(holdout: Holdout) -> dict[str, Any]:
    """What live predictions are compared with: mean, percentiles, class counts; and the same of the actuals."""
    if holdout.kind is TargetType.REGRESSION:
        known: dict[str, Any] = {"mean": _mean(holdout.predicted), "actualMean": _mean(holdout.actual)}
        known["percentiles"] = _percentiles(holdout.predicted)
    else:
        assert holdout.probabilities is not None
        means = holdout.probabilities.mean(axis=0) if holdout.rows else np.full(len(holdout.classes), np.nan)
        known = {
            "classCounts": _class_counts(holdout.labels, holdout.classes),
            "actualClassCounts": _class_counts(holdout.actual.astype(np.int64), holdout.classes),
            "meanProbabilities": {c: finite(float(p)) for c, p in zip(holdout.classes, means, strict=True)},
        }
        if holdout.kind is TargetType.BINARY:
            known |= {"mean": _mean(target_values(holdout)), "percentiles": _percentiles(target_values(holdout))}
    return known | {"rows": holdout.rows, "bounds": bounds_on(holdout)}


def bounds_on(holdout: Holdout) -> dict[str, list[float]]:
    """Where predictions become uncertain ("uncertain") and where they become rare ("rare"): lower and upper.

    Numbers are uncertain outside the usual range. Probabilities are uncertain around the threshold: between the two
    quantiles that hold DOUBTFUL of the holdout on either side of it.
    """
    if not holdout.rows or holdout.kind is TargetType.MULTICLASS:
        return {}
    values = target_values(holdout)
    if holdout.kind is TargetType.REGRESSION:
        return {"uncertain": quantiles(values, USUAL), "rare": quantiles(values, RARE)}
    below = float((values <= holdout.threshold).mean())
    return {"uncertain": quantiles(values, (max(0.0, below - DOUBTFUL), min(1.0, below + DOUBTFUL)))}


def quantiles(values: FloatArray, shares: Sequence[float]) -> list[float]:
    """Exact quantiles of the finite values, between neighbours by linear interpolation; empty without any."""
    finite_values = values[np.isfinite(values)]
    return [float(value) for value in np.quantile(finite_values, shares)] if finite_values.size else []


def finite(number: float) -> float | None:
    """The number, or None if it is undefined."""
    return number if math.isfinite(number) else None


def _mean(values: FloatArray) -> float | None:
    return finite(float(values.mean())) if len(values) else None


def _percentiles(values: FloatArray) -> dict[str, float | None]:
    sketch = quantile_sketches(values, np.zeros(len(values), dtype=np.int64), 1)[0]
    found = sketch.quantiles([percent / 100 for percent in PERCENTILES])
    return {str(percent): finite(float(value)) for percent, value in zip(PERCENTILES, found, strict=True)}


def _class_counts(labels: IntArray, classes: Sequence[str]) -> dict[str, int]:
    counted = np.bincount(labels[labels >= 0], minlength=len(classes))
    return {name: int(count) for name, count in zip(classes, counted, strict=True)}
