"""Columns of numbers at once: a month of hours has 720 of them a line, and a page a dozen lines.

Each function says what its counterpart for one number says; they are written for length. `None` is a gap.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import repeat

import numpy as np
import numpy.typing as npt
import orjson

from dashboard.charts import words

Values = Sequence[float | None]
Array = npt.NDArray[np.float64]
#: Below and from here on Python writes a number with an exponent.
_TINY, _HUGE = 1e-4, 1e15


class Column(tuple[float | None, ...]):
    """Values that remember their array: a chart asks for it from every side."""

    array: Array | None = None


def numbers(values: Values) -> Array:
    """`values` as an array that nobody may change, gaps as NaN."""
    if isinstance(values, Column):
        if values.array is None:
            values.array = np.array(values, np.float64)
            values.array.flags.writeable = False
        return values.array
    if isinstance(values, range):
        return np.arange(float(values.start), float(values.stop), float(values.step), dtype=np.float64)
    return np.array(values, np.float64)


def significant(found: Array, digits: int) -> Array:
    """Every number with that many significant digits (at most 15).

    What is beyond any measure (1e±280) stays as it is: a power of ten that would lift it does not exist.
    """
    size = np.abs(found)
    usual = (size > 1e-280) & (size < 1e280)
    power = np.zeros(found.shape)
    np.log10(size, out=power, where=usual)
    places = digits - 1 - np.floor(power)
    with np.errstate(invalid="ignore", over="ignore"):
        fine, coarse = 10.0 ** np.clip(places, 0, 300), 10.0 ** np.clip(-places, 0, 300)
        return np.where(usual, np.rint(found * fine / coarse) * coarse / fine, found)


def short_list(found: Array) -> list[float | None]:
    """The numbers for JSON: whole ones without a decimal point where all are whole, gaps as `None`."""
    gaps = np.isnan(found)
    if not gaps.any():
        whole = found.size and bool((np.rint(found) == found).all()) and float(np.abs(found).max()) < _HUGE
        made: list[float | None] = (found.astype(np.int64) if whole else found).tolist()
        return made
    listed: list[float] = found.tolist()
    return [None if value != value else value for value in listed]


def plain(value: float | None) -> str:
    """A number for a table that machines read too: no separators, six digits."""
    return "" if value is None or math.isnan(value) else f"{words.rounded(value, 6) or 0}"


def texts(values: Values, n: int) -> list[str]:
    """`plain` of `n` numbers; what is missing at the end is not known."""
    found = significant(numbers(values)[:n], 6)
    size = np.abs(found[np.isfinite(found) & (found != 0)])
    if np.isinf(found).any() or (size.size and (size.min() < _TINY or size.max() >= _HUGE)):
        written = [plain(value) for value in values[:n]]
    else:
        written = _written(found)
    return [*written, *repeat("", n - len(written))]


def _written(found: Array) -> list[str]:
    """Numbers of usual size, as JSON writes them, without the `.0` of whole ones."""
    if not found.size:
        return []
    text = orjson.dumps(found, option=orjson.OPT_SERIALIZE_NUMPY).decode()[1:-1] + ","
    return text.replace("-0.0,", "0,").replace(".0,", ",").replace("null", "")[:-1].split(",")


def stretches(*columns: Values) -> list[Array]:
    """The parts without a gap in any column: arrays of one row a place and one column each."""
    table = np.column_stack([numbers(column) for column in columns])
    return [table[start:end] for start, end in known_spans(table)]


def spans(true: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The half-open runs of places that are true."""
    edges = np.flatnonzero(np.diff(true.astype(np.int8), prepend=0, append=0)).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def lonely(values: Values) -> bool:
    """Whether a known value stands between two gaps: a line through it has no length."""
    known = ~np.isnan(numbers(values))
    beside = np.concatenate(([False], known, [False]))
    return bool((known & ~beside[:-2] & ~beside[2:]).any())


def tracks(places: Array, *, step: bool = False, digits: int = 1) -> tuple[str, list[int]]:
    """The data of an SVG path along `places` (x, y), broken at gaps, and which places stand alone between two gaps.

    `step`: across, then up or down.
    """
    stops, parts, alone = _stops(places, digits), [], []
    across, up = ("H", "V") if step else ("L", " ")
    for start, end in known_spans(places):
        if end - start > 1:
            first, rest = stops[start].replace(",", " "), across.join(stops[start + 1 : end]).replace(",", up)
            parts.append(f"M{first}{across}{rest}")
        else:
            alone.append(start)
    return "".join(parts), alone


def rings(places: Array) -> str:
    """The data of an SVG path around the bands between `places` (x, low, high), parted by gaps."""
    there, back = _stops(places[:, [0, 2]], 1), _stops(places[:, :2], 1)
    parts = []
    for start, end in known_spans(places):
        if end - start > 1:
            around = "L".join([*there[start:end], *reversed(back[start:end])]).replace(",", " ")
            parts.append(f"M{around}Z")
    return "".join(parts)


def known_spans(table: Array) -> list[tuple[int, int]]:
    """The half-open runs of rows without a gap."""
    known: npt.NDArray[np.bool_] = np.logical_not(np.isnan(table).any(axis=1))
    return spans(known)


def _stops(places: Array, digits: int) -> list[str]:
    """`x,y` of every place, written at once."""
    short = np.ascontiguousarray(np.round(places, digits))
    return orjson.dumps(short, option=orjson.OPT_SERIALIZE_NUMPY).decode()[2:-2].split("],[")


def boxes(left: Array, right: Array, top: Array, bottom: Array) -> str:
    """The data of an SVG path of upright boxes, in hundredths."""
    if len(left) and bool((bottom == bottom[0]).all()):  # along the line that all stand on: half as long
        corners = np.column_stack((left, top, right, bottom)).reshape(-1, 2)
        outline = np.concatenate((np.column_stack((left[:1], bottom[:1])), corners))
        return tracks(outline, step=True, digits=2)[0] + "Z"
    corners = np.column_stack((left, bottom, top, right, bottom))
    return ("M%.2f %.2fV%.2fH%.2fV%.2fZ" * len(left)) % tuple(corners.ravel().tolist())
