"""Columns of numbers say what their numbers say one by one, and no peak and no gap is lost on the way."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from dashboard.charts import columns, words
from dashboard.charts.draw_marks import MANY
from dashboard.charts.lane import LANE
from dashboard.charts.timeline import Series, TimePoints, gaps

START = datetime(2026, 7, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
numbers = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e18, max_value=1e18)
values = st.lists(st.one_of(st.none(), numbers, st.integers(-(10**7), 10**7).map(float)), max_size=40)


@given(values, st.integers(0, 5))
def test_a_column_is_written_as_its_numbers_are_one_by_one(found: list[float | None], more: int) -> None:
    written = columns.texts(found, len(found) + more)
    assert len(written) == len(found) + more
    for text, value in zip(written, [*found, *[None] * more], strict=True):
        if value is None:
            assert text == ""
        else:
            assert math.isclose(float(text), float(columns.plain(value)), rel_tol=1.1e-5), (text, value)
            assert len(text.lstrip("-").split("e")[0].replace(".", "").lstrip("0").rstrip("0")) <= 6, text


@given(st.lists(st.integers(-(10**6), 10**6).map(lambda n: n / 1000), max_size=40))
def test_numbers_of_usual_size_are_written_alike_to_the_letter(found: list[float]) -> None:
    assert columns.texts(found, len(found)) == [columns.plain(value) for value in found]


@given(st.lists(numbers, min_size=1, max_size=30), st.integers(2, 15))
def test_significant_digits_are_kept_and_no_more(found: list[float], digits: int) -> None:
    short = columns.significant(columns.numbers(found), digits).tolist()
    for value, kept in zip(found, short, strict=True):
        assert math.isclose(kept, words.rounded(value, digits), rel_tol=1.1 * 10.0 ** (1 - digits))


@given(values)
def test_stretches_hold_every_known_place_once_and_never_reach_over_a_gap(found: list[float | None]) -> None:
    runs = columns.stretches(range(len(found)), found)
    places = [(int(x), y) for run in runs for x, y in run.tolist()]
    assert places == [(i, value) for i, value in enumerate(found) if value is not None]
    for run in runs:
        assert run[:, 0].tolist() == list(range(int(run[0, 0]), int(run[0, 0]) + len(run)))
    for before, after in pairwise(runs):
        assert after[0, 0] > before[-1, 0] + 1
    alone = any(len(run) == 1 for run in runs)
    assert columns.lonely(found) == alone


@given(st.lists(st.booleans(), max_size=40))
def test_silent_bins_are_those_that_no_series_knows(known: list[bool]) -> None:
    shown: list[float | None] = [1.0 if one else None for one in known]
    found = gaps(TimePoints(START, HOUR, (Series("a", shown), Series("b", (None,) * len(known)))))
    assert [i for lo, hi in found for i in range(lo, hi)] == [i for i, one in enumerate(known) if not one]


def test_many_bars_are_one_path_that_holds_the_peak_and_leaves_the_gap() -> None:
    counts: list[float | None] = [10.0 + i % 5 for i in range(720)]
    counts[300], counts[500:510] = 1000.0, [None] * 10
    points = TimePoints(START, HOUR, (Series("rows", counts),), bars=True)
    plot = LANE.plot(points)
    svg = LANE.svg(points, width=1152)
    path = max(re.findall(r'<path d="([^"]+)"', svg), key=len)
    places = [(float(x), float(y)) for x, y in re.findall(r"H([\d.]+)V([\d.]+)", path)]
    top = min(y for _, y in places)
    panel = plot.panels[0]
    assert math.isclose(top, plot.top + panel.height * (1 - panel.y.share(1000.0)), abs_tol=0.01)
    (at,) = {round(x) for x, y in places if y == top}
    assert abs(at - 1000 * 300.5 / 720) < 1
    drawn = {int(x / 1000 * 720) for x, y in places if y < plot.top + panel.height - 0.4}
    assert drawn == set(range(720)) - set(range(500, 510))


def test_fewer_bars_stay_bars_of_their_own() -> None:
    points = TimePoints(START, HOUR, (Series("rows", [5.0] * (MANY - 1)),), bars=True)
    assert LANE.svg(points).count('rx="1.5"') == MANY - 1


def test_bars_on_bars_of_different_heights_are_closed_one_by_one() -> None:
    left = columns.numbers([0.0, 2.0])
    path = columns.boxes(left, left + 1, columns.numbers([1.0, 2.0]), columns.numbers([9.0, 8.0]))
    assert path == "M0.00 9.00V1.00H1.00V9.00ZM2.00 8.00V2.00H3.00V8.00Z"
    level = columns.boxes(left, left + 1, columns.numbers([1.0, 2.0]), columns.numbers([9.0, 9.0]))
    assert level == "M0.0 9.0H0.0V1.0H1.0V9.0H2.0V2.0H3.0V9.0Z"


def test_many_gaps_of_a_month_of_hours_are_told_by_one_trace_that_holds_every_silent_bin() -> None:
    shown = [None if i % 24 < 5 else 0.7 for i in range(720)]
    points = TimePoints(START, HOUR, (Series("v3", shown),), "AUC")
    assert len(gaps(points)) == 30
    (told,) = [t for t in LANE.figure(points)["data"] if t.get("hovertemplate") == "no data<extra></extra>"]
    first = round(START.timestamp() * 1000)
    assert told["x"] == [first + 3_600_000 * i for i, value in enumerate(shown) if value is None]
    assert len(told["y"]) == len(told["x"])
