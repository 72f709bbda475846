"""Service health: requests, errors, load and consumers, from state that merges.

Sums add up. `LoadCounts` counts the minutes by how many requests they had, so periods merge by adding as long as
they do not share a minute. `Consumers` is a set of hashed names: exact while small, then a CPC sketch
(Apache DataSketches; ±0.9 % at one standard error). Rates are ratios from 0 to 1, `nan` without requests.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from datasketches import cpc_sketch, cpc_union

from metrics.arrays import FloatArray, FloatLike, HashArray, IntArray, IntLike, as_floats, as_ints, ratio
from metrics.counting import distinct_by_group, stack_sums
from metrics.latency import merge_keyed
from metrics.packing import PayloadError, gaps, pack, unpack

SERVICE_COLUMNS = ("requests", "predictions", "user_errors", "server_errors", "cache_hits")
_AT = {name: index for index, name in enumerate(SERVICE_COLUMNS)}

CONSUMERS_EXACT = 1_000
_CPC_LG_K = 12
_LOAD_TAG, _EXACT_TAG, _SKETCH_TAG = 4, 5, 6
_MAX_LOAD = 5_000_000


def service_sums(
    status: IntLike, predictions: FloatLike, cached: Sequence[bool] | IntLike, group: IntLike, n_groups: int
) -> FloatArray:
    """Sums of requests, shape `[n_groups, len(SERVICE_COLUMNS)]`; one row a request.

    `status` is the HTTP status answered, `predictions` the number of rows scored, `cached` whether the answer came
    from a cache. 4xx are user errors, 5xx server errors.
    """
    codes = as_ints(status)
    columns = [
        np.ones(codes.shape),
        as_floats(predictions),
        ((codes >= 400) & (codes < 500)).astype(np.float64),
        ((codes >= 500) & (codes < 600)).astype(np.float64),
        np.asarray(cached, dtype=np.float64),
    ]
    return stack_sums(columns, group, n_groups)


def column(sums: FloatArray, name: str) -> FloatArray:
    """One column of the sums by its name in SERVICE_COLUMNS."""
    return np.asarray(sums[..., _AT[name]])


def service_rates(sums: FloatArray) -> dict[str, FloatArray]:
    """The ratios of sums of shape `[..., columns]`: userErrorRate, serverErrorRate, cacheHitRatio."""
    requests = column(sums, "requests")
    return {
        "userErrorRate": ratio(column(sums, "user_errors"), requests),
        "serverErrorRate": ratio(column(sums, "server_errors"), requests),
        "cacheHitRatio": ratio(column(sums, "cache_hits"), requests),
    }


@dataclass(frozen=True, eq=False)
class LoadCounts:
    """How many minutes had `loads[i]` requests; minutes without a request are not counted."""

    loads: IntArray
    minutes: IntArray

    def median(self) -> float:
        """The median of requests a minute over the minutes that had any; `nan` without requests."""
        total = int(self.minutes.sum())
        if not total:
            return math.nan
        reached = np.cumsum(self.minutes)
        lower, upper = np.searchsorted(reached, [(total + 1) // 2, total // 2 + 1])
        return float(self.loads[lower] + self.loads[upper]) / 2

    def peak(self) -> float:
        """The most requests in a minute; `nan` without requests."""
        return float(self.loads[-1]) if self.loads.size else math.nan

    def encode(self) -> bytes:
        """Compact bytes."""
        return pack(_LOAD_TAG, [gaps(self.loads), self.minutes])


EMPTY_LOAD = LoadCounts(np.empty(0, np.int64), np.empty(0, np.int64))


def load_counts(minute: IntLike, group: IntLike, n_groups: int) -> list[LoadCounts]:
    """The load of each group; one row a request, `minute` any number that names its minute (since the epoch)."""
    minutes, index = as_ints(minute), as_ints(group)
    first = int(minutes.min()) if minutes.size else 0
    _, requests, edges = distinct_by_group(minutes - first, index, n_groups)
    owner = np.repeat(np.arange(n_groups), np.diff(edges))
    loads, times, edges = distinct_by_group(requests, owner, n_groups)
    return [LoadCounts(loads[left:right], times[left:right]) for left, right in pairwise(edges)]


def merge_load(parts: Sequence[LoadCounts]) -> LoadCounts:
    """The load of periods that share no minute."""
    filled = [part for part in parts if part.loads.size]
    if len(filled) <= 1:
        return filled[0] if filled else EMPTY_LOAD
    if max(int(part.loads[-1]) for part in filled) > _MAX_LOAD:
        every = np.concatenate([np.repeat(part.loads, part.minutes) for part in filled])
        return _load(every)
    return LoadCounts(*merge_keyed([part.loads for part in filled], [part.minutes for part in filled]))


def decode_load(payload: bytes | memoryview) -> LoadCounts:
    """What `LoadCounts.encode` wrote. Raises PayloadError for anything else."""
    tag, columns = unpack(payload)
    if tag != _LOAD_TAG or len(columns) != 2:
        raise PayloadError("These are not counts of load.")
    return LoadCounts(np.cumsum(as_ints(columns[0])), as_ints(columns[1]))


@dataclass(frozen=True, eq=False)
class Consumers:
    """Distinct consumers: their hashes in rising order while there are few, else a sketch of them."""

    hashes: HashArray
    sketch: cpc_sketch | None = None

    def count(self) -> float:
        """How many there are; whole while exact, an estimate from the sketch."""
        return float(self.hashes.size) if self.sketch is None else float(self.sketch.get_estimate())

    def encode(self) -> bytes:
        """8 bytes a consumer while exact, about 3 kB after that."""
        if self.sketch is not None:
            return bytes([_SKETCH_TAG]) + bytes(self.sketch.serialize())
        return bytes([_EXACT_TAG]) + self.hashes.astype("<u8").tobytes()


NO_CONSUMERS = Consumers(np.empty(0, np.uint64))


def consumer_hashes(names: Iterable[str]) -> HashArray:
    """64-bit hashes of consumers' names, the same on every machine."""
    digests = b"".join(hashlib.blake2b(name.encode(), digest_size=8).digest() for name in names)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


