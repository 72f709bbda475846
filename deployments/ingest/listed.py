"""Predictions of classes as lists: one column that holds the probabilities of all classes, in the model's order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray


def listed_probabilities(
    column: pl.Series, classes: Sequence[str]
) -> tuple[Mapping[str, pl.Series], NDArray[np.bool_]]:
    """Probabilities by class, and which rows hold no such list; an absent one is null and not wrong.

    Lists come as lists from Parquet and NDJSON, from CSV as text: `[0.2, 0.8]`.
    """
    lists = _lists(column)
    absent = column.is_null()
    whole = (lists.list.len() == len(classes)) & (lists.list.eval(pl.element().is_null()).list.any() == False)  # noqa: E712
    good = whole.fill_null(False)
    kept = pl.DataFrame({"lists": lists, "good": good}).select(pl.when("good").then("lists").alias("lists"))["lists"]
    found = {name: kept.list.get(place, null_on_oob=True).alias(name) for place, name in enumerate(classes)}
    return found, (~good & ~absent).to_numpy()


def _lists(column: pl.Series) -> pl.Series:
    """The column as lists of Float64; null where it is none, and null inside for what is no number."""
    if isinstance(column.dtype, pl.List | pl.Array):
        inner = column.cast(pl.List(column.dtype.inner)) if isinstance(column.dtype, pl.Array) else column
        return inner.cast(pl.List(pl.Float64), strict=False)
    if column.dtype != pl.String:
        return pl.Series(column.name, [None] * len(column), pl.List(pl.Float64))
    text = column.str.strip_chars()
    inside = text.str.strip_prefix("[").str.strip_suffix("]")
    numbers = inside.str.split(",").list.eval(pl.element().str.strip_chars().cast(pl.Float64, strict=False))
    framed = text.str.starts_with("[") & text.str.ends_with("]")
    return pl.DataFrame({"n": numbers, "framed": framed}).select(pl.when("framed").then("n").alias("n"))["n"]
