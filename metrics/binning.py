"""Bins frozen with a model: training data decides them once, live rows are counted on them for ever.

A spec is a frozen dataclass that says which bins there are (`size`, `labels`), tells the bin of a value (`codes`)
and counts rows by group (`tally`). Counting on frozen bins is exact, and merging counts is adding them.
`to_dict` gives plain JSON, `spec_from_dict` reads it back to an equal spec.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np

from metrics.arrays import FloatArray, FloatLike, IntArray, IntLike, as_floats, as_ints
from metrics.counting import count_by_group
from metrics.words import words_of

NUMERIC_BINS = 10
CATEGORIES = 25
KNOWN_LEVELS = 10_000
WORDS = 1_000

Level = str | None


class BinKind(StrEnum):
    """What a spec bins."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    TEXT = "text"


class Special(StrEnum):
    """Labels of the bins that hold no training level or range."""

    LOW = "Below training range"
    HIGH = "Above training range"
    MISSING = "Missing"
    OTHER = "Other"
    NEW = "New level"


@dataclass(frozen=True)
class NumericBins:
    """Ranges `(upper[i-1], upper[i]]` of the training values, and one bin each for lower, higher and missing ones.

    The first range also holds `lowest` itself. Order of bins: low, the ranges, high, missing. A column that had no
    value in training has no range: every live value is then "low".
    """

    lowest: float
    uppers: tuple[float, ...]
    kind: BinKind = field(default=BinKind.NUMERIC, init=False)

    @property
    def size(self) -> int:
        """The number of bins."""
        return len(self.uppers) + 3

    @property
    def labels(self) -> list[str]:
        """One label a bin; a range that holds a single value is labelled by it."""
        lefts = (self.lowest, *self.uppers[:-1])
        ranges = [_range_label(left, right) for left, right in zip(lefts, self.uppers, strict=False)]
        return [Special.LOW.value, *ranges, Special.HIGH.value, Special.MISSING.value]

    def codes(self, values: FloatLike) -> IntArray:
        """The bin of each value, shape `[n]`; `nan` is missing, infinities are low or high."""
        numbers = as_floats(values)
        # So few edges are compared with all values sooner than each value is searched among them.
        codes = np.ones(numbers.shape, np.uint16)
        for upper in self.uppers:
            codes += numbers > upper
        missing = np.isnan(numbers)
        codes[numbers < self.lowest if self.uppers else ~missing] = 0
        codes[missing] = self.size - 1
        return codes.astype(np.int64)

    def tally(self, values: FloatLike, group: IntLike, n_groups: int) -> IntArray:
        """Rows a group and bin, shape `[n_groups, size]`."""
        return count_by_group(self.codes(values), group, n_groups, self.size)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {"kind": self.kind.value, "lowest": self.lowest, "uppers": list(self.uppers)}


@dataclass(frozen=True)
class CategoricalBins:
    """The most frequent training levels, then Other (known from training), New level and Missing.

    `None` and the empty text are missing. `known` holds the further levels of training.
    """

    levels: tuple[str, ...]
    known: tuple[str, ...] = ()
    kind: BinKind = field(default=BinKind.CATEGORICAL, init=False)

    @property
    def size(self) -> int:
        """The number of bins."""
        return len(self.levels) + 3

    @property
    def labels(self) -> list[str]:
        """One label a bin."""
        return [*self.levels, Special.OTHER.value, Special.NEW.value, Special.MISSING.value]

    @cached_property
    def _code_of(self) -> dict[Level, int]:
        codes: dict[Level, int] = dict.fromkeys(self.known, len(self.levels))
        codes.update({level: code for code, level in enumerate(self.levels)})
        codes.update({None: self.size - 1, "": self.size - 1})
        return codes

    def codes(self, values: Sequence[Level]) -> IntArray:
        """The bin of each value, shape `[n]`."""
        code_of, new = self._code_of, self.size - 2
        return np.fromiter((code_of.get(value, new) for value in values), np.int64, count=len(values))

    def tally(self, values: Sequence[Level], group: IntLike, n_groups: int) -> IntArray:
        """Rows a group and bin, shape `[n_groups, size]`."""
        return count_by_group(self.codes(values), group, n_groups, self.size)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {"kind": self.kind.value, "levels": list(self.levels), "known": list(self.known)}


