"""Laws of axes and labels."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.charts.distribution import DistributionPoints, distribution_plot
from dashboard.charts.scales import Axis, Label, nice_ticks, spread, text_width, time_axis, value_axis, with_headroom

finite = st.floats(-1e9, 1e9, allow_nan=False)


@given(finite, st.floats(1e-3, 1e9), st.integers(2, 8))
def test_ticks_are_inside_rising_and_few(lo: float, span: float, wanted: int) -> None:
    ticks = nice_ticks(lo, lo + span, wanted)
    air = span * 1e-6 + abs(lo) * 1e-9
    assert all(lo - air <= t <= lo + span + air for t in ticks)
    assert ticks == sorted(set(ticks))
    assert len(ticks) <= wanted * 1.6 + 1


@given(st.lists(st.one_of(st.none(), finite), max_size=20), st.booleans())
def test_an_axis_holds_its_values(values: list[float | None], zero: bool) -> None:
    axis = value_axis(values, zero=zero)
    assert axis.lo < axis.hi
    assert all(axis.lo <= v <= axis.hi for v in values if v is not None)
    assert not zero or axis.lo <= 0 <= axis.hi


def test_a_rate_starts_at_zero_and_a_score_may_not() -> None:
    assert value_axis([0.7, 0.8], zero=True).lo == 0
    assert value_axis([0.7, 0.8]).lo > 0.6


def test_ticks_are_told_apart() -> None:
    assert [t.label for t in value_axis([0.61, 0.84]).ticks] == ["0.60", "0.65", "0.70", "0.75", "0.80", "0.85"]
    assert [t.label for t in value_axis([0, 1200], zero=True, ticks=3).ticks] == ["0", "500", "1,000"]
    assert [t.label for t in value_axis([0.001, 8], log=True).ticks] == ["0.001", "0.01", "0.1", "1", "10"]


def test_counts_have_whole_ticks() -> None:
    assert [t.label for t in value_axis([0, 1], zero=True, ticks=2, whole=True).ticks] == ["0", "1"]


def test_words_get_room_above() -> None:
    axis = with_headroom(Axis(0, 100), 100, 20)
    assert (1 - axis.share(100)) * 100 == pytest.approx(20)
    log = with_headroom(Axis(0.01, 10, log=True), 100, 20)
    assert (1 - log.share(10)) * 100 == pytest.approx(20)


MIDNIGHT = datetime(2026, 7, 1, tzinfo=UTC)
MORNING = MIDNIGHT + timedelta(hours=6)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.mark.parametrize(
    ("start", "step", "n", "labels"),
    [
        (datetime(2026, 6, 25, tzinfo=UTC), DAY, 30, "Thu 25 Jun, Thu 2 Jul, Thu 9 Jul, Thu 16 Jul, Thu 23 Jul"),
        (MIDNIGHT, DAY, 3, "Wed 1 Jul, Thu 2 Jul, Fri 3 Jul"),
        (MORNING, HOUR, 24, "08:00, 12:00, 16:00, 20:00, Thu 2 Jul, 04:00"),
        (MORNING, HOUR, 168, "Thu 2 Jul, Fri 3 Jul, Sat 4 Jul, Sun 5 Jul, Mon 6 Jul, Tue 7 Jul, Wed 8 Jul"),
        (datetime(2026, 1, 1, tzinfo=UTC), 7 * DAY, 40, "Jan 2026, Mar, May, Jul, Sep"),
    ],
)
def test_time_ticks_name_days_hours_or_months(start: datetime, step: timedelta, n: int, labels: str) -> None:
    assert [t.label for t in time_axis(start, step, n).ticks] == labels.split(", ")


@given(st.lists(st.floats(0, 200), min_size=1, max_size=8))
def test_labels_keep_their_order_and_distance(places: list[float]) -> None:
    labels = [Label(at, f"{i}", rank=i) for i, at in enumerate(places)]
    placed = spread(labels, 0, 200)
    assert 1 <= len(placed) <= len(labels)
    assert [label.at for _, label in placed] == sorted(label.at for _, label in placed)
    got = [at for at, _ in placed]
    assert all(b - a >= 12.9 for a, b in pairwise(got))
    assert all(-0.01 <= at <= 200.01 for at in got)


def test_of_two_labels_at_one_place_the_lesser_goes() -> None:
    placed = spread([Label(50, "limit", rank=2), Label(52, "now", rank=0)], 0, 100)
    assert [label.text for _, label in placed] == ["now"]


def test_two_lines_that_end_at_one_place_both_keep_their_names() -> None:
    placed = spread([Label(50, "humid"), Label(51, "pressure"), Label(80, "limit", rank=2)], 0, 100)
    assert [label.text for _, label in placed] == ["humid", "pressure", "limit"]


def test_wide_letters_need_more_room() -> None:
    assert text_width("WWWW") > text_width("aaaa") > text_width("iiii")


@pytest.mark.parametrize("bins", [1, 4, 10, 30])
def test_words_of_the_bins_off_the_scale_stand_beside_each_other(bins: int) -> None:
    labels = (*map(str, range(bins)), "below", "above", "missing")
    share = (1 / len(labels),) * len(labels)
    edges = tuple(float(at) for at in range(bins + 1))
    shown = distribution_plot(DistributionPoints("humid", labels, share, share, edges=edges, apart=3)).x
    pixels = (430 - 44 - 16) / (shown.hi - shown.lo)
    below, above, missing = (tick.value for tick in shown.ticks[-3:])
    assert (above - below) * pixels > 36
    assert (missing - above) * pixels > 40
    assert (below - bins) * pixels > 16
    assert (shown.hi - missing) * pixels > 16
