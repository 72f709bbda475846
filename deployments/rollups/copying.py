"""Whole arrays to and from PostgreSQL by binary COPY: no row is ever a Python object.

Source of the format: "COPY", section "Binary Format", in PostgreSQL's documentation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from django.db.backends.utils import CursorWrapper
from numpy.typing import NDArray

_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER = b"\xff\xff"
_WIDTHS = {"smallint": 2, "integer": 4, "bigint": 8, "double precision": 8}

_FLOATS = ("double precision",)
_AT_ONCE = 1_000
_FIELDS, _LENGTH, _ARRAY_HEAD = 2, 4, 20  # bytes: the number of fields, a length, and what precedes an array's values


def copy_in(cursor: CursorWrapper, table: str, columns: Mapping[str, tuple[str, NDArray[np.int64]]]) -> None:
    """Append rows to a table; `columns`: name → type (smallint, integer or bigint) and values, none of them null."""
    rows = _rows(columns, _row_type({name: kind for name, (kind, _) in columns.items()}))
    rows["fields"] = len(columns)
    with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(_HEADER + rows.tobytes() + _TRAILER)


def copy_payloads_in(
    cursor: CursorWrapper,
    table: str,
    columns: Mapping[str, tuple[str, NDArray[np.int64]]],
    payloads: Sequence[bytes],
) -> None:
    """As `copy_in`, with one more column: the bytes of each row, in `payload`."""
    plain = _row_type({name: kind for name, (kind, _) in columns.items()})
    rows = _rows(columns, np.dtype([*plain.descr, ("payload width", ">i4")]))
    rows["fields"] = len(columns) + 1
    rows["payload width"] = np.fromiter(map(len, payloads), np.int64, count=len(payloads))
    heads, size = rows.tobytes(), rows.itemsize
    with cursor.copy(f"COPY {table} ({', '.join(columns)}, payload) FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(_HEADER)
        for start in range(0, len(payloads), _AT_ONCE):
            parts: list[bytes] = []
            for place, payload in enumerate(payloads[start : start + _AT_ONCE], start):
                parts += (heads[place * size : (place + 1) * size], payload)
            copy.write(b"".join(parts))
        copy.write(_TRAILER)


def literal(numbers: Iterable[int]) -> str:
    """An array of integers as PostgreSQL writes it: much quicker to send than a list, for `%s::integer[]`."""
    return f"{{{','.join(map(str, numbers))}}}"


def copy_out(cursor: CursorWrapper, query: str, columns: Mapping[str, str]) -> dict[str, NDArray[Any]]:
    """The result of a query without parameters as arrays; `columns`: name → type, none of them null.

    The server puts each column into one array, since every row that it sends costs a call.
    """
    arrays = ", ".join(f"array_agg({name}::{kind})" for name, kind in columns.items())
    whole = f"SELECT {arrays} FROM ({query}) AS found({', '.join(columns)})"  # noqa: S608
    with cursor.copy(f"COPY ({whole}) TO STDOUT (FORMAT BINARY)") as copy:
        raw = b"".join(bytes(part) for part in copy)
    found: dict[str, NDArray[Any]] = {}
    at = len(_HEADER) + _FIELDS
    for name, kind in columns.items():
        size = int.from_bytes(raw[at : at + _LENGTH], "big", signed=True)
        at += _LENGTH
        found[name] = _array(memoryview(raw)[at : at + max(size, 0)], kind)
        at += max(size, 0)
    return found


def _array(raw: memoryview, kind: str) -> NDArray[Any]:
    """A sent array of one dimension; nothing at all is an empty one."""
    as_sent = np.dtype([("width", ">i4"), ("value", _letter(kind))])
    values = np.frombuffer(raw[_ARRAY_HEAD:], as_sent)["value"]
    return values.astype(np.float64 if kind in _FLOATS else np.int64)


def _rows(columns: Mapping[str, tuple[str, NDArray[np.int64]]], row_type: np.dtype[np.void]) -> NDArray[Any]:
    rows = np.zeros(len(next(iter(columns.values()))[1]), row_type)
    for name, (kind, values) in columns.items():
        rows[f"{name} width"], rows[name] = _WIDTHS[kind], values
    return rows


def _row_type(columns: Mapping[str, str]) -> np.dtype[np.void]:
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    for name, kind in columns.items():
        fields += [(f"{name} width", ">i4"), (name, _letter(kind))]
    return np.dtype(fields)


def _letter(kind: str) -> str:
    return f">{'f' if kind in _FLOATS else 'i'}{_WIDTHS[kind]}"
