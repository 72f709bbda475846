"""Schedules: when something is due, and what is no schedule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.schedules import Schedule, as_json, last_due, next_due, problems

MONDAY = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)


def test_the_newest_due_time_counts_and_missed_ones_are_let_go() -> None:
    hourly = Schedule(minute=(15,))
    assert last_due(hourly, MONDAY - timedelta(days=2), MONDAY) == MONDAY.replace(minute=15)
    assert last_due(hourly, MONDAY.replace(minute=15), MONDAY) is None
    assert last_due(hourly, MONDAY, MONDAY.replace(hour=13, minute=15)) == MONDAY.replace(hour=13, minute=15)
    assert next_due(hourly, MONDAY) == MONDAY.replace(hour=13, minute=15)


@pytest.mark.parametrize("day", ["mon", "monday", "Mon", 1])
def test_a_day_may_be_named(day: int | str) -> None:
    weekly = Schedule((0,), (9,), day_of_week=(day,))
    assert not problems(weekly)
    assert last_due(weekly, MONDAY - timedelta(days=7), MONDAY) == MONDAY.replace(hour=9, minute=0)


@pytest.mark.parametrize(
    ("schedule", "place"),
    [
        (Schedule(minute=(60,)), "schedule.minute"),
        (Schedule(hour=("noon",)), "schedule.hour"),
        (Schedule(minute=()), "schedule.minute"),
        (Schedule(minute=("0 0",)), "schedule.minute"),
        (Schedule(day_of_month=(31,), month=(2,)), "schedule"),
    ],
)
def test_what_is_no_schedule_is_told_by_its_place(schedule: Schedule, place: str) -> None:
    assert list(problems(schedule)) == [place]


def test_where_once_an_hour_is_the_most_a_minute_must_be_named() -> None:
    assert problems(Schedule(), hourly=True)
    assert problems(Schedule(minute=(0, 30)), hourly=True)
    assert not problems(Schedule(minute=(5,)), hourly=True)


@given(
    minute=st.integers(0, 59),
    hour=st.integers(0, 23),
    back=st.integers(1, 100_000),
    ahead=st.integers(0, 100_000),
)
def test_due_times_match_the_schedule_and_lie_in_the_interval(minute: int, hour: int, back: int, ahead: int) -> None:
    daily = Schedule((minute,), (hour,))
    since, now = MONDAY - timedelta(minutes=back), MONDAY + timedelta(minutes=ahead)
    candidates = [since.replace(hour=hour, minute=minute) + timedelta(days=day) for day in range(-1, 142)]
    inside = [at for at in candidates if since < at <= now]
    assert last_due(daily, since, now) == (max(inside) if inside else None)


def test_the_shape_of_the_reference_comes_back() -> None:
    assert as_json(Schedule((0, 30), day_of_week=("mon",))) == {
        "minute": [0, 30],
        "hour": ["*"],
        "dayOfMonth": ["*"],
        "month": ["*"],
        "dayOfWeek": ["mon"],
    }