@dataclass(frozen=True)
class TextBins:
    """The most frequent words of training; a bin counts the rows that contain its word.

    A row falls into as many bins as it has known words, so counts of a group add up to *incidences*, not to rows.
    Words that training did not have are not counted.
    """

    words: tuple[str, ...]
    kind: BinKind = field(default=BinKind.TEXT, init=False)

    @property
    def size(self) -> int:
        """The number of bins."""
        return len(self.words)

    @property
    def labels(self) -> list[str]:
        """One label a bin: the word."""
        return list(self.words)

    @cached_property
    def _code_of(self) -> dict[str, int]:
        return {word: code for code, word in enumerate(self.words)}

    def incidences(self, values: Sequence[Level]) -> tuple[IntArray, IntArray]:
        """Row numbers and word codes, one pair for each (row, known word in it); both of shape `[incidences]`."""
        code_of = self._code_of
        found = [[code_of[word] for word in words_of(text) if word in code_of] for text in values]
        lengths = np.fromiter((len(codes) for codes in found), np.int64, count=len(found))
        codes = np.fromiter((code for row in found for code in row), np.int64, count=int(lengths.sum()))
        return np.repeat(np.arange(len(found), dtype=np.int64), lengths), codes

    def tally(self, values: Sequence[Level], group: IntLike, n_groups: int) -> IntArray:
        """Rows a group and word, shape `[n_groups, size]`."""
        rows, codes = self.incidences(values)
        return count_by_group(codes, as_ints(group)[rows], n_groups, self.size)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {"kind": self.kind.value, "words": list(self.words)}


BinSpec = NumericBins | CategoricalBins | TextBins


def fit_numeric(values: FloatLike, bins: int = NUMERIC_BINS) -> NumericBins:
    """Deciles of the finite values, equal ones merged; at most `bins` distinct values give one bin each."""
    numbers = as_floats(values)
    numbers = numbers[np.isfinite(numbers)]
    if not numbers.size:
        return NumericBins(lowest=0.0, uppers=())
    distinct = np.unique(numbers)
    if distinct.size <= bins:
        uppers = distinct
    else:
        shares = np.arange(1, bins + 1) / bins
        uppers = np.unique(np.quantile(numbers, shares, method="inverted_cdf"))
    return NumericBins(lowest=float(distinct[0]), uppers=tuple(float(edge) for edge in uppers))


def fit_categorical(values: Sequence[Level], categories: int = CATEGORIES) -> CategoricalBins:
    """The `categories` most frequent levels; ties in alphabetical order.

    Of the further levels the KNOWN_LEVELS most frequent are remembered as Other; rarer ones count as new.
    """
    counted = Counter(value for value in values if value)
    ordered = sorted(counted, key=lambda level: (-counted[level], level))
    return CategoricalBins(tuple(ordered[:categories]), tuple(ordered[categories : categories + KNOWN_LEVELS]))


def fit_text(values: Sequence[Level], words: int = WORDS) -> TextBins:
    """The `words` words that occur in most rows; ties in alphabetical order."""
    counted = Counter(word for text in values for word in words_of(text))
    ordered = sorted(counted, key=lambda word: (-counted[word], word))
    return TextBins(tuple(ordered[:words]))


def spec_from_dict(stored: Mapping[str, Any]) -> BinSpec:
    """The spec that `to_dict` wrote. Raises ValueError for an unknown kind."""
    kind = BinKind(stored["kind"])
    if kind is BinKind.NUMERIC:
        return NumericBins(float(stored["lowest"]), tuple(float(edge) for edge in stored["uppers"]))
    if kind is BinKind.CATEGORICAL:
        return CategoricalBins(tuple(stored["levels"]), tuple(stored["known"]))
    return TextBins(tuple(stored["words"]))


def range_edges(bins: NumericBins) -> FloatArray:
    """Left and right end of every range (low, high and missing left out), shape `[ranges, 2]`."""
    if not bins.uppers:
        return np.empty((0, 2))
    return np.column_stack([(bins.lowest, *bins.uppers[:-1]), bins.uppers])


def _range_label(left: float, right: float) -> str:
    return _short(right) if left == right else f"{_short(left)} to {_short(right)}"


def _short(number: float) -> str:
    if number == math.trunc(number) and abs(number) < 1e15:
        return str(int(number))
    return f"{number:.6g}"
