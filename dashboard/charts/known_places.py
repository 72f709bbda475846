"""Places with a name, without a file of our own: the cities that the system's time-zone database is named after.

Where the system has no such table there are no names, and maps show the graticule alone.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dashboard.charts.globe import distance_km

TABLES = ("zone1970.tab", "zone.tab")
NEAR_KM = 60.0
"""How far a city may be for a cell to be called after it."""
_PLACE = re.compile(r"([+-])(\d{2})(\d{2})(\d{2})?([+-])(\d{3})(\d{2})(\d{2})?")


@dataclass(frozen=True, slots=True)
class Place:
    """A city and where it lies, in degrees."""

    name: str
    latitude: float
    longitude: float


@cache
def known_places() -> tuple[Place, ...]:
    """All of them, by name; empty where there is no table."""
    found: dict[str, Place] = {}
    for table in _tables():
        for line in table.read_text(encoding="utf-8").splitlines():
            place = _read(line)
            if place is not None:
                found.setdefault(place.name, place)
    return tuple(found[name] for name in sorted(found))


def _tables() -> list[Path]:
    paths = [Path(folder) / name for folder in zoneinfo.TZPATH for name in TABLES]
    return [path for path in paths if path.is_file()]


def _read(line: str) -> Place | None:
    parts = line.split("\t")
    if line.startswith("#") or len(parts) < 3 or "/" not in parts[2] or _is_village("".join(parts[3:])):
        return None
    match = _PLACE.fullmatch(parts[1])
    if match is None:
        return None
    north, *first = match.groups()[:4]
    east, *second = match.groups()[4:]
    name = parts[2].rsplit("/", 1)[1].replace("_", " ")
    return Place(name, _degrees(north, first), _degrees(east, second))


def _is_village(comment: str) -> bool:
    """Whether a zone is of a small area only, such as `Eastern - IN (Switzerland)`: its town is known to few."""
    inside = re.findall(r"\(([^)]*)\)", comment)
    return any("," not in one and ":" not in one and not one.startswith(("most", "except")) for one in inside)


def _degrees(sign: str, parts: Sequence[str | None]) -> float:
    whole, minutes, seconds = (int(part or 0) for part in parts)
    value = whole + minutes / 60 + seconds / 3600
    return -value if sign == "-" else value


def nearest(latitude: float, longitude: float) -> str:
    """The name of the nearest city within NEAR_KM; "" where there is none."""
    places = known_places()
    if not places:
        return ""
    away = distance_km((latitude, longitude), [(one.latitude, one.longitude) for one in places])
    at = int(away.argmin())
    return places[at].name if away[at] <= NEAR_KM else ""
