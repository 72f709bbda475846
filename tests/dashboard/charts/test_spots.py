"""Words beside dots cover nothing, however many dots there are."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dashboard.charts.spots import Box, covered, free_spots, overlap, spots_around

edge = st.integers(0, 40).map(float)
boxes = st.lists(
    st.tuples(edge, edge, st.integers(1, 15), st.integers(1, 15)).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])),
    min_size=1,
    max_size=12,
)


@given(boxes, boxes)
def test_boxes_are_covered_at_once_as_they_are_one_by_one(some: list[Box], others: list[Box]) -> None:
    found = covered(np.array(some), np.array(others)).tolist()
    assert found == [any(overlap(one, other) for other in others) for one in some]


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 200)), min_size=1, max_size=15, unique=True))
def test_free_spots_lie_inside_and_off_every_dot_and_quiet_ones_off_the_line(places: list[tuple[int, int]]) -> None:
    spots = [spots_around((float(a), float(b)), 60.0) for a, b in places]
    dots: list[Box] = [(a - 7.0, b - 7.0, a + 7.0, b + 7.0) for a, b in places]
    line: Box = (0.0, 99.0, 300.0, 101.0)
    free, quiet = free_spots(spots, dots, 100.0, 300.0, 200.0)
    for around, open_ones, calm in zip(spots, free, quiet, strict=True):
        for at, (_, _, _, box) in enumerate(around):
            inside = box[0] >= 0 and box[2] <= 300 and box[1] >= 0 and box[3] <= 200
            assert (at in open_ones) == (inside and not any(overlap(box, dot) for dot in dots))
            assert (at in calm) == (at in open_ones and not overlap(box, line))


def test_no_dots_have_no_spots() -> None:
    assert free_spots([], [(0.0, 0.0, 1.0, 1.0)], 5.0, 10.0, 10.0) == ([], [])
