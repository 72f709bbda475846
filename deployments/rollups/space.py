"""States by cell of the globe: what predictions, and predictions with actuals, add up to in each hexagon.

A state holds all cells of one bucket of a geospatial feature. It is kept at the finest resolution that gives at most
MOST_CELLS of them: since no answer shows more, an answer that takes in this bucket could not be finer. So a state has
a bounded size, and nothing is lost by it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from deployments.models import ModelPackage
from deployments.registry import baseline_of, target_spec
from deployments.rollups.compute import Coded, Columns, Model
from deployments.rollups.cuts import Attribute
from deployments.rollups.piece import Piece
from deployments.rollups.states import AccuracyState, PredictionState, pack_counts, unpack_counts
from deployments.rollups.write import Row
from metrics import (
    MOST_CELLS,
    ScoreCounts,
    TextBins,
    binary_sums,
    count_by_group,
    fitting_resolution,
    merge_scores,
    multiclass_scores,
    multiclass_sums,
    parents,
    regression_sums,
    resolution_of,
    rows_by_group,
    score_counts,
    sum_by_group,
)

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
Scores = Sequence[tuple[ScoreCounts, ...]]

MOST_GROUPS = 20_000
"""Cells of all buckets that are counted at a time; bounds the memory that counting takes."""

ALL_VALUES = 0
_HEAD = 3
_ENCODER, _DECODER = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder()


@dataclass(frozen=True, eq=False)
class Cells:
    """Rows by cell, the cells in rising order: counts `[cells, …]`, sums `[cells, …]`, and score counts of accuracy."""

    cells: Counts
    counts: Counts
    sums: Floats
    scores: Scores = ()

    def encode(self) -> bytes:
        parts = [self.cells.tobytes(), pack_counts(self.counts.ravel()), self.sums.tobytes()]
        return zlib.compress(_ENCODER.encode([*parts, _pack_scores(self.scores)]), 1)

    @property
    def resolution(self) -> int:
        """The resolution of the cells; the finest one without any."""
        return resolution_of(self.cells)


NOTHING = Cells(np.empty(0, np.int64), np.empty((0, 0), np.int64), np.empty((0, 0)))


def decode(payload: bytes | memoryview) -> Cells:
    """What `Cells.encode` wrote."""
    cells, counts, sums, scores = _DECODER.decode(zlib.decompress(payload))
    if not cells:
        return NOTHING
    found = np.frombuffer(cells, np.int64)
    return Cells(
        found,
        unpack_counts(counts).reshape(len(found), -1),
        np.frombuffer(sums).reshape(len(found), -1),
        _unpack_scores(scores, len(found)),
    )


def _pack_scores(scores: Scores) -> list[bytes]:
    """The score counts of all cells as a few arrays: most cells have few rows, so each alone would be mostly header."""
    flat = [part for own in scores for part in own]
    if not flat:
        return []
    return [
        bytes(part.exact for part in flat),
        np.array([len(part.keys) for part in flat], np.int32).tobytes(),
        np.concatenate([part.keys for part in flat]).astype(np.float64).tobytes(),
        pack_counts(np.concatenate([part.negatives for part in flat])),
        pack_counts(np.concatenate([part.positives for part in flat])),
    ]


def _unpack_scores(raw: Sequence[bytes], n_cells: int) -> Scores:
    """What `_pack_scores` wrote."""
    if not raw:
        return ()
    ends = np.cumsum(np.frombuffer(raw[1], np.int32)).tolist()
    keys, negatives, positives = np.frombuffer(raw[2]), unpack_counts(raw[3]), unpack_counts(raw[4])
    flat = [
        ScoreCounts(keys[left:right], negatives[left:right], positives[left:right], exact=bool(exact))
        for exact, (left, right) in zip(raw[0], pairwise([0, *ends]), strict=True)
    ]
    width = len(flat) // n_cells
    return [tuple(flat[at : at + width]) for at in range(0, len(flat), width)]


def merge(parts: Sequence[Cells]) -> Cells:
    """All rows of the parts, by the finest cells that all parts tell apart and that are few enough."""
    found = at_resolution(parts, min((part.resolution for part in parts if part.cells.size), default=0))
    return at_resolution([found], fitting_resolution(found.cells))


def at_resolution(parts: Sequence[Cells], resolution: int) -> Cells:
    """All rows of the parts by cells of a resolution that is not finer than theirs."""
    filled = [part for part in parts if part.cells.size]
    if not filled:
        return NOTHING
    if len(filled) == 1 and filled[0].resolution == resolution:
        return filled[0]
    homes = parents(np.concatenate([part.cells for part in filled]), resolution)
    order = np.argsort(homes, kind="stable")
    starts = np.flatnonzero(np.diff(homes[order], prepend=np.int64(-1)))
    counts = np.add.reduceat(np.concatenate([part.counts for part in filled])[order], starts, axis=0)
    sums = np.add.reduceat(np.concatenate([part.sums for part in filled])[order], starts, axis=0)
    scores: list[tuple[ScoreCounts, ...]] = []
    if all(part.scores for part in filled):
        own = [one for part in filled for one in part.scores]
        for left, right in pairwise([*starts.tolist(), len(order)]):
            together = [own[place] for place in order[left:right].tolist()]
            scores.append(tuple(merge_scores(of_class) for of_class in zip(*together, strict=True)))
    return Cells(homes[order][starts], counts, sums, scores)


def added(payloads: Sequence[bytes]) -> bytes:
    """The sum of encoded states."""
    return merge([decode(raw) for raw in payloads]).encode()


@dataclass(frozen=True)
class Layout:
    """Where the counts of predictions lie: three heads, classes, target bins, then the bins of each feature."""

    classes: int
    target: int
    names: tuple[str, ...]
    sizes: tuple[int, ...]

    def state(self, cells: Cells, place: int) -> PredictionState:
        """One cell as the state of its predictions."""
        counts = cells.counts[place]
        rows, predicted, warned = (int(number) for number in counts[:_HEAD])
        edges = np.cumsum([_HEAD, self.classes, self.target, *self.sizes])
        classes, target, *features = (counts[left:right] for left, right in pairwise(edges.tolist()))
        found = dict(zip(self.names, features, strict=True))
        return PredictionState(rows, 0, predicted, warned, found, target, classes, cells.sums[place])


# --- Counting -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Groups:
    """Some buckets' cells as groups: `rows` are the numbers of their rows, `group` the group of each of those."""

    places: Counts
    cells: Counts
    rows: Counts
    group: Counts

    @property
    def n(self) -> int:
        return len(self.cells)

    def split(self, found: Cells) -> Iterator[tuple[int, Cells]]:
        """The cells of each bucket, by the bucket's place."""
        edges = np.flatnonzero(np.diff(self.places, prepend=-1, append=-1))
        for left, right in pairwise(edges.tolist()):
            scores = found.scores[left:right] if found.scores else ()
            part = Cells(found.cells[left:right], found.counts[left:right], found.sums[left:right], scores)
            yield int(self.places[left]), part


