"""A map of H3 cells: what it shows, its finding, its words and its table twin. `draw_map` draws it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import h3

from dashboard.charts import ramps, words
from dashboard.charts.globe import place_words
from dashboard.charts.known_places import nearest
from dashboard.charts.ramps import Ramp

LEAST_ROWS = 100


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a cell lies, in degrees: its middle and its corners."""

    latitude: float
    longitude: float
    corners: tuple[tuple[float, float], ...]
    km2: float
    near: str

    @property
    def words(self) -> str:
        """`40.64° N, 73.78° W, near New York`."""
        return place_words(self.latitude, self.longitude) + (f", near {self.near}" if self.near else "")


@lru_cache(maxsize=8192)
def ground_of(hexagon: str) -> Ground | None:
    """The ground of an H3 cell; None for what is no cell."""
    if not h3.is_valid_cell(hexagon):
        return None
    latitude, longitude = h3.cell_to_latlng(hexagon)
    corners = tuple((float(a), float(b)) for a, b in h3.cell_to_boundary(hexagon))
    return Ground(latitude, longitude, corners, h3.cell_area(hexagon, unit="km^2"), nearest(latitude, longitude))


@dataclass(frozen=True, slots=True)
class MapCell:
    """One cell with its value, and how many rows it is of; None: not told. `href`: where a click leads."""

    hexagon: str
    value: float | None
    n: int | None
    href: str = ""


@dataclass(frozen=True)
class MapPoints:
    """Cells of one resolution. `better`: +1 more is better, −1 less is, 0 a plain amount.

    `whole`: the value of all rows. `limit`: of a score with a limit. `judged`: cells under LEAST_ROWS rows are left
    uncoloured. `additive`: values are counts.
    """

    cells: tuple[MapCell, ...]
    measure: str
    text: Callable[[float | None], str]
    better: int = 0
    whole: float | None = None
    limit: float | None = None
    judged: bool = True
    additive: bool = False
    rows: str = "row"
    selected: str = ""

    @cached_property
    def shown(self) -> list[tuple[MapCell, Ground]]:
        """The cells that lie somewhere, the smallest values first, so that loud ones are drawn on top."""
        found = [(cell, ground) for cell in self.cells if (ground := ground_of(cell.hexagon)) is not None]
        return sorted(found, key=lambda pair: (self.is_loud(pair[0]), self._rank(pair[0]), pair[0].hexagon))

    def _rank(self, cell: MapCell) -> float:
        value = cell.value
        if value is None or not math.isfinite(value):
            return -math.inf
        return -value if self.better > 0 else value

    def is_small(self, cell: MapCell) -> bool:
        """Whether too few rows stand behind its value."""
        return self.judged and cell.n is not None and cell.n < LEAST_ROWS

    def is_loud(self, cell: MapCell) -> bool:
        """Whether it gets a colour."""
        return cell.value is not None and not self.is_small(cell)

    @cached_property
    def loud(self) -> list[MapCell]:
        """Coloured cells, worst (or largest) first."""
        found = [cell for cell, _ in self.shown if self.is_loud(cell)]
        return sorted(found, key=lambda cell: (-self._rank(cell), cell.hexagon))

    @cached_property
    def ramp(self) -> Ramp:
        """The colours: by the limit, around the whole, or from few to many."""
        values = [cell.value for cell in self.loud if cell.value is not None]
        if self.limit is not None:
            return ramps.against(self.limit, self.text)
        if self.better and self.whole:
            return ramps.around(self.whole, self.better, self.text)
        return (ramps.amounts if self.additive else ramps.levels)(values, self.text)

    def cell_words(self, cell: MapCell, ground: Ground) -> str:
        """`40.64° N, 73.78° W, near New York: RMSE 31.4, 580 rows`."""
        value = f"{self.measure} {self.text(cell.value)}" if cell.value is not None else f"no {self.measure}"
        size = "" if cell.n is None or self.additive else f", {words.count(cell.n, self.rows)}"
        return f"{ground.words}: {value}{size}{', too few to judge' if self.is_small(cell) else ''}"


def map_title(points: MapPoints) -> str:
    """The worst place, or the busiest."""
    if not points.shown:
        return "No row with a place in this range"
    if not points.loud:
        return f"No cell has {LEAST_ROWS} {points.rows}s in this range"
    first = points.loud[0]
    ground = ground_of(first.hexagon)
    name = (ground.near or place_words(ground.latitude, ground.longitude)) if ground else ""
    value = points.text(first.value)
    if points.limit is not None:
        beyond = sum(1 for cell in points.loud if (cell.value or 0.0) > (points.limit or 0.0))
        if not beyond:
            return f"All {len(points.loud)} cells stayed within {points.text(points.limit)}"
        return f"{beyond} of {words.count(len(points.loud), 'cell')} drifted, most at {name}: {value}"
    if not points.better:
        return f"{'Most' if points.additive else 'Highest'} at {name}: {value}"
    over = f", {points.text(points.whole)} over all" if points.whole is not None else ""
    return f"Weakest at {name}: {value}{over}"


def map_summary(points: MapPoints) -> str:
    """Title, the three first cells, and how many are too small."""
    grounds = {cell.hexagon: ground for cell, ground in points.shown}
    told = [map_title(points), *(points.cell_words(cell, grounds[cell.hexagon]) for cell in points.loud[:3])]
    small = sum(points.is_small(cell) for cell, _ in points.shown)
    if small:
        told.append(f"{small} of {len(points.shown)} cells under {LEAST_ROWS} {points.rows}s")
    return ". ".join(told)


def map_columns(points: MapPoints) -> tuple[str, ...]:
    """The heads of the table twin."""
    own = () if points.additive else (f"{points.rows.capitalize()}s",)
    return ("Cell", "Latitude", "Longitude", "Near", points.measure, *own)


def map_rows(points: MapPoints) -> list[tuple[str, ...]]:
    """One row a cell, loud ones first."""
    grounds = {cell.hexagon: (cell, ground) for cell, ground in points.shown}
    rest = [cell for cell, _ in reversed(points.shown) if not points.is_loud(cell)]
    rows = []
    for cell in [*points.loud, *rest]:
        ground = grounds[cell.hexagon][1]
        value = "" if cell.value is None else f"{words.rounded(cell.value, 6)}"
        own = () if points.additive else ("" if cell.n is None else str(cell.n),)
        rows.append((cell.hexagon, f"{ground.latitude:.4f}", f"{ground.longitude:.4f}", ground.near, value, *own))
    return rows
