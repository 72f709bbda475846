"""Numbers and times in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dashboard.charts import words

NOW = datetime(2026, 7, 25, 13, 10, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("value", "name", "text"),
    [
        (0.75416, "AUC", "0.754"),
        (3.4321, "PSI", "3.43"),
        (0.0049, "PSI", "<\u202f0.01"),
        (0.0, "psi", "<\u202f0.01"),
        (51.123, "RMSE", "51.1"),
        (2345.6, "RMSE", "2,346"),
        (0.1234, "MAE", "0.123"),
        (-0.0213, "R Squared", "\u22120.021"),
        (None, "AUC", "–"),
        (float("nan"), "AUC", "–"),
    ],
)
def test_a_metric_has_the_decimals_its_name_asks_for(value: float | None, name: str, text: str) -> None:
    assert words.metric_value(value, name) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (951, "951"),
        (20_911, "20,900"),
        (51_300, "51,300"),
        (1_240_000, "1.24\u202fM"),
        (3.1e9, "3.10\u202fG"),
        (None, "–"),
    ],
)
def test_large_counts_have_three_digits(value: float | None, text: str) -> None:
    assert words.compact(value) == text


def test_numbers_have_true_minus_and_commas() -> None:
    assert words.number(-1234.5, 1) == "\u22121,234.5"
    assert words.number(-0.0001, 2) == "0.00"
    assert words.number(11, sign=True) == "+11"


def test_percents_take_shares() -> None:
    assert words.percent(0.058) == "5.8\u202f%"
    assert words.percent(-0.342, sign=True) == "\u221234.2\u202f%"
    assert words.percent(None) == "–"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (40, "40 s"),
        (89, "89 s"),
        (120, "2 min"),
        (3 * 3600, "3 h"),
        (47 * 3600, "47 h"),
        (23 * 86400, "23 d"),
        (-5, "0 s"),
    ],
)
def test_a_span_is_told_in_its_largest_fitting_unit(seconds: float, text: str) -> None:
    assert words.duration(timedelta(seconds=seconds)) == text.replace(" ", "\u202f")


def test_milliseconds_turn_into_seconds_when_they_are_many() -> None:
    assert words.milliseconds(118.4) == "118\u202fms"
    assert words.milliseconds(12_345) == "12.3\u202fs"


def test_a_stamp_has_the_year_only_when_it_is_another_one() -> None:
    assert words.stamp(datetime(2026, 7, 2, 14, tzinfo=UTC), NEW_YORK, NOW) == "Thu 2 Jul 10:00"
    assert words.stamp(datetime(2025, 7, 2, 14, tzinfo=UTC), NEW_YORK, NOW) == "Wed 2 Jul 2025 10:00"


def test_since_is_never_relative_alone() -> None:
    assert words.since(NOW - timedelta(days=3), UTC, NOW) == "since Wed 13:10 (3\u202fd)"
    assert words.since(NOW - timedelta(days=23), UTC, NOW) == "since Thu 2 Jul 13:10 (23\u202fd)"


def test_a_span_of_days_names_its_last_day() -> None:
    start = datetime(2026, 6, 25, tzinfo=UTC)
    assert words.span_of_days(start, start + timedelta(days=30)) == "25 Jun – 24 Jul"
    assert words.span_of_days(start, start + timedelta(days=2)) == "25 – 26 Jun"
    assert words.span_of_days(start, start + timedelta(days=1)) == "25 Jun"
    assert words.span_of_days(start, start + timedelta(days=2), start.year) == "25 – 26 Jun"
    assert words.span_of_days(start, start + timedelta(days=2), start.year + 1) == f"25 – 26 Jun {start.year}"


def test_bins_are_called_by_their_length() -> None:
    lengths = (timedelta(hours=1), timedelta(days=1), timedelta(days=7), timedelta(hours=6))
    assert [words.bin_noun(one) for one in lengths] == ["hour", "day", "week", "bin"]
    assert (words.every(1, "judged day"), words.every(30, "day")) == ("the only judged day", "all 30 days")


def test_long_lists_are_counted() -> None:
    assert words.listed(["a"]) == "a"
    assert words.listed(["a", "b", "c"]) == "a, b and c"
    assert words.listed(["a", "b", "c", "d", "e"]) == "a, b and 3 more"
