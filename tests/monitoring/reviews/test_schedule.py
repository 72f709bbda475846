"""When a review is due."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.models import Cadence, ReviewPlan, Weekday
from monitoring.reviews.schedule import last_due, next_due


def plan(cadence: str = Cadence.WEEKLY, weekday: int = Weekday.THURSDAY, **fields: object) -> ReviewPlan:
    values = {"hour": 9, "time_zone": "UTC", "starts_on": date(2026, 1, 1)}
    return ReviewPlan(cadence=cadence, weekday=weekday, **{**values, **fields})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("made", "after", "expected"),
    [
        # the first of January 2026 is a Thursday
        (plan(), "2026-01-01T08:00", "2026-01-01T09:00"),
        (plan(), "2026-01-01T09:00", "2026-01-08T09:00"),
        (plan(), "2025-06-01T00:00", "2026-01-01T09:00"),
        (plan(weekday=Weekday.MONDAY), "2026-01-01T00:00", "2026-01-05T09:00"),
        # every second week, counted from the first meeting
        (plan(Cadence.FORTNIGHTLY), "2026-01-01T09:00", "2026-01-15T09:00"),
        (plan(Cadence.FORTNIGHTLY), "2026-01-16T00:00", "2026-01-29T09:00"),
        # the first such weekday of a month
        (plan(Cadence.MONTHLY), "2026-01-02T00:00", "2026-02-05T09:00"),
        (plan(Cadence.MONTHLY, starts_on=date(2026, 1, 2)), "2025-12-01T00:00", "2026-02-05T09:00"),
        (plan(Cadence.QUARTERLY), "2026-01-02T00:00", "2026-04-02T09:00"),
        # nine o'clock stays nine o'clock when the clocks change on 29 March
        (plan(time_zone="Europe/Berlin"), "2026-03-20T00:00", "2026-03-26T08:00"),
        (plan(time_zone="Europe/Berlin"), "2026-03-27T00:00", "2026-04-02T07:00"),
        # Thursday morning in Tokyo is still Wednesday in UTC
        (plan(time_zone="Asia/Tokyo", hour=7), "2026-01-07T00:00", "2026-01-07T22:00"),
        # a zone that this machine does not know counts as UTC
        (plan(time_zone="Mars/Base"), "2026-01-01T08:00", "2026-01-01T09:00"),
    ],
)
def test_the_next_meeting(made: ReviewPlan, after: str, expected: str) -> None:
    assert next_due(made, at(after)) == at(expected)


@given(
    st.sampled_from(Cadence.values),
    st.sampled_from(Weekday.values),
    st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1)),  # noqa: DTZ001 - Hypothesis wants naive bounds
    st.sampled_from(["UTC", "America/New_York", "Australia/Lord_Howe"]),
)
def test_meetings_follow_each_other_on_their_weekday(cadence: str, weekday: int, after: datetime, zone: str) -> None:
    made = plan(cadence, weekday, time_zone=zone)
    moment = after.replace(tzinfo=UTC)
    first = next_due(made, moment)
    second = next_due(made, first)
    assert moment < first < second
    assert second - first >= timedelta(days=6, hours=22)
    assert last_due(made, first) == first
    assert last_due(made, second - timedelta(minutes=1)) == first
    from zoneinfo import ZoneInfo

    assert first.astimezone(ZoneInfo(zone)).weekday() == weekday


def test_before_the_first_meeting_none_was_due() -> None:
    assert last_due(plan(starts_on=date(2026, 5, 1)), at("2026-04-01T00:00")) is None
