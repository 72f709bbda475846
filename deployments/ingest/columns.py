"""Columns of predictions, checked against the model: what a block of predictions is built of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from deployments.blocks import CONTEXTS, FEATURE, SEGMENT
from deployments.ingest.bodies import Passage
from deployments.ingest.errors import Problems
from deployments.ingest.shape import Shape

LONGEST_ID = 128
WRONG_ID = f"An association id has 1 to {LONGEST_ID} characters."


@dataclass
class Columns:
    """The parts of a block of predictions, each of the same length."""

    at: NDArray[np.int64]
    ids: pl.Series | None = None
    predictions: list[pl.Series] = field(default_factory=list)
    features: dict[str, pl.Series] = field(default_factory=dict)
    segments: dict[str, pl.Series] = field(default_factory=dict)
    skip: int = 0
    contexts: pl.Series | None = None
    distance: pl.Series | None = None

    def keep(self, wanted: NDArray[np.bool_]) -> None:
        """Only these rows."""
        chosen = pl.Series(wanted)
        if wanted.all():
            return
        self.at = self.at[wanted]
        self.ids = None if self.ids is None else self.ids.filter(chosen)
        self.distance = None if self.distance is None else self.distance.filter(chosen)
        self.contexts = None if self.contexts is None else self.contexts.filter(chosen)
        self.predictions = [column.filter(chosen) for column in self.predictions]
        self.features = {name: column.filter(chosen) for name, column in self.features.items()}
        self.segments = {name: column.filter(chosen) for name, column in self.segments.items()}

    def frame(self, shape: Shape) -> pl.DataFrame:
        """As a block: see `deployments.blocks`."""
        n = len(self.at)
        columns = [pl.Series("at", self.at)]
        columns.append(pl.Series("id", [None] * n, pl.String) if self.ids is None else self.ids.alias("id"))
        for name, number in zip(shape.target.columns, self.predictions, strict=False):
            columns.append(number.alias(name))
        columns += [values.alias(FEATURE + name) for name, values in self.features.items()]
        columns += [values.alias(SEGMENT + name) for name, values in self.segments.items()]
        if self.contexts is not None:
            columns.append(self.contexts.alias(CONTEXTS))
        if self.distance is not None:
            columns.append(self.distance.alias("d"))
        if self.skip:
            columns.append(pl.Series("skip", np.full(n, self.skip, np.uint8)))
        return pl.DataFrame(columns)


def wrong_ids(ids: pl.Series) -> NDArray[np.bool_]:
    """Which association ids are too long or empty; an absent one is not wrong."""
    lengths = ids.str.len_chars().fill_null(1)
    return ((lengths > LONGEST_ID) | (lengths == 0)).to_numpy()


def passages_json(passages: Sequence[Passage | str]) -> str:
    """Passages as they are stored; one that is a bare text has no link."""
    rows = [Passage(one) if isinstance(one, str) else one for one in passages]
    return msgspec.json.encode(rows).decode()


def check_ids(ids: pl.Series, place: str, problems: Problems) -> None:
    """Association ids are 1 to 128 characters, or absent."""
    if ids.dtype != pl.String or not len(ids):
        return
    wrong = wrong_ids(ids)
    if wrong.any():
        problems.add(place.format(row=int(wrong.argmax())), WRONG_ID)


def wrong_predictions(column: pl.Series, shape: Shape) -> NDArray[np.bool_]:
    """Which values are no finite numbers, or of classes no probabilities; an absent one is not wrong."""
    values = column.to_numpy()
    with np.errstate(invalid="ignore"):
        wrong = np.isinf(values) if not shape.target.classes else (values < -1e-9) | (values > 1 + 1e-9)
    return np.asarray(wrong, np.bool_)


def wrong_prediction(shape: Shape) -> str:
    """What is said of such a value."""
    return "A probability lies within 0 and 1." if shape.target.classes else "Must be a finite number."


def check_predictions(columns: Sequence[pl.Series], shape: Shape, place: str, problems: Problems) -> None:
    """Numbers must be finite, probabilities lie within 0 and 1; a text may be any."""
    if shape.target.is_text:
        return
    for number, column in enumerate(columns):
        wrong = wrong_predictions(column, shape)
        if wrong.any():
            problems.add(place.format(row=int(wrong.argmax()), column=number), wrong_prediction(shape))


def ordered_classes(names: Sequence[str] | None, shape: Shape, place: str, problems: Problems) -> tuple[str, ...]:
    """The classes in the order in which a request gives their probabilities."""
    if names is None:
        return shape.order
    if sorted(names) != sorted(shape.order):
        problems.add(place, f"Must name each of the classes {', '.join(shape.order)} once.")
        return shape.order
    return tuple(names)


def of_classes(given: Mapping[str, pl.Series], shape: Shape) -> list[pl.Series]:
    """The stored prediction columns from probabilities by class."""
    if shape.target.is_binary:
        negative, positive = shape.target.classes
        return [given[positive] if positive in given else 1 - given[negative]]
    return [given[name] for name in shape.target.classes]
