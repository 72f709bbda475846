"""Accuracy of predictions among several classes, from sums that merge by adding.

`multiclass_sums` gives an array of shape `[groups, columns]` for K classes: the rows, those with probabilities, the
log losses and their squares; by class the probability given to it, and by *actual* class the rows with
probabilities and their log losses (K each); then the confusion matrix (K × K, actual by predicted).
Classes are numbered in the order of the model's class names. Undefined is `nan`. LogLoss and FPR: lower is better.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import numpy as np

from metrics import _special as special
from metrics.arrays import BoolArray, FloatArray, FloatLike, IntArray, IntLike, as_floats, as_ints, ratio
from metrics.binary import BINARY_COLUMNS, BINARY_METRICS, log_loss_of
from metrics.counting import count_by_group, stack_sums, sum_by_group
from metrics.scores import EXACT_CAP, RANKING_METRICS, ScoreCounts, score_counts

_HEAD = ("n", "scored", "log_loss", "log_loss_squared")


def multiclass_columns(n_classes: int) -> int:
    """The number of columns of the sums for `n_classes` classes."""
    return len(_HEAD) + 3 * n_classes + n_classes * n_classes


def multiclass_sums(
    actual: IntLike,
    predicted: IntLike,
    probabilities: FloatArray | None,
    group: IntLike,
    n_groups: int,
    n_classes: int,
) -> FloatArray:
    """The additive sums of each group, shape `[n_groups, multiclass_columns(n_classes)]`.

    `actual` and `predicted` are class numbers, `probabilities` of shape `[n, n_classes]` or absent. Rows whose
    actual or predicted class is negative (unknown), or whose group is, are left out; rows with a probability that is
    not finite count for the confusion matrix but not for LogLoss.
    """
    truth, guess, index = as_ints(actual), as_ints(predicted), as_ints(group)
    owner = np.where((truth >= 0) & (guess >= 0), index, -1)
    chances = np.full((truth.size, n_classes), np.nan) if probabilities is None else as_floats(probabilities)
    scored: BoolArray = np.asarray(np.isfinite(chances).all(axis=-1), dtype=np.bool_)
    chances = np.where(scored[:, None], chances, 0.0)
    given: FloatArray = np.take_along_axis(chances, np.maximum(truth, 0)[:, None], axis=1)[:, 0]
    loss: FloatArray = np.where(scored, log_loss_of(given), 0.0)
    head: list[FloatArray] = [np.ones(truth.shape), scored.astype(np.float64), loss, loss * loss]
    sums = stack_sums([*head, *chances.T], owner, n_groups)
    by_class = _sums_by_class([head[1], loss], truth, owner, n_groups, n_classes)
    cells = count_by_group(truth * n_classes + guess, owner, n_groups, n_classes * n_classes)
    return np.concatenate([sums, *by_class, cells.astype(np.float64)], axis=-1)


def multiclass_scores(
    actual: IntLike,
    probabilities: FloatLike,
    group: IntLike,
    n_groups: int,
    cap: int | None = EXACT_CAP,
) -> list[list[ScoreCounts]]:
    """For each class its scores against all other classes: `[n_classes][n_groups]`."""
    truth, chances = as_ints(actual), as_floats(probabilities)
    owner = np.where(truth >= 0, as_ints(group), -1)
    return [score_counts(chances[:, k], truth == k, owner, n_groups, cap) for k in range(chances.shape[1])]


def confusion(sums: FloatArray, n_classes: int) -> FloatArray:
    """The confusion matrix, shape `[..., n_classes, n_classes]`, rows actual and columns predicted."""
    cells = sums[..., len(_HEAD) + 3 * n_classes :]
    return np.asarray(cells.reshape(*cells.shape[:-1], n_classes, n_classes))


def column(sums: FloatArray, name: str) -> FloatArray:
    """One of the leading columns: n, scored, log_loss, log_loss_squared."""
    return np.asarray(sums[..., _HEAD.index(name)])


def mean_probabilities(sums: FloatArray, n_classes: int) -> FloatArray:
    """The mean probability of each class, shape `[..., n_classes]`."""
    return ratio(_of_class(sums, n_classes, 0), column(sums, "scored")[..., None])


def multiclass_metrics(
    sums: FloatArray,
    n_classes: int,
    names: Iterable[str] | None = None,
    scores: Sequence[Sequence[ScoreCounts]] | None = None,
) -> dict[str, FloatArray]:
    """The named metrics of sums of shape `[G, columns]`, each of shape `[G]` (AUC needs `scores`).

    By default all that the given state holds. Raises KeyError for an unknown name, and for AUC without `scores`.
    """
    available: dict[str, Callable[[], FloatArray]] = {
        name: partial(metric, as_floats(sums), n_classes) for name, metric in MULTICLASS_METRICS.items()
    }
    if scores is not None:
        available["AUC"] = partial(weighted_auc, sums, n_classes, scores)
    wanted = available if names is None else names
    return {name: available[name]() for name in wanted}


def per_class_metrics(
    sums: FloatArray,
    n_classes: int,
    names: Iterable[str] | None = None,
    scores: Sequence[Sequence[ScoreCounts]] | None = None,
) -> dict[str, FloatArray]:
    """Metrics of each class against all others, each of shape `[G, n_classes]`.

    The threshold metrics come from the confusion matrix (the class counts as predicted when it was chosen), the
    ranking ones from `scores`. LogLoss of a class is the mean loss of the rows that belong to it. FVE has no
    meaning for a single class and raises KeyError like any unknown name.
    """
    one_against_rest = _one_against_rest(as_floats(sums), n_classes)
    ranked = RANKING_METRICS if scores is not None else {}
    wanted = ["LogLoss", *PER_CLASS_METRICS, *ranked] if names is None else list(names)
    found: dict[str, FloatArray] = {}
    for name in wanted:
        if name == "LogLoss":
            found[name] = ratio(_of_class(sums, n_classes, 2), _of_class(sums, n_classes, 1))
        elif name in ranked and scores is not None:
            rows = [[RANKING_METRICS[name](counts) for counts in of_class] for of_class in scores]
            found[name] = np.array(rows, dtype=np.float64).reshape(n_classes, -1).T
        else:
            found[name] = PER_CLASS_METRICS[name](one_against_rest)
    return found


def weighted_auc(sums: FloatArray, n_classes: int, scores: Sequence[Sequence[ScoreCounts]]) -> FloatArray:
    """One-against-rest AUC, weighted by how often each class occurred; classes without an AUC are left out."""
    support = confusion(sums, n_classes).sum(-1)
    areas = np.array([[counts.auc() for counts in of_class] for of_class in scores], dtype=np.float64)
    areas = areas.reshape(n_classes, -1).T
    weights = np.where(np.isnan(areas), 0.0, support)
    return ratio((np.nan_to_num(areas) * weights).sum(-1), weights.sum(-1))


def _sums_by_class(
    columns: list[FloatArray], truth: IntArray, owner: IntArray, n_groups: int, n_classes: int
) -> list[FloatArray]:
    cells = np.where(owner >= 0, owner * n_classes + truth, -1)
    return [sum_by_group(values, cells, n_groups * n_classes).reshape(n_groups, n_classes) for values in columns]


def _of_class(sums: FloatArray, n_classes: int, part: int) -> FloatArray:
    """Part 0: probabilities given to each class; 1: scored rows by actual class; 2: their log losses."""
    first = len(_HEAD) + part * n_classes
    return np.asarray(sums[..., first : first + n_classes])


def _log_loss(sums: FloatArray, n_classes: int) -> FloatArray:
    return ratio(column(sums, "log_loss"), column(sums, "scored"))


def _fve(sums: FloatArray, n_classes: int) -> FloatArray:
    shares = ratio(confusion(sums, n_classes).sum(-1), column(sums, "n")[..., None])
    return 1 - ratio(_log_loss(sums, n_classes), special.entr(shares).sum(-1))


def _accuracy(sums: FloatArray, n_classes: int) -> FloatArray:
    return ratio(np.trace(confusion(sums, n_classes), axis1=-2, axis2=-1), column(sums, "n"))


def _balanced_accuracy(sums: FloatArray, n_classes: int) -> FloatArray:
    matrix = confusion(sums, n_classes)
    recalls = ratio(np.diagonal(matrix, axis1=-2, axis2=-1), matrix.sum(-1))
    present = ~np.isnan(recalls)
    return ratio(np.where(present, recalls, 0).sum(-1), present.sum(-1))


def _one_against_rest(sums: FloatArray, n_classes: int) -> FloatArray:
    """The sums of `metrics.binary` for every class, shape `[..., n_classes, len(BINARY_COLUMNS)]`."""
    matrix = confusion(sums, n_classes)
    tp = np.diagonal(matrix, axis1=-2, axis2=-1)
    fn, fp = matrix.sum(-1) - tp, matrix.sum(-2) - tp
    n = np.broadcast_to(column(sums, "n")[..., None], tp.shape)
    cells = {"n": n, "positives": tp + fn, "tp": tp, "fp": fp, "tn": n - tp - fp - fn, "fn": fn}
    undefined = np.full(tp.shape, math.nan)
    return np.stack([cells.get(name, undefined) for name in BINARY_COLUMNS], axis=-1)


MULTICLASS_METRICS: dict[str, Callable[[FloatArray, int], FloatArray]] = {
    "LogLoss": _log_loss,
    "FVE Multinomial": _fve,
    "Accuracy": _accuracy,
    "Balanced Accuracy": _balanced_accuracy,
}

PER_CLASS_METRICS = {name: metric for name, metric in BINARY_METRICS.items() if name not in ("LogLoss", "FVE Binomial")}