def consumers(hashes: HashArray, group: IntLike, n_groups: int) -> list[Consumers]:
    """The distinct consumers of each group; one row a request. Rows with a negative group are left out."""
    index = as_ints(group)
    keep = index >= 0
    order = np.lexsort((hashes[keep], index[keep]))
    owner, names = index[keep][order], hashes[keep][order]
    edges = np.searchsorted(owner, np.arange(n_groups + 1))
    groups = pairwise(edges)
    return [_spilled(np.unique(names[left:right])) for left, right in groups]


def merge_consumers(parts: Sequence[Consumers]) -> Consumers:
    """The consumers of all parts, each counted once."""
    if all(part.sketch is None for part in parts):
        return _spilled(np.unique(np.concatenate([NO_CONSUMERS.hashes, *(part.hashes for part in parts)])))
    union = cpc_union(_CPC_LG_K)
    for part in parts:
        union.update(_sketch(part.hashes) if part.sketch is None else part.sketch)
    return Consumers(NO_CONSUMERS.hashes, union.get_result())


def decode_consumers(payload: bytes | memoryview) -> Consumers:
    """What `Consumers.encode` wrote. Raises PayloadError for anything else."""
    raw = bytes(payload)
    if raw[:1] == bytes([_EXACT_TAG]) and len(raw) % 8 == 1:
        return Consumers(np.frombuffer(raw, "<u8", offset=1).astype(np.uint64))
    if raw[:1] != bytes([_SKETCH_TAG]):
        raise PayloadError("These are not consumers.")
    try:
        return Consumers(NO_CONSUMERS.hashes, cpc_sketch.deserialize(raw[1:]))
    except (RuntimeError, ValueError, IndexError, MemoryError) as error:
        raise PayloadError("The sketch of consumers is damaged.") from error


def _load(requests: IntArray) -> LoadCounts:
    loads, minutes = np.unique(requests, return_counts=True)
    return LoadCounts(loads.astype(np.int64), minutes.astype(np.int64))


def _spilled(hashes: HashArray) -> Consumers:
    if hashes.size <= CONSUMERS_EXACT:
        return Consumers(hashes)
    return Consumers(NO_CONSUMERS.hashes, _sketch(hashes))


def _sketch(hashes: HashArray) -> cpc_sketch:
    sketch = cpc_sketch(_CPC_LG_K)
    for value in hashes.tolist():
        sketch.update(value)
    return sketch
