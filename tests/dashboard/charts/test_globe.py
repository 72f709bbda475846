"""The globe on paper: areas are true, frames hold what they are made for, and colours follow their bounds."""

from __future__ import annotations

import h3
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.charts import draw_map, ramps, words
from dashboard.charts.cells import MapCell, MapPoints, map_title
from dashboard.charts.draw_map import WIDE, draw, frame_of
from dashboard.charts.globe import EARTH_KM, Frame, Projection, distance_km, fitting, frame, graticule, place_words
from dashboard.charts.known_places import known_places

latitudes, longitudes = st.floats(-75, 75), st.floats(-170, 170)


def area_km2(corners: np.ndarray) -> float:
    """Of a polygon in the plane, by the shoelace formula."""
    x, y = corners[:, 0], corners[:, 1]
    return float(abs((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) / 2) * EARTH_KM**2


@given(latitudes, longitudes, st.booleans())
def test_a_cell_is_as_large_on_paper_as_on_the_globe(latitude: float, longitude: float, whole: bool) -> None:
    cell = h3.latlng_to_cell(latitude, longitude, 4)
    projection = Projection(latitude * 0.8, longitude + (20 if longitude < 0 else -20), globe=whole)
    drawn = area_km2(projection(h3.cell_to_boundary(cell)))
    assert drawn == pytest.approx(h3.cell_area(cell, unit="km^2"), rel=0.02)


@given(st.lists(st.tuples(latitudes, longitudes), min_size=1, max_size=20))
def test_a_frame_holds_every_place_and_its_grid_leaves_at_its_edges(places: list[tuple[float, float]]) -> None:
    seen = frame(places, 700, tallest=0.7, flattest=0.4)
    assert 280 - 1e-6 <= seen.height <= 490 + 1e-6
    for x, y in seen.px(places).tolist():
        assert seen.holds(x, y)
    for line in graticule(seen, places):
        assert line.leaves is None or 0 <= line.leaves <= (seen.width if line.upright else seen.height)


def test_places_on_both_sides_of_the_date_line_stay_together() -> None:
    projection = fitting([(52.0, 179.5), (52.0, -179.5)])
    assert not projection.globe
    assert abs(projection.longitude) == pytest.approx(180, abs=1e-6)
    found = projection([(52.0, 179.5), (52.0, -179.5)])
    assert np.hypot(*(found[0] - found[1])) * EARTH_KM == pytest.approx(
        distance_km((52.0, 179.5), [(52.0, -179.5)])[0], rel=1e-3
    )


def test_a_place_is_written_with_its_hemispheres() -> None:
    assert place_words(40.64, -73.78) == "40.64°\u202fN, 73.78°\u202fW"
    assert place_words(-33.9, 151.2) == "33.90°\u202fS, 151.20°\u202fE"


def test_a_diverging_ramp_is_brown_on_the_worse_side_whichever_that_is() -> None:
    lower, higher = ramps.around(40.0, -1, words.number), ramps.around(0.7, 1, words.number)
    assert (lower.token(60.0), lower.token(40.1), lower.token(20.0)) == ("div-1", "div-5", "div-9")
    assert (higher.token(0.5), higher.token(0.7), higher.token(0.95)) == ("div-1", "div-5", "div-9")


def test_a_score_within_its_limit_stays_in_the_quiet_half() -> None:
    ramp = ramps.against(0.15, words.number)
    assert [ramp.token(value) for value in (0.0, 0.15, 0.16, 9.0)] == ["heat-1", "heat-3", "heat-4", "heat-7"]


@given(st.lists(st.floats(0, 1e6), max_size=60))
def test_every_ramp_has_a_colour_and_a_word_for_every_value(values: list[float]) -> None:
    for ramp in (ramps.amounts(values, words.number), ramps.levels(values, words.number)):
        assert len(ramp.tokens) == len(ramp.labels) == len(ramp.bounds) + 1
        assert list(ramp.bounds) == sorted(set(ramp.bounds))
        assert all(ramp.token(value) in ramp.tokens for value in values)


def test_a_map_without_a_cell_is_drawn_and_says_so() -> None:
    empty = MapPoints((), "RMSE", words.number)
    assert map_title(empty) == "No row with a place in this range"
    assert draw(empty, WIDE, frame_of(empty, WIDE)).startswith("<svg")


def test_what_is_no_cell_is_left_out() -> None:
    points = MapPoints(
        (MapCell("nonsense", 1.0, 500), MapCell(h3.latlng_to_cell(1, 2, 5), 2.0, 500)), "n", words.number
    )
    assert len(points.shown) == 1


def test_only_places_inside_the_frame_are_weighed_and_the_frame_is_fitted_once_a_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fitted: list[str] = []
    real = draw_map.frame_of

    def counted(points: MapPoints, sheet: draw_map.Sheet) -> Frame:
        fitted.append(sheet.css)
        return real(points, sheet)

    monkeypatch.setattr(draw_map, "frame_of", counted)
    points = MapPoints((MapCell(h3.latlng_to_cell(48.85, 2.35, 4), 1.0, 500),), "n", words.number)
    view = draw_map.map_view("map", points)
    assert fitted == ["map-wide", "map-narrow"]
    assert view.svg.count(">Paris</text>") == (2 if known_places() else 0)
