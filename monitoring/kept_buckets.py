"""The buckets of stored chunks: decoded once for all the pages that show them, put together in order of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from monitoring import packing


class Point(NamedTuple):
    """One bucket, half-open. `values` is the bucket as answered, without its period.

    `restated`: an earlier value of this bucket is stored too.
    """

    start: datetime
    end: datetime
    values: dict[str, Any]
    known_at: datetime
    restated: bool = False
    reconstructed: bool = False

    def number(self, name: str = "value") -> float | None:
        """The value as a number; None where the source gave none or gave something else."""
        value = self.values.get(name)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some buckets of one series as they lie in the table."""

    payload: bytes
    reconstructed: bool


STARTS, KNOWN_AT = attrgetter("start"), attrgetter("known_at")


def kept_points(chunks: Sequence[Chunk], start: datetime, end: datetime, as_of: datetime | None) -> Sequence[Point]:
    """The buckets of [start, end), the one stored last where several tell of the same one, in order of time."""
    points: dict[datetime, Point] = {}
    for chunk in chunks:
        kept = _kept(bytes(chunk.payload), chunk.reconstructed)
        if not (kept and start <= kept[0].start and kept[-1].start < end and as_of is None):
            kept = tuple(p for p in kept if start <= p.start < end and (as_of is None or p.known_at <= as_of))
        if points:
            again = points.keys() & {point.start for point in kept}
            kept = tuple(point._replace(restated=True) if point.start in again else point for point in kept)
        elif len(chunks) == 1:
            return kept
        points.update({point.start: point for point in kept})
    return [points[moment] for moment in sorted(points)]


def _kept(payload: bytes, reconstructed: bool) -> tuple[Point, ...]:
    """The buckets of a chunk in order of time; shared between pages: nobody may change their values."""
    return (_kept_short if len(payload) < _SHORT else _kept_long)(payload, reconstructed)


def _decoded(payload: bytes, reconstructed: bool) -> tuple[Point, ...]:
    found = [Point(*bucket, False, reconstructed) for bucket in packing.unpack_buckets(payload)]
    return tuple({point.start: point for point in sorted(found, key=STARTS)}.values())


# The tabs of a deployment show the same series. A month of hours in one chunk takes half a megabyte once it is
# decoded; a series that was polled for a month lies in thirty chunks, each a thirtieth of that.
_SHORT = 2048
_kept_short, _kept_long = lru_cache(maxsize=1536)(_decoded), lru_cache(maxsize=96)(_decoded)
