"""A batch too large to be held in memory: its rows are counted some at a time, and the states are added.

An actual may belong to any prediction of the batch, so for accuracy the rows are first parted by their association
ids: all rows and actuals of an id lie in one part. The parts wait in two files without a name, one of predictions and
one of actuals, which are gone with the process.

Memory is bounded by the rows of a part, and 8 bytes for each place in those files where one begins: with a part of m
rows, a batch of n rows and a actuals has (n/m)² + n·a/m² places, two megabytes for a hundred million rows and as many
actuals in parts of 300,000. Rows of one association id cannot be parted, and are held together.
"""

from __future__ import annotations

import io
import secrets
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import IO

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deployments.blocks import FEATURE, SEGMENT, together
from deployments.ingest.shape import shape_of
from deployments.models import Area, DeployedModel, Grain, SegmentAttribute
from deployments.rollups import attributes, compute, loading
from deployments.rollups.areas import added, made
from deployments.rollups.cuts import Attribute
from deployments.rollups.declarations import Rollup
from deployments.rollups.piece import Piece
from deployments.rollups.read import layout_of
from deployments.rollups.write import Row, replace_states

_SEED = secrets.randbits(63)
SOME = 8
"""States of one segment value that are kept before they are added."""


def recompute(model: DeployedModel, rollup: Rollup, batch_id: int, most_rows: int) -> None:
    """Make the states of a batch anew, with about `most_rows` rows in memory."""
    known = attributes.known(model.deployment_id)
    followed: dict[int, Attribute] = {}
    states = _Sums(model, rollup.area)
    for rows in _parts(model, rollup, batch_id, most_rows, known):
        own = attributes.followed(known, rollup, rows.table)
        followed |= {attribute.id: attribute for attribute in own}
        if not rows.table.height:
            continue
        place = np.zeros(rows.table.height, np.int64)
        piece = Piece(model, Grain.BATCH, rows.table, place + batch_id, place, [batch_id], rows.actuals)
        for row, counts in _made(rollup.area, piece, own):
            states.add(row, counts=counts)
    replace_states(model, rollup.area, Grain.BATCH, [batch_id], followed.values(), states.rows())


def _made(area: Area, piece: Piece, followed: Sequence[Attribute]) -> Iterator[tuple[Row, bool]]:
    """The states of some rows, and whether each counts: accuracy only where a row has an association id."""
    if area is not Area.ACCURACY:
        yield from ((row, True) for row in made(area, piece, followed))
        return
    cuts = piece.cuts(followed)
    marks = [[b"" if rows else None for rows in counts.tolist()] for counts in compute.with_ids(piece.scored, cuts)]
    keyed = {row[:3] for row in piece.labelled(cuts, marks)}
    for row in piece.labelled(cuts, compute.bare_accuracy(piece.scored, cuts, piece.counted)):
        yield row, row[:3] in keyed


class _Sums:
    """The states of rows that were counted apart, by segment value."""

    def __init__(self, model: DeployedModel, area: Area) -> None:
        self._area, self._layout = area, layout_of(model)
        self._payloads: dict[tuple[int, int, int], list[bytes]] = {}
        self._counting: set[tuple[int, int, int]] = set()

    def add(self, row: Row, *, counts: bool) -> None:
        """One more state; those of a value of which none counts are left out in the end."""
        *key, payload = row
        where = (key[0], key[1], key[2])
        waiting = self._payloads.setdefault(where, [])
        waiting.append(payload)
        if len(waiting) >= SOME:
            waiting[:] = [added(self._area, waiting, self._layout)]
        if counts:
            self._counting.add(where)

    def rows(self) -> Iterator[Row]:
        """The sums."""
        for where, payloads in self._payloads.items():
            if where in self._counting:
                yield *where, added(self._area, payloads, self._layout)


# --- Parts ------------------------------------------------------------------------------------------------------


def _parts(
    model: DeployedModel, rollup: Rollup, batch_id: int, most_rows: int, known: Sequence[SegmentAttribute]
) -> Iterator[loading.Rows]:
    """The rows as they were sent; for accuracy by association id, with their actuals."""
    if rollup.area is not Area.ACCURACY:
        nothing = loading.no_actuals(model)
        yield from (loading.Rows(table, nothing) for table in loading.of_batch(model, rollup, batch_id, most_rows))
        return
    n_parts = -(-loading.rows_of_batch(model, rollup, batch_id) // most_rows)
    columns = _needed(model, known)
    with tempfile.TemporaryFile() as rows_file, tempfile.TemporaryFile() as actuals_file:
        predicted, actual = _Parted(n_parts, rows_file), _Parted(n_parts, actuals_file)
        for table in loading.of_batch(model, rollup, batch_id, most_rows, columns):
            predicted.put(table)
        for table in loading.actuals_in_parts(model, Grain.BATCH, [batch_id], most_rows):
            actual.put(table)
        for number in range(n_parts):
            given = actual.take(number)
            yield loading.Rows(predicted.take(number), given if given.width else loading.no_actuals(model))


def _needed(model: DeployedModel, known: Iterable[SegmentAttribute]) -> list[str]:
    """The columns by which predictions are scored and parted."""
    names = [row.name for row in known]
    parting = [prefix + name for prefix in (SEGMENT, FEATURE) for name in names]
    always = ("at", "id", "d", "p", "skip", "received")
    return list(dict.fromkeys([*always, *shape_of(model).target.columns, *parting]))


class _Parted:
    """Rows in one file by the hash of their ids; those without any are spread evenly.

    A part is a span of the file for each time that rows were put, whose bounds are 64-bit numbers in memory.
    """

    def __init__(self, n_parts: int, file: IO[bytes]) -> None:
        self._n_parts, self._file = n_parts, file
        self._bounds: list[NDArray[np.int64]] = []

    def put(self, rows: pl.DataFrame) -> None:
        """Append rows, each to its part; within a part they stay in order."""
        hashes = rows["id"].hash(_SEED).to_numpy() % np.uint64(self._n_parts)
        spread = np.arange(rows.height, dtype=np.uint64) % np.uint64(self._n_parts)
        number = np.where(rows["id"].is_null().to_numpy(), spread, hashes)
        order = np.argsort(number, kind="stable")
        parted, edges = rows[order], np.searchsorted(number[order], np.arange(self._n_parts + 1, dtype=np.uint64))
        bounds = [self._file.seek(0, io.SEEK_END)]
        for since, until in pairwise(edges.tolist()):
            if until > since:
                parted[since:until].write_ipc_stream(self._file, compression="lz4")
            bounds.append(self._file.tell())
        self._bounds.append(np.array(bounds, np.int64))

    def take(self, part: int) -> pl.DataFrame:
        """All rows of a part, in the order in which they were put; without any, a frame without columns."""
        spans = (bounds[part : part + 2].tolist() for bounds in self._bounds)
        return together([self._read(since, until) for since, until in spans if until > since])

    def _read(self, since: int, until: int) -> pl.DataFrame:
        self._file.seek(since)
        return pl.read_ipc_stream(self._file.read(until - since))
