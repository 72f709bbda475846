"""The globe on paper: equal-area projections, a frame that fits the data, and a graticule. Places in degrees, no I/O.

Two places far apart keep their areas comparable: both projections show equal areas equally large. What spans less
than a third of the globe is drawn by Lambert's azimuthal projection about its middle, anything wider by Equal Earth.

Sources: Snyder, "Map Projections: A Working Manual" (1987), 24; Šavrič, Patterson and Jenny, "The Equal Earth map
projection" (2019).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Degrees = Sequence[tuple[float, float]]
"""(latitude, longitude) pairs."""

WIDE = math.radians(60)
"""The angle from the middle beyond which the whole globe is drawn."""
EARTH_KM = 6371.0088
LEAST_KM = 60.0
"""No frame is smaller than this: a single cell keeps its surroundings."""
STEPS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0)
_A = (1.340264, -0.081106, 0.000893, 0.003796)


@dataclass(frozen=True)
class Projection:
    """Degrees to the plane, in radii of the earth; x to the east, y to the north. Areas are true."""

    latitude: float
    longitude: float
    globe: bool = False

    @property
    def words(self) -> str:
        """Its name, for the caption."""
        return "Equal Earth projection" if self.globe else "Lambert azimuthal equal-area projection"

    def __call__(self, places: Degrees) -> Floats:
        """Shape `[n, 2]`."""
        found = np.radians(np.asarray(places, np.float64).reshape(-1, 2))
        phi, away = found[:, 0], found[:, 1] - math.radians(self.longitude)
        away = (away + math.pi) % (2 * math.pi) - math.pi
        return _equal_earth(phi, away) if self.globe else _lambert(phi, away, math.radians(self.latitude))


def _lambert(phi: Floats, away: Floats, middle: float) -> Floats:
    sine, cosine = math.sin(middle), math.cos(middle)
    near = 1 + sine * np.sin(phi) + cosine * np.cos(phi) * np.cos(away)
    k = np.sqrt(2 / np.maximum(near, 1e-9))
    north = k * (cosine * np.sin(phi) - sine * np.cos(phi) * np.cos(away))
    return np.column_stack([k * np.cos(phi) * np.sin(away), north])


def _equal_earth(phi: Floats, away: Floats) -> Floats:
    t = np.arcsin(math.sqrt(3) / 2 * np.sin(phi))
    a, b, c, d = _A
    slope = a + 3 * b * t**2 + t**6 * (7 * c + 9 * d * t**2)
    north = t * (a + b * t**2 + t**6 * (c + d * t**2))
    return np.column_stack([2 * math.sqrt(3) * away * np.cos(t) / (3 * slope), north])


def fitting(places: Degrees) -> Projection:
    """The projection about the middle of the places; about 0, 0 without any."""
    if not len(places):
        return Projection(0.0, 0.0, globe=True)
    vectors = _vectors(places)
    mean = vectors.mean(0)
    size = float(np.linalg.norm(mean))
    middle = mean / size if size > 1e-9 else np.array([1.0, 0.0, 0.0])
    farthest = math.acos(max(-1.0, min(1.0, float((vectors @ middle).min()))))
    latitude = math.degrees(math.asin(max(-1.0, min(1.0, float(middle[2])))))
    longitude = math.degrees(math.atan2(float(middle[1]), float(middle[0])))
    return Projection(latitude, longitude, globe=farthest > WIDE)


def _vectors(places: Degrees) -> Floats:
    found = np.radians(np.asarray(places, np.float64).reshape(-1, 2))
    phi, lam = found[:, 0], found[:, 1]
    return np.column_stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])


def distance_km(one: tuple[float, float], others: Degrees) -> Floats:
    """Along great circles, shape `[n]`."""
    chord = np.linalg.norm(_vectors(others) - _vectors([one]), axis=1)
    found: Floats = 2 * EARTH_KM * np.arcsin(np.minimum(1.0, chord / 2))
    return found


@dataclass(frozen=True)
class Frame:
    """A picture of `width` × `height` px of a part of the plane; `scale` in px a radius of the earth."""

    projection: Projection
    left: float
    top: float
    scale: float
    width: float
    height: float

    def px(self, places: Degrees) -> Floats:
        """Places in px from the upper left corner, shape `[n, 2]`."""
        found = self.projection(places)
        return np.column_stack([(found[:, 0] - self.left) * self.scale, (self.top - found[:, 1]) * self.scale])

    def holds(self, x: float, y: float, air: float = 0.0) -> bool:
        """Whether a point lies inside, `air` px away from the edge."""
        return air <= x <= self.width - air and air <= y <= self.height - air


def frame(places: Degrees, width: float, *, tallest: float, flattest: float) -> Frame:
    """The frame that fits the places with air around them; its height lies between `flattest` and `tallest` × width."""
    projection = fitting(places)
    found = projection(places) if len(places) else np.zeros((1, 2))
    (x0, y0), (x1, y1) = found.min(0), found.max(0)
    least = LEAST_KM / EARTH_KM
    across, up = max(x1 - x0, least) * 1.1, max(y1 - y0, least) * 1.14
    height = width * min(tallest, max(flattest, up / across))
    scale = min(width / across, height / up)
    left = (x0 + x1) / 2 - width / scale / 2
    return Frame(projection, left, (y0 + y1) / 2 + height / scale / 2, scale, width, height)


# --- Graticule ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class GridLine:
    """A meridian or a parallel in px, with its words, and where it leaves the frame: below, or at the left."""

    words: str
    points: Floats
    upright: bool
    leaves: float | None


def graticule(seen: Frame, places: Degrees, wanted: int = 5) -> list[GridLine]:
    """About `wanted` meridians and as many parallels through the frame around the places."""
    if not len(places):
        return []
    found = np.asarray(places, np.float64)
    middle = seen.projection.longitude
    away = (found[:, 1] - middle + 180) % 360 - 180
    north, east = _spread(found[:, 0], 90.0), _spread(away, 180.0)
    tall, wide = _step(north, wanted), _step(east, wanted)
    lines = [_parallel(seen, value, east, middle) for value in _values(north, tall)]
    return lines + [_meridian(seen, value, north) for value in _values((east[0] + middle, east[1] + middle), wide)]


def _spread(values: Floats, most: float) -> tuple[float, float]:
    """The range of values with as much again around it, so that lines reach the edges of the frame."""
    low, high = float(values.min()), float(values.max())
    air = max(high - low, 0.6) * 0.8
    return max(-most, low - air), min(most, high + air)


def _step(ends: tuple[float, float], wanted: int) -> float:
    seen = (ends[1] - ends[0]) / 2.6
    return min(STEPS, key=lambda step: abs(math.log(max(seen, 1e-6) / (step * wanted))))


def _values(ends: tuple[float, float], step: float) -> list[float]:
    first, last = math.ceil(ends[0] / step - 1e-9), math.floor(ends[1] / step + 1e-9)
    return [round(i * step, 6) for i in range(first, last + 1)]


def _parallel(seen: Frame, latitude: float, east: tuple[float, float], middle: float) -> GridLine:
    points = seen.px([(latitude, middle + float(away)) for away in np.linspace(*east, 49)])
    return GridLine(degrees(latitude, "N", "S"), points, False, _crossing(points[:, 0], points[:, 1], 0.0, seen.height))


def _meridian(seen: Frame, longitude: float, north: tuple[float, float]) -> GridLine:
    points = seen.px([(float(latitude), longitude) for latitude in np.linspace(*north, 49)])
    shown = (longitude + 180) % 360 - 180
    leaves = _crossing(points[:, 1], points[:, 0], seen.height, seen.width)
    return GridLine(degrees(shown, "E", "W"), points, True, leaves)


def _crossing(along: Floats, across: Floats, edge: float, most: float) -> float | None:
    """Where a line passes the edge `along` = `edge`; None where it does not, or outside of the frame."""
    for i in np.nonzero(np.diff(np.sign(along - edge)))[0].tolist():
        part = (edge - along[i]) / ((along[i + 1] - along[i]) or 1.0)
        place = float(across[i] + part * (across[i + 1] - across[i]))
        if 0 <= place <= most:
            return place
    return None


def degrees(value: float, plus: str, minus: str, digits: int | None = None) -> str:
    """`40° N`, `73.5° W`, `0°`."""
    text = f"{abs(value):g}" if digits is None else f"{abs(value):.{digits}f}"
    return f"{text}°" + (f"\u202f{plus}" if value > 0 else f"\u202f{minus}" if value < 0 else "")


def place_words(latitude: float, longitude: float) -> str:
    """`40.64° N, 73.78° W`."""
    return f"{degrees(latitude, 'N', 'S', 2)}, {degrees(longitude, 'E', 'W', 2)}"
