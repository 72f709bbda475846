"""Numbers of buckets and groups as places in a list: by tables where the numbers lie together, else by searching."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]

_WIDEST = 4_000_000


def places(numbers: Numbers, buckets: Sequence[int]) -> Numbers:
    """The place of each number in the rising `buckets`, -1 if it is not among them."""
    known = np.asarray(buckets, np.int64)
    if not known.size or not len(numbers):
        return np.full(len(numbers), -1, np.int64)
    least, width = int(known[0]), int(known[-1] - known[0]) + 1
    if width > _WIDEST:
        place = np.minimum(np.searchsorted(known, numbers), len(known) - 1)
        return np.where(known[place] == numbers, place, -1)
    table = np.full(width + 2, -1, np.int64)  # the first and the last entry are for numbers outside
    table[known - least + 1] = np.arange(len(known))
    return table[np.clip(numbers, least - 1, least + width) - (least - 1)]


def distinct(numbers: Numbers) -> tuple[Numbers, Numbers]:
    """The numbers that occur, rising, and the place of each row's among them."""
    if not len(numbers):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    least = int(numbers.min())
    width = int(numbers.max()) - least + 1
    if width > _WIDEST:
        found, place = np.unique(numbers, return_inverse=True)
        return found, place
    shifted = numbers - least
    there = np.flatnonzero(np.bincount(shifted, minlength=width))
    table = np.empty(width, np.int64)
    table[there] = np.arange(len(there))
    return there + least, table[shifted]
