"""How answers lie in the table: zstd of JSON. Buckets are [start, end, values, known_at], times in seconds."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson
import xxhash
import zstandard

LEVEL = 3
#: No stored answer may grow beyond this when unpacked.
MAX_BYTES = 64 * 1024 * 1024

Bucket = tuple[datetime, datetime, dict[str, Any]]
#: A bucket and the time at which it was known.
KnownBucket = tuple[datetime, datetime, dict[str, Any], datetime]


class _Tools(threading.local):
    """Contexts are dear to make and not to be shared between threads."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(LEVEL)
        self.decompressor = zstandard.ZstdDecompressor()


_tools = _Tools()


def pack(value: Any) -> bytes:
    """Any JSON value as compressed bytes."""
    return _tools.compressor.compress(orjson.dumps(value))


def unpack(payload: bytes | memoryview) -> Any:
    """The inverse of `pack`."""
    return orjson.loads(_tools.decompressor.decompress(payload, max_output_size=MAX_BYTES))


def digest(value: Any) -> str:
    """32 hex digits that are equal for equal JSON values, whatever the order of their keys."""
    return xxhash.xxh3_128_hexdigest(orjson.dumps(value, option=orjson.OPT_SORT_KEYS))


def pack_known_buckets(buckets: Iterable[KnownBucket]) -> bytes:
    """Buckets as compressed bytes; each keeps the time at which it was known, as seconds since 1970 like its bounds."""
    return pack(
        [[int(a.timestamp()), int(b.timestamp()), values, known.timestamp()] for a, b, values, known in buckets]
    )


def unpack_buckets(payload: bytes | memoryview) -> Sequence[KnownBucket]:
    """The inverse of `pack_known_buckets`."""
    found = unpack(payload)
    return [(_moment(start), _moment(end), values, _moment(known)) for start, end, values, known in found]


@lru_cache(maxsize=16_384)  # charts of one range share their bounds
def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
