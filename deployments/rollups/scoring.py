"""Which prediction is scored against which actual.

Within a bucket the latest prediction of an association id is scored (by its time, then by the order of receipt), of
forecasts the latest of id and distance; the others are duplicates, and so are those of which a later hour holds
another. Of several actuals the last submitted counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deployments.blocks import SKIP_ACCURACY, forecast_ids, keys_of
from deployments.ingest.shape import Target
from deployments.rollups.levels import places_in
from deployments.rollups.lookup import Latest, Named

Mask = NDArray[np.bool_]
Rows = NDArray[np.int64]
Floats = NDArray[np.float64]
KeyInBucket = tuple[int, int]
"""The place of a bucket, and the hash of an association id."""


@dataclass(frozen=True)
class Scored:
    """The matches of many buckets. `rows` are row numbers of predictions; the first three masks go over all rows.

    `actual`: numbers, class numbers as floats (`nan`: a class that this model does not know), or 0 for a text.
    `predicted`: shape `[matches, columns]`.
    """

    counted: Mask
    keyed: Mask
    duplicate: Mask
    rows: NDArray[np.int64]
    actual: Floats
    predicted: Floats


def match(
    rows: pl.DataFrame,
    place: NDArray[np.int64],
    actuals: pl.DataFrame,
    target: Target,
    superseded: Iterable[KeyInBucket] = (),
) -> Scored:
    """Match predictions with actuals of the same bucket.

    `place`: the place of each prediction's bucket. `actuals`: columns `place` (-1: of no such bucket), `id`, `y`,
    `seq`, in the order in which they were stored.
    """
    counted = np.ones(rows.height, np.bool_)
    if "skip" in rows.columns:
        counted = (rows["skip"].fill_null(0).to_numpy() & SKIP_ACCURACY) == 0
    keyed = counted & rows["id"].is_not_null().to_numpy()
    named = by_id = Named.of(place, rows["id"])
    if "d" in rows.columns:
        named = Named.of(place, forecast_ids(rows))
    duplicate = Latest(named, _by_time(rows["at"], keyed)).beaten
    latest = np.flatnonzero(keyed & ~duplicate)
    lost = _superseded(named, latest, superseded)
    duplicate[latest[lost]] = True
    chosen, outcomes = _found(by_id, latest[~lost], actuals, target)
    return Scored(counted, keyed, duplicate, chosen, outcomes, _predicted(rows, chosen, target))


def _by_time(at: pl.Series, keyed: Mask) -> Rows:
    """The rows with an id in the order of their time, then of receipt; mostly they lie so already."""
    if at.is_sorted():
        return np.flatnonzero(keyed)
    order = np.argsort(at.to_numpy(), kind="stable")
    return order[keyed[order]]


def _found(predicted: Named, latest: Rows, actuals: pl.DataFrame, target: Target) -> tuple[Rows, Floats]:
    """Which of the latest predictions have an actual, and what it is."""
    seq, given = actuals["seq"], Named.of(actuals["place"].to_numpy(), actuals["id"])
    order = np.arange(len(seq)) if seq.is_sorted() else np.argsort(seq.to_numpy(), kind="stable")
    spot = Latest(given, order[given.place[order] >= 0]).find(predicted, latest)
    matched = spot >= 0
    return latest[matched], _outcomes(actuals["y"], target)[spot[matched]]


def no_actuals(target: Target) -> pl.DataFrame:
    """An empty frame of actuals."""
    kind = pl.String if target.classes or target.is_text else pl.Float64
    return pl.DataFrame(schema={"place": pl.Int64, "id": pl.String, "y": kind, "seq": pl.Int64})


def _superseded(named: Named, latest: Rows, superseded: Iterable[KeyInBucket]) -> Mask:
    """Which of these rows a later hour holds again."""
    unwanted = set(superseded)
    lost = np.zeros(len(latest), np.bool_)
    if not unwanted:
        return lost
    spots = np.flatnonzero(np.isin(named.place[latest], [spot for spot, _ in unwanted]))
    suspects = latest[spots]
    pairs = zip(named.place[suspects].tolist(), keys_of(named.name.gather(suspects)).tolist(), strict=True)
    lost[spots] = [pair in unwanted for pair in pairs]
    return lost


def _outcomes(given: pl.Series, target: Target) -> Floats:
    """Actuals as numbers, `nan` for what this model does not know."""
    if target.is_text:
        return np.where(given.is_null().to_numpy(), np.nan, 0.0)
    if not target.classes:
        return given.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()
    return np.append(np.arange(len(target.classes), dtype=np.float64), np.nan)[places_in(given, target.classes)]


def _predicted(rows: pl.DataFrame, chosen: NDArray[np.int64], target: Target) -> Floats:
    empty = np.full(len(chosen), np.nan)
    if target.is_text:
        known = rows["p"].gather(chosen).is_not_null().to_numpy() if "p" in rows.columns else np.zeros(len(chosen))
        return np.where(known, 0.0, np.nan)[:, None]
    columns = [
        rows[name].gather(chosen).cast(pl.Float64).fill_null(np.nan).to_numpy() if name in rows.columns else empty
        for name in target.columns
    ]
    return np.stack(columns, axis=1)
