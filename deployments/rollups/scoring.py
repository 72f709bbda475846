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
    latest = _without(_last(_candidates(rows, place, keyed), "name"), superseded)
    found = _joined(latest, actuals, target)
    chosen = found["row"].to_numpy()
    duplicate = keyed.copy()
    duplicate[latest["row"].to_numpy()] = False
    return Scored(counted, keyed, duplicate, chosen, found["y"].to_numpy(), _predicted(rows, chosen, target))


def _candidates(rows: pl.DataFrame, place: NDArray[np.int64], keyed: Mask) -> pl.DataFrame:
    """The rows with an id in the order of their time; `name` is the id, of a forecast with its distance.

    Rows mostly lie in order already, and looking is much quicker than sorting; `row` rises, so ties are in order.
    """
    named = {"row": np.arange(rows.height), "place": place, "name": rows["id"]}
    if "d" in rows.columns:
        named |= {"name": forecast_ids(rows), "id": rows["id"]}
    if not rows["at"].is_sorted():
        return pl.DataFrame({**named, "at": rows["at"]}).filter(pl.Series(keyed)).sort("at", "row").drop("at")
    return pl.DataFrame(named).filter(pl.Series(keyed))


def _joined(latest: pl.DataFrame, actuals: pl.DataFrame, target: Target) -> pl.DataFrame:
    """`row` and `y` of each prediction that has an actual, by row. Narrow on purpose: width is what joining costs."""
    ordered = actuals if actuals["seq"].is_sorted() else actuals.sort("seq", maintain_order=True)
    outcomes = _last(ordered.select("place", "id", y=_outcomes(ordered["y"], target)), "id")
    key = "id" if "id" in latest.columns else "name"
    pairs = latest.select("row", "place", id=key).join(outcomes, on=["place", "id"], how="inner")
    return pairs.select("row", "y").sort("row")


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


def _outcomes(given: pl.Series, target: Target) -> pl.Series:
    """Actuals as numbers, `nan` for what this model does not know."""
    if target.is_text:
        return given.is_null().replace_strict({True: np.nan, False: 0.0}, return_dtype=pl.Float64)
    if not target.classes:
        return given.cast(pl.Float64, strict=False).fill_null(np.nan)
    numbers = [float(number) for number in range(len(target.classes))]
    return given.replace_strict(list(target.classes), numbers, default=np.nan, return_dtype=pl.Float64)


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
