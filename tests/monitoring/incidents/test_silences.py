"""When silences hold, what they cover, and which may not be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitoring.incidents import silences
from monitoring.incidents.silences import BadSilence, check, covers, holds_until, spans
from monitoring.models import Silence, SilenceKind, Watched

START = datetime(2026, 3, 1, tzinfo=UTC)
WEEKLY = {"kind": SilenceKind.MAINTENANCE, "rule": "FREQ=WEEKLY;BYDAY=SU", "minutes": 120}


def silence(**fields: Any) -> Silence:
    usual = {"reason": "Upgrade", "starts_at": START, "ends_at": START + timedelta(days=2), "created_at": START}
    return Silence(**{**usual, **fields})


def series(**fields: Any) -> Silence:
    """Sundays at 02:00 in New York, two hours each, for a year."""
    usual = {
        "starts_at": datetime(2026, 3, 1, 7, tzinfo=UTC),
        "ends_at": datetime(2027, 3, 1, tzinfo=UTC),
        "time_zone": "America/New_York",
    }
    return silence(**{**WEEKLY, **usual, **fields})


def test_a_plain_one_holds_from_its_start_to_its_end() -> None:
    one = silence()
    assert holds_until(one, START - timedelta(seconds=1)) is None
    assert holds_until(one, START) == one.ends_at
    assert holds_until(one, one.ends_at) is None


def test_a_cancelled_one_holds_no_longer() -> None:
    one = silence(cancelled_at=START + timedelta(hours=1))
    assert holds_until(one, START) == START + timedelta(hours=1)
    assert holds_until(one, START + timedelta(hours=2)) is None


def test_a_recurring_one_stays_at_its_hour_through_daylight_saving() -> None:
    found = spans(series(), datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 20, tzinfo=UTC))
    assert [span.start for span in found] == [
        datetime(2026, 3, 1, 7, tzinfo=UTC),  # 02:00 EST
        datetime(2026, 3, 8, 7, tzinfo=UTC),  # 02:00 does not exist on the day of the change: it counts as EST
        datetime(2026, 3, 15, 6, tzinfo=UTC),  # 02:00 EDT
    ]
    assert {span.end - span.start for span in found} == {timedelta(hours=2)}


def test_a_series_ends_with_its_end_even_in_a_window() -> None:
    one = series(ends_at=datetime(2026, 3, 15, 7, tzinfo=UTC))
    assert holds_until(one, datetime(2026, 3, 15, 6, 30, tzinfo=UTC)) == datetime(2026, 3, 15, 7, tzinfo=UTC)
    assert holds_until(one, datetime(2026, 3, 22, 6, 30, tzinfo=UTC)) is None


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 400 * 24 * 60))
def test_a_moment_is_held_if_and_only_if_it_lies_in_a_span(minutes: int) -> None:
    now = START + timedelta(minutes=minutes)
    found = spans(series(), START, START + timedelta(days=420))
    inside = [span.end for span in found if span.start <= now < span.end]
    assert holds_until(series(), now) == max(inside, default=None)


REFUSED = [
    ({"reason": "  "}, "reason"),
    ({"ends_at": START}, "ends_at"),
    ({"ends_at": START + timedelta(days=30, seconds=1)}, "ends_at"),
    ({**WEEKLY, "ends_at": START + timedelta(days=367)}, "ends_at"),
    ({"time_zone": "Nowhere/Atlantis"}, "time_zone"),
    ({**WEEKLY, "minutes": 0}, "minutes"),
    ({**WEEKLY, "minutes": 8 * 24 * 60}, "minutes"),
    ({**WEEKLY, "rule": "FREQ=SECONDLY"}, "rule"),
    ({**WEEKLY, "rule": "BYDAY=SU"}, "rule"),
    ({**WEEKLY, "rule": "FREQ=WEEKLY;BYDAY=XX"}, "rule"),
    ({**WEEKLY, "rule": "FREQ=WEEKLY;COUNT=3"}, "rule"),
    ({**WEEKLY, "rule": "FREQ=WEEKLY;UNTIL=20300101"}, "rule"),
    ({**WEEKLY, "rule": "FREQ=WEEKLY\nRRULE:FREQ=DAILY"}, "rule"),
    ({**WEEKLY, "rule": "every sunday"}, "rule"),
]


@pytest.mark.parametrize(("fields", "field"), REFUSED)
def test_what_may_not_be_saved_names_the_field(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(BadSilence) as refused:
        check(silence(**fields))
    assert refused.value.field == field


@pytest.mark.parametrize("rule", ["FREQ=WEEKLY;BYDAY=SU", "FREQ=MONTHLY;BYDAY=SA;BYSETPOS=1", "FREQ=DAILY;INTERVAL=2"])
def test_usual_windows_are_accepted(rule: str) -> None:
    check(silence(**{**WEEKLY, "rule": rule, "ends_at": START + timedelta(days=366)}))


TAGGED = Watched(pk=7, source_id=3, tags=[{"name": "env", "value": "prod"}])
SCOPES = [
    ({}, TAGGED, True),
    ({}, None, True),
    ({"source_id": 3}, TAGGED, True),
    ({"source_id": 4}, TAGGED, False),
    ({"watched_id": 7}, TAGGED, True),
    ({"watched_id": 8}, TAGGED, False),
    ({"watched_id": 7}, None, False),
    ({"area": "drift"}, TAGGED, True),
    ({"area": "service"}, TAGGED, False),
    ({"tag": "env"}, TAGGED, True),
    ({"tag": "env=prod"}, TAGGED, True),
    ({"tag": "env=test"}, TAGGED, False),
    ({"tag": "team"}, TAGGED, False),
    ({"tag": "env", "area": "service"}, TAGGED, False),
]


@pytest.mark.parametrize(("scope", "watched", "expected"), SCOPES)
def test_what_a_silence_covers(scope: dict[str, Any], watched: Watched | None, expected: bool) -> None:
    assert covers(silence(**scope), watched, 3, "drift") is expected


def test_of_several_the_one_that_lasts_longest_counts() -> None:
    long, short = silence(ends_at=START + timedelta(days=9)), silence()
    found = silences.over(silences.holding([short, long], START), TAGGED, 3, "drift")
    assert found is not None
    assert found.silence is long
