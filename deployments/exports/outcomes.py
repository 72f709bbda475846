"""Actuals beside their predictions, and actuals as rows of their own.

An actual stands beside every prediction of its association id in the hour (or batch) in which that id is scored. The
actuals of a day or batch are held at once while they are few enough; else only those of the rows at hand are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import polars as pl
from django.db.models import QuerySet, Sum

from deployments.blocks import DAY_US, HOUR_US, SKIP_ACCURACY, decode, keys_of
from deployments.exports.rows import (
    OUTCOMES,
    UTC_TIME,
    Column,
    Wanted,
    outcome_columns,
    outcome_type,
    pieces,
    prediction_names,
    type_of,
)
from deployments.ingest.shape import Shape, shape_of
from deployments.models import ActualBlock, Block, BlockKind, BlockState, DeployedModel, Grain
from deployments.rollups import keys

MOST_ROWS = 500_000
"""Actuals that are held at once."""

EPOCH = date(1970, 1, 1)
NO_HOUR = -1
_STORED = {"id": pl.String, "acted": pl.Boolean, "given": pl.Int64, "hour": pl.Int64, "seq": pl.Int64}


@dataclass(frozen=True)
class Place:
    """A day or a batch whose actuals lie together."""

    grain: Grain
    bucket: int


class Beside:
    """Adds actuals to predictions, day by day or batch by batch."""

    def __init__(self, model: DeployedModel) -> None:
        self._model = model
        self._shape = shape_of(model)
        self._place: Place | None = None
        self._held: pl.DataFrame | None = None

    def add(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows of one block with the columns OUTCOMES; null where nothing is known."""
        rows = with_hours(rows)
        place = place_of(rows)
        given = self._of(place, rows)
        found = rows.join(given.drop("seq"), on=["hour", "id"], how="left", maintain_order="left")
        return _unless_superseded(found, self._model) if place.grain is Grain.DAY else found

    def _of(self, place: Place, rows: pl.DataFrame) -> pl.DataFrame:
        if place != self._place:
            self._place = place
            small = count(self._model.deployment_id, place) <= MOST_ROWS
            self._held = _latest(list(stored(self._model.deployment_id, place)), self._shape) if small else None
        if self._held is not None:
            return self._held
        tables = stored(self._model.deployment_id, place)
        return _latest([table.join(rows, on="id", how="semi") for table in tables], self._shape)


def rows_of(wanted: Wanted) -> Iterator[pl.DataFrame]:
    """The actuals that are scored against a prediction of the period, each once, with that prediction."""
    model = wanted.model
    for place in _places(wanted):
        part = replace(wanted, batches={place.bucket: wanted.batches[place.bucket]}) if wanted.batches else wanted
        rounds = 1 + count(model.deployment_id, place) // MOST_ROWS
        for number in range(rounds):
            given = _latest([_share(t, number, rounds) for t in stored(model.deployment_id, place)], shape_of(model))
            made = [with_hours(rows).join(given, on=["hour", "id"], how="semi") for rows in _within(part, place)]
            made = [_counted(rows) for rows in made if rows.height]
            if made:
                scored = pl.concat(made, how="diagonal_relaxed").sort("at", maintain_order=True)
                scored = scored.unique(["hour", "id"], keep="last", maintain_order=True)
                found = scored.join(given.drop("seq"), on=["hour", "id"], how="inner", maintain_order="left")
                if place.grain is Grain.DAY:
                    found = _unless_superseded(found, model).filter(pl.col("actual_value").is_not_null())
                yield found


def waiting(wanted: Wanted) -> Iterator[pl.DataFrame]:
    """The actuals that were received in the period and wait for their prediction."""
    blocks = Block.objects.filter(
        deployment_id=wanted.model.deployment_id, kind=BlockKind.ACTUALS, state=BlockState.WAITING
    )
    for payload in blocks.order_by("id").values_list("payload", flat=True).iterator(chunk_size=1):
        rows = wanted.inside(decode(payload))
        if rows.height:
            yield _named(rows, shape_of(wanted.model)).drop("at").with_columns(at=pl.lit(None, pl.Int64))


def columns_of(wanted: Wanted, *, batches: bool) -> list[Column]:
    """The columns of an export of actuals."""
    shape = shape_of(wanted.model)
    batch = [Column("batch_id", "batch_id", pl.String)] if batches else []
    return [
        Column("association_id", "id", pl.String),
        *outcome_columns(shape),
        Column("timestamp", "at", UTC_TIME),
        Column("model_id", "model_id", pl.String),
        *batch,
        *(Column(name, name, type_of(shape)) for name in prediction_names(shape)),
    ]


