"""Rows by bucket, and by bucket and segment: the groups that `compute` counts.

A cut is one way to part the rows: all of them by bucket, or those of one attribute by bucket and value. Groups of a
cut are numbered from 0; `values` and `buckets` say what each stands for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deployments.blocks import FEATURE, SEGMENT
from deployments.rollups.levels import places_in
from deployments.rollups.numbering import distinct

Group = NDArray[np.int64]

EVERYTHING = 0


@dataclass(frozen=True)
class Cut:
    """`group` per row, -1 for rows outside.

    What a group stands for: `values[group]` is the key of a segment value (0: all rows), `buckets[group]` the number
    of a bucket.
    """

    attribute_id: int
    group: Group
    values: Sequence[int]
    buckets: Sequence[int]

    @property
    def n_groups(self) -> int:
        return len(self.buckets)

    def of(self, rows: Group) -> Group:
        """The groups of chosen rows."""
        return self.group[rows]

    def without(self, left_out: NDArray[np.bool_] | None) -> Group:
        """The groups, -1 for rows that are left out."""
        return self.group if left_out is None else np.where(left_out, -1, self.group)


@dataclass(frozen=True)
class Attribute:
    """A segment attribute that is followed: rows received from `since` (microseconds) on, and its known values."""

    id: int
    name: str
    since: int
    values: Mapping[str, int]
    other: int | None


def by_bucket(place: Group, buckets: Sequence[int]) -> Cut:
    """All rows by bucket; `place` is the place of each row's bucket in `buckets`."""
    return Cut(EVERYTHING, place, [EVERYTHING] * len(buckets), buckets)


def by_segment(rows: pl.DataFrame, place: Group, buckets: Sequence[int], attribute: Attribute) -> Cut | None:
    """The rows of one attribute by bucket and value; None if no row was received since it is followed."""
    words = words_of(rows, attribute.name)
    followed = rows["received"].to_numpy() >= attribute.since
    if not followed.any():
        return None
    values = list(attribute.values.values())
    if attribute.other is not None:
        values.append(attribute.other)
    known = places_in(words, attribute.values)
    keep = followed & (known < len(values)) & (place >= 0)
    found, group = distinct(np.where(keep, place * len(values) + known, -1))
    if found[0] < 0:
        found, group = found[1:], group - 1
    keys, spots = np.array(values, np.int64)[found % len(values)], np.asarray(buckets)[found // len(values)]
    return Cut(attribute.id, group, keys.tolist(), spots.tolist())


def words_of(rows: pl.DataFrame, name: str) -> pl.Series:
    """The values of an attribute, "" where it is missing; it may be a feature or a column of its own."""
    for column in (SEGMENT + name, FEATURE + name):
        if column in rows.columns:
            series = rows[column]
            return (series if series.dtype == pl.String else series.cast(pl.String)).fill_null("")
    return pl.Series(name, [""] * rows.height, pl.String)
