"""Rows as compressed Arrow streams: what lies in `Block.payload` and `ActualBlock.payload`.

Columns of predictions
    at          microseconds since 1970, UTC
    id          association id, or null
    p           predicted value, probability of the positive class, or generated text; `p0`, `p1` … for several classes
    contexts    for generated text: the passages it was made from, as a JSON list of `{context, link}`, or null
    f:<name>    a feature: Float64 for numeric ones, else String; null is missing
    s:<name>    a segment attribute that is no feature (String)
    d           forecast distance, present for models of time series (Int32)
    skip        present if some rows are left out of drift (1) or accuracy (2)
    h:<rule>    present if a humility rule (by its key) applied to some rows: which ones
    o           present if a humility rule overrode predictions: the value or class in their place; `p` stays as it was
    w           present if some predictions lay outside the warning boundaries: which ones

Columns of service events
    at, n (predictions made), response, execution (ms or null), status, cached, s:<attribute>

Columns of actuals
    id, y (Float64 for regression, else the class as String), acted, given (microseconds or null); once they are
    matched also `hour` (of the prediction) and `seq` (order of submission)
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import polars as pl
import xxhash
from numpy.typing import NDArray

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
FEATURE, SEGMENT, RULE = "f:", "s:", "h:"
OVERRIDE, WARNING = "o", "w"
CONTEXTS = "contexts"
SKIP_DRIFT, SKIP_ACCURACY = 1, 2

Keys = NDArray[np.int64]


def encode(rows: pl.DataFrame) -> bytes:
    """The rows as bytes; an empty frame keeps its columns."""
    out = io.BytesIO()
    rows.write_ipc_stream(out, compression="zstd")
    return out.getvalue()


def decode(payload: bytes | memoryview, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """What `encode` wrote; of the given columns those that are there, in the block's order."""
    source = io.BytesIO(bytes(payload))
    if columns is None:
        return pl.read_ipc_stream(source)
    try:
        return pl.read_ipc_stream(source, columns=list(columns))
    except pl.exceptions.ColumnNotFoundError:
        source.seek(0)
        there = [name for name in pl.read_ipc_stream(source, n_rows=0).columns if name in columns]
        source.seek(0)
        return pl.read_ipc_stream(source, columns=there)


def together(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """All rows in the order of the frames; columns that some frames lack are null there."""
    filled = [frame for frame in frames if frame.width]
    if len(filled) == 1:
        return filled[0]
    return pl.concat(filled, how="diagonal_relaxed") if filled else pl.DataFrame()


def hours(rows: pl.DataFrame) -> NDArray[np.int64]:
    """The hour of each row, counted from 1970."""
    return rows["at"].to_numpy() // HOUR_US


def forecast_ids(rows: pl.DataFrame) -> pl.Series:
    """What names one forecast: the association id and the forecast distance; null without an id."""
    named = pl.concat_str("id", pl.lit("\x1f"), pl.col("d").cast(pl.String).fill_null(""))
    return rows.select(named.alias("id"))["id"]


def keys_of(ids: pl.Series) -> Keys:
    """A signed 64-bit hash of each id, the same on every machine; ids must not be null."""
    hashed = np.fromiter(map(xxhash.xxh3_64_intdigest, ids.cast(pl.Binary).to_list()), np.uint64, count=len(ids))
    return hashed.view(np.int64)
