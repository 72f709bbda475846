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

Mask = NDArray[np.bool_]
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
    actual: NDArray[np.float64]
    predicted: NDArray[np.float64]


def match(
    rows: pl.DataFrame,
    place: NDArray[np.int64],
    actuals: pl.DataFrame,
    target: Target,
    superseded: Iterable[KeyInBucket] = (),
) -> Scored:
    """Match predictions with actuals of the same bucket.

    `place`: the place of each prediction's bucket. `actuals`: columns `place`, `id`, `y`, `seq`, in the order in which
    they were stored.
    """
    counted = np.ones(rows.height, np.bool_)
    if "skip" in rows.columns:
        counted = (rows["skip"].fill_null(0).to_numpy() & SKIP_ACCURACY) == 0
    keyed = counted & rows["id"].is_not_null().to_numpy()
    names = forecast_ids(rows) if "d" in rows.columns else rows["id"]
    candidates = pl.DataFrame(
        {"row": np.arange(rows.height), "place": place, "id": rows["id"], "name": names, "at": rows["at"]}
    ).filter(pl.Series(keyed))
    # Rows mostly lie in order already, and looking is much quicker than sorting; `row` rises, so ties are in order.
    in_order = candidates if candidates["at"].is_sorted() else candidates.sort("at", "row")
    latest = _without(_last(in_order, "name"), superseded)
    outcomes = _last(actuals if actuals["seq"].is_sorted() else actuals.sort("seq", maintain_order=True), "id")
    found = latest.join(outcomes, on=["place", "id"], how="inner").sort("row")
    chosen = found["row"].to_numpy()
    duplicate = keyed.copy()
    duplicate[latest["row"].to_numpy()] = False
    return Scored(counted, keyed, duplicate, chosen, _outcomes(found["y"], target), _predicted(rows, chosen, target))


def no_actuals(target: Target) -> pl.DataFrame:
    """An empty frame of actuals."""
    kind = pl.String if target.classes or target.is_text else pl.Float64
    return pl.DataFrame(schema={"place": pl.Int64, "id": pl.String, "y": kind, "seq": pl.Int64})


def _last(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """The last of each name in each place, in any order."""
    return rows.unique(subset=["place", name], keep="last")


def _without(rows: pl.DataFrame, superseded: Iterable[KeyInBucket]) -> pl.DataFrame:
    unwanted = set(superseded)
    if not unwanted:
        return rows
    places, hashes = rows["place"].to_list(), keys_of(rows["name"]).tolist()
    keep = [pair not in unwanted for pair in zip(places, hashes, strict=True)]
    return rows.filter(pl.Series(keep, dtype=pl.Boolean))


def _outcomes(given: pl.Series, target: Target) -> NDArray[np.float64]:
    if target.is_text:
        return np.where(given.is_null().to_numpy(), np.nan, 0.0)
    if not target.classes:
        return given.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()
    numbers = [float(number) for number in range(len(target.classes))]
    codes = given.replace_strict(list(target.classes), numbers, default=np.nan, return_dtype=pl.Float64)
    return codes.to_numpy()


def _predicted(rows: pl.DataFrame, chosen: NDArray[np.int64], target: Target) -> NDArray[np.float64]:
    empty = np.full(len(chosen), np.nan)
    if target.is_text:
        known = rows["p"].gather(chosen).is_not_null().to_numpy() if "p" in rows.columns else np.zeros(len(chosen))
        return np.where(known, 0.0, np.nan)[:, None]
    columns = [
        rows[name].gather(chosen).cast(pl.Float64).fill_null(np.nan).to_numpy() if name in rows.columns else empty
        for name in target.columns
    ]
    return np.stack(columns, axis=1)
