"""A package as something to ask: rows of a block in, its prediction columns out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

import msgspec
import numpy as np
import polars as pl

from deployments import runtime
from deployments.blocks import FEATURE
from deployments.ingest.columns import of_classes
from deployments.ingest.shape import Shape, shape_of_package
from deployments.models import Deployment, FeatureType, ModelPackage
from deployments.scoring.errors import ScoringFailed
from deployments.scoring.open_inference import OpenInference, ScoringAddress
from deployments.scoring.process import Sandbox
from deployments.scoring.signature import Signature
from metrics.arrays import FloatArray

MOST_ROWS = 20_000
"""Rows of one piece: what a limit of time and memory is counted by."""

ROUNDING = 1e-3
"""Single precision: probabilities may miss 0, 1 and their sum by this."""


class Scorer(Protocol):
    """What `open_scorer` gives."""

    def predict(self, rows: pl.DataFrame) -> dict[str, pl.Series]:
        """The columns `p`, or `p0`, `p1` …, of block rows. Raises ScoringFailed."""


def can_score(package: ModelPackage) -> bool:
    """Whether the package has an artifact or an address."""
    return bool(package.artifact or package.scoring_address)


@contextmanager
def open_scorer(package: ModelPackage, deployment: Deployment | None = None) -> Iterator[Scorer]:
    """The package's scorer; its process or connection ends with the block. Raises ScoringFailed if there is none.

    A scoring address is told the runtime parameters that hold at the `deployment`; an ONNX model takes features only.
    """
    shape = shape_of_package(package.pk)
    if package.scoring_address:
        address = msgspec.convert(package.scoring_address, ScoringAddress)
        parameters = {} if deployment is None else runtime.for_scoring(deployment, package)
        with OpenInference(address, shape, parameters) as server:
            yield _Address(server, shape)
        return
    if not package.artifact:
        raise ScoringFailed("The model package has neither an ONNX artifact nor a scoring address.")
    with package.artifact.open("rb") as file:
        content = file.read()
    with Sandbox(content) as sandbox:
        yield Onnx(sandbox, Signature.from_json(package.signature), shape)


class Onnx:
    """A model in a sandbox."""

    def __init__(self, sandbox: Sandbox, signature: Signature, shape: Shape) -> None:
        self._sandbox, self._signature, self._shape = sandbox, signature, shape

    def predict(self, rows: pl.DataFrame) -> dict[str, pl.Series]:
        """See `Scorer`."""
        return _joined([self.piece(piece)[0] for piece in _pieces(rows)])

    def piece(self, rows: pl.DataFrame, label: str = "") -> tuple[dict[str, pl.Series], pl.Series | None]:
        """The prediction columns of a piece, and the model's own labels if an output of them is named."""
        found = self._run(rows, label)
        columns = [found[name] for name in found.columns if name != "label"]
        labels = found["label"] if "label" in found.columns else None
        return checked(columns, self._signature.classes, self._shape), labels

    def by_class(self, rows: pl.DataFrame) -> FloatArray:
        """The output as it stands, one column a class in the signature's order; a lone column is the last class."""
        table = self._run(rows, "").to_numpy()
        return np.column_stack([1 - table, table]) if table.shape[1] == 1 else table

    def _run(self, rows: pl.DataFrame, label: str) -> pl.DataFrame:
        named = inputs(rows, self._signature.features, self._shape)
        table = pl.DataFrame([column.alias(name) for name, column in named.items()])
        plan, keys = self._signature.to_json()["inputs"], self._signature.keys
        return self._sandbox.run(table, plan, self._signature.output, keys, label)


class _Address:
    def __init__(self, server: OpenInference, shape: Shape) -> None:
        self._server, self._shape = server, shape

    def predict(self, rows: pl.DataFrame) -> dict[str, pl.Series]:
        pieces = []
        for piece in _pieces(rows):
            columns = self._server.run(inputs(piece, list(self._shape.features), self._shape), piece.height)
            pieces.append(checked(columns, self._server.classes, self._shape))
        return _joined(pieces)


def inputs(rows: pl.DataFrame, names: Sequence[str], shape: Shape) -> Mapping[str, pl.Series]:
    """The features by name; one that was not sent is missing in every row."""
    return {name: _input(rows, name, shape.features[name]) for name in names}


def _input(rows: pl.DataFrame, name: str, kind: FeatureType) -> pl.Series:
    column, wanted = FEATURE + name, pl.Float64 if kind is FeatureType.NUMERIC else pl.String
    if column not in rows.columns:
        return pl.Series(name, [None] * rows.height, wanted)
    return rows[column].cast(wanted, strict=False).alias(name)


def checked(columns: Sequence[pl.Series], classes: Sequence[str], shape: Shape) -> dict[str, pl.Series]:
    """The columns of a block. Raises ScoringFailed for numbers that are none, or are no probabilities."""
    table = np.column_stack([column.to_numpy() for column in columns])
    if not np.isfinite(table).all():
        raise ScoringFailed(f"Row {int((~np.isfinite(table)).any(axis=1).argmax()) + 1} has no finite prediction.")
    if not shape.target.classes:
        if len(columns) != 1:
            raise ScoringFailed(f"Expected one number a row, got {len(columns)}.")
        return {"p": pl.Series("p", table[:, 0])}
    if table.min(initial=0) < -ROUNDING or table.max(initial=0) > 1 + ROUNDING:
        raise ScoringFailed("Probabilities lie between 0 and 1.")
    table = table.clip(0, 1)
    if shape.target.is_binary and table.shape[1] == 1:
        return {"p": pl.Series("p", table[:, 0])}
    if table.shape[1] != len(classes):
        raise ScoringFailed(f"Expected {len(classes)} probabilities a row, got {table.shape[1]}.")
    if table.size and abs(table.sum(axis=1) - 1).max() > ROUNDING:
        raise ScoringFailed("The probabilities of a row do not sum to 1.")
    named = {name: pl.Series(table[:, place]) for place, name in enumerate(classes)}
    names = shape.target.columns
    return {name: column.alias(name) for name, column in zip(names, of_classes(named, shape), strict=True)}


def _joined(pieces: Sequence[Mapping[str, pl.Series]]) -> dict[str, pl.Series]:
    return {name: pl.concat([piece[name] for piece in pieces]) for name in pieces[0]}


def _pieces(rows: pl.DataFrame) -> list[pl.DataFrame]:
    return [rows.slice(start, MOST_ROWS) for start in range(0, max(rows.height, 1), MOST_ROWS)]
