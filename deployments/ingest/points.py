"""Places in text: `"59.91,10.75"` (latitude, longitude) or well-known text `POINT (10.75 59.91)` (longitude first)."""

from __future__ import annotations

import numpy as np
import polars as pl

from metrics import cells_at
from metrics.arrays import IntArray

_NUMBER = r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
_PAIR = rf"^\s*{_NUMBER}\s*,\s*{_NUMBER}\s*$"
_POINT = rf"(?i)^\s*POINT\s*\(\s*{_NUMBER}\s+{_NUMBER}\s*\)\s*$"


def cells_of(places: pl.Series) -> IntArray:
    """The cell of each place at the finest resolution; 0 for what is missing, unreadable or out of range."""
    words = places.cast(pl.String)
    distinct = words.unique().drop_nulls()
    if not len(distinct):
        return np.zeros(len(words), np.int64)
    columns = {
        "lat": (distinct.str.extract(_PAIR, 1), distinct.str.extract(_POINT, 2)),
        "lon": (distinct.str.extract(_PAIR, 2), distinct.str.extract(_POINT, 1)),
    }
    numbers = {
        name: pl.select(pl.coalesce(pair, point).cast(pl.Float64)).to_series().fill_null(np.nan).to_numpy()
        for name, (pair, point) in columns.items()
    }
    cells = cells_at(numbers["lat"], numbers["lon"])
    return words.replace_strict(distinct, pl.Series(cells), default=0, return_dtype=pl.Int64).fill_null(0).to_numpy()
