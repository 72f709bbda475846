"""Many small blocks of a day become one: fewer headers to read, the same rows in the same order."""

from __future__ import annotations

from datetime import date

import polars as pl
from django.db import connection

from deployments.blocks import decode, encode, together
from deployments.ingest.prepared import microseconds
from deployments.models import BlockState

MANY = 16
MOST_ROWS = 100_000
# Blocks that were replayed, or made by replaying, stay apart: what is known of a block holds for all of its rows.
_SAME = (
    "day = %s AND kind = %s AND model_id = %s AND batch_id IS NOT DISTINCT FROM %s "
    "AND is_replay = %s AND replayed_by = %s::int[] AND collected = %s"
)
_Same = tuple[date, int, int, int | None, bool, list[int], bool]


def small_blocks(deployment_id: int) -> int:
    """Put the blocks of a day together wherever there are more than MANY; returns how many days were rewritten."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT day, kind, model_id, batch_id, is_replay, replayed_by, collected FROM deployments_block "
            "WHERE deployment_id = %s AND state = %s "
            "AND rows < %s GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING count(*) > %s AND sum(rows) <= %s",
            [deployment_id, int(BlockState.ROLLED), MOST_ROWS // MANY, MANY, MOST_ROWS],
        )
        crowded = cursor.fetchall()
    for same in crowded:
        _rows(deployment_id, same)
    return len(crowded) + _actuals(deployment_id)


def _rows(deployment_id: int, same: _Same) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, received_at, payload FROM deployments_block WHERE deployment_id = %s AND state = %s "  # noqa: S608
            f"AND rows < %s AND {_SAME} ORDER BY id",
            [deployment_id, int(BlockState.ROLLED), MOST_ROWS // MANY, *same],
        )
        blocks = cursor.fetchall()
        rows = together([_stamped(decode(payload), microseconds(received)) for _, received, payload in blocks])
        ids = [block[0] for block in blocks]
        cursor.execute(
            "UPDATE deployments_block b SET payload = %s, rows = a.rows, predictions = a.predictions, "
            "first_hour = a.first_hour, last_hour = a.last_hour, first_at = a.first_at, last_at = a.last_at "
            "FROM (SELECT sum(rows) AS rows, sum(predictions) AS predictions, min(first_hour) AS first_hour, "
            "max(last_hour) AS last_hour, min(first_at) AS first_at, max(last_at) AS last_at FROM deployments_block "
            "WHERE deployment_id = %s AND day = %s AND id = ANY(%s)) a "
            "WHERE b.deployment_id = %s AND b.day = %s AND b.id = %s",
            [encode(rows), deployment_id, same[0], ids, deployment_id, same[0], ids[-1]],
        )
        cursor.execute(
            "DELETE FROM deployments_block WHERE deployment_id = %s AND day = %s AND id = ANY(%s)",
            [deployment_id, same[0], ids[:-1]],
        )


def _actuals(deployment_id: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT day, grain, bucket FROM deployments_actualblock WHERE deployment_id = %s "
            "GROUP BY 1, 2, 3 HAVING count(*) > %s AND sum(rows) <= %s",
            [deployment_id, MANY, MOST_ROWS],
        )
        crowded = cursor.fetchall()
        for same in crowded:
            cursor.execute(
                "SELECT id, payload FROM deployments_actualblock "
                "WHERE deployment_id = %s AND day = %s AND grain = %s AND bucket = %s ORDER BY id",
                [deployment_id, *same],
            )
            blocks = cursor.fetchall()
            ids = [block[0] for block in blocks]
            rows = pl.concat([decode(block[1]) for block in blocks], how="vertical_relaxed")
            rows = rows.sort("seq", maintain_order=True).unique(["hour", "id"], keep="last", maintain_order=True)
            cursor.execute(
                "UPDATE deployments_actualblock SET payload = %s, rows = %s "
                "WHERE deployment_id = %s AND day = %s AND id = %s",
                [encode(rows), rows.height, deployment_id, same[0], ids[-1]],
            )
            cursor.execute(
                "DELETE FROM deployments_actualblock WHERE deployment_id = %s AND day = %s AND id = ANY(%s)",
                [deployment_id, same[0], ids[:-1]],
            )
    return len(crowded)


def _stamped(rows: pl.DataFrame, received: int) -> pl.DataFrame:
    return rows if "received" in rows.columns else rows.with_columns(received=pl.lit(received, pl.Int64))
