"""Response times: quantiles and slow requests from counts that merge by adding.

Times up to 10 seconds are counted by the millisecond, rounded up; longer ones in steps of 1 %. So a quantile is off
by less than 1 ms (1 % above 10 s), and the number of requests slower than a whole number of milliseconds is exact
below 10 s.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from metrics.arrays import FloatArray, FloatLike, IntArray, IntLike, as_floats, as_ints
from metrics.counting import distinct_by_group
from metrics.packing import PayloadError, gaps, pack, unpack

EXACT_MS = 10_000
GROWTH = 1.01
_LAST_KEY = EXACT_MS + 1_400
_TAG = 3


@dataclass(frozen=True, eq=False)
class LatencyCounts:
    """Requests by time: `keys` are rising bucket numbers (see `keys_of`), `counts` the requests in each."""

    keys: IntArray
    counts: IntArray

    @property
    def n(self) -> int:
        """The number of requests with a known time."""
        return int(self.counts.sum())

    def quantile(self, q: float) -> float:
        """The smallest time in ms that a share `q` of the requests did not exceed; `nan` without requests.

        `q` from 0 (the fastest) to 1 (the slowest).
        """
        return float(self.quantiles([q])[0])

    def quantiles(self, shares: Sequence[float]) -> FloatArray:
        """Several quantiles at once, shape `[len(shares)]`."""
        if not self.n:
            return np.full(len(shares), np.nan)
        reached = np.cumsum(self.counts)
        # The tiny allowance keeps 0.1 * 30 = 3.0000000000000004 from asking for a fourth request.
        ranks = np.ceil(np.asarray(shares, np.float64) * self.n * (1 - 1e-12))
        return milliseconds(self.keys[np.searchsorted(reached, np.maximum(ranks, 1))])

    def slow(self, threshold_ms: float) -> int:
        """Requests that took longer than `threshold_ms`; exact for whole milliseconds below 10 s."""
        first = math.floor(threshold_ms) + 1 if threshold_ms < EXACT_MS else int(keys_of([threshold_ms])[0]) + 1
        return int(self.counts[np.searchsorted(self.keys, first) :].sum())

    def encode(self) -> bytes:
        """Compact bytes: about two a distinct millisecond."""
        return pack(_TAG, [gaps(self.keys), self.counts])


EMPTY_LATENCY = LatencyCounts(np.empty(0, np.int64), np.empty(0, np.int64))


def keys_of(times_ms: FloatLike) -> IntArray:
    """The bucket of each time: the milliseconds rounded up, then 1 % steps from 10 s on; 0 for negative times."""
    times = np.maximum(as_floats(times_ms), 0.0)
    fine = np.ceil(np.minimum(times, EXACT_MS))
    steps = np.ceil(np.log(np.maximum(times, EXACT_MS) / EXACT_MS) / math.log(GROWTH) - 1e-9)
    keys: IntArray = np.minimum(fine + steps, _LAST_KEY).astype(np.int64)
    return keys


def milliseconds(keys: IntLike) -> FloatArray:
    """The upper end in ms of each bucket."""
    numbers = as_ints(keys)
    steps = np.maximum(numbers - EXACT_MS, 0)
    return np.minimum(numbers, EXACT_MS) * GROWTH ** steps.astype(np.float64)


def latency_counts(times_ms: FloatLike, group: IntLike, n_groups: int) -> list[LatencyCounts]:
    """The counts of each group; times that are not finite (unknown) and negative groups are left out."""
    times, index = as_floats(times_ms), as_ints(group)
    usable = np.isfinite(times) & (index >= 0)
    keys, counts, edges = distinct_by_group(keys_of(times[usable]), index[usable], n_groups)
    return [LatencyCounts(keys[left:right], counts[left:right]) for left, right in pairwise(edges)]


def merge_latency(parts: Sequence[LatencyCounts]) -> LatencyCounts:
    """All requests of `parts` together."""
    filled = [part for part in parts if len(part.keys)]
    if len(filled) <= 1:
        return filled[0] if filled else EMPTY_LATENCY
    keys, counts = merge_keyed([part.keys for part in filled], [part.counts for part in filled])
    return LatencyCounts(keys, counts)


def decode_latency(payload: bytes | memoryview) -> LatencyCounts:
    """What `encode` wrote. Raises PayloadError for anything else."""
    tag, columns = unpack(payload)
    if tag != _TAG or len(columns) != 2:
        raise PayloadError("These are not counts of response times.")
    return LatencyCounts(np.cumsum(as_ints(columns[0])), as_ints(columns[1]))


def merge_keyed(keys: Sequence[IntArray], counts: Sequence[IntArray]) -> tuple[IntArray, IntArray]:
    """Add counts that stand under equal keys; keys come out rising. Keys must be small (a few thousand)."""
    dense = np.bincount(np.concatenate(keys), weights=np.concatenate(counts)).astype(np.int64)
    used = np.flatnonzero(dense)
    return used.astype(np.int64), dense[used]
