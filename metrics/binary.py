"""Accuracy of yes-or-no predictions, from sums that merge by adding.

`binary_sums` turns rows into sums of shape `[groups, columns]`; `binary_metrics` turns sums of shape
`[..., columns]` into numbers of shape `[...]`. Undefined is `nan`, and 0 for MCC. A row is predicted positive when
its probability is *above* the threshold. Metrics that need the order of scores live in `metrics.scores`.
LogLoss and FPR: lower is better; all others: higher.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from metrics import _special as special
from metrics.arrays import BoolArray, FloatArray, FloatLike, IntLike, as_floats, as_ints, ratio
from metrics.counting import count_by_group, stack_sums
from metrics.scores import RANKING_METRICS, ScoreCounts, ranking_metrics

PROBABILITY_FLOOR = 1e-15
"""Probabilities are kept this far from 0 and 1 before their logarithm is taken."""

BINARY_COLUMNS = ("n", "positives", "tp", "fp", "tn", "fn", "log_loss", "log_loss_squared", "score", "brier")
_AT = {name: index for index, name in enumerate(BINARY_COLUMNS)}


def binary_sums(
    positive: BoolArray | Sequence[bool], score: FloatLike, group: IntLike, n_groups: int, threshold: float = 0.5
) -> FloatArray:
    """The additive sums of each group, shape `[n_groups, len(BINARY_COLUMNS)]`.

    `score` is the probability of the positive class. Rows with a score that is not finite, or with a negative
    group, are left out.
    """
    actual, p, index = np.asarray(positive, dtype=bool), as_floats(score), as_ints(group)
    usable = np.isfinite(p) & (index >= 0)
    if not usable.all():
        actual, p, index = actual[usable], p[usable], index[usable]
    loss = log_loss_of(np.where(actual, p, 1 - p))
    cells = count_by_group(actual + 2 * (p > threshold), index, n_groups, 4)
    tn, fn, fp, tp = cells.T
    counts = np.stack([cells.sum(axis=1), fn + tp, tp, fp, tn, fn], axis=1).astype(np.float64)
    return np.concatenate([counts, stack_sums([loss, loss * loss, p, (p - actual) ** 2], index, n_groups)], axis=1)


def log_loss_of(probability: FloatArray) -> FloatArray:
    """−ln of the probability given to what happened, kept finite by PROBABILITY_FLOOR."""
    return -np.log(np.clip(probability, PROBABILITY_FLOOR, 1 - PROBABILITY_FLOOR))


def binary_metrics(
    sums: FloatArray, names: Iterable[str] | None = None, scores: Sequence[ScoreCounts] | None = None
) -> dict[str, FloatArray]:
    """The named metrics of sums of shape `[..., columns]`, each of shape `[...]`.

    By default all that the sums hold, and with `scores` (one for each row of `[G, columns]`) the ranking metrics
    as well. Raises KeyError for an unknown name, and for a ranking metric when `scores` is absent.
    """
    wanted = list(names) if names is not None else [*BINARY_METRICS, *(RANKING_METRICS if scores is not None else ())]
    ranked = [name for name in wanted if name in RANKING_METRICS and scores is not None]
    values = ranking_metrics(scores or [], ranked) if ranked else {}
    return {name: values[name] if name in values else BINARY_METRICS[name](as_floats(sums)) for name in wanted}


def column(sums: FloatArray, name: str) -> FloatArray:
    """One column of the sums by its name in BINARY_COLUMNS."""
    return np.asarray(sums[..., _AT[name]])


def prevalence(sums: FloatArray) -> FloatArray:
    """The share of actual positives."""
    return ratio(column(sums, "positives"), column(sums, "n"))


def mean_score(sums: FloatArray) -> FloatArray:
    """The mean probability of the rows that have an actual."""
    return ratio(column(sums, "score"), column(sums, "n"))


def _cells(sums: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    return column(sums, "tp"), column(sums, "fp"), column(sums, "tn"), column(sums, "fn")


def _log_loss(sums: FloatArray) -> FloatArray:
    return ratio(column(sums, "log_loss"), column(sums, "n"))


def _fve(sums: FloatArray) -> FloatArray:
    share = prevalence(sums)
    return 1 - ratio(_log_loss(sums), special.entr(share) + special.entr(1 - share))


def _accuracy(sums: FloatArray) -> FloatArray:
    tp, _, tn, _ = _cells(sums)
    return ratio(tp + tn, column(sums, "n"))


def _balanced_accuracy(sums: FloatArray) -> FloatArray:
    recalls = np.stack([_tpr(sums), _tnr(sums)])
    present = ~np.isnan(recalls)
    return ratio(np.where(present, recalls, 0).sum(0), present.sum(0))


def _tpr(sums: FloatArray) -> FloatArray:
    tp, _, _, fn = _cells(sums)
    return ratio(tp, tp + fn)


def _tnr(sums: FloatArray) -> FloatArray:
    _, fp, tn, _ = _cells(sums)
    return ratio(tn, tn + fp)


def _fpr(sums: FloatArray) -> FloatArray:
    _, fp, tn, _ = _cells(sums)
    return ratio(fp, fp + tn)


def _ppv(sums: FloatArray) -> FloatArray:
    tp, fp, _, _ = _cells(sums)
    return ratio(tp, tp + fp)


def _npv(sums: FloatArray) -> FloatArray:
    _, _, tn, fn = _cells(sums)
    return ratio(tn, tn + fn)


def _f1(sums: FloatArray) -> FloatArray:
    tp, fp, _, fn = _cells(sums)
    return ratio(2 * tp, 2 * tp + fp + fn)


def _mcc(sums: FloatArray) -> FloatArray:
    tp, fp, tn, fn = _cells(sums)
    root = np.sqrt(tp + fp) * np.sqrt(tp + fn) * np.sqrt(tn + fp) * np.sqrt(tn + fn)
    value = np.clip(np.nan_to_num(ratio(tp * tn - fp * fn, root), nan=0.0), -1, 1)
    return np.where(column(sums, "n") > 0, value, np.nan)


BINARY_METRICS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "LogLoss": _log_loss,
    "FVE Binomial": _fve,
    "Accuracy": _accuracy,
    "Balanced Accuracy": _balanced_accuracy,
    "TPR": _tpr,
    "TNR": _tnr,
    "FPR": _fpr,
    "PPV": _ppv,
    "NPV": _npv,
    "F1": _f1,
    "MCC": _mcc,
}
