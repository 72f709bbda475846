"""A batch too large to be held in memory: its rows are counted some at a time, and the states are added.

An actual may belong to any prediction of the batch, so for accuracy the rows are first parted by their association
ids: all rows and actuals of an id lie in one part. The parts wait in files without a name, which are gone with the
process. Memory is bounded by the rows of a part, whatever the size of the batch.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack

import numpy as np
import polars as pl

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
    with ExitStack() as files:
        predicted, actual = _Parted(n_parts, files), _Parted(n_parts, files)
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
    """Rows in files by the hash of their ids; those without any are spread evenly."""

    def __init__(self, n_parts: int, stack: ExitStack) -> None:
        self._files = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(n_parts)]  # noqa: SIM115
        self._lengths: list[list[int]] = [[] for _ in range(n_parts)]

    def put(self, rows: pl.DataFrame) -> None:
        """Append rows, each to its part; within a part they stay in order."""
        hashes = rows["id"].hash(_SEED).to_numpy() % np.uint64(len(self._files))
        spread = np.arange(rows.height, dtype=np.uint64) % np.uint64(len(self._files))
        number = np.where(rows["id"].is_null().to_numpy(), spread, hashes)
        for part, (file, lengths) in enumerate(zip(self._files, self._lengths, strict=True)):
            began = file.tell()
            rows.filter(pl.Series(number == part)).write_ipc_stream(file, compression="lz4")
            lengths.append(file.tell() - began)

    def take(self, part: int) -> pl.DataFrame:
        """All rows of a part, in the order in which they were put."""
        file = self._files[part]
        file.seek(0)
        return together([pl.read_ipc_stream(file.read(length)) for length in self._lengths[part]])
