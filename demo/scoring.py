"""The scoring side: a request in, probabilities or minutes out, with the time it really took.

A request is the JSON that the desk of an airport sends: one list a column. Weather and recent
delays are not in it; the scoring side looks them up itself. So a destination that the model has
never seen is the caller's error (422), and a weather report that is not there is the server's (500).
Trees take either as missing; only linear models refuse.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import orjson
import polars as pl

from demo.story import CATEGORICAL, OBSERVED, Kind, Recipe

Floats = npt.NDArray[np.float64]
Columns = Mapping[str, Sequence[Any]]
Levels = dict[str, dict[str, int]]

OK, REFUSED, FAILED = 200, 422, 500
MILLISECONDS = 1000


class Estimator(Protocol):
    """The part of a scikit-learn estimator that is used here."""

    def fit(self, X: Floats, y: npt.NDArray[np.generic]) -> object: ...


class UnknownLevel(ValueError):
    """A value that the model has not been trained on."""


@dataclass(frozen=True)
class Reply:
    """Answer to one request; `predicted` has a row a flight and is None unless the status is 200."""

    status: int
    predicted: Floats | None
    response_ms: float
    execution_ms: float


@dataclass(frozen=True)
class Scorer:
    """A recipe with the values seen in training (`levels`) and its estimator."""

    recipe: Recipe
    levels: Levels
    estimator: Any

    def answer(self, body: bytes, looked_up: Columns) -> Reply:
        """Decode, predict and encode one request, timing all of it and the prediction alone."""
        started = perf_counter()
        try:
            inputs = self.encode({**orjson.loads(body), **looked_up})
        except UnknownLevel:
            return self._refusal(REFUSED, started, 0.0)
        called = perf_counter()
        try:
            predicted = self.predict(inputs)
        except ValueError:
            return self._refusal(FAILED, started, perf_counter() - called)
        done = perf_counter()
        orjson.dumps(predicted, option=orjson.OPT_SERIALIZE_NUMPY)
        finished = perf_counter()
        return Reply(OK, predicted, (finished - started) * MILLISECONDS, (done - called) * MILLISECONDS)

    def request(self, rows: pl.DataFrame) -> tuple[bytes, Columns]:
        """The body that a caller sends for these flights, and what the scoring side looks up itself."""
        sent = [name for name in self.recipe.features if name not in OBSERVED]
        looked_up = [name for name in self.recipe.features if name in OBSERVED]
        body = orjson.dumps(rows.select(sent).to_dict(as_series=False))
        return body, rows.select(looked_up).to_dict(as_series=False)

    def predict(self, inputs: Floats) -> Floats:
        """One column a class, or one column of minutes. Raises ValueError where a linear model misses a value."""
        if self.recipe.classes:
            return np.ascontiguousarray(self.estimator.predict_proba(inputs), dtype=np.float64)
        return np.ascontiguousarray(self.estimator.predict(inputs), dtype=np.float64)[:, None]

    def encode(self, columns: Columns) -> Floats:
        """Columns to the estimator's matrix: numbers as they are, names as their number (trees) or one-hot."""
        return np.column_stack([self._encoded(name, columns[name]) for name in self.recipe.features])

    def answerable(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows that the model can take at all: for a linear one, complete and known."""
        if self.recipe.kind is Kind.TREES:
            return rows
        known = [pl.col(name).is_in(list(levels)) for name, levels in self.levels.items()]
        return rows.drop_nulls(self.recipe.features).filter(known)

    def table(self, predicted: Floats) -> pl.DataFrame:
        """Predictions under the column names that the service reads."""
        return pl.DataFrame(dict(zip(self.prediction_columns, predicted.T, strict=True)))

    @property
    def prediction_columns(self) -> list[str]:
        return [f"prediction_{name}" for name in self.recipe.classes] or ["prediction"]

    def _encoded(self, name: str, values: Sequence[Any]) -> Floats:
        if name not in self.levels:
            return np.array(values, dtype=np.float64)
        levels = self.levels[name]
        if self.recipe.kind is Kind.TREES:
            return np.array([levels.get(value, np.nan) for value in values], dtype=np.float64)
        unknown = sorted({str(value) for value in values if value not in levels})
        if unknown:
            raise UnknownLevel(f"{name}: not seen in training: {', '.join(unknown)}")
        return np.eye(len(levels))[[levels[value] for value in values]]

    @staticmethod
    def _refusal(status: int, started: float, execution: float) -> Reply:
        return Reply(status, None, (perf_counter() - started) * MILLISECONDS, execution * MILLISECONDS)


def levels_of(recipe: Recipe, training: pl.DataFrame, target: pl.Series) -> Levels:
    """The values of each categorical feature in the training data, numbered by their mean outcome.

    So numbered, trees split them like any number; the order means nothing to a linear model's one-hot columns.
    """
    names = [name for name in recipe.features if name in CATEGORICAL]
    return {name: _numbered(training[name], target) for name in names}


def _numbered(values: pl.Series, target: pl.Series) -> dict[str, int]:
    table = pl.DataFrame({"value": values, "outcome": target}).drop_nulls("value")
    ordered = table.group_by("value").agg(pl.col("outcome").mean()).sort("outcome", "value")
    return {value: number for number, value in enumerate(ordered["value"])}
