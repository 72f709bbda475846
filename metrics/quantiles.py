"""Quantiles of any numbers from sketches that merge: the KLL sketch of Apache DataSketches.

With the size used here the rank of a quantile is off by at most 0.7 % (99 % of the time), also after merging.
While a sketch has seen few values it keeps them all and is exact. The sketch is randomised: compare answers, not
bytes. Source: Karnin, Lang and Liberty, "Optimal quantile approximation in streams" (2016).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from datasketches import kll_doubles_sketch

from metrics.arrays import FloatArray, FloatLike, IntArray, IntLike, as_floats, as_ints
from metrics.packing import PayloadError

SKETCH_SIZE = 400

_PREAMBLE = np.array([5, 1, 15, 0], np.uint8)  # of many numbers: longs, version, family, flags
_HEAD_TYPE = np.dtype(
    [
        *(("preamble", "u1", 4), ("size", "<u2"), ("width", "u1"), ("unused", "u1"), ("n", "<u8")),
        *(("least_size", "<u2"), ("levels", "u1"), ("pad", "u1"), ("first", "<u4")),
        *(("lowest", "<f8"), ("highest", "<f8")),
    ]
)
_LEAST_WIDTH = 8
_HEAD = _HEAD_TYPE.itemsize


@dataclass(frozen=True, eq=False)
class Quantiles:
    """A set of numbers, summarised; never changed after it was made."""

    sketch: kll_doubles_sketch

    @property
    def n(self) -> int:
        """How many numbers went in."""
        return int(self.sketch.n)

    def quantiles(self, shares: Sequence[float]) -> FloatArray:
        """The numbers that shares `shares` (0 to 1) do not exceed, shape `[len(shares)]`; `nan` without numbers."""
        if not self.n:
            return np.full(len(shares), np.nan)
        return np.asarray(self.sketch.get_quantiles(list(shares), True), dtype=np.float64)

    def quantile(self, share: float) -> float:
        """One quantile."""
        return float(self.quantiles([share])[0])

    def encode(self) -> bytes:
        """The sketch's own bytes: 8 a number while few, about 10 kB at most."""
        return bytes(self.sketch.serialize())


def quantile_sketches(values: FloatLike, group: IntLike, n_groups: int) -> list[Quantiles]:
    """One sketch a group; values that are not finite, and rows with a negative group, are left out."""
    numbers, edges = _by_group(values, group, n_groups)
    return [_sketch(numbers[left:right]) for left, right in pairwise(edges.tolist())]


def encoded_sketches(values: FloatLike, group: IntLike, n_groups: int) -> list[bytes]:
    """`encode` of each of `quantile_sketches`, no bytes for a group without numbers.

    A sketch that still keeps all its numbers is written here, many at once: the head, then the numbers backwards.
    Source: `kll_sketch` in Apache DataSketches, "serialized sketch layout".
    """
    numbers, edges = _by_group(values, group, n_groups)
    sizes, bounds = np.diff(edges), edges.tolist()
    heads, backwards = _heads(numbers, edges), numbers[::-1].tobytes()
    packed = [
        heads[_HEAD * place : _HEAD * (place + 1)] + backwards[8 * (len(numbers) - right) : 8 * (len(numbers) - left)]
        for place, (left, right) in enumerate(pairwise(bounds))
    ]
    for place in np.flatnonzero((sizes < 2) | (sizes > SKETCH_SIZE)).tolist():
        own = numbers[bounds[place] : bounds[place + 1]]
        packed[place] = _sketch(own).encode() if own.size else b""
    return packed


def merge_quantiles(parts: Sequence[Quantiles]) -> Quantiles:
    """All numbers of `parts` together."""
    merged = kll_doubles_sketch(SKETCH_SIZE)
    for part in parts:
        merged.merge(part.sketch)
    return Quantiles(merged)


def decode_quantiles(payload: bytes | memoryview) -> Quantiles:
    """What `encode` wrote. Raises PayloadError for anything else."""
    try:
        return Quantiles(kll_doubles_sketch.deserialize(bytes(payload)))
    except (RuntimeError, ValueError, IndexError, MemoryError) as error:
        raise PayloadError("This is not a sketch of quantiles.") from error


def _by_group(values: FloatLike, group: IntLike, n_groups: int) -> tuple[FloatArray, IntArray]:
    """The usable numbers, one group after another in the order of rows, and where each begins and ends."""
    numbers, index = as_floats(values), as_ints(group)
    usable = np.isfinite(numbers) & (index >= 0)
    if not usable.all():
        numbers, index = numbers[usable], index[usable]
    if (index[1:] < index[:-1]).any():
        numbers = numbers[np.argsort(index, kind="stable")]
    return numbers, np.concatenate([[0], np.cumsum(np.bincount(index, minlength=n_groups))])


def _heads(numbers: FloatArray, edges: IntArray) -> bytes:
    """The heads of the sketches of all groups that have numbers, as if none had more than SKETCH_SIZE."""
    sizes, filled = np.diff(edges), np.flatnonzero(np.diff(edges))
    heads = np.zeros(len(sizes), _HEAD_TYPE)
    heads["preamble"], heads["size"], heads["least_size"], heads["levels"] = _PREAMBLE, SKETCH_SIZE, SKETCH_SIZE, 1
    heads["width"] = _LEAST_WIDTH
    heads["n"], heads["first"] = sizes, np.maximum(SKETCH_SIZE - sizes, 0)
    if filled.size:
        starts = edges[:-1][filled]
        heads["lowest"][filled] = np.minimum.reduceat(numbers, starts)
        heads["highest"][filled] = np.maximum.reduceat(numbers, starts)
    return heads.tobytes()


def _sketch(numbers: FloatArray) -> Quantiles:
    sketch = kll_doubles_sketch(SKETCH_SIZE)
    if numbers.size:
        sketch.update(np.ascontiguousarray(numbers))
    return Quantiles(sketch)
