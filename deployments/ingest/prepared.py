"""Rows that were checked and are ready to be stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deployments.blocks import DAY_US
from deployments.ingest.errors import Problems
from deployments.models import BlockKind

AHEAD = timedelta(days=1)
"""Clocks differ: times may lie this far in the future."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Prepared:
    """Rows of one kind, model and batch. `model_id` is 0 for actuals, which belong to no model yet.

    `own`: rows that the service makes itself, such as events of rows that a humility rule turned down.
    """

    kind: BlockKind
    model_id: int
    batch_id: int | None
    rows: pl.DataFrame
    own: bool = False


@dataclass
class Intake:
    """All rows of a request, and what its sender should be told."""

    parts: list[Prepared] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    keep_unmatched: bool = False
    told: dict[str, Any] = field(default_factory=dict)
    """What the answer says of single rows, by area."""

    @property
    def n_rows(self) -> int:
        return sum(part.rows.height for part in self.parts if not part.own)


@dataclass(frozen=True)
class Times:
    """The times that rows may have: from the first day whose rows are still kept to a little after now."""

    first: int
    last: int

    @classmethod
    def kept(cls, now: datetime, days: int) -> Times:
        """For a deployment that keeps rows for so many days."""
        first = now.date() - timedelta(days=days)
        return cls(microseconds(datetime(first.year, first.month, first.day, tzinfo=UTC)), microseconds(now + AHEAD))

    def problem(self, at: int) -> str:
        """What is wrong with a time; empty when nothing is."""
        if at < self.first:
            return f"Rows before {moment(self.first):%Y-%m-%d} are no longer kept."
        return "This time lies in the future." if at > self.last else ""

    def check(self, at: NDArray[np.int64], place: str, problems: Problems) -> None:
        """Note the first time that is out of range; `place` has a `{row}` in it."""
        wrong = (at < self.first) | (at > self.last)
        if wrong.any():
            row = int(wrong.argmax())
            problems.add(place.format(row=row), self.problem(int(at[row])))


def microseconds(at: datetime) -> int:
    """An aware time as microseconds since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def moment(us: int) -> datetime:
    """The inverse of `microseconds`."""
    return _EPOCH + timedelta(microseconds=us)


def day_of(us: int) -> date:
    """The UTC day of a time in microseconds."""
    return date(1970, 1, 1) + timedelta(days=us // DAY_US)
