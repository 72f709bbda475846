"""Dirty states from their rows: load, count, write, fold hours into days.

A piece is as many buckets of one area and model as MOST_ROWS allow. Days are counted from rows when all their rows are
at hand anyway, else added up from their hours. The areas beside the dirty one are made of the same rows on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deployments.blocks import HOUR_US, together
from deployments.models import Area, DeployedModel, Grain
from deployments.rollups import attributes, large_batches, loading
from deployments.rollups.areas import made, wanted
from deployments.rollups.cuts import Attribute
from deployments.rollups.declarations import FED_BY, ROLLUPS, Rollup, beside
from deployments.rollups.fold import fold_days
from deployments.rollups.loading import Rows
from deployments.rollups.marks import Work, all_dirty, next_work, unmark
from deployments.rollups.numbering import distinct, places
from deployments.rollups.piece import Piece
from deployments.rollups.write import replace_states

MOST_ROWS = 300_000
MOST_BUCKETS = 5_000
HOURS = 24


@dataclass(frozen=True)
class Aim:
    """An area that is to be made, and the attributes that part its rows."""

    area: Area
    followed: Sequence[Attribute]


def next_piece(deployment_id: int) -> bool:
    """Recompute some dirty states; false when all are clean."""
    work = next_work(deployment_id, MOST_BUCKETS)
    if work is None:
        return False
    model = DeployedModel.objects.select_related("package", "deployment").filter(pk=work.model_id).first()
    if model is None:
        unmark(deployment_id, work)
    elif work.grain is Grain.BATCH:
        _batch(model, Work(work.area, work.grain, work.model_id, work.buckets[:1]))
    else:
        _hours(model, work)
    return True


def _batch(model: DeployedModel, work: Work) -> None:
    rollup, batch_id = ROLLUPS[work.area], work.buckets[0]
    if loading.rows_of_batch(model, rollup, batch_id) > MOST_ROWS:
        works = [work]
        large_batches.recompute(model, rollup, batch_id, MOST_ROWS)
    else:
        works = _joined(model.deployment_id, work)
        table = together(list(loading.of_batch(model, rollup, batch_id, MOST_ROWS)))
        rows = Rows(table, loading.actuals(model, Grain.BATCH, work.buckets))
        numbers = np.full(rows.table.height, batch_id, np.int64)
        _write(
            model, Grain.BATCH, rows, numbers, work.buckets, _aims(model, [ROLLUPS[one.area] for one in works], table)
        )
    for one in works:
        unmark(model.deployment_id, one)


def _hours(model: DeployedModel, dirty: Work) -> None:
    rollup = ROLLUPS[dirty.area]
    sizes = loading.rows_by_day(model, rollup, sorted({hour // HOURS for hour in dirty.buckets}))
    work = _piece(dirty, sizes)
    days = sorted({hour // HOURS for hour in work.buckets})
    rows = Rows(loading.of_days(model, rollup, days, work.buckets), loading.actuals(model, Grain.DAY, days))
    numbers = _hour_numbers(rows.table)
    works = _joined(model.deployment_id, work)
    aims = _aims(model, [aim for one in works for aim in (ROLLUPS[one.area], *beside(one.area))], rows.table)
    piece = _write(model, Grain.HOUR, rows, numbers, work.buckets, aims)
    whole = _whole_days(numbers, work.buckets, days, sizes)
    if whole:
        # All rows of these days were counted by hour, so what depends on rows alone is worked out already.
        _replace(piece.by_day(places(piece.numbers // HOURS, whole), whole), aims)
    for aim in aims:
        fold_days(model, aim.area, [day for day in days if day not in set(whole)])
    for one in works:
        unmark(model.deployment_id, one)


def _joined(deployment_id: int, work: Work) -> list[Work]:
    """The work, and that of other areas made of the same rows whose buckets are all dirty too: rows are read once."""
    others = (replace(work, area=area) for area in FED_BY[ROLLUPS[work.area].source] if area is not work.area)
    return [work, *(other for other in others if all_dirty(deployment_id, other))]


def _aims(model: DeployedModel, rollups: Sequence[Rollup], rows: pl.DataFrame) -> list[Aim]:
    """The areas to make; one beside another only where it is switched on."""
    known = attributes.known(model.deployment_id)
    aims = [Aim(rollup.area, attributes.followed(known, rollup, rows)) for rollup in rollups]
    return [aim for aim in aims if ROLLUPS[aim.area].beside is None or wanted(aim.area, model, aim.followed)]


def _write(
    model: DeployedModel,
    grain: Grain,
    rows: Rows,
    numbers: NDArray[np.int64],
    buckets: Sequence[int],
    aims: Sequence[Aim],
) -> Piece:
    """Make the states of these buckets anew. `numbers`: the hour (or batch) of each row."""
    place = places(numbers, buckets)
    inside = place >= 0
    table = rows.table
    if not inside.all():
        table, numbers, place = table.filter(pl.Series(inside)), numbers[inside], place[inside]
    piece = Piece(model, grain, table, numbers, place, buckets, rows.actuals)
    _replace(piece, aims)
    return piece


def _replace(piece: Piece, aims: Sequence[Aim]) -> None:
    for aim in aims:
        states = made(aim.area, piece, aim.followed) if piece.table.height else []
        replace_states(piece.model, aim.area, piece.grain, piece.buckets, aim.followed, states)


def _piece(dirty: Work, sizes: dict[int, int]) -> Work:
    """The newest days whose rows together are few enough, at least one day."""
    chosen: set[int] = set()
    total = 0
    for day in sorted({hour // HOURS for hour in dirty.buckets}, reverse=True):
        total += sizes.get(day, 0)
        if chosen and total > MOST_ROWS:
            break
        chosen.add(day)
    hours = tuple(hour for hour in dirty.buckets if hour // HOURS in chosen)
    return Work(dirty.area, dirty.grain, dirty.model_id, hours)


def _whole_days(
    numbers: NDArray[np.int64], dirty: Sequence[int], days: Sequence[int], sizes: dict[int, int]
) -> list[int]:
    """The days of which all rows are loaded and every hour with rows was dirty."""
    clean = set((numbers[places(numbers, dirty) < 0] // HOURS).tolist())
    loaded, place = distinct(numbers // HOURS)
    at_hand = dict(zip(loaded.tolist(), np.bincount(place, minlength=len(loaded)).tolist(), strict=True))
    return [day for day in days if at_hand.get(day, 0) == sizes.get(day, 0) and day not in clean]


def _hour_numbers(rows: pl.DataFrame) -> NDArray[np.int64]:
    if not rows.height:
        return np.empty(0, np.int64)
    numbers: NDArray[np.int64] = rows["at"].to_numpy() // HOUR_US
    return numbers
