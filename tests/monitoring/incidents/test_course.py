"""The decision to tell, as tables: what is known of an incident, and what follows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitoring.incidents.course import Course, after_telling, tell_at, what_to_tell
from monitoring.incidents.play import Seen, play
from monitoring.incidents.policy import Policy
from monitoring.incidents.severity import severity_of
from monitoring.models import Held, Importance, NoticeKind, Severity, Status
from tests.monitoring.factories import NOW

P, W, F = Status.PASSING, Status.WARNING, Status.FAILING
POLICY, DAY, HOUR = Policy(), timedelta(days=1), timedelta(hours=1)
N = NoticeKind


def course(**fields: Any) -> Course:
    """Failing since three days ago, told then, acknowledged: nothing to tell before the seventh day."""
    began = NOW - 3 * DAY
    usual = {"told": F, "told_at": began, "first_told_at": began, "acknowledged_at": began, "told_size": 1}
    return replace(Course(F, F, Severity.HIGH, began, began, began), **{**usual, **fields})


AGO = NOW - HOUR
TABLE = [
    # nothing was told yet
    ({"told": "", "told_at": None, "first_told_at": None}, None, N.OPENED),
    ({"told": ""}, Held.SILENCE, None),
    ({"told": ""}, Held.FLEET, None),
    ({"told": "", "recovering_since": AGO}, None, None),
    ({"told": "", "flapping_since": AGO}, None, N.FLAPPING),
    ({"told": "", "resolved_at": NOW}, None, None),
    ({"told": P}, None, N.REOPENED),
    # what was told still holds
    ({}, None, None),
    # worse at once; held back by a silence, through a snooze only if worse than what was snoozed
    ({"told": W}, None, N.WORSE),
    ({"told": W}, Held.SILENCE, None),
    ({"told": W, "flapping_since": NOW - 4 * DAY}, None, None),
    ({"told": W, "snoozed_until": NOW + DAY, "snoozed_status": W}, None, N.WORSE),
    ({"told": W, "snoozed_until": NOW + DAY, "snoozed_status": F}, None, None),
    # a fleet incident that doubled, or of which what was told no longer holds
    ({"size": 6, "told_size": 3}, None, N.WORSE),
    ({"size": 5, "told_size": 3}, None, None),
    ({"size": 5, "told_size": 0}, None, N.WORSE),
    # better only once it has lasted
    ({"status": W, "status_since": NOW - timedelta(minutes=29)}, None, None),
    ({"status": W, "status_since": NOW - timedelta(minutes=30)}, None, N.BETTER),
    ({"status": W, "status_since": AGO, "flapping_since": NOW - 4 * DAY}, None, None),
    # the end is told whatever holds, to those who heard of the trouble
    ({"resolved_at": NOW}, None, N.RESOLVED),
    ({"resolved_at": NOW}, Held.SILENCE, N.RESOLVED),
    ({"resolved_at": NOW, "told": P}, None, None),
    # nobody answered
    ({"acknowledged_at": None}, None, N.ESCALATED),
    ({"acknowledged_at": None, "escalated_at": AGO, "told_at": AGO}, None, None),
    ({"acknowledged_at": None, "severity": Severity.MODERATE, "told_at": AGO}, None, None),
    ({"acknowledged_at": None, "first_told_at": AGO, "told_at": AGO}, None, None),
    # reminders
    ({"acknowledged_at": None, "escalated_at": AGO}, None, N.STILL),
    ({"told_at": NOW - 7 * DAY}, None, N.STILL),
    ({"told_at": NOW - 7 * DAY, "dark_since": AGO}, None, None),
    ({"told_at": NOW - 7 * DAY, "recovering_since": AGO}, None, None),
    ({"told_at": NOW - 7 * DAY, "snoozed_until": NOW + DAY}, None, None),
    ({"snoozed_until": AGO}, None, N.STILL),
]


@pytest.mark.parametrize(("fields", "held", "expected"), TABLE)
def test_what_is_told(fields: dict[str, Any], held: Held | None, expected: NoticeKind | None) -> None:
    assert what_to_tell(course(**fields), NOW, POLICY, held) == expected


@pytest.mark.parametrize(("fields", "held", "expected"), [row for row in TABLE if row[2] is not None])
def test_what_was_told_is_not_told_again_at_once(
    fields: dict[str, Any], held: Held | None, expected: NoticeKind
) -> None:
    told = after_telling(course(**fields), expected, NOW)
    assert what_to_tell(told, NOW, POLICY, held) is None


def test_a_policy_without_reminders_and_escalation_is_silent() -> None:
    quiet = Policy(remind=timedelta(0), escalate=timedelta(0))
    assert what_to_tell(course(acknowledged_at=None), NOW + 99 * DAY, quiet) is None
    assert tell_at(course(acknowledged_at=None), NOW, quiet) is None


SEVERITIES = [
    (F, Importance.CRITICAL, Severity.CRITICAL),
    (F, Importance.HIGH, Severity.HIGH),
    (F, Importance.MODERATE, Severity.MODERATE),
    (F, Importance.LOW, Severity.LOW),
    (F, "", Severity.HIGH),
    (W, Importance.CRITICAL, Severity.HIGH),
    (W, Importance.HIGH, Severity.MODERATE),
    (W, Importance.MODERATE, Severity.LOW),
    (W, Importance.LOW, Severity.LOW),
    (W, "", Severity.MODERATE),
]


@pytest.mark.parametrize(("status", "importance", "expected"), SEVERITIES)
def test_severity(status: Status, importance: str, expected: Severity) -> None:
    assert severity_of(status, importance) is expected


@pytest.mark.parametrize(
    ("status", "importance", "step", "expected"),
    [
        (F, Importance.HIGH, 1, Severity.CRITICAL),
        (F, Importance.CRITICAL, 1, Severity.CRITICAL),
        (F, Importance.CRITICAL, -2, Severity.MODERATE),
        (W, Importance.CRITICAL, -1, Severity.MODERATE),
        (W, Importance.LOW, -1, Severity.LOW),
        (W, "", 1, Severity.HIGH),
    ],
)
def test_severity_by_area_stays_on_the_scale(status: Status, importance: str, step: int, expected: Severity) -> None:
    assert severity_of(status, importance, step) is expected


# --- Laws ---------------------------------------------------------------------------------------------------------

HISTORIES = st.lists(st.tuples(st.integers(1, 3000), st.sampled_from(list(Status))), max_size=25)


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(HISTORIES)
def test_what_is_told_makes_sense_to_a_reader(gaps: list[tuple[int, Status]]) -> None:
    """Each incident is first announced, told as over at most once for each announcement, and never twice at a time."""
    at, seen = NOW, []
    for gap, status in gaps:
        at += timedelta(minutes=gap)
        seen.append(Seen(at, status))
    for one in play(seen, POLICY, until=at + 10 * DAY):
        known = False
        times = [told.at for told in one.told]
        assert times == sorted(set(times))
        for told in one.told:
            announces = told.kind in (N.OPENED, N.REOPENED) or (told.kind is N.FLAPPING and not known)
            assert announces is not known
            known = told.kind is not N.RESOLVED
        if one.course.resolved_at is not None:
            assert not known
