"""Actuals whose prediction was taken out: they are filed again, and wait where no other prediction is left.

They keep their order of submission: a block of actuals is known by its place in that order, and here it gets the same
place again. An actual that was sent with `keepActualsWithoutPredictions` false waits too: what was accepted stays.
"""

from __future__ import annotations

import polars as pl
from django.db import connection
from django.utils import timezone

from deployments import partitions
from deployments.blocks import decode, encode, keys_of
from deployments.ingest import store
from deployments.ingest.prepared import Prepared, microseconds
from deployments.models import ActualBlock, Block, BlockKind, BlockState, Deployment, Grain
from deployments.rollups import keys

NO_HOUR = -1


def let_go(deployment_id: int, grain: Grain, place: int) -> None:
    """Of the actuals of a day (or batch) those at the places in the table `gone_keys`; `grain` is that of the keys."""
    lie = Grain.DAY if grain is Grain.HOUR else grain
    gone, still = _places(deployment_id, grain)
    freed: list[pl.DataFrame] = []
    for block in ActualBlock.objects.filter(deployment_id=deployment_id, grain=lie, bucket=place).order_by("id"):
        rows = decode(block.payload)
        keyed = rows.with_columns(key=pl.Series(keys_of(rows["id"])))
        freed.append(keyed.join(gone, on=["key", "hour"], how="semi").drop("key", "hour"))
        kept = keyed.join(gone.join(still, on=["key", "hour"], how="anti"), on=["key", "hour"], how="anti")
        if kept.height < rows.height:
            _replace(block, kept.drop("key"))
    _file_again(deployment_id, freed)


def _places(deployment_id: int, grain: Grain) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Keys and hours that lost a prediction, and those of them where another model's is left."""
    schema = {"key": pl.Int64, "hour": pl.Int64}
    with connection.cursor() as cursor:
        cursor.execute("SELECT key, bucket FROM gone_keys")
        gone = cursor.fetchall()
        cursor.execute(
            "SELECT DISTINCT g.key, g.bucket FROM gone_keys g JOIN deployments_predictionkey p ON p.key = g.key "
            "AND p.bucket = g.bucket WHERE p.deployment_id = %s AND p.grain = %s",
            [deployment_id, int(grain)],
        )
        still = cursor.fetchall()
    tables = (pl.DataFrame(rows, schema=schema, orient="row") for rows in (gone, still))
    if grain is Grain.BATCH:
        tables = (table.with_columns(hour=pl.lit(NO_HOUR, pl.Int64)) for table in tables)
    first, second = tables
    return first, second


def _replace(block: ActualBlock, rows: pl.DataFrame) -> None:
    one = ActualBlock.objects.filter(deployment_id=block.deployment_id, day=block.day, id=block.id)
    if rows.height:
        one.update(rows=rows.height, payload=encode(rows))
    else:
        one.delete()


def _file_again(deployment_id: int, freed: list[pl.DataFrame]) -> None:
    tables = [rows for rows in freed if rows.height]
    if not tables:
        return
    now = timezone.now()
    partitions.ensure([now.date()])
    stamped = pl.concat(tables, how="vertical_relaxed").with_columns(at=pl.lit(microseconds(now), pl.Int64))
    received = Deployment.objects.filter(pk=deployment_id).values_list("last_actual_at", flat=True).get() or now
    for rows in stamped.partition_by("seq", maintain_order=True):
        block_id = int(rows["seq"][0])
        waiting = Block.objects.filter(deployment_id=deployment_id, kind=BlockKind.ACTUALS, id=block_id).first()
        own = rows.drop("seq")
        if waiting is not None:
            keys.forget_waiting(deployment_id, [block_id])
            own = pl.concat([decode(waiting.payload), own], how="diagonal_relaxed")
            same = Block.objects.filter(deployment_id=deployment_id, day=waiting.day, id=block_id)
            same.update(rows=own.height, predictions=own.height, payload=encode(own), state=BlockState.PENDING)
            continue
        with connection.cursor() as cursor:
            part = Prepared(BlockKind.ACTUALS, 0, None, own)
            store.insert(cursor, deployment_id, part, own, received, None, keep_unmatched=True, block_id=block_id)
