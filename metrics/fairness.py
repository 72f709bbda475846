"""Fairness of yes-or-no predictions: a score for every class of a protected feature, and how it compares.

`fairness_sums` counts by group (for instance hour × class of the protected feature); sums merge by adding.
`absolute_scores` gives the score of each class, `relative_scores` divides by the best class, so 1 is the most
favoured and the four-fifths rule says that 0.8 is the least to accept. *Favourable* is the outcome that people
want, which need not be the positive class. Undefined is `nan`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import numpy as np

from metrics.arrays import BoolArray, FloatArray, FloatLike, IntLike, as_floats, as_ints, ratio
from metrics.counting import stack_sums

FAIRNESS_THRESHOLD = 0.8
FEW_ROWS = 100
MANY_ROWS = 1_000
SHARE_OF_MAJORITY = 0.1

FAIRNESS_COLUMNS = (
    "n",
    "predicted_favourable",
    "tp",
    "fp",
    "tn",
    "fn",
    "chance_of_favourable",
    "chance_of_unfavourable",
)
_AT = {name: index for index, name in enumerate(FAIRNESS_COLUMNS)}


class FairnessMetric(StrEnum):
    """The single metrics by their names in the reference."""

    PROPORTIONAL_PARITY = "proportionalParity"
    EQUAL_PARITY = "equalParity"
    FAVORABLE_CLASS_BALANCE = "favorableClassBalance"
    UNFAVORABLE_CLASS_BALANCE = "unfavorableClassBalance"
    TRUE_FAVORABLE_RATE_PARITY = "trueFavorableRateParity"
    TRUE_UNFAVORABLE_RATE_PARITY = "trueUnfavorableRateParity"
    FAVORABLE_PREDICTIVE_VALUE_PARITY = "favorablePredictiveValueParity"
    UNFAVORABLE_PREDICTIVE_VALUE_PARITY = "unfavorablePredictiveValueParity"


FAIRNESS_METRIC_SETS: dict[str, tuple[FairnessMetric, ...]] = {
    "proportionalParity": (FairnessMetric.PROPORTIONAL_PARITY,),
    "equalParity": (FairnessMetric.EQUAL_PARITY,),
    "predictionBalance": (FairnessMetric.FAVORABLE_CLASS_BALANCE, FairnessMetric.UNFAVORABLE_CLASS_BALANCE),
    "trueFavorableAndUnfavorableRateParity": (
        FairnessMetric.TRUE_FAVORABLE_RATE_PARITY,
        FairnessMetric.TRUE_UNFAVORABLE_RATE_PARITY,
    ),
    "favorableAndUnfavorablePredictiveValueParity": (
        FairnessMetric.FAVORABLE_PREDICTIVE_VALUE_PARITY,
        FairnessMetric.UNFAVORABLE_PREDICTIVE_VALUE_PARITY,
    ),
}
"""What the settings choose: sets of single metrics."""

NEEDS_ACTUALS = frozenset(FairnessMetric) - {FairnessMetric.PROPORTIONAL_PARITY, FairnessMetric.EQUAL_PARITY}


def fairness_sums(
    score: FloatLike,
    actual: IntLike,
    group: IntLike,
    n_groups: int,
    threshold: float = 0.5,
    *,
    positive_is_favourable: bool = True,
) -> FloatArray:
    """The additive sums of each group, shape `[n_groups, len(FAIRNESS_COLUMNS)]`.

    `score` is the probability of the *positive* class, `actual` 1 for positive, 0 for negative and -1 for not known
    (such rows count for the metrics without actuals only). A row is predicted positive above the threshold.
    """
    p, truth, index = as_floats(score), as_ints(actual), as_ints(group)
    index = np.where(np.isfinite(p), index, -1)
    p = np.nan_to_num(p)
    chosen, wanted = p > threshold, truth == 1
    if not positive_is_favourable:
        chosen, wanted, p = ~chosen, truth == 0, 1 - p
    unwanted = (truth >= 0) & ~wanted
    flags = [np.ones(p.shape, bool), chosen, wanted & chosen, unwanted & chosen, unwanted & ~chosen, wanted & ~chosen]
    columns = [flag.astype(np.float64) for flag in flags]
    return stack_sums([*columns, np.where(wanted, p, 0.0), np.where(unwanted, p, 0.0)], index, n_groups)


def turned(sums: FloatArray) -> FloatArray:
    """The same rows with the other outcome as the favourable one: `fairness_sums` with `positive_is_favourable` turned.

    So sums that are stored for one favourable outcome answer for both.
    """
    n, chosen, tp, fp, tn, fn, wanted, unwanted = (column(as_floats(sums), name) for name in FAIRNESS_COLUMNS)
    return np.stack([n, n - chosen, tn, fn, tp, fp, tn + fp - unwanted, tp + fn - wanted], axis=-1)


def rows_used(metric: FairnessMetric | str, sums: FloatArray) -> FloatArray:
    """How many rows of each class a metric looks at: those with an actual where it needs one, else all."""
    if FairnessMetric(metric) not in NEEDS_ACTUALS:
        return column(as_floats(sums), "n")
    return np.asarray(sum(column(as_floats(sums), name) for name in ("tp", "fp", "tn", "fn")))


def absolute_scores(metric: FairnessMetric | str, sums: FloatArray) -> FloatArray:
    """The score of each class, shape `[...]` for sums of shape `[..., columns]`."""
    return _ABSOLUTE[FairnessMetric(metric)](as_floats(sums))


def relative_scores(absolute: FloatArray, significant: BoolArray) -> FloatArray:
    """Each class against the best significant class, shape `[..., classes]`; all `nan` when the best score is 0.

    Classes with too few rows may score above 1: they cannot become the class that others are held against.
    """
    best = np.where(significant & ~np.isnan(absolute), absolute, -np.inf).max(axis=-1, keepdims=True, initial=-np.inf)
    return ratio(absolute, np.where(np.isfinite(best) & (best > 0), best, 0.0))


def significant_classes(rows: FloatLike) -> BoolArray:
    """Which classes have enough rows: at least 100, and up to 1,000 at least a tenth of the largest class."""
    n = as_floats(rows)
    largest = n.max(axis=-1, keepdims=True, initial=0.0)
    return np.asarray((n >= FEW_ROWS) & ((n > MANY_ROWS) | (n >= SHARE_OF_MAJORITY * largest)))


def column(sums: FloatArray, name: str) -> FloatArray:
    """One column of the sums by its name in FAIRNESS_COLUMNS."""
    return np.asarray(sums[..., _AT[name]])


def _share(top: str, *bottom: str) -> Callable[[FloatArray], FloatArray]:
    def share(sums: FloatArray) -> FloatArray:
        total = np.add.reduce([column(sums, name) for name in bottom])
        return ratio(column(sums, top), total)

    return share


def _equal_parity(sums: FloatArray) -> FloatArray:
    return np.where(column(sums, "n") > 0, column(sums, "predicted_favourable"), np.nan)


_ABSOLUTE: dict[FairnessMetric, Callable[[FloatArray], FloatArray]] = {
    FairnessMetric.PROPORTIONAL_PARITY: _share("predicted_favourable", "n"),
    FairnessMetric.EQUAL_PARITY: _equal_parity,
    FairnessMetric.FAVORABLE_CLASS_BALANCE: _share("chance_of_favourable", "tp", "fn"),
    FairnessMetric.UNFAVORABLE_CLASS_BALANCE: _share("chance_of_unfavourable", "tn", "fp"),
    FairnessMetric.TRUE_FAVORABLE_RATE_PARITY: _share("tp", "tp", "fn"),
    FairnessMetric.TRUE_UNFAVORABLE_RATE_PARITY: _share("tn", "tn", "fp"),
    FairnessMetric.FAVORABLE_PREDICTIVE_VALUE_PARITY: _share("tp", "tp", "fp"),
    FairnessMetric.UNFAVORABLE_PREDICTIVE_VALUE_PARITY: _share("tn", "tn", "fn"),
}
