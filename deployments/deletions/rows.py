"""Predictions and service events of one day or batch: out of their blocks, and their keys and states with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import polars as pl
from django.db import connection
from django.db.models import QuerySet

from deployments.blocks import HOUR_US, decode, encode, keys_of
from deployments.deletions import released
from deployments.ingest.prepared import microseconds, moment
from deployments.models import Area, Block, BlockKind, BlockState, DeployedModel, Grain, State
from deployments.rollups.copying import copy_in
from deployments.rollups.declarations import FED_BY, ROLLUPS
from deployments.rollups.fold import fold_days
from deployments.rollups.marks import Mark, mark

HOURS = 24
FED = tuple(area for areas in FED_BY.values() for area in areas)


@dataclass(frozen=True)
class Doomed:
    """Rows of a model from one whole hour to before another; `None` stands for no limit."""

    model: DeployedModel
    start: datetime | None
    end: datetime | None

    @property
    def first_hour(self) -> int:
        return 0 if self.start is None else microseconds(self.start) // HOUR_US

    @property
    def end_hour(self) -> int:
        return 2**31 - 1 if self.end is None else microseconds(self.end) // HOUR_US

    @property
    def blocks(self) -> QuerySet[Block]:
        """The blocks that hold such rows."""
        return Block.objects.filter(
            deployment_id=self.model.deployment_id,
            model_id=self.model.pk,
            kind__in=(BlockKind.PREDICTIONS, BlockKind.SERVICE),
            first_hour__lt=self.end_hour,
            last_hour__gte=self.first_hour,
        )

    def covers(self, day: int) -> bool:
        """Whether the whole day goes."""
        return self.first_hour <= day * HOURS and (day + 1) * HOURS <= self.end_hour

    def cut_days(self) -> list[int]:
        """The days of which only a part goes."""
        edges = {limit // HOURS for limit in (self.first_hour, self.end_hour) if limit % HOURS}
        return sorted(day for day in edges if not self.covers(day))


def of_day(doomed: Doomed, day: date) -> int:
    """Take out the rows of one UTC day; returns how many there were."""
    found = list(doomed.blocks.filter(day=day, batch_id=None).order_by("id"))
    number = (day - date(1970, 1, 1)).days
    gone = _take_out(doomed, found)
    _forget(doomed.model, Grain.HOUR, number, gone)
    _drop_states(doomed.model, Grain.HOUR, number * HOURS, (number + 1) * HOURS, doomed)
    refold(doomed.model, number)
    if not doomed.covers(number):
        _count_again(doomed.model, day)
    return sum(rows.height for rows in gone.frames)


def of_batch(doomed: Doomed, batch_id: int) -> int:
    """Take out the rows that a batch has of the period."""
    gone = _take_out(doomed, list(doomed.blocks.filter(batch_id=batch_id).order_by("id")))
    _forget(doomed.model, Grain.BATCH, batch_id, gone)
    model = doomed.model
    states = State.objects.filter(deployment_id=model.deployment_id, model_id=model.pk, grain=Grain.BATCH)
    states.filter(bucket=batch_id).delete()
    mark(model.deployment_id, [(int(area), int(Grain.BATCH), model.pk, batch_id) for area in FED])
    return sum(rows.height for rows in gone.frames)


def leftovers(doomed: Doomed) -> None:
    """States of hours and days whose rows were pruned long ago."""
    _drop_states(doomed.model, Grain.HOUR, doomed.first_hour, doomed.end_hour)
    first_day, end_day = -(-doomed.first_hour // HOURS), doomed.end_hour // HOURS
    _drop_states(doomed.model, Grain.DAY, first_day, end_day)
    for day in doomed.cut_days():
        if _has_hours(doomed.model, day):
            refold(doomed.model, day)


def refold(model: DeployedModel, day: int) -> None:
    """A day from the hours that are left of it, in every area."""
    for area in ROLLUPS:
        fold_days(model, area, [day])


@dataclass(frozen=True)
class Gone:
    """Rows that were taken out, as they were stored; predictions only, where they were filed already."""

    frames: Sequence[pl.DataFrame]
    filed: Sequence[pl.DataFrame]


def _take_out(doomed: Doomed, blocks: Sequence[Block]) -> Gone:
    frames, filed = [], []
    for block in blocks:
        rows = decode(block.payload)
        hour = pl.col("at") // HOUR_US
        inside = (hour >= doomed.first_hour) & (hour < doomed.end_hour)
        taken, left = rows.filter(inside), rows.filter(~inside)
        if not taken.height:
            continue
        frames.append(taken)
        if block.kind == BlockKind.PREDICTIONS and block.state == BlockState.ROLLED:
            filed.append(taken)
        one = Block.objects.filter(deployment_id=block.deployment_id, day=block.day, id=block.id)
        if left.height:
            one.update(**_header(left, BlockKind(block.kind)))
        else:
            one.delete()
    return Gone(frames, filed)


def _header(rows: pl.DataFrame, kind: BlockKind) -> dict[str, Any]:
    at = rows["at"].to_numpy()
    first, last = int(at.min()), int(at.max())
    return {
        "rows": rows.height,
        "predictions": int(rows["n"].sum()) if kind is BlockKind.SERVICE else rows.height,
        "first_hour": first // HOUR_US,
        "last_hour": last // HOUR_US,
        "first_at": moment(first),
        "last_at": moment(last),
        "payload": encode(rows),
    }


def _forget(model: DeployedModel, grain: Grain, place: int, gone: Gone) -> None:
    """The keys of rows that are gone, and what hung on them: actuals, and earlier predictions of the same ids."""
    keyed = [rows.filter(pl.col("id").is_not_null()) for rows in gone.filed]
    keyed = [rows for rows in keyed if rows.height]
    if not keyed:
        return
    keys = np.concatenate([keys_of(rows["id"]) for rows in keyed])
    hours = np.concatenate([rows["at"].to_numpy() // HOUR_US for rows in keyed])
    buckets = np.full(len(keys), place) if grain is Grain.BATCH else hours
    pairs = np.unique(np.column_stack([keys, buckets]), axis=0)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS gone_keys")
        cursor.execute("CREATE TEMP TABLE gone_keys (key bigint, bucket integer) ON COMMIT DROP")
        copy_in(cursor, "gone_keys", {"key": ("bigint", pairs[:, 0]), "bucket": ("integer", pairs[:, 1])})
        cursor.execute("ANALYZE gone_keys")
        if grain is Grain.BATCH:  # other rows of the batch may hold the same id
            _keep_remaining(model, place)
        cursor.execute(
            "DELETE FROM deployments_predictionkey p USING gone_keys g WHERE p.deployment_id = %s AND p.grain = %s "
            "AND p.model_id = %s AND p.key = g.key AND p.bucket = g.bucket",
            [model.deployment_id, int(grain), model.pk],
        )
        if grain is Grain.HOUR:
            mark(model.deployment_id, _scored_again(model))
    released.let_go(model.deployment_id, grain, place)


def _keep_remaining(model: DeployedModel, batch_id: int) -> None:
    left = Block.objects.filter(
        deployment_id=model.deployment_id, model_id=model.pk, batch_id=batch_id, kind=BlockKind.PREDICTIONS
    )
    for payload in left.filter(state=BlockState.ROLLED).values_list("payload", flat=True).iterator(chunk_size=1):
        ids = decode(payload)["id"].drop_nulls()
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM gone_keys WHERE key = ANY(%s)", [keys_of(ids).tolist()])


def _scored_again(model: DeployedModel) -> list[Mark]:
    """Of the predictions that are left of an id the last is scored, even if a later one stood in its way before."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE deployments_predictionkey p SET superseded = false FROM ("
            "SELECT k.key, max(k.bucket) AS bucket FROM deployments_predictionkey k "
            "JOIN (SELECT DISTINCT key FROM gone_keys) g ON g.key = k.key "
            "WHERE k.deployment_id = %s AND k.grain = %s AND k.model_id = %s GROUP BY 1) last "
            "WHERE p.deployment_id = %s AND p.grain = %s AND p.model_id = %s AND p.key = last.key "
            "AND p.bucket = last.bucket AND p.superseded RETURNING p.bucket",
            [model.deployment_id, int(Grain.HOUR), model.pk] * 2,
        )
        hours = {row[0] for row in cursor.fetchall()}
    return [(int(Area.ACCURACY), int(Grain.HOUR), model.pk, hour) for hour in hours]


