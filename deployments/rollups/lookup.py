"""The last row of each name in each bucket, and where a name is: a hash table made of whole arrays.

Sorting or joining texts costs several times as much. A hash only says where to look: two rows are the same if their
places and names are. Rows that meet in a slot without being the same go on to the next level, a smaller table.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Numbers = NDArray[np.int64]
Hashes = NDArray[np.uint64]

_SEED = secrets.randbits(63)  # nobody can choose ids that all meet in one slot
_SPREAD = 0x9E3779B97F4A7C15
_ROOM, _LEAST_BITS = 2, 12


@dataclass(frozen=True, eq=False)
class Named:
    """Rows known by the place of their bucket and a name."""

    place: Numbers
    name: pl.Series
    hashes: Hashes

    @classmethod
    def of(cls, place: Numbers, name: pl.Series) -> Named:
        """The rows with a hash of place and name."""
        return cls(place, name, pl.DataFrame({"place": place, "name": name}).hash_rows(_SEED).to_numpy())

    def same(self, mine: Numbers, other: Named, theirs: Numbers) -> Mask:
        """Whether row `mine[i]` is known as the other's row `theirs[i]` is."""
        alike: Mask = self.hashes[mine] == other.hashes[theirs]
        alike &= self.place[mine] == other.place[theirs]
        maybe = np.flatnonzero(alike)
        if maybe.size:
            alike[maybe] = self.name.gather(mine[maybe]).eq_missing(other.name.gather(theirs[maybe])).to_numpy()
        return alike


@dataclass(frozen=True, eq=False)
class _Level:
    """A table of rows by slot, -1 in empty ones."""

    number: int
    table: NDArray[np.int32]

    @classmethod
    def with_room_for(cls, number: int, rows: int) -> _Level:
        return cls(number, np.full(1 << max(_LEAST_BITS, (_ROOM * rows - 1).bit_length()), -1, np.int32))

    def slots(self, hashes: Hashes) -> Numbers:
        """Where rows with these hashes belong; at every level others meet."""
        odd = np.uint64(_SPREAD * (2 * self.number + 1) % 2**64)
        bits = np.uint64(64 - (len(self.table).bit_length() - 1))
        return ((hashes * odd) >> bits).view(np.int64)


class Latest:
    """The last of all rows of the same place and name; `order` holds the numbers of the rows, the last one last."""

    def __init__(self, named: Named, order: Numbers) -> None:
        self.named = named
        self.beaten = np.zeros(len(named.place), np.bool_)
        self._levels = list(self._filled(order))

    def _filled(self, left: Numbers) -> Iterator[_Level]:
        number = 0
        while left.size:
            level = _Level.with_room_for(number, left.size)
            slots = level.slots(self.named.hashes[left])
            level.table[slots] = left  # of several rows in a slot the last stays
            holders = level.table[slots]
            lost = np.flatnonzero(holders != left)
            left, holder = left[lost], holders[lost].astype(np.int64)
            again = self.named.same(left, self.named, holder)
            self.beaten[left[again]] = True
            left, number = left[~again], number + 1
            yield level

    def find(self, other: Named, rows: Numbers) -> Numbers:
        """The latest row known as each of the other's `rows` is, -1 where there is none."""
        found = np.full(len(rows), -1, np.int64)
        left = np.arange(len(rows))
        for level in self._levels:
            here = level.table[level.slots(other.hashes[rows[left]])].astype(np.int64)
            # A row of this name would be in the slot, or have lost it to another.
            left, here = left[here >= 0], here[here >= 0]
            hit = other.same(rows[left], self.named, here)
            found[left[hit]] = here[hit]
            left = left[~hit]
        return found
