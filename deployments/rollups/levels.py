"""Texts as numbers: each word is looked up in a list of known ones, a column at a time."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl
from numpy.typing import NDArray


def places_in(words: pl.Series, known: Iterable[str]) -> NDArray[np.int64]:
    """The place of each word among the known ones, which must differ; their number for others and for nulls."""
    levels = pl.Enum(list(known))
    found = words.cast(pl.String).cast(levels, strict=False).to_physical().cast(pl.Int64)
    return found.fill_null(len(levels.categories)).to_numpy()
