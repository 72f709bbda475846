"""The order of scores: AUC, Gini, Kolmogorov-Smirnov and the rate among the top scores, from mergeable counts.

`ScoreCounts` holds how many negatives and positives had each score. While a summary has few distinct scores it is
*exact*; past a cap it is *binned* on 4096 bins that are even in the logit of the score, between −20 and 20, with one
tail on either side. Merging exact ones stays exact; merging with a binned one is binned. Every estimate from bins
has a bound, computed from the same counts, that contains the exact value. Undefined is `nan`. All metrics here:
higher is better.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from metrics import _special as special
from metrics.arrays import BoolArray, FloatArray, FloatLike, IntArray, IntLike, as_floats, as_ints, ratio
from metrics.packing import PayloadError, gaps, pack, pack_each, unpack

EXACT_CAP = 400
"""Distinct scores an hour may have and stay exact: so many fit into 4 KiB."""

LOGIT_BINS = 4096
LOGIT_LIMIT = 20.0
_EXACT_TAG, _BINNED_TAG = 1, 2
_FEW_GROUPS = 2**16


@dataclass(frozen=True, eq=False)
class ScoreCounts:
    """Negatives and positives by score, in rising order of score.

    `keys` are the distinct scores when `exact`, else bin numbers from 0 (lower tail) to LOGIT_BINS + 1 (upper tail).
    All three arrays have the same length; every key has at least one row.
    """

    keys: FloatArray
    negatives: IntArray
    positives: IntArray
    exact: bool = True

    @property
    def n(self) -> int:
        """The number of rows."""
        return int(self.negatives.sum() + self.positives.sum())

    @property
    def n_positive(self) -> int:
        """The number of rows that were positive."""
        return int(self.positives.sum())

    def auc(self) -> float:
        """The chance that a positive scores above a negative, ties half; 0 to 1, `nan` if a class is absent."""
        pairs = self.n_positive * (self.n - self.n_positive)
        if not pairs:
            return math.nan
        below = np.cumsum(self.negatives) - self.negatives
        return float((self.positives * (below + self.negatives / 2)).sum() / pairs)

    def auc_bound(self) -> float:
        """How far the exact AUC may lie from `auc()`: pairs inside one bin could all go either way."""
        if self.exact:
            return 0.0 if self._both_classes else math.nan
        p, q = self._shares()
        return float((p * q).sum() / 2)

    def ks(self) -> float:
        """Kolmogorov-Smirnov: the largest gap between the classes' distributions; from bins it is a lower bound."""
        if not self._both_classes:
            return math.nan
        p, q = self._shares()
        return float(np.abs(np.cumsum(p) - np.cumsum(q)).max())

    def ks_bound(self) -> float:
        """How far the exact statistic may lie above `ks()`."""
        if self.exact:
            return 0.0 if self._both_classes else math.nan
        p, q = self._shares()
        return float(np.maximum(p, q).max())

    def rate_at_top(self, percent: int) -> float:
        """The share of positives among the top `percent` of scores, ties at the cut counted in part.

        The top holds at least one row and is rounded up. `nan` without rows.
        """
        cut = self._cut(percent)
        return math.nan if cut is None else (cut.above + cut.taken * cut.positives / cut.rows) / cut.size

    def rate_bounds(self, percent: int) -> tuple[float, float]:
        """The least and the greatest share that the exact `rate_at_top` may have."""
        cut = self._cut(percent)
        if cut is None or self.exact:
            return self.rate_at_top(percent), self.rate_at_top(percent)
        least = max(0, cut.taken - (cut.rows - cut.positives))
        return (cut.above + least) / cut.size, (cut.above + min(cut.taken, cut.positives)) / cut.size

    def scores(self) -> FloatArray:
        """The score that each key stands for: itself, or the middle of its bin."""
        if self.exact:
            return self.keys
        step = 2 * LOGIT_LIMIT / LOGIT_BINS
        middle = np.asarray(special.expit((self.keys - 0.5) * step - LOGIT_LIMIT), dtype=np.float64)
        return np.where(self.keys == 0, 0.0, np.where(self.keys > LOGIT_BINS, 1.0, middle))

    def binned(self) -> ScoreCounts:
        """The same counts on the logit bins."""
        return _from_bins(bins_of(self.keys), self.negatives, self.positives) if self.exact else self

    def capped(self, cap: int = EXACT_CAP) -> ScoreCounts:
        """Itself when it is small enough, else the same on bins."""
        return self.binned() if len(self.keys) > cap else self

    def encode(self) -> bytes:
        """Compact bytes; at most 4 KiB for EXACT_CAP distinct scores."""
        if self.exact:
            return pack(_EXACT_TAG, [self.keys, self.negatives, self.positives])
        return pack(_BINNED_TAG, [gaps(self.keys.astype(np.int64)), self.negatives, self.positives])

    @property
    def _both_classes(self) -> bool:
        return 0 < self.n_positive < self.n

    def _shares(self) -> tuple[FloatArray, FloatArray]:
        return ratio(self.positives, self.positives.sum()), ratio(self.negatives, self.negatives.sum())

    def _cut(self, percent: int) -> _Cut | None:
        if not self.n:
            return None
        size = max(1, -(-self.n * percent // 100))
        rows = (self.negatives + self.positives)[::-1]
        reached = np.cumsum(rows)
        at = int(np.searchsorted(reached, size))
        above = self.positives[::-1]
        return _Cut(
            size=size,
            above=int(above[:at].sum()),
            taken=size - int(reached[at] - rows[at]),
            rows=int(rows[at]),
            positives=int(above[at]),
        )


@dataclass(frozen=True)
class _Cut:
    """Where the top ends: `taken` of the `rows` at the boundary score belong to it."""

    size: int
    above: int
    taken: int
    rows: int
    positives: int


EMPTY_SCORES = ScoreCounts(np.empty(0), np.empty(0, np.int64), np.empty(0, np.int64))


def score_counts(
    scores: FloatLike,
    positive: BoolArray | Sequence[bool],
    group: IntLike,
    n_groups: int,
    cap: int | None = EXACT_CAP,
) -> list[ScoreCounts]:
    """The counts of each group; groups with more than `cap` distinct scores are binned (never, if `None`).

    Rows with a score that is not a number, or a negative group, are left out.
    """
    keys, negatives, positives, edges = _counted(scores, positive, group, n_groups)
    pieces = [slice(left, right) for left, right in pairwise(edges.tolist())]
    exact = [ScoreCounts(keys[piece], negatives[piece], positives[piece]) for piece in pieces]
    return exact if cap is None else [counts.capped(cap) for counts in exact]


def encoded_scores(
    scores: FloatLike, positive: BoolArray | Sequence[bool], group: IntLike, n_groups: int, cap: int = EXACT_CAP
) -> list[bytes]:
    """`encode` of each of `score_counts`, several times faster for many small groups."""
    keys, negatives, positives, edges = _counted(scores, positive, group, n_groups)
    sizes = np.diff(edges)
    small = sizes <= cap
    if small.all():
        return pack_each(_EXACT_TAG, [keys, negatives, positives], edges)
    kept, bounds = np.repeat(small, sizes), np.concatenate([[0], np.cumsum(np.where(small, sizes, 0))])
    packed = pack_each(_EXACT_TAG, [keys[kept], negatives[kept], positives[kept]], bounds)
    for place in np.flatnonzero(~small).tolist():
        own = slice(edges[place], edges[place + 1])
        packed[place] = ScoreCounts(keys[own], negatives[own], positives[own]).binned().encode()
    return packed


def merge_scores(parts: Sequence[ScoreCounts], cap: int | None = None) -> ScoreCounts:
    """All rows of `parts` together; exact if all parts are and at most `cap` distinct scores result."""
    filled = [part for part in parts if len(part.keys)]
    if not filled:
        return EMPTY_SCORES
    exact = all(part.exact for part in filled)
    aligned = filled if exact else [part.binned() for part in filled]
    if len(aligned) == 1:
        return aligned[0] if cap is None else aligned[0].capped(cap)
    keys = np.concatenate([part.keys for part in aligned])
    negatives = np.concatenate([part.negatives for part in aligned])
    positives = np.concatenate([part.positives for part in aligned])
    if not exact:
        return _from_bins(keys.astype(np.int64), negatives, positives)
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    merged = ScoreCounts(
        keys[starts], np.add.reduceat(negatives[order], starts), np.add.reduceat(positives[order], starts)
    )
    return merged if cap is None else merged.capped(cap)


def decode_scores(payload: bytes | memoryview) -> ScoreCounts:
    """What `encode` wrote. Raises PayloadError for anything else."""
    tag, columns = unpack(payload)
    if len(columns) != 3 or tag not in (_EXACT_TAG, _BINNED_TAG):
        raise PayloadError("These are not counts of scores.")
    keys, negatives, positives = columns
    exact = tag == _EXACT_TAG
    values = as_floats(keys) if exact else np.cumsum(keys).astype(np.float64)
    return ScoreCounts(values, as_ints(negatives), as_ints(positives), exact)


def bins_of(scores: FloatLike) -> IntArray:
    """The logit bin of each score: 0 for the lower tail, LOGIT_BINS + 1 for the upper."""
    place = special.logit(np.clip(as_floats(scores), 0.0, 1.0))
    number = np.floor((place + LOGIT_LIMIT) * (LOGIT_BINS / (2 * LOGIT_LIMIT))) + 1
    return as_ints(np.clip(number, 0, LOGIT_BINS + 1).astype(np.int64))


def ranking_metrics(scores: Sequence[ScoreCounts], names: Iterable[str] | None = None) -> dict[str, FloatArray]:
    """The named ranking metrics (all by default) of each summary, each of shape `[len(scores)]`."""
    chosen = RANKING_METRICS if names is None else {name: RANKING_METRICS[name] for name in names}
    return {
        name: np.fromiter((metric(counts) for counts in scores), np.float64, count=len(scores))
        for name, metric in chosen.items()
    }


def _gini(counts: ScoreCounts) -> float:
    return 2 * counts.auc() - 1


RANKING_METRICS: dict[str, Callable[[ScoreCounts], float]] = {
    "AUC": ScoreCounts.auc,
    "Gini Norm": _gini,
    "Kolmogorov-Smirnov": ScoreCounts.ks,
    "Rate@Top10%": lambda counts: counts.rate_at_top(10),
    "Rate@Top5%": lambda counts: counts.rate_at_top(5),
}


def ranking_bounds(counts: ScoreCounts, name: str) -> tuple[float, float]:
    """The interval that surely holds the exact value of the ranking metric `name`; both ends `nan` if undefined."""
    if name in ("Rate@Top10%", "Rate@Top5%"):
        return counts.rate_bounds(10 if name == "Rate@Top10%" else 5)
    value = RANKING_METRICS[name](counts)
    if name == "Kolmogorov-Smirnov":
        return value, min(value + counts.ks_bound(), 1.0) if not math.isnan(value) else math.nan
    reach = counts.auc_bound() * (2 if name == "Gini Norm" else 1)
    return value - reach, value + reach


def _counted(
    scores: FloatLike, positive: BoolArray | Sequence[bool], group: IntLike, n_groups: int
) -> tuple[FloatArray, IntArray, IntArray, IntArray]:
    """The distinct scores of all groups one after another, their negatives and positives, and where groups begin."""
    values, index = as_floats(scores), as_ints(group)
    actual = np.asarray(positive, dtype=bool)
    usable = ~np.isnan(values) & (index >= 0)
    if not usable.all():
        values, index, actual = values[usable], index[usable], actual[usable]
    order = _order(values, index, n_groups)
    owner, keys, negatives, positives = _runs(index[order], values[order], actual[order])
    return keys, negatives, positives, np.searchsorted(owner, np.arange(n_groups + 1))


def _order(values: FloatArray, index: IntArray, n_groups: int) -> IntArray:
    """Rows by group, then by score; ties in any order. Few groups are sorted by radix."""
    if n_groups > _FEW_GROUPS:
        return np.lexsort((values, index))
    by_value = np.argsort(values)
    return by_value[np.argsort(index.astype(np.uint16)[by_value], kind="stable")]


def _runs(owner: IntArray, values: FloatArray, actual: BoolArray) -> tuple[IntArray, FloatArray, IntArray, IntArray]:
    """Runs of equal (owner, value) in sorted rows: owner, value, negatives and positives of each run."""
    if not values.size:
        return owner, values, np.empty(0, np.int64), np.empty(0, np.int64)
    starts = np.flatnonzero(np.concatenate([[True], (values[1:] != values[:-1]) | (owner[1:] != owner[:-1])]))
    rows = np.diff(np.append(starts, values.size))
    positives = np.add.reduceat(actual.astype(np.int64), starts)
    return owner[starts], values[starts], rows - positives, positives


def _from_bins(bins: IntArray, negatives: IntArray, positives: IntArray) -> ScoreCounts:
    size = LOGIT_BINS + 2
    below = np.bincount(bins, weights=negatives, minlength=size).astype(np.int64)
    above = np.bincount(bins, weights=positives, minlength=size).astype(np.int64)
    keys = np.flatnonzero(below + above)
    return ScoreCounts(keys.astype(np.float64), below[keys], above[keys], exact=False)
