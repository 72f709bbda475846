"""Parts of a file's table, read column by column: every bad row is noted, so that a sender sees all of them at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deployments.ingest.errors import MOST_PLACES, Refused
from deployments.ingest.tables import BadColumn, Reader, as_flags, as_times, as_words, shortened

Mask = NDArray[np.bool_]
ROW = "\x00row"
"""The column that carries a row's number in the file while a table is parted; no file can name one so."""

_PLACE = re.compile(r"(.*)\[(\d+)\]", re.DOTALL)
_KINDS: Mapping[Reader, type[pl.DataType]] = {as_words: pl.String, as_times: pl.Int64, as_flags: pl.Boolean}


@dataclass
class RowProblems:
    """What is wrong, by row and column; of each column the first MOST_PLACES rows are kept, and all are counted."""

    found: list[tuple[int, str, str]] = field(default_factory=list)
    whole: dict[str, str] = field(default_factory=dict)
    count: int = 0

    def add(self, row: int, name: str, text: str) -> None:
        self.found.append((row, name, text))
        self.count += 1

    @property
    def any(self) -> bool:
        return bool(self.whole or self.found)

    def check(self) -> None:
        """Raise Refused with the first rows by their place, such as `age[3]`; rows count from 0."""
        if self.any:
            first = sorted(self.found)[:MOST_PLACES]
            raise Refused(self.whole | {f"{name}[{row}]": text for row, name, text in first})


@dataclass(frozen=True)
class Part:
    """Some rows of a table, their numbers in the file, and where what is wrong with them is noted."""

    rows: pl.DataFrame
    problems: RowProblems

    @property
    def numbers(self) -> NDArray[np.int64]:
        """The number of each row in the file, from 0."""
        if ROW in self.rows.columns:
            return self.rows[ROW].to_numpy()
        return np.arange(self.rows.height)

    def has(self, name: str) -> bool:
        return name in self.rows.columns

    def read(self, name: str, read: Reader, kind: type[pl.DataType] | None = None) -> pl.Series:
        """A column as `read` makes it; null in bad rows, which are noted. `kind`: what a strange reader makes."""
        kind = kind or _KINDS.get(read, pl.Float64)
        try:
            return read(self.rows[name])
        except BadColumn as error:
            for row, text in error.wrong.items():
                self.problems.add(int(self.numbers[row]), name, text)
            if not error.wrong:
                self.problems.whole[name] = str(error)
        except pl.exceptions.PolarsError as error:
            self.problems.whole[name] = str(error).splitlines()[0]
        return pl.Series(name, [None] * self.rows.height, kind)

    def optional(self, name: str, read: Reader, default: float | str | None = None) -> pl.Series:
        """A column that need not be there; `default` in every row if it is not."""
        if self.has(name):
            return self.read(name, read)
        return pl.Series(name, [default] * self.rows.height, _KINDS.get(read, pl.Float64))

    def note(self, name: str, wrong: Mask, text: str | Callable[[int], str]) -> None:
        """Note these rows; `text` may be a function of the row's place in this part, or hold a `{value}`."""
        places = np.flatnonzero(wrong)
        column = self.rows[name] if self.has(name) else None
        for place in places[:MOST_PLACES].tolist():
            value = "" if column is None else shortened(column[place])
            told = text(place) if callable(text) else text.replace("{value}", value)
            self.problems.add(int(self.numbers[place]), name, told)
        self.problems.count += max(0, len(places) - MOST_PLACES)


def place_of(place: str) -> tuple[str, int | None]:
    """The column and the row of a place such as `age[3]`; None where a whole column is meant."""
    found = _PLACE.fullmatch(place)
    return (place, None) if found is None else (found.group(1), int(found.group(2)))
