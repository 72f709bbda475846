"""Schedules of a source: in words, and when they are due next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st

from monitoring import schedules

NOW = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)


def schedule(**lists: Any) -> dict[str, Any]:
    return {"minute": [0], "hour": [3], "dayOfMonth": ["*"], "month": ["*"], "dayOfWeek": ["*"], **lists}


@pytest.mark.parametrize(
    ("given_schedule", "words", "due"),
    [
        (schedule(), "every day at 03:00 UTC", datetime(2026, 3, 3, 3, tzinfo=UTC)),
        (schedule(dayOfWeek=[1]), "Mondays at 03:00 UTC", datetime(2026, 3, 9, 3, tzinfo=UTC)),
        (schedule(dayOfMonth=[15]), "on day 15 of the month at 03:00 UTC", datetime(2026, 3, 15, 3, tzinfo=UTC)),
        (schedule(hour=["*"], minute=[20]), "every hour at minute 20", datetime(2026, 3, 2, 13, 20, tzinfo=UTC)),
        (schedule(minute=["*/15"]), "cron */15 3 * * *, UTC", datetime(2026, 3, 3, 3, tzinfo=UTC)),
        (schedule(dayOfWeek=["monday"]), "cron 0 3 * * mon, UTC", datetime(2026, 3, 9, 3, tzinfo=UTC)),
        ({}, "cron * * * * *, UTC", datetime(2026, 3, 2, 12, 31, tzinfo=UTC)),
        (schedule(minute=["often"]), "cron oft 3 * * *, UTC", None),
        (schedule(dayOfMonth=[31], month=[2]), "cron 0 3 31 2 *, UTC", None),
        (None, "", None),
        ("daily", "", None),
    ],
)
def test_a_schedule_is_told_in_words_and_when_it_is_due_next(
    given_schedule: Any, words: str, due: datetime | None
) -> None:
    assert schedules.words(given_schedule) == words
    assert schedules.next_due(given_schedule, NOW) == due


@given(st.integers(0, 59), st.integers(0, 23), st.integers(0, 6))
def test_the_next_time_lies_ahead_and_is_the_first_that_cron_knows(minute: int, hour: int, day: int) -> None:
    found = schedules.next_due(schedule(minute=[minute], hour=[hour], dayOfWeek=[day]), NOW)
    assert found == next(CronSim(f"{minute} {hour} * * {day}", NOW))
    assert found is not None
    assert NOW < found <= NOW + timedelta(days=7)
