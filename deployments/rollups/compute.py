"""Rows to states: one call for thousands of groups, no row looked at twice by Python.

`service`, `predictions` and `accuracy` take the rows of many buckets and return, for each cut, the bytes of the state
of each of its groups. All counting is done by `metrics`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deployments.blocks import FEATURE, SEGMENT, SKIP_DRIFT, WARNING
from deployments.ingest.shape import CONSUMER, Target
from deployments.rollups.columns import floats, matrix
from deployments.rollups.cuts import Cut
from deployments.rollups.levels import places_in
from deployments.rollups.scoring import Scored
from deployments.rollups.states import ServiceState, encode_accuracy, encode_packed, pack_rows
from metrics import (
    BinSpec,
    CategoricalBins,
    NumericBins,
    TextBins,
    binary_sums,
    consumer_hashes,
    consumers,
    count_by_group,
    encoded_scores,
    encoded_sketches,
    latency_counts,
    load_counts,
    multiclass_sums,
    regression_sums,
    rows_by_group,
    service_sums,
    sum_by_group,
)

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
MINUTE_US = 60_000_000


@dataclass(frozen=True)
class Model:
    """What is counted of a model's predictions. No features, or no target bins: that drift is switched off."""

    target: Target
    features: Mapping[str, BinSpec]
    target_bins: BinSpec | None
    center: float = 0.0
    target_tracked: bool = True


# --- Service ----------------------------------------------------------------------------------------------------