def groups_of(cell: Counts, place: Counts) -> Iterator[Groups]:
    """The rows with a cell, by bucket and cell, some buckets at a time; in a crowded bucket cells get coarser."""
    kept = np.flatnonzero((cell != 0) & (place >= 0))
    if not kept.size:
        return
    place = place[kept]
    fine = cell[kept]
    keys, group = _pairs(place, fine)
    crowded = np.flatnonzero(np.bincount(keys[0]) > MOST_CELLS)
    for bucket in crowded.tolist():
        resolution = fitting_resolution(keys[1][keys[0] == bucket])
        fine = np.where(place == bucket, parents(fine, resolution), fine)
    if crowded.size:
        keys, group = _pairs(place, fine)
    order = np.argsort(group, kind="stable")
    bounds = np.searchsorted(group[order], np.arange(len(keys[0]) + 1))
    firsts = np.flatnonzero(np.diff(keys[0], prepend=-1))
    cuts = [0]
    for first in firsts.tolist():
        if first - cuts[-1] > MOST_GROUPS:
            cuts.append(first)
    for left, right in pairwise([*cuts, len(keys[0])]):
        rows = order[bounds[left] : bounds[right]]
        yield Groups(keys[0][left:right], keys[1][left:right], kept[rows], group[rows] - left)


