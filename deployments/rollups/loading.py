"""Rows and actuals from their blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from django.db import connection

from deployments.blocks import decode, together
from deployments.ingest.prepared import microseconds
from deployments.ingest.shape import shape_of
from deployments.models import BlockState, DeployedModel, Grain
from deployments.rollups import scoring
from deployments.rollups.declarations import Rollup
from metrics import day_start

Block = tuple[int, date, int]
"""The id of a block, its day and how many rows it has."""

_OF_MODEL = "deployment_id = %s AND kind = %s AND state = %s AND model_id = %s"


@dataclass(frozen=True)
class Rows:
    """The rows of a piece: predictions or service events, and of accuracy the actuals too."""

    table: pl.DataFrame
    actuals: pl.DataFrame


def of_days(model: DeployedModel, rollup: Rollup, days: Sequence[int], hours: Sequence[int]) -> pl.DataFrame:
    """The rows of days (those blocks that hold any of the rising hours), in the order of submission."""
    where = "day = ANY(%s) AND batch_id IS NULL AND int4range(first_hour, last_hour, '[]') && %s::int4multirange"
    return _load(model, rollup, where, [dates(days), _ranges(hours)])


def _ranges(hours: Sequence[int]) -> str:
    """Rising hours as PostgreSQL writes ranges of numbers."""
    numbers = np.asarray(hours, np.int64)
    breaks = np.flatnonzero(np.diff(numbers) > 1)
    first, last = numbers[np.append(0, breaks + 1)].tolist(), numbers[np.append(breaks, len(numbers) - 1)].tolist()
    return "{" + ",".join(f"[{since},{until}]" for since, until in zip(first, last, strict=True)) + "}"


def of_batch(
    model: DeployedModel, rollup: Rollup, batch_id: int, most_rows: int, columns: Sequence[str] | None = None
) -> Iterator[pl.DataFrame]:
    """The rows of a batch in the order of submission: as many blocks at a time as `most_rows` allow, at least one."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, day, rows FROM deployments_block WHERE {_OF_MODEL} AND batch_id = %s ORDER BY id",  # noqa: S608
            [*_key(model, rollup), batch_id],
        )
        blocks = cursor.fetchall()
    for part in _grouped(blocks, most_rows):
        ids, days = [block[0] for block in part], sorted({block[1] for block in part})
        yield _load(model, rollup, "day = ANY(%s) AND id = ANY(%s)", [days, ids], columns)


def rows_of_batch(model: DeployedModel, rollup: Rollup, batch_id: int) -> int:
    """How many rows a batch has."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT coalesce(sum(rows), 0) FROM deployments_block WHERE {_OF_MODEL} AND batch_id = %s",  # noqa: S608
            [*_key(model, rollup), batch_id],
        )
        return int(cursor.fetchone()[0])


def rows_by_day(model: DeployedModel, rollup: Rollup, days: Sequence[int]) -> dict[int, int]:
    """How many rows each day has."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT first_hour / 24, sum(rows) FROM deployments_block WHERE {_OF_MODEL} "  # noqa: S608
            "AND day = ANY(%s) AND batch_id IS NULL GROUP BY 1",
            [*_key(model, rollup), dates(days)],
        )
        return {int(day): int(rows) for day, rows in cursor.fetchall()}


def actuals(model: DeployedModel, grain: Grain, buckets: Sequence[int]) -> pl.DataFrame:
    """The actuals of days or batches in the order in which they were stored."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT payload FROM deployments_actualblock "
            "WHERE deployment_id = %s AND grain = %s AND bucket = ANY(%s) ORDER BY id",
            [model.deployment_id, int(grain), list(buckets)],
        )
        tables = [decode(row[0]) for row in cursor.fetchall()]
    if tables:
        return pl.concat(tables, how="vertical_relaxed")
    return no_actuals(model)


def no_actuals(model: DeployedModel) -> pl.DataFrame:
    """An empty frame of stored actuals."""
    return scoring.no_actuals(shape_of(model).target).with_columns(hour=pl.lit(0, pl.Int64))


def dates(days: Sequence[int]) -> list[date]:
    """The dates of numbered days."""
    return [day_start(day).date() for day in days]


def actuals_in_parts(
    model: DeployedModel, grain: Grain, buckets: Sequence[int], most_rows: int
) -> Iterator[pl.DataFrame]:
    """As `actuals`, as many blocks at a time as `most_rows` allow, at least one."""
    where = "deployment_id = %s AND grain = %s AND bucket = ANY(%s)"
    key: list[Any] = [model.deployment_id, int(grain), list(buckets)]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, day, rows FROM deployments_actualblock WHERE {where} ORDER BY id", key)  # noqa: S608
        blocks = cursor.fetchall()
        for part in _grouped(blocks, most_rows):
            cursor.execute(
                f"SELECT payload FROM deployments_actualblock WHERE {where} AND day = ANY(%s) AND id = ANY(%s) "  # noqa: S608
                "ORDER BY id",
                [*key, sorted({day for _, day, _ in part}), [number for number, _, _ in part]],
            )
            yield pl.concat([decode(row[0]) for row in cursor.fetchall()], how="vertical_relaxed")


def _key(model: DeployedModel, rollup: Rollup) -> list[Any]:
    return [model.deployment_id, int(rollup.source), int(BlockState.ROLLED), model.pk]


def _grouped(blocks: Sequence[Block], most_rows: int) -> Iterator[list[Block]]:
    """The blocks in their order, as many together as hold no more rows than that, at least one."""
    part: list[Block] = []
    held = 0
    for block in blocks:
        if part and held + block[2] > most_rows:
            yield part
            part, held = [], 0
        part.append(block)
        held += block[2]
    if part:
        yield part


def _load(
    model: DeployedModel, rollup: Rollup, where: str, params: Sequence[Any], columns: Sequence[str] | None = None
) -> pl.DataFrame:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT received_at, payload FROM deployments_block WHERE {_OF_MODEL} AND {where} ORDER BY id",  # noqa: S608
            [*_key(model, rollup), *params],
        )
        found = cursor.fetchall()
    return _stamped(
        [decode(payload, columns) for _, payload in found], [microseconds(received) for received, _ in found]
    )


def _stamped(blocks: list[pl.DataFrame], received: list[int]) -> pl.DataFrame:
    """All rows, each with its time of receipt; in blocks that were put together it is a column already."""
    rows = together(blocks)
    if not rows.width:
        return rows
    times = pl.Series("received", np.repeat(received, [block.height for block in blocks]))
    return rows.with_columns(pl.col("received").fill_null(times) if "received" in rows.columns else times)
