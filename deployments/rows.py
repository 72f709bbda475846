"""Stored prediction rows for people: a stretch at a time, in the order of time, with their actuals.

Blocks are taken in stretches: the blocks of a day, and with them those of batches that reach into it. A stretch is
sorted in memory, so memory is bounded by a day (or a batch) of the columns that are asked for, however long the period
is. Stretches that lie inside the period are counted by the blocks' headers alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl
from django.db import connection

from deployments.blocks import HOUR_US, decode, together
from deployments.ingest.prepared import microseconds
from deployments.models import BlockKind, Grain

ALWAYS = ("at", "id")


@dataclass(frozen=True)
class Asked:
    """Which rows: of which models (by key), from when to when, of which batches; an empty tuple or None means any.

    What challengers were replayed with is given only where their model is named; rows that may not be collected never.
    """

    deployment_id: int
    models: tuple[int, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    batches: tuple[int, ...] | None = None

    def where(self) -> tuple[str, list[Any]]:
        """The condition on blocks that may hold such rows."""
        found = ["deployment_id = %s", "kind = %s", "collected"]
        params: list[Any] = [self.deployment_id, int(BlockKind.PREDICTIONS)]
        if self.models:
            found.append("model_id = ANY(%s)")
            params.append(list(self.models))
        else:
            found.append("NOT is_replay")
        if self.batches is not None:
            found.append("batch_id = ANY(%s)")
            params.append(list(self.batches))
        if self.start is not None:
            found.append("last_at >= %s AND (batch_id IS NOT NULL OR day >= %s)")
            params += [self.start, self.start.date()]
        if self.end is not None:
            found.append("first_at < %s AND day <= %s")
            params += [self.end, self.end.date()]
        return " AND ".join(found), params


@dataclass(frozen=True)
class Stretch:
    """Blocks whose times lie together: their days, how many rows they hold, and whether all of those are asked for."""

    first: date
    last: date
    rows: int
    whole: bool


def stretches(asked: Asked) -> list[Stretch]:
    """The stretches in the order of time; one query over headers."""
    where, params = asked.where()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (first_at AT TIME ZONE 'UTC')::date AS since, (last_at AT TIME ZONE 'UTC')::date AS until, "  # noqa: S608
            f"min(first_at), max(last_at), sum(rows) FROM deployments_block WHERE {where} GROUP BY 1, 2 ORDER BY 1, 2",
            params,
        )
        found = cursor.fetchall()
    merged: list[Stretch] = []
    for first, last, first_at, last_at, rows in found:
        inside = (asked.start is None or first_at >= asked.start) and (asked.end is None or last_at < asked.end)
        before = merged[-1] if merged and first <= merged[-1].last else None
        if before is None:
            merged.append(Stretch(first, last, int(rows), inside))
        else:
            whole = before.whole and inside
            merged[-1] = Stretch(before.first, max(before.last, last), before.rows + int(rows), whole)
    return merged


def load(asked: Asked, stretch: Stretch, columns: Sequence[str], *, actuals: bool = False) -> pl.DataFrame:
    """The rows of a stretch, sorted by time; columns that no block has are null.

    Besides `columns` there are `at`, `id`, `model` and `batch` (keys); with `actuals` also `y`, the latest actual.
    """
    rows = _rows(asked, stretch, [*ALWAYS, *columns])
    if asked.start is not None:
        rows = rows.filter(pl.col("at") >= microseconds(asked.start))
    if asked.end is not None:
        rows = rows.filter(pl.col("at") < microseconds(asked.end))
    if not rows["at"].is_sorted():
        rows = rows.sort("at", maintain_order=True)
    return _with_actuals(asked, stretch, rows) if actuals else rows


def pieces(asked: Asked, columns: Sequence[str], *, actuals: bool = False) -> Iterator[pl.DataFrame]:
    """All rows that are asked for, a stretch at a time."""
    for stretch in stretches(asked):
        yield load(asked, stretch, columns, actuals=actuals)


def _rows(asked: Asked, stretch: Stretch, columns: Sequence[str]) -> pl.DataFrame:
    where, params = asked.where()
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT model_id, batch_id, payload FROM deployments_block WHERE {where} "  # noqa: S608
            "AND day BETWEEN %s AND %s ORDER BY id",
            [*params, stretch.first, stretch.last],
        )
        tables = []
        for model, batch, payload in cursor.fetchall():
            table = decode(payload, columns).with_columns(model=pl.lit(model, pl.Int64), batch=pl.lit(batch, pl.Int64))
            tables.append(table)
    rows = together(tables) if tables else pl.DataFrame(schema={"at": pl.Int64, "id": pl.String, "model": pl.Int64})
    missing = [name for name in [*columns, "batch"] if name not in rows.columns]
    return rows.with_columns(pl.lit(None).alias(name) for name in missing)


def _with_actuals(asked: Asked, stretch: Stretch, rows: pl.DataFrame) -> pl.DataFrame:
    """Every row with the actual that was last submitted for its association id, in its hour or batch."""
    hour = pl.when(pl.col("batch").is_null()).then(pl.col("at") // HOUR_US).otherwise(-1)
    placed = rows.with_columns(hour=hour.cast(pl.Int64), batch=pl.col("batch").cast(pl.Int64))
    known = _actuals(asked, stretch, rows)
    if known is None:
        return placed.drop("hour").with_columns(y=pl.lit(None))
    latest = known.sort("seq", maintain_order=True).unique(["batch", "hour", "id"], keep="last", maintain_order=True)
    joined = placed.join(
        latest.select("batch", "hour", "id", "y"),
        on=["batch", "hour", "id"],
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )
    return joined.with_columns(y=pl.when(pl.col("id").is_null()).then(None).otherwise(pl.col("y"))).drop("hour")


def _actuals(asked: Asked, stretch: Stretch, rows: pl.DataFrame) -> pl.DataFrame | None:
    epoch = date(1970, 1, 1)
    days = list(range((stretch.first - epoch).days, (stretch.last - epoch).days + 1))
    batches = rows["batch"].drop_nulls().unique().to_list()
    one = "SELECT grain, bucket, payload FROM deployments_actualblock WHERE deployment_id = %s AND grain = %s "
    with connection.cursor() as cursor:
        cursor.execute(
            f"{one} AND bucket = ANY(%s) AND day BETWEEN %s AND %s UNION ALL {one} AND bucket = ANY(%s)",
            [
                *(asked.deployment_id, int(Grain.DAY), days, stretch.first, stretch.last),
                *(asked.deployment_id, int(Grain.BATCH), batches),
            ],
        )
        tables = [
            decode(payload).with_columns(batch=pl.lit(bucket if grain == Grain.BATCH else None, pl.Int64))
            for grain, bucket, payload in cursor.fetchall()
        ]
    return pl.concat(tables, how="vertical_relaxed") if tables else None