def _pairs(place: Counts, cell: Counts) -> tuple[tuple[Counts, Counts], Counts]:
    """The different pairs of bucket and cell in order, and the number of each row's pair."""
    distinct, index = np.unique(cell, return_inverse=True)
    found, group = np.unique(place * len(distinct) + index, return_inverse=True)
    return (found // len(distinct), distinct[found % len(distinct)]), group.astype(np.int64)


def predictions(groups: Groups, found: Columns, layout: Layout) -> Cells:
    """Predictions by group, in the columns of the layout; zeros for what is not tracked."""
    rows, n = groups.rows, groups.n
    group = groups.group if found.skipped is None else np.where(found.skipped[rows], -1, groups.group)
    known = ~np.isnan(found.predicted[rows]).any(axis=1)
    usable = np.where(known, group, -1)
    warned = np.full(len(rows), -1) if found.warned is None else np.where(found.warned[rows], group, -1)
    columns = [np.column_stack([rows_by_group(one, n) for one in (group, usable, warned)])]
    if found.labels is not None:
        columns.append(count_by_group(found.labels[rows], usable, n, layout.classes))
    columns.append(_coded(found.target, rows, group, n, layout.target))
    for name, size in zip(layout.names, layout.sizes, strict=True):
        columns.append(_coded(found.features.get(name), rows, group, n, size))
    sums = [sum_by_group(np.nan_to_num(column[rows]), usable, n) for column in found.predicted.T]
    return Cells(groups.cells, np.concatenate(columns, axis=1), np.stack(sums, axis=1))


def _coded(column: Coded | None, rows: Counts, group: Counts, n: int, size: int) -> Counts:
    if column is None or not size:
        return np.zeros((n, size), np.int64)
    return count_by_group(column.codes[rows], group, n, size)


def accuracy(groups: Groups, total: Counts, y: Floats, z: Floats, model: Model) -> Cells:
    """Predictions with actuals by group; `total`: rows that may be scored, `y` and `z`: actual and prediction."""
    n, classes = groups.n, len(model.target.classes)
    usable = np.isfinite(y) & np.isfinite(z).all(axis=1)
    group = np.where(usable, groups.group, -1)
    head = np.column_stack([total, rows_by_group(group, n)])
    if model.target.is_text:
        return Cells(groups.cells, head, np.zeros((n, 0)))
    if not classes:
        return Cells(groups.cells, head, regression_sums(y, z[:, 0], group, n, model.center))
    actual, labels = np.where(usable, y, 0).astype(np.int64), model.target.labels(z)
    counts = [head, count_by_group(actual, group, n, classes), count_by_group(labels, group, n, classes)]
    if model.target.is_binary:
        sums = binary_sums(actual == 1, z[:, 0], group, n, model.target.threshold)
        scores: list[list[ScoreCounts]] = [score_counts(z[:, 0], actual == 1, group, n)]
    else:
        sums = multiclass_sums(actual, labels, z, group, n, classes)
        scores = multiclass_scores(actual, z, group, n)
    return Cells(groups.cells, np.concatenate(counts, axis=1), sums, list(zip(*scores, strict=True)))


# --- The engine's side --------------------------------------------------------------------------------------------


def prediction_states(piece: Piece, followed: Sequence[Attribute]) -> Iterable[Row]:
    """Predictions by cell of each geospatial feature."""
    layout = layout_of(piece.model.package)
    for attribute in followed:
        for groups in groups_of(_cells(piece, attribute), piece.place):
            found = predictions(groups, piece.columns, layout)
            yield from _rows(attribute, piece, groups.split(found))


def accuracy_states(piece: Piece, followed: Sequence[Attribute]) -> Iterable[Row]:
    """Predictions with actuals by cell of each geospatial feature."""
    scored, model = piece.scored, piece.counted
    y = np.full(piece.table.height, np.nan)
    z = np.full((piece.table.height, scored.predicted.shape[1]), np.nan)
    y[scored.rows], z[scored.rows] = scored.actual, scored.predicted
    for attribute in followed:
        for groups in groups_of(_cells(piece, attribute), piece.place):
            total = rows_by_group(np.where(scored.counted[groups.rows], groups.group, -1), groups.n)
            found = accuracy(groups, total, y[groups.rows], z[groups.rows], model)
            yield from _rows(attribute, piece, groups.split(found))


def _rows(attribute: Attribute, piece: Piece, parts: Iterable[tuple[int, Cells]]) -> Iterator[Row]:
    for place, part in parts:
        yield attribute.id, ALL_VALUES, piece.buckets[place], part.encode()


def _cells(piece: Piece, attribute: Attribute) -> Counts:
    """The cell of each row that was received since the feature is followed, else 0."""
    return np.where(piece.table["received"].to_numpy() >= attribute.since, piece.cells(attribute.name), 0)


# --- Reading ------------------------------------------------------------------------------------------------------


def layout_of(package: ModelPackage) -> Layout:
    """The layout of a package, which never changes."""
    baseline, bins = baseline_of(package), target_spec(package)
    names = baseline.by_cell
    sizes = tuple(baseline.features[name].bins.size for name in names)
    # the words of a text are too many to be counted in every cell
    target = 0 if bins is None or isinstance(bins, TextBins) else bins.size
    return Layout(len(package.class_names), target, names, sizes)


def accuracy_state(package: ModelPackage, cells: Cells, place: int) -> AccuracyState:
    """One cell as the state of its scored predictions."""
    counts, classes = cells.counts[place], len(package.class_names)
    actual, predicted = counts[2 : 2 + classes], counts[2 + classes :]
    scores = cells.scores[place] if cells.scores else ()
    return AccuracyState(
        int(counts[0]),
        int(counts[1]),
        0,
        cells.sums[place],
        scores,
        actual_class_counts=actual,
        predicted_class_counts=predicted,
    )
