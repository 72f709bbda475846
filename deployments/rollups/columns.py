"""Columns of rows as arrays."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deployments.ingest.shape import Target

Floats = NDArray[np.float64]


def floats(rows: pl.DataFrame, column: str) -> Floats:
    """A numeric column, `nan` where it is missing or was not sent."""
    if column not in rows.columns:
        return np.full(rows.height, np.nan)
    series = rows[column]
    if series.null_count():
        series = series.cast(pl.Float64).fill_null(np.nan)
    return series.to_numpy().astype(np.float64, copy=False)


def matrix(rows: pl.DataFrame, target: Target) -> Floats:
    """The predictions, shape `[n, columns]`; of texts only whether there is one: 0, else `nan`."""
    if target.is_text:
        known = rows["p"].is_not_null().to_numpy() if "p" in rows.columns else np.zeros(rows.height)
        return np.where(known, 0.0, np.nan)[:, None]
    return np.stack([floats(rows, column) for column in target.columns], axis=1)
