"""New blocks are filed: predictions and service events under their hours or batch, actuals under their prediction's.

Each function does one bounded piece within the caller's transaction and says whether there was anything to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import polars as pl
from django.db import connection
from django.db.models import F, Value
from django.db.models.functions import Greatest, Least

from deployments.blocks import SKIP_ACCURACY, decode, encode, forecast_ids, hours, keys_of
from deployments.models import BatchModel, BlockKind, BlockState, Deployment, Grain, IngestRequest, MonitoringBatch
from deployments.rollups import keys
from deployments.rollups.declarations import FED_BY
from deployments.rollups.keys import Incoming, Moves
from deployments.rollups.marks import Mark, mark
from deployments.rollups.numbering import distinct
from metrics import day_start

MOST_ROWS = 300_000
"""Rows looked at in one transaction."""


@dataclass(frozen=True)
class Pending:
    """A block that nobody has looked at."""

    id: int
    day: date
    kind: BlockKind
    model_id: int
    batch_id: int | None
    rows: int
    predictions: int
    first_at: datetime
    last_at: datetime
    received_at: datetime
    request_key: int | None
    keep_unmatched: bool
    is_replay: bool
    payload: bytes


_COLUMNS = (
    "id, day, kind, model_id, batch_id, rows, predictions, first_at, last_at, received_at, request_key, "
    "keep_unmatched, is_replay, payload"
)


def file_rows(deployment_id: int) -> bool:
    """Mark what new predictions and service events touch, and remember the predictions' keys."""
    blocks = _pending(deployment_id, (BlockKind.PREDICTIONS, BlockKind.SERVICE))
    if not blocks:
        return False
    marks: set[Mark] = set()
    incoming: list[Incoming] = []
    for block in blocks:
        rows = decode(block.payload)
        grain, buckets = _buckets(block, rows)
        touched = distinct(buckets)[0].tolist()
        for area in FED_BY[block.kind]:
            marks |= {(int(area), int(grain), block.model_id, bucket) for bucket in touched}
        if block.kind is BlockKind.PREDICTIONS:
            incoming += _incoming(block, rows, grain, buckets)
    found = keys.remember(deployment_id, incoming)
    _carry_over(deployment_id, found.moves)
    _look_again(deployment_id, found.waiting)
    mark(deployment_id, [*marks, *found.superseded])
    _set_state(deployment_id, blocks, BlockState.ROLLED)
    _note_times(deployment_id, blocks)
    return True


def file_actuals(deployment_id: int) -> bool:
    """Put new actuals beside their predictions; those without wait or are refused, as their sender chose."""
    blocks = _pending(deployment_id, (BlockKind.ACTUALS,))
    if not blocks:
        return False
    tables = [decode(block.payload).with_columns(seq=pl.lit(block.id, pl.Int64)) for block in blocks]
    hashed = [keys_of(table["id"]) for table in tables]
    found = keys.where(deployment_id, np.concatenate(hashed))
    spots = pl.DataFrame({"key": found.keys, "grain": found.grains, "bucket": found.buckets})
    if (found.models != found.models[:1]).any():
        spots = spots.unique()
    matched: list[pl.DataFrame] = []
    for block, table, own in zip(blocks, tables, hashed, strict=True):
        keyed = table.with_columns(key=pl.Series(own))
        matched.append(keyed.join(spots, on="key", how="inner"))
        _keep_rest(deployment_id, block, keyed.join(spots, on="key", how="anti"))
    _store(deployment_id, pl.concat(matched, how="diagonal_relaxed"), max(block.day for block in blocks))
    mark(deployment_id, found.marks())
    last = max(block.received_at for block in blocks)
    Deployment.objects.filter(pk=deployment_id).update(last_actual_at=Greatest(F("last_actual_at"), Value(last)))
    return True


