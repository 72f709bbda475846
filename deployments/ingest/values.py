"""Columns of values in JSON: decoded straight into the type that the model's feature has."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from deployments.ingest.errors import Problems
from deployments.ingest.prepared import microseconds

Word = str | int | float | bool | None

_NUMBERS = msgspec.json.Decoder(list[float | None])
_NUMBERS_OR_FLAGS = msgspec.json.Decoder(list[bool | float | None])
_STRINGS = msgspec.json.Decoder(list[str | None])
_WORDS = msgspec.json.Decoder(list[Word])


def numbers(raw: msgspec.Raw | bytes, place: str, problems: Problems) -> pl.Series:
    """A column of numbers, null for missing ones; true and false are 1 and 0, text is refused."""
    try:
        return pl.Series("", _NUMBERS.decode(raw), pl.Float64)
    except msgspec.ValidationError as first:
        try:
            return pl.Series("", [None if x is None else float(x) for x in _NUMBERS_OR_FLAGS.decode(raw)], pl.Float64)
        except msgspec.ValidationError:
            note(first, place, problems)
    return pl.Series("", [], pl.Float64)


def words(raw: msgspec.Raw | bytes, place: str, problems: Problems) -> pl.Series:
    """A column of words, null for missing ones; numbers and booleans are spelled as in files."""
    try:
        return pl.Series("", _STRINGS.decode(raw), pl.String)
    except msgspec.ValidationError:
        try:
            return pl.Series("", [spelled(value) for value in _WORDS.decode(raw)], pl.String)
        except msgspec.ValidationError as error:
            note(error, place, problems)
    return pl.Series("", [], pl.String)


def spelled(value: Word) -> str | None:
    """A value as a category: `true`, `false`, whole numbers without a decimal point."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        return str(int(value))
    return str(value)


def time_of(text: str) -> int:
    """An RFC 3339 time (or one with a space, or an offset without a colon) as microseconds; naive ones are UTC."""
    found = datetime.fromisoformat(text.strip())
    if not 1970 <= found.year < 2200:
        raise ValueError("out of range")
    return microseconds(found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC))


def times(texts: list[str], place: str, problems: Problems) -> NDArray[np.int64]:
    """Times as microseconds; `place` has a `{row}` in it. Most rows of a request share few texts."""
    known: dict[str, int] = {}
    out = np.zeros(len(texts), np.int64)
    for row, text in enumerate(texts):
        if text not in known:
            try:
                known[text] = time_of(text)
            except ValueError:
                problems.add(place.format(row=row), f"{text[:60]!r} is not an RFC 3339 time.")
                known[text] = 0
        out[row] = known[text]
    return out


def note(error: msgspec.ValidationError, place: str, problems: Problems) -> None:
    """Turn msgspec's words into a place and a sentence."""
    sentence, _, path = str(error).partition(" - at `$")
    problems.add(place + path.rstrip("`"), sentence.replace("`", "'") + ".")