def service(rows: pl.DataFrame, cuts: Sequence[Cut], *, by_time: bool = True) -> list[list[bytes]]:
    """Service states by cut and group; without `by_time` (batches) there is no load a minute."""
    at = rows["at"].to_numpy()
    status, made, cached = (rows[name].to_numpy() for name in ("status", "n", "cached"))
    response, execution = floats(rows, "response"), floats(rows, "execution")
    hashes, known = _consumers(rows)
    states: list[list[bytes]] = []
    for cut in cuts:
        group, n = cut.group, cut.n_groups
        parts = zip(
            service_sums(status, made, cached, group, n),
            latency_counts(response, group, n),
            latency_counts(execution, group, n),
            load_counts(at // MINUTE_US, group if by_time else np.full(len(group), -1), n),
            consumers(hashes[known], group[known], n),
            strict=True,
        )
        states.append([ServiceState(*part).encode() for part in parts])
    return states


def _consumers(rows: pl.DataFrame) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """A hash a row, and which rows have a consumer."""
    names = rows[SEGMENT + CONSUMER]
    known = names.is_not_null().to_numpy()
    uniques = names.drop_nulls().unique().to_list()
    table = np.append(consumer_hashes(uniques), np.uint64(0))
    codes = names.replace_strict(uniques, range(len(uniques)), default=len(uniques), return_dtype=pl.Int64)
    return table[codes.fill_null(len(uniques)).to_numpy()], known


# --- Predictions ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Columns:
    """What is counted of each row, whatever bucket it lies in: worked out once for hours and days."""

    skipped: NDArray[np.bool_] | None
    warned: NDArray[np.bool_] | None
    predicted: Floats
    labels: Counts | None
    features: Mapping[str, Coded]
    target: Coded | None

    @classmethod
    def of(cls, rows: pl.DataFrame, model: Model) -> Columns:
        """The columns of these rows."""
        predicted = matrix(rows, model.target)
        labels = model.target.labels(predicted) if model.target.classes else None
        features = {name: coded(rows, name, bins) for name, bins in model.features.items()}
        target = _target_codes(rows, predicted, labels, model)
        return cls(_skipped(rows), _warned(rows), predicted, labels, features, target)


def predictions(columns: Columns, cuts: Sequence[Cut], model: Model) -> list[list[bytes]]:
    """Prediction states by cut and group."""
    skipped, warned, predicted = columns.skipped, columns.warned, columns.predicted
    labels, target = columns.labels, columns.target
    known = ~np.isnan(predicted).any(axis=1)
    states: list[list[bytes]] = []
    for cut in cuts:
        group, n = cut.without(skipped), cut.n_groups
        tracked = np.where(known, group, -1)
        head = (
            rows_by_group(group, n),
            rows_by_group(np.where(skipped, cut.group, -1), n) if skipped is not None else np.zeros(n, np.int64),
            rows_by_group(tracked, n),
            rows_by_group(np.where(warned, group, -1), n) if warned is not None else np.zeros(n, np.int64),
        )
        heads = zip(*(column.tolist() for column in head), strict=True)
        counted = [column.count(group, n) for column in columns.features.values()]
        features = np.concatenate(counted, axis=1) if counted else np.zeros((n, 0), np.int64)
        targets = target.count(group, n) if target is not None else np.zeros((n, 0), np.int64)
        classes, sums, sketches = _of_target(predicted, labels, tracked, n, model)
        parts = zip(heads, *map(pack_rows, (features, targets, classes)), sums, sketches, strict=True)
        states.append([encode_packed(*part) for part in parts])
    return states


def _of_target(
    predicted: Floats, labels: Counts | None, tracked: Counts, n: int, model: Model
) -> tuple[Counts, Floats, list[bytes]]:
    """Class counts, sums and sketches by group; all empty where target drift is switched off."""
    nothing = [b""] * n
    if not model.target_tracked:
        return np.zeros((n, 0), np.int64), np.zeros((n, 0)), nothing
    classes = np.zeros((n, 0), np.int64)
    if labels is not None:
        classes = count_by_group(labels, tracked, n, len(model.target.classes))
    sums = np.stack([sum_by_group(np.nan_to_num(column), tracked, n) for column in predicted.T], axis=1)
    if predicted.shape[1] > 1 or model.target.is_text:
        return classes, sums, nothing
    return classes, sums, encoded_sketches(predicted[:, 0], tracked, n)


@dataclass(frozen=True)
class Coded:
    """A column as codes of its bins; for text one code for each word of a row, `owner` being its row."""

    codes: Counts
    size: int
    owner: Counts | None = None

    def count(self, group: Counts, n: int) -> Counts:
        """How often each bin occurs in each group."""
        return count_by_group(self.codes, group if self.owner is None else group[self.owner], n, self.size)


def coded(rows: pl.DataFrame, name: str, bins: BinSpec) -> Coded:
    """A feature on its bins; a column that was not sent is missing in every row."""
    column = FEATURE + name
    if isinstance(bins, NumericBins):
        return Coded(bins.codes(floats(rows, column)), bins.size)
    words = rows[column] if column in rows.columns else pl.Series(column, [None] * rows.height, pl.String)
    if isinstance(bins, TextBins):
        owner, codes = bins.incidences(words.to_list())
        return Coded(codes, bins.size, owner)
    return Coded(_categories(words, bins), bins.size)


def _categories(words: pl.Series, bins: CategoricalBins) -> Counts:
    """As `CategoricalBins.codes`, but each known level is coded once and the words are placed among them."""
    levels = list(dict.fromkeys([*bins.levels, *bins.known, ""]))
    codes = np.append(bins.codes(levels), bins.size - 2)[places_in(words, levels)]
    if words.null_count():
        codes[words.is_null().to_numpy()] = bins.size - 1
    return codes


def _target_codes(rows: pl.DataFrame, predicted: Floats, labels: Counts | None, model: Model) -> Coded | None:
    bins = model.target_bins
    if bins is None or not model.target_tracked:
        return None
    if isinstance(bins, NumericBins):
        return Coded(bins.codes(predicted[:, 0]), bins.size)
    if isinstance(bins, TextBins):
        owner, codes = bins.incidences(rows["p"].to_list() if "p" in rows.columns else [])
        return Coded(codes, bins.size, owner)
    assert isinstance(bins, CategoricalBins)
    assert labels is not None
    table = np.append(bins.codes(model.target.classes), bins.size - 1)
    return Coded(table[labels], bins.size)


def _skipped(rows: pl.DataFrame) -> NDArray[np.bool_] | None:
    if "skip" not in rows.columns:
        return None
    return (rows["skip"].fill_null(0).to_numpy() & SKIP_DRIFT) > 0


def _warned(rows: pl.DataFrame) -> NDArray[np.bool_] | None:
    return rows[WARNING].fill_null(False).to_numpy() if WARNING in rows.columns else None


# --- Accuracy ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Scores:
    """What the scored rows of each group add up to, packed; `scores` has one entry a class that is ranked."""

    n_actual: Counts
    sum_actual: Floats
    sum_predicted: Floats
    sums: Floats
    scores: Sequence[Sequence[bytes]]
    actual: Sequence[bytes]
    predicted: Sequence[bytes]

    def payloads(self, total: Counts, doubled: Counts) -> list[bytes]:
        """The state of each group; of one without any actual the numbers of rows alone."""
        nothing = (b"", (), b"", b"")
        scores = zip(*self.scores, strict=True) if self.scores else [()] * len(total)
        heads = zip(total.tolist(), self.n_actual.tolist(), doubled.tolist(), strict=True)
        means = zip(self.sum_actual.tolist(), self.sum_predicted.tolist(), strict=True)
        parts = zip(heads, means, self.sums, scores, self.actual, self.predicted, strict=True)
        return [
            encode_accuracy((*head, *levels), sums.tobytes(), of_class, actual, predicted)
            if head[1]
            else encode_accuracy((*head, 0.0, 0.0), *nothing)
            for head, levels, sums, of_class, actual, predicted in parts
        ]


def accuracy(scored: Scored, cuts: Sequence[Cut], model: Model) -> list[list[bytes | None]]:
    """Accuracy states by cut and group; None where no row has an association id."""
    return [
        [payload if any_key else None for payload, any_key in zip(payloads, keyed.tolist(), strict=True)]
        for payloads, keyed in zip(bare_accuracy(scored, cuts, model), with_ids(scored, cuts), strict=True)
    ]


def with_ids(scored: Scored, cuts: Sequence[Cut]) -> list[Counts]:
    """How many rows of each group, by cut, have an association id."""
    return [rows_by_group(np.where(scored.keyed, cut.group, -1), cut.n_groups) for cut in cuts]


def bare_accuracy(scored: Scored, cuts: Sequence[Cut], model: Model) -> list[list[bytes]]:
    """Accuracy states by cut and group, also where no row has an association id."""
    states: list[list[bytes]] = []
    for cut in cuts:
        n = cut.n_groups
        total = rows_by_group(np.where(scored.counted, cut.group, -1), n)
        doubled = rows_by_group(np.where(scored.duplicate, cut.group, -1), n)
        states.append(_accuracy_of_cut(scored, cut.of(scored.rows), n, model).payloads(total, doubled))
    return states


def _accuracy_of_cut(scored: Scored, group: Counts, n: int, model: Model) -> _Scores:
    y, z = scored.actual, scored.predicted
    usable = np.isfinite(y) & np.isfinite(z).all(axis=1)
    group = np.where(usable, group, -1)
    matched, nothing = rows_by_group(group, n), [b""] * n
    if model.target.is_text:
        return _Scores(matched, np.zeros(n), np.zeros(n), np.zeros((n, 0)), (), nothing, nothing)
    if model.target.classes:
        return _accuracy_of_classes(y, z, group, n, model)
    sums = regression_sums(y, z[:, 0], group, n, model.center)
    levels = sum_by_group(y, group, n), sum_by_group(z[:, 0], group, n)
    return _Scores(matched, *levels, sums, (), nothing, nothing)


def _accuracy_of_classes(y: Floats, z: Floats, group: Counts, n: int, model: Model) -> _Scores:
    classes = len(model.target.classes)
    actual = np.where(group >= 0, y, 0).astype(np.int64)
    labels = model.target.labels(z)
    if model.target.is_binary:
        sums = binary_sums(actual == 1, z[:, 0], group, n, model.target.threshold)
        scores = [encoded_scores(z[:, 0], actual == 1, group, n)]
        sum_z = sum_by_group(z[:, 0], group, n)
    else:
        sums = multiclass_sums(actual, labels, z, group, n, classes)
        scores = [encoded_scores(z[:, number], actual == number, group, n) for number in range(classes)]
        sum_z = np.full(n, np.nan)
    of_actual, of_label = count_by_group(actual, group, n, classes), count_by_group(labels, group, n, classes)
    sum_y = of_actual[:, 1].astype(np.float64) if classes == 2 else np.full(n, np.nan)
    return _Scores(rows_by_group(group, n), sum_y, sum_z, sums, scores, pack_rows(of_actual), pack_rows(of_label))
