"""Columns of numbers as compact bytes: the shape in which sparse summaries are stored.

A payload is a tag, then columns of equal length, each in the narrowest unsigned type that holds it (floats stay
8 bytes wide), compressed when that pays. No columns of length 0 are stored: an empty summary is an empty payload.
"""

from __future__ import annotations

import struct
import zlib
from bisect import bisect_left
from collections.abc import Mapping, Sequence

import numpy as np

from metrics.arrays import FloatArray, IntArray

_HEADER = struct.Struct("<BBI")
_COMPRESSED = 0x80
_COMPRESS_FROM = 2_048
_DTYPES = (np.dtype("<u1"), np.dtype("<u2"), np.dtype("<u4"), np.dtype("<u8"), np.dtype("<f8"))
_LIMITS = (2**8 - 1, 2**16 - 1, 2**32 - 1, 2**63 - 1)
_WIDTHS = np.array([dtype.itemsize for dtype in _DTYPES])
_FLOAT_CODE = 4


class PayloadError(ValueError):
    """The bytes were not written by `pack`, or are cut off."""


def pack(tag: int, columns: Sequence[IntArray | FloatArray]) -> bytes:
    """Non-negative integer columns and float columns of one length as bytes; `tag` is 0 to 127 and comes back."""
    length = len(columns[0]) if columns else 0
    codes = bytes(_narrowest(column) for column in columns)
    body = b"".join(column.astype(_DTYPES[code]).tobytes() for column, code in zip(columns, codes, strict=True))
    return _sealed(tag, length, codes, body)


def _sealed(tag: int, length: int, codes: bytes, body: bytes) -> bytes:
    if len(body) >= _COMPRESS_FROM:
        smaller = zlib.compress(body, 1)
        if len(smaller) < len(body):
            return _HEADER.pack(tag | _COMPRESSED, len(codes), length) + codes + smaller
    return _HEADER.pack(tag, len(codes), length) + codes + body


def pack_each(tag: int, columns: Sequence[IntArray | FloatArray], edges: IntArray) -> list[bytes]:
    """`pack` of each part of long columns, from `edges[i]` to `edges[i + 1]`; each column is cast once a width."""
    cast = [_cast(column, edges) for column in columns]
    codes, sizes = np.column_stack([codes for codes, _ in cast]), np.diff(edges)
    heads = np.zeros(len(sizes), [("tag", "u1"), ("count", "u1"), ("length", "<u4"), ("codes", "u1", len(columns))])
    heads["tag"], heads["count"], heads["length"], heads["codes"] = tag, len(columns), sizes, codes
    pieces = [_pieces(*one, edges) for one in cast]
    packed = list(map(b"".join, zip(_sliced(heads.tobytes(), heads.itemsize), *pieces, strict=True)))
    for place in np.flatnonzero(sizes * _WIDTHS[codes].sum(axis=1) >= _COMPRESS_FROM).tolist():
        body = b"".join(piece[place] for piece in pieces)
        packed[place] = _sealed(tag, int(sizes[place]), bytes(codes[place].tolist()), body)
    return packed


def _pieces(codes: IntArray, raws: Mapping[int, bytes], edges: IntArray) -> list[bytes]:
    """The bytes of each part of a column."""
    widths = _WIDTHS[codes]
    places = zip((edges[:-1] * widths).tolist(), (edges[1:] * widths).tolist(), strict=True)
    if len(raws) == 1:
        (raw,) = raws.values()
        return [raw[left:right] for left, right in places]
    return [raws[code][left:right] for code, (left, right) in zip(codes.tolist(), places, strict=True)]


def _sliced(raw: bytes, size: int) -> list[bytes]:
    return [raw[start : start + size] for start in range(0, len(raw), size)]


def _cast(column: IntArray | FloatArray, edges: IntArray) -> tuple[IntArray, dict[int, bytes]]:
    """The code of each part of a column, and the column's bytes by code."""
    if column.dtype.kind == "f":
        codes = np.full(len(edges) - 1, _FLOAT_CODE)
        return codes, {_FLOAT_CODE: column.astype(_DTYPES[_FLOAT_CODE], copy=False).tobytes()}
    codes = np.zeros(len(edges) - 1, np.int64)
    filled = np.flatnonzero(np.diff(edges))
    if filled.size:
        codes[filled] = np.searchsorted(_LIMITS, np.maximum.reduceat(column, edges[:-1][filled]))
    return codes, {code: column.astype(_DTYPES[code]).tobytes() for code in np.unique(codes).tolist()}


def unpack(payload: bytes | memoryview) -> tuple[int, list[IntArray | FloatArray]]:
    """The tag and the columns, integers as int64. Raises PayloadError for foreign or damaged bytes."""
    raw = bytes(payload)
    if len(raw) < _HEADER.size:
        raise PayloadError("The payload is too short.")
    tag, count, length = _HEADER.unpack_from(raw)
    codes, body = raw[_HEADER.size : _HEADER.size + count], raw[_HEADER.size + count :]
    try:
        body = zlib.decompress(body) if tag & _COMPRESSED else body
        dtypes = [_DTYPES[code] for code in codes]
    except (zlib.error, IndexError) as error:
        raise PayloadError("The payload is damaged.") from error
    if len(body) != length * sum(dtype.itemsize for dtype in dtypes):
        raise PayloadError("The payload has the wrong length.")
    columns: list[IntArray | FloatArray] = []
    offset = 0
    for dtype in dtypes:
        column = np.frombuffer(body, dtype, length, offset)
        columns.append(column.astype(np.float64) if dtype.kind == "f" else column.astype(np.int64))
        offset += length * dtype.itemsize
    return tag & ~_COMPRESSED, columns


def gaps(sorted_keys: IntArray) -> IntArray:
    """Rising non-negative keys as the first key and the steps between them: small numbers pack small."""
    return np.diff(sorted_keys, prepend=np.int64(0))


def _narrowest(column: IntArray | FloatArray) -> int:
    if column.dtype.kind == "f":
        return _FLOAT_CODE
    largest = int(column.max()) if column.size else 0
    return bisect_left(_LIMITS, largest)
