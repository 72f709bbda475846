"""Durations, buckets, ordinals and covers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics import buckets
from metrics.buckets import DAILY, HOURLY, MONTHLY, WEEKLY, BucketSize, DurationError

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = st.integers(min_value=0, max_value=24 * 400).map(lambda hours: NEW_YEAR + timedelta(hours=hours))


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("PT1H", HOURLY),
        ("P1D", DAILY),
        ("P7D", WEEKLY),
        ("P1W", WEEKLY),
        ("P1M", MONTHLY),
        ("P1Y", BucketSize(months=12)),
        ("PT36H", BucketSize(hours=36)),
        ("P1DT12H", BucketSize(hours=36)),
        ("PT120M", BucketSize(hours=2)),
        ("PT3600S", HOURLY),
    ],
)
def test_a_duration_of_whole_hours_or_months_is_read(text: str, size: BucketSize) -> None:
    assert buckets.parse_duration(text) == size


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "PT0H",
        "PT30M",
        "P1MT1H",
        "P1M1D",
        "1D",
        "P1.5D",
        "-P1D",
        "PT1H1S",
        "T2H",
        "P" + "9" * 40,
        "P" + "9" * 20 + "D",
        "P101Y",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(DurationError):
        buckets.parse_duration(text)


@pytest.mark.parametrize(("text", "hours"), [("T2H", 2), ("PT2H", 2), ("P7D", 168), ("P365D", 8760)])
def test_windows_of_health_rules_may_leave_out_the_leading_p(text: str, hours: int) -> None:
    assert buckets.parse_interval(text) == BucketSize(hours=hours)


@pytest.mark.parametrize("text", ["PT1H", "PT36H", "P1D", "P7D", "P1M", "P12M"])
def test_a_size_is_spelled_as_it_was_read(text: str) -> None:
    assert str(buckets.parse_duration(text)) == text


@pytest.mark.parametrize(
    ("days", "size"),
    [(1, HOURLY), (2, HOURLY), (3, DAILY), (60, DAILY), (61, WEEKLY), (364, WEEKLY), (365, MONTHLY)],
)
def test_the_default_bucket_follows_the_length_of_the_period(days: int, size: BucketSize) -> None:
    assert buckets.default_bucket(NEW_YEAR, NEW_YEAR + timedelta(days=days)) == size


def test_the_last_bucket_is_cut_at_the_end() -> None:
    end = NEW_YEAR + timedelta(days=10)
    pieces = buckets.split(NEW_YEAR, end, WEEKLY)
    assert pieces == [(NEW_YEAR, NEW_YEAR + timedelta(days=7)), (NEW_YEAR + timedelta(days=7), end)]


def test_months_step_by_the_calendar_from_the_start() -> None:
    start = datetime(2026, 1, 31, 6, tzinfo=UTC)
    starts = [left for left, _ in buckets.split(start, datetime(2026, 5, 1, tzinfo=UTC), MONTHLY)]
    assert [(moment.month, moment.day, moment.hour) for moment in starts] == [
        (1, 31, 6),
        (2, 28, 6),
        (3, 31, 6),
        (4, 30, 6),
    ]


def test_months_step_over_the_end_of_a_year() -> None:
    pieces = buckets.split(datetime(2025, 12, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC), MONTHLY)
    assert [left.date() for left, _ in pieces] == [date(2025, 12, 1), date(2026, 1, 1)]


def test_an_empty_period_has_no_bucket() -> None:
    assert buckets.split(NEW_YEAR, NEW_YEAR, DAILY) == []


def test_a_period_of_too_many_buckets_is_refused() -> None:
    with pytest.raises(ValueError, match="More than"):
        buckets.split(NEW_YEAR, NEW_YEAR + timedelta(days=366 * 100), HOURLY)


@given(HOURS, HOURS, st.sampled_from([HOURLY, DAILY, WEEKLY, MONTHLY, BucketSize(hours=36)]))
def test_buckets_follow_one_another_and_fill_the_period(a: datetime, b: datetime, size: BucketSize) -> None:
    start, end = min(a, b), max(a, b)
    pieces = buckets.split(start, end, size)
    if start == end:
        assert not pieces
        return
    assert pieces[0][0] == start
    assert pieces[-1][1] == end
    assert all(left[1] == right[0] for left, right in pairwise(pieces))
    assert all(left < right for left, right in pieces)


@given(HOURS, HOURS)
def test_a_cover_holds_every_hour_once_and_no_other(a: datetime, b: datetime) -> None:
    start, end = min(a, b), max(a, b)
    cover = buckets.cover(start, end)
    hours = [*cover.hours, *(24 * day + hour for day in cover.days for hour in range(24))]
    assert sorted(hours) == list(range(buckets.hour_ordinal(start), buckets.hour_ordinal(end)))
    assert len(cover.hours) <= 46


def test_ordinals_count_from_the_epoch() -> None:
    moment = datetime(1970, 1, 2, 3, 59, tzinfo=UTC)
    assert buckets.hour_ordinal(moment) == 27
    assert buckets.day_ordinal(moment) == buckets.day_ordinal(date(1970, 1, 2)) == 1
    assert buckets.hour_start(27) == datetime(1970, 1, 2, 3, tzinfo=UTC)
    assert buckets.day_start(1) == datetime(1970, 1, 2, tzinfo=UTC)
    assert buckets.hour_ordinal(datetime(1969, 12, 31, 23, 30, tzinfo=UTC)) == -1


def test_every_hour_finds_its_bucket_and_strangers_find_none() -> None:
    day, first = timedelta(days=1), buckets.hour_ordinal(NEW_YEAR)
    pieces = [(NEW_YEAR, NEW_YEAR + day), (NEW_YEAR + 2 * day, NEW_YEAR + 3 * day)]
    hours = first + np.array([-1, 0, 23, 24, 47, 48, 71, 72])
    assert buckets.bucket_indexes(pieces, hours).tolist() == [-1, 0, 0, -1, -1, 1, 1, -1]
    assert buckets.bucket_indexes([], hours).tolist() == [-1] * 8


def test_a_bucket_fits_when_it_is_no_longer_than_the_period() -> None:
    assert buckets.fits(WEEKLY, NEW_YEAR, NEW_YEAR + timedelta(days=7))
    assert not buckets.fits(WEEKLY, NEW_YEAR, NEW_YEAR + timedelta(days=6))
    assert buckets.fits(MONTHLY, NEW_YEAR, datetime(2026, 2, 1, tzinfo=UTC))


@pytest.mark.parametrize("size", [WEEKLY, MONTHLY])
def test_the_end_of_the_calendar_is_no_error(size: BucketSize) -> None:
    start, end = datetime(9999, 12, 28, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
    assert buckets.split(start, end, size) == [(start, end)]
    assert not buckets.fits(size, start, end)


def test_the_next_top_of_the_hour_is_later_than_now() -> None:
    assert buckets.top_of_next_hour(NEW_YEAR + timedelta(minutes=5)) == NEW_YEAR + timedelta(hours=1)
    assert buckets.top_of_next_hour(NEW_YEAR) == NEW_YEAR + timedelta(hours=1)
    assert buckets.is_whole_hour(NEW_YEAR)
    assert not buckets.is_whole_hour(NEW_YEAR + timedelta(microseconds=1))


def test_a_size_is_hours_or_months() -> None:
    with pytest.raises(DurationError):
        BucketSize(hours=1, months=1)