def _pending(deployment_id: int, kinds: Iterable[BlockKind]) -> list[Pending]:
    """The oldest pending blocks, as many as MOST_ROWS allow and at least one."""
    names = _COLUMNS.split(", ")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM (SELECT *, sum(rows) OVER (ORDER BY id) - rows AS before FROM deployments_block "  # noqa: S608
            "WHERE deployment_id = %s AND state = 1 AND kind = ANY(%s)) b WHERE before < %s ORDER BY id",
            [deployment_id, [int(kind) for kind in kinds], MOST_ROWS],
        )
        found = cursor.fetchall()
    return [_as_pending(dict(zip(names, row, strict=True))) for row in found]


def _as_pending(row: dict[str, Any]) -> Pending:
    return Pending(**row | {"kind": BlockKind(row["kind"]), "payload": bytes(row["payload"])})


def _buckets(block: Pending, rows: pl.DataFrame) -> tuple[Grain, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    if block.batch_id is not None:
        return Grain.BATCH, np.full(rows.height, block.batch_id, np.int64)
    return Grain.HOUR, hours(rows)


def _incoming(
    block: Pending, rows: pl.DataFrame, grain: Grain, buckets: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> list[Incoming]:
    keep = rows["id"].is_not_null()
    if "skip" in rows.columns:
        keep &= (rows["skip"].fill_null(0) & SKIP_ACCURACY) == 0
    places, hashed = buckets[keep.to_numpy()], keys_of(rows["id"].filter(keep))
    if "d" not in rows.columns:
        return [Incoming(grain, block.model_id, hashed, places)]
    forecasts = keys_of(forecast_ids(rows).filter(keep))
    return [
        Incoming(grain, block.model_id, hashed, places, single=False),
        Incoming(grain, block.model_id, forecasts, places),
    ]


def _carry_over(deployment_id: int, moves: Moves) -> None:
    """Actuals of an id that is predicted again in another hour are wanted there too."""
    if not moves.keys:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT payload FROM deployments_actualblock WHERE deployment_id = %s AND grain = %s AND bucket = ANY(%s)",
            [deployment_id, int(Grain.DAY), sorted({hour // 24 for hour in moves.old})],
        )
        tables = [decode(row[0]) for row in cursor.fetchall()]
    if not tables:
        return
    rows = pl.concat(tables, how="diagonal_relaxed")
    rows = rows.with_columns(key=pl.Series(keys_of(rows["id"])))
    wanted = pl.DataFrame({"key": moves.keys, "hour": moves.old, "bucket": moves.new})
    copied = rows.join(wanted, on=["key", "hour"], how="inner").with_columns(grain=pl.lit(int(Grain.HOUR)))
    _store(deployment_id, copied, None)


def _look_again(deployment_id: int, block_ids: Sequence[int]) -> None:
    if not block_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE deployments_block SET state = %s WHERE deployment_id = %s AND id = ANY(%s) AND kind = %s",
            [int(BlockState.PENDING), deployment_id, list(block_ids), int(BlockKind.ACTUALS)],
        )
    keys.forget_waiting(deployment_id, block_ids)


def _keep_rest(deployment_id: int, block: Pending, rest: pl.DataFrame) -> None:
    """What found no prediction stays in the block and waits, or is dropped and counted."""
    waiting = rest.height if block.keep_unmatched else 0
    with connection.cursor() as cursor:
        if waiting:
            keys.wait_for(deployment_id, block.id, rest["key"].to_numpy())
            cursor.execute(
                "UPDATE deployments_block SET state = %s, rows = %s, payload = %s "
                "WHERE deployment_id = %s AND day = %s AND id = %s",
                [
                    *(int(BlockState.WAITING), waiting, encode(rest.drop("key", "seq"))),
                    *(deployment_id, block.day, block.id),
                ],
            )
        else:
            cursor.execute(
                "DELETE FROM deployments_block WHERE deployment_id = %s AND day = %s AND id = %s",
                [deployment_id, block.day, block.id],
            )
    IngestRequest.objects.filter(pk__in=[block.request_key or 0]).update(
        matched=F("matched") + block.rows - rest.height,
        waiting=waiting,
        refused=F("refused") + (0 if block.keep_unmatched else rest.height),
    )


def _store(deployment_id: int, matched: pl.DataFrame, batch_day: date | None) -> None:
    """Write matched actuals: one block for each day of their predictions, or for each batch."""
    if not matched.height:
        return
    timed = matched.filter(pl.col("grain") == int(Grain.HOUR))
    timed = timed.with_columns(hour=pl.col("bucket"), bucket=pl.col("bucket") // 24)
    batched = matched.filter(pl.col("grain") == int(Grain.BATCH)).with_columns(hour=pl.lit(-1, pl.Int64))
    with connection.cursor() as cursor:
        for grain, rows in ((Grain.DAY, timed), (Grain.BATCH, batched)):
            for bucket, part in _parts(rows):
                day = day_start(bucket).date() if grain is Grain.DAY else batch_day
                cursor.execute(
                    "INSERT INTO deployments_actualblock (deployment_id, day, grain, bucket, rows, payload) "
                    "VALUES (%s, %s, %s, %s, %s, %s)",
                    [deployment_id, day, int(grain), bucket, part.height, encode(part)],
                )


def _parts(rows: pl.DataFrame) -> Iterable[tuple[int, pl.DataFrame]]:
    """What is stored of each bucket's rows."""
    if not rows.height:
        return
    stored = rows.select("id", "y", "acted", "given", pl.col("hour").cast(pl.Int64), "seq", "bucket")
    for part in stored.partition_by("bucket", maintain_order=True):
        *columns, bucket = part.get_columns()
        yield int(bucket[0]), pl.DataFrame(columns)


def _set_state(deployment_id: int, blocks: Sequence[Pending], state: BlockState) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE deployments_block SET state = %s WHERE deployment_id = %s AND day = ANY(%s) AND id = ANY(%s)",
            [int(state), deployment_id, sorted({block.day for block in blocks}), [block.id for block in blocks]],
        )


def _note_times(deployment_id: int, blocks: Sequence[Pending]) -> None:
    """First and last times of the deployment and of its batches; replayed rows repeat what was counted once."""
    blocks = [block for block in blocks if not block.is_replay]
    made = [block for block in blocks if block.predictions]
    served = [block.last_at for block in blocks if block.kind is BlockKind.SERVICE]
    changes: dict[str, object] = {}
    if made:
        changes["first_prediction_at"] = Least(F("first_prediction_at"), Value(min(block.first_at for block in made)))
        changes["last_prediction_at"] = Greatest(F("last_prediction_at"), Value(_latest(made)))
    if served:
        changes["last_request_at"] = Greatest(F("last_request_at"), Value(max(served)))
    if changes:
        Deployment.objects.filter(pk=deployment_id).update(**changes)
    rows = [block for block in blocks if block.kind is BlockKind.PREDICTIONS]
    for batch_id in {block.batch_id for block in rows if block.batch_id is not None}:
        _note_batch(batch_id, [block for block in rows if block.batch_id == batch_id])


def _latest(blocks: Sequence[Pending]) -> datetime:
    """When the last prediction was made: a forecast may count on a date that is still to come."""
    return max(min(block.last_at, block.received_at) for block in blocks)


def _note_batch(batch_id: int, blocks: Sequence[Pending]) -> None:
    """First and last times and number of rows of a batch, in all and by model."""
    MonitoringBatch.objects.filter(pk=batch_id).update(
        earliest_prediction_at=Least(F("earliest_prediction_at"), Value(min(block.first_at for block in blocks))),
        latest_prediction_at=Greatest(F("latest_prediction_at"), Value(max(block.last_at for block in blocks))),
        predictions_count=F("predictions_count") + sum(block.rows for block in blocks),
    )
    for model_id in dict.fromkeys(block.model_id for block in blocks):
        own = [block for block in blocks if block.model_id == model_id]
        first, last = min(block.first_at for block in own), max(block.last_at for block in own)
        row, _ = BatchModel.objects.get_or_create(
            batch_id=batch_id, model_id=model_id, defaults={"start_at": first, "end_at": last}
        )
        BatchModel.objects.filter(pk=row.pk).update(
            start_at=Least(F("start_at"), Value(first)),
            end_at=Greatest(F("end_at"), Value(last)),
            predictions_count=F("predictions_count") + sum(block.rows for block in own),
        )