def with_hours(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with the hour under which their actuals lie: that of their time, of batches none."""
    hour = pl.when(pl.col("bucket").is_null()).then(pl.col("at") // HOUR_US).otherwise(NO_HOUR)
    return rows.with_columns(hour=hour.cast(pl.Int64))


def place_of(rows: pl.DataFrame) -> Place:
    """Where the actuals of the rows of one block lie."""
    batch = rows["bucket"][0]
    return Place(Grain.DAY, int(rows["at"][0]) // DAY_US) if batch is None else Place(Grain.BATCH, int(batch))


def count(deployment_id: int, place: Place) -> int:
    """How many actuals lie there, corrections counted too."""
    found = _blocks(deployment_id, place).aggregate(total=Sum("rows"))
    return int(found["total"] or 0)


def stored(deployment_id: int, place: Place) -> Iterator[pl.DataFrame]:
    """The actuals that lie there, in the order of submission."""
    blocks = _blocks(deployment_id, place).order_by("id")
    for payload in blocks.values_list("payload", flat=True).iterator(chunk_size=1):
        yield decode(payload)


def _blocks(deployment_id: int, place: Place) -> QuerySet[ActualBlock]:
    return ActualBlock.objects.filter(deployment_id=deployment_id, grain=place.grain, bucket=place.bucket)


def _places(wanted: Wanted) -> list[Place]:
    if wanted.batches:
        return [Place(Grain.BATCH, key) for key in sorted(wanted.batches)]
    days = wanted.blocks.values_list("day", flat=True).distinct().order_by("day")
    return [Place(Grain.DAY, (day - EPOCH).days) for day in days]


def _within(wanted: Wanted, place: Place) -> Iterator[pl.DataFrame]:
    if place.grain is Grain.BATCH:
        return pieces(wanted)
    return pieces(replace(wanted, day=EPOCH + timedelta(days=place.bucket)))


def _latest(tables: Sequence[pl.DataFrame], shape: Shape) -> pl.DataFrame:
    """The last submitted actual of each hour and id, under the names of the file."""
    kept = [table for table in tables if table.height]
    if not kept:
        value = outcome_type(shape)
        return _named(pl.DataFrame(schema=_STORED | {"y": value}), shape)
    rows = pl.concat(kept, how="diagonal_relaxed").sort("seq", maintain_order=True)
    return _named(rows.unique(["hour", "id"], keep="last", maintain_order=True), shape)


def _named(rows: pl.DataFrame, shape: Shape) -> pl.DataFrame:
    value = outcome_type(shape)
    renamed = rows.rename({"y": OUTCOMES[0], "acted": OUTCOMES[1], "given": OUTCOMES[2]})
    kept = [name for name in ("id", *OUTCOMES, "hour", "seq", "at") if name in renamed.columns]
    return renamed.select(kept).with_columns(pl.col(OUTCOMES[0]).cast(value))


def _share(rows: pl.DataFrame, number: int, rounds: int) -> pl.DataFrame:
    """The rows of one round of several: every id belongs to one."""
    return rows if rounds == 1 else rows.filter(pl.Series(keys_of(rows["id"]) % rounds == number))


def _counted(rows: pl.DataFrame) -> pl.DataFrame:
    """Without the rows that were left out of accuracy."""
    if "skip" not in rows.columns:
        return rows
    return rows.filter((pl.col("skip").fill_null(0) & SKIP_ACCURACY) == 0)


def _unless_superseded(rows: pl.DataFrame, model: DeployedModel) -> pl.DataFrame:
    """No actual beside predictions of which a later hour holds another."""
    hours = rows["hour"]
    later = keys.superseded_in(model.deployment_id, model.pk, [int(hours.min()), int(hours.max())])  # type: ignore
    if not later:
        return rows
    known = rows["id"].is_not_null()
    hashes = np.zeros(rows.height, np.int64)
    hashes[known.to_numpy()] = keys_of(rows["id"].filter(known))
    gone = pl.DataFrame(later, schema={"hour": pl.Int64, "key": pl.Int64}, orient="row").with_columns(gone=True)
    marked = rows.with_columns(key=pl.Series(hashes)).join(gone, on=["hour", "key"], how="left", maintain_order="left")
    hidden = pl.col("gone").fill_null(False) & pl.col("id").is_not_null()
    return marked.with_columns(pl.when(hidden).then(None).otherwise(pl.col(name)).alias(name) for name in OUTCOMES)
