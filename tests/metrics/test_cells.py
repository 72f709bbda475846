"""Cells against the library h3 itself: lookups, parents by bit arithmetic, and the resolution that fits."""

from __future__ import annotations

import h3
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics import cells_at, fitting_resolution, hexagons, parents, resolution_of

LATITUDES, LONGITUDES = st.floats(-90, 90), st.floats(-180, 180)
PLACES = st.lists(st.tuples(LATITUDES, LONGITUDES), min_size=1, max_size=20)


@given(PLACES)
def test_a_cell_is_the_one_that_h3_says(places: list[tuple[float, float]]) -> None:
    latitude, longitude = zip(*places, strict=True)
    assert hexagons(cells_at(latitude, longitude)) == [h3.latlng_to_cell(lat, lon, 7) for lat, lon in places]


@given(PLACES, st.integers(0, 7))
def test_parents_are_those_that_h3_says(places: list[tuple[float, float]], resolution: int) -> None:
    latitude, longitude = zip(*places, strict=True)
    cells = cells_at(latitude, longitude)
    found = parents(cells, resolution)
    assert hexagons(found) == [h3.cell_to_parent(cell, resolution) for cell in hexagons(cells)]
    assert resolution_of(found) == resolution


def test_what_is_missing_or_out_of_range_is_nowhere() -> None:
    assert cells_at([np.nan, 91, 0, 0, np.inf], [0, 0, 181, np.nan, 0]).tolist() == [0] * 5
    assert parents([0], 3).tolist() == [0]


@pytest.mark.parametrize("most", [1, 7, 50, 10_000])
def test_the_finest_resolution_that_gives_few_enough_cells_fits(most: int) -> None:
    rng = np.random.default_rng(3)
    cells = cells_at(rng.uniform(40, 45, 500), rng.uniform(-80, -70, 500))
    resolution = fitting_resolution(cells, most)
    different = [len({h3.cell_to_parent(cell, r) for cell in hexagons(cells)}) for r in range(8)]
    assert resolution == max([r for r in range(8) if different[r] <= most], default=0)