def _drop_states(model: DeployedModel, grain: Grain, first: int, end: int, within: Doomed | None = None) -> None:
    if within is not None:
        first, end = max(first, within.first_hour), min(end, within.end_hour)
    states = State.objects.filter(deployment_id=model.deployment_id, model_id=model.pk, grain=grain)
    states.filter(bucket__gte=first, bucket__lt=end).delete()


def _has_hours(model: DeployedModel, day: int) -> bool:
    states = State.objects.filter(deployment_id=model.deployment_id, model_id=model.pk, grain=Grain.HOUR)
    return states.filter(bucket__gte=day * HOURS, bucket__lt=(day + 1) * HOURS).exists()


def _count_again(model: DeployedModel, day: date) -> None:
    """What is left of a day is counted once more from its rows: not every state is a sum of its hours."""
    left = Block.objects.filter(
        deployment_id=model.deployment_id, model_id=model.pk, day=day, batch_id=None, state=BlockState.ROLLED
    )
    marks: set[Mark] = set()
    for kind, payload in left.values_list("kind", "payload").iterator(chunk_size=1):
        for hour in (decode(payload)["at"] // HOUR_US).unique().to_list():
            marks |= {(int(area), int(Grain.HOUR), model.pk, int(hour)) for area in FED_BY.get(BlockKind(kind), ())}
    mark(model.deployment_id, marks)
