"""How sure a number is: confidence intervals from the same state that the metrics come from.

Each function gives the lower and the upper end, `nan` where the metric itself is undefined. Metrics without a simple
formula have no interval; they are simply absent from the answers of the `*_intervals` functions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from metrics import _special as special
from metrics import binary, multiclass, regression
from metrics.arrays import FloatArray, FloatLike, as_floats, ratio
from metrics.scores import ScoreCounts

Interval = tuple[FloatArray, FloatArray]

CONFIDENCE = 0.95


def wilson(successes: FloatLike, n: FloatLike, confidence: float = CONFIDENCE) -> Interval:
    """Wilson's interval of a rate: inside 0 to 1, sensible also for no or all successes.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference" (1927).
    """
    z = _z(confidence)
    rate, rows = ratio(successes, n), as_floats(n)
    spread = 1 + ratio(z * z, rows)
    middle = (rate + ratio(z * z, 2 * rows)) / spread
    half = z * np.sqrt(ratio(rate * (1 - rate), rows) + ratio(z * z, 4 * rows * rows)) / spread
    return np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)


@np.errstate(over="ignore", invalid="ignore")
def mean_interval(total: FloatLike, squares: FloatLike, n: FloatLike, confidence: float = CONFIDENCE) -> Interval:
    """The normal interval of a mean, from the sum and the sum of squares of `n` values; undefined below two."""
    rows = as_floats(n)
    mean = ratio(total, rows)
    variance = np.maximum(ratio(squares, rows) - mean * mean, 0.0)
    half = _z(confidence) * np.sqrt(ratio(variance, np.where(rows > 1, rows - 1, 0)))
    return mean - half, mean + half


def auc_interval(counts: ScoreCounts, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The normal interval of AUC by DeLong's variance; from bins it treats scores in one bin as tied.

    A perfect or perfectly wrong order has no variance: the interval is then Wilson's for the rarer class.
    Source: DeLong, DeLong and Clarke-Pearson (1988).
    """
    area, positives = counts.auc(), counts.n_positive
    negatives = counts.n - positives
    if math.isnan(area) or min(positives, negatives) < 2:
        return math.nan, math.nan
    variance = _delong_variance(counts, area, positives, negatives)
    if variance <= 0:
        rarer = float(min(positives, negatives))
        low, high = wilson([round(area) * rarer], [rarer], confidence)
        return float(low[0]), float(high[0])
    half = _z(confidence) * math.sqrt(variance)
    return max(area - half, 0.0), min(area + half, 1.0)


def regression_intervals(sums: FloatArray, confidence: float = CONFIDENCE) -> dict[str, Interval]:
    """RMSE, MAE and MAD from the sums of `metrics.regression`."""
    n, squared = regression.column(sums, "n"), regression.column(sums, "squared_error")
    absolute = mean_interval(regression.column(sums, "absolute_error"), squared, n, confidence)
    low, high = mean_interval(squared, regression.column(sums, "quartic_error"), n, confidence)
    return {"RMSE": (np.sqrt(np.maximum(low, 0.0)), np.sqrt(high)), "MAE": absolute, "MAD": absolute}


def binary_intervals(
    sums: FloatArray, scores: Sequence[ScoreCounts] | None = None, confidence: float = CONFIDENCE
) -> dict[str, Interval]:
    """LogLoss, the rates of the confusion matrix and, with `scores`, AUC and Gini Norm."""
    n, tp, fp, tn, fn = (binary.column(sums, name) for name in ("n", "tp", "fp", "tn", "fn"))
    loss, squares = binary.column(sums, "log_loss"), binary.column(sums, "log_loss_squared")
    found = {
        "LogLoss": mean_interval(loss, squares, n, confidence),
        "Accuracy": wilson(tp + tn, n, confidence),
        "TPR": wilson(tp, tp + fn, confidence),
        "TNR": wilson(tn, tn + fp, confidence),
        "FPR": wilson(fp, tn + fp, confidence),
        "PPV": wilson(tp, tp + fp, confidence),
        "NPV": wilson(tn, tn + fn, confidence),
    }
    if scores is not None:
        ends = np.array([auc_interval(counts, confidence) for counts in scores], dtype=np.float64).reshape(-1, 2)
        found["AUC"] = ends[:, 0], ends[:, 1]
        found["Gini Norm"] = 2 * ends[:, 0] - 1, 2 * ends[:, 1] - 1
    return found


def multiclass_intervals(sums: FloatArray, n_classes: int, confidence: float = CONFIDENCE) -> dict[str, Interval]:
    """LogLoss and Accuracy from the sums of `metrics.multiclass`."""
    right = np.trace(multiclass.confusion(sums, n_classes), axis1=-2, axis2=-1)
    loss, squares = multiclass.column(sums, "log_loss"), multiclass.column(sums, "log_loss_squared")
    return {
        "LogLoss": mean_interval(loss, squares, multiclass.column(sums, "scored"), confidence),
        "Accuracy": wilson(right, multiclass.column(sums, "n"), confidence),
    }


def _delong_variance(counts: ScoreCounts, area: float, positives: int, negatives: int) -> float:
    below = np.cumsum(counts.negatives) - counts.negatives / 2
    above = positives - np.cumsum(counts.positives) + counts.positives / 2
    of_positives = (counts.positives * (below / negatives - area) ** 2).sum() / (positives - 1)
    of_negatives = (counts.negatives * (above / positives - area) ** 2).sum() / (negatives - 1)
    return float(of_positives / positives + of_negatives / negatives)


def _z(confidence: float) -> float:
    return float(special.ndtri(0.5 + confidence / 2))
