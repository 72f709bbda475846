"""Drift: how far a live distribution lies from its baseline, both given as counts on the same bins.

Every metric takes `baseline` and `live` of shape `[..., bins]` (leading axes broadcast), answers `[...]`, is 0 for
identical counts, never negative, and grows with distance. It is `nan` where either side has no rows.

Counts become shares by adding one half to every bin that is not empty on both sides, then lifting shares below
1e-4 to 1e-4 and normalising again; so a bin that is empty on one side costs a finite amount.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import numpy as np

from metrics import _special as special
from metrics.arrays import BoolArray, FloatArray, FloatLike, IntArray, IntLike, as_floats, as_ints, ratio

SHARE_FLOOR = 1e-4
PSEUDO_COUNT = 0.5

Counts = FloatLike | IntLike


class DriftMetric(StrEnum):
    """The drift metrics by their names in the reference."""

    PSI = "psi"
    KL_DIVERGENCE = "kl_divergence"
    DISSIMILARITY = "dissimilarity"
    HELLINGER = "hellinger"
    JS_DIVERGENCE = "js_divergence"


OVER_SPACE_NAMES = {
    "psi": DriftMetric.PSI,
    "klDivergence": DriftMetric.KL_DIVERGENCE,
    "dissimilarity": DriftMetric.DISSIMILARITY,
    "hellinger": DriftMetric.HELLINGER,
    "jsDivergence": DriftMetric.JS_DIVERGENCE,
}
"""The same metrics as the reference spells them in questions over space."""


def smoothed_shares(baseline: Counts, live: Counts) -> tuple[FloatArray, FloatArray]:
    """Both sides as shares that sum to 1 over the bins in use; 0 in bins that are empty on both sides.

    All `nan` where a side has no rows at all.
    """
    p, q = np.broadcast_arrays(np.asarray(baseline, np.float64), np.asarray(live, np.float64))
    used = (p > 0) | (q > 0)
    empty = (p.sum(-1, keepdims=True) <= 0) | (q.sum(-1, keepdims=True) <= 0)
    return _shares(p, used, empty), _shares(q, used, empty)


def psi(baseline: Counts, live: Counts) -> FloatArray:
    """Population stability index, Σ(q−p)·ln(q/p), 0 to infinity (Jeffreys divergence, natural logarithm)."""
    return as_floats(contributions(DriftMetric.PSI, baseline, live).sum(-1))


def kl_divergence(baseline: Counts, live: Counts) -> FloatArray:
    """Kullback-Leibler divergence of live from baseline, Σ q·ln(q/p), 0 to infinity (natural logarithm)."""
    return as_floats(np.maximum(contributions(DriftMetric.KL_DIVERGENCE, baseline, live).sum(-1), 0.0))


def dissimilarity(baseline: Counts, live: Counts) -> FloatArray:
    """One minus the intersection of the histograms, 1 − Σ min(p, q), 0 to 1."""
    return as_floats(contributions(DriftMetric.DISSIMILARITY, baseline, live).sum(-1))


def hellinger(baseline: Counts, live: Counts) -> FloatArray:
    """Hellinger distance, √(½ Σ(√p−√q)²), 0 to 1."""
    return as_floats(np.sqrt(contributions(DriftMetric.HELLINGER, baseline, live).sum(-1)))


def js_divergence(baseline: Counts, live: Counts) -> FloatArray:
    """Jensen-Shannon divergence to base 2, 0 to 1 (the square of the distance that SciPy returns)."""
    return as_floats(np.maximum(contributions(DriftMetric.JS_DIVERGENCE, baseline, live).sum(-1), 0.0))


DRIFT_METRICS: dict[str, Callable[[Counts, Counts], FloatArray]] = {
    DriftMetric.PSI: psi,
    DriftMetric.KL_DIVERGENCE: kl_divergence,
    DriftMetric.DISSIMILARITY: dissimilarity,
    DriftMetric.HELLINGER: hellinger,
    DriftMetric.JS_DIVERGENCE: js_divergence,
}


def drift_scores(metric: DriftMetric | str, baseline: Counts, live: Counts) -> FloatArray:
    """The metric called `metric`; raises KeyError for an unknown name."""
    return DRIFT_METRICS[metric](baseline, live)


def contributions(metric: DriftMetric | str, baseline: Counts, live: Counts) -> FloatArray:
    """What each bin adds, shape `[..., bins]`; the summands of the formula (for Hellinger: of its square).

    Summands of the two divergences `kl_divergence` and `js_divergence` may be negative; their sum is not.
    """
    p, q = smoothed_shares(baseline, live)
    return _SUMMANDS[DriftMetric(metric)](p, q)


def occupied_bins(baseline: Counts, live: Counts) -> IntArray:
    """The number of bins that are not empty on both sides, shape `[...]`."""
    p, q = np.broadcast_arrays(np.asarray(baseline, np.float64), np.asarray(live, np.float64))
    return as_ints(((p > 0) | (q > 0)).sum(-1))


def noise_floor(
    bins: IntLike | int, n: Counts | float, baseline_n: Counts | float, confidence: float = 0.99
) -> FloatArray:
    """The PSI that sampling alone stays below with probability `confidence`: χ²(bins−1)·(1/n + 1/N).

    `n` live and `baseline_n` baseline rows. 0 for a single bin, `nan` when a side has no rows.
    Source: Yurdakul and Naranjo (2020), the distribution of the index under no drift.
    """
    freedom = np.asarray(bins, np.float64) - 1
    quantile = np.where(freedom > 0, special.chdtri(np.maximum(freedom, 1), 1 - confidence), 0.0)
    return quantile * (ratio(1.0, np.asarray(n, np.float64)) + ratio(1.0, np.asarray(baseline_n, np.float64)))


def _shares(counts: FloatArray, used: BoolArray, empty: BoolArray) -> FloatArray:
    raised = np.where(used, counts + PSEUDO_COUNT, 0.0)
    total = raised.sum(-1, keepdims=True)
    shares = np.divide(raised, total, out=np.zeros_like(raised), where=total > 0)
    shares = np.where(used, np.maximum(shares, SHARE_FLOOR), 0.0)
    total = shares.sum(-1, keepdims=True)
    shares = np.divide(shares, total, out=shares, where=total > 0)
    return np.where(empty, np.nan, shares)


def _psi_summands(p: FloatArray, q: FloatArray) -> FloatArray:
    odds = np.divide(q, p, out=np.ones_like(p), where=(p > 0) & (q > 0))
    return as_floats((q - p) * np.log(odds))


def _js_summands(p: FloatArray, q: FloatArray) -> FloatArray:
    middle = (p + q) / 2
    return as_floats((special.rel_entr(p, middle) + special.rel_entr(q, middle)) / (2 * np.log(2)))


_SUMMANDS: dict[DriftMetric, Callable[[FloatArray, FloatArray], FloatArray]] = {
    DriftMetric.PSI: _psi_summands,
    DriftMetric.KL_DIVERGENCE: lambda p, q: special.rel_entr(q, p),
    DriftMetric.DISSIMILARITY: lambda p, q: np.abs(p - q) / 2,
    DriftMetric.HELLINGER: lambda p, q: (np.sqrt(p) - np.sqrt(q)) ** 2 / 2,
    DriftMetric.JS_DIVERGENCE: _js_summands,
}
