"""Places on the globe as cells of the H3 grid: hexagons in a hierarchy, numbered by one 64-bit integer each.

A cell of resolution r holds about seven of resolution r + 1, and its number tells its parent's by bit arithmetic, so
rows that were counted by fine cells can be added up to coarser ones. 0 stands for "no place".

Source: the H3 index layout, https://h3geo.org/docs/core-library/h3Indexing.
"""

from __future__ import annotations

import numpy as np
from h3.api import basic_int

from metrics.arrays import FloatLike, IntArray, IntLike, as_floats, as_ints

FINEST_CELLS = 7
"""The finest resolution that is kept: cells of 5.2 km² on average."""

MOST_CELLS = 1_000
"""The most cells of one answer."""

NO_CELL = 0
_RESOLUTION_AT, _DIGIT_BITS, _DIGITS = 52, 3, 15
_RESOLUTION_MASK = 0xF << _RESOLUTION_AT


def cells_at(latitude: FloatLike, longitude: FloatLike, resolution: int = FINEST_CELLS) -> IntArray:
    """The cell of each place in degrees, shape `[n]`; 0 where a coordinate is missing or out of range.

    Each distinct place is looked up once.
    """
    places = np.column_stack([as_floats(latitude), as_floats(longitude)])
    with np.errstate(invalid="ignore"):
        valid = (np.abs(places[:, 0]) <= 90) & (np.abs(places[:, 1]) <= 180)
    found = np.full(len(places), NO_CELL, np.int64)
    distinct, index = np.unique(places[valid], axis=0, return_inverse=True)
    looked_up = [basic_int.latlng_to_cell(lat, lon, resolution) for lat, lon in distinct.tolist()]
    found[valid] = np.asarray(looked_up, np.int64)[index.reshape(-1)] if looked_up else NO_CELL
    return found


def parents(cells: IntLike, resolution: int) -> IntArray:
    """The cells of a coarser (or the same) resolution that hold the given ones; 0 stays 0."""
    given = as_ints(cells)
    unused = (1 << (_DIGIT_BITS * (_DIGITS - resolution))) - 1
    coarse = (given & ~np.int64(_RESOLUTION_MASK)) | np.int64(resolution << _RESOLUTION_AT) | np.int64(unused)
    return np.where(given == NO_CELL, NO_CELL, coarse)


def resolution_of(cells: IntArray) -> int:
    """The resolution of cells that all have the same; the finest one without any."""
    return int((cells[0] & _RESOLUTION_MASK) >> _RESOLUTION_AT) if cells.size else FINEST_CELLS


def fitting_resolution(cells: IntArray, most: int = MOST_CELLS) -> int:
    """The finest resolution, not beyond that of the cells, at which they are at most `most` different ones."""
    resolution = resolution_of(cells)
    while resolution > 0 and len(np.unique(parents(cells, resolution))) > most:
        resolution -= 1
    return resolution


def hexagons(cells: IntArray) -> list[str]:
    """The cells as they are written: hexadecimal."""
    return [f"{cell:x}" for cell in cells.tolist()]
