"""A person opens again what was closed: by hand or by itself, in trouble or well, told once, and closed as ever."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from metrics.health import Status as Found
from monitoring.incidents import actions
from monitoring.incidents.actions import ActionRefused
from monitoring.models import AuditAction, AuditEntry, EventKind, Incident, IncidentKind, Status, Watched
from tests.monitoring.factories import make_incident, make_member, make_watched
from tests.monitoring.incidents.clockwork import at, judge, tick, timeline, told

pytestmark = pytest.mark.django_db

P, F = Found.PASSING, Found.FAILING
HOUR = 60


@pytest.fixture
def watched() -> Watched:
    row = make_watched(importance="HIGH")
    judge(row, 0, service=P, drift=P, accuracy=P)
    return row


@pytest.fixture
def ines() -> User:
    found: User = make_member("ines").user
    return found


def only() -> Incident:
    return Incident.objects.get()


def reopen(ines: Any, minute: float, why: str = "The cause is still there.") -> bool:
    return actions.reopen(only(), ines, at(minute), why=why)


def test_what_was_closed_by_hand_in_trouble_is_in_trouble_again_and_told_once(watched: Watched, ines: User) -> None:
    judge(watched, 0, drift=F)
    tick(10)
    actions.resolve(only(), ines, at(20), why="a mistake")
    assert reopen(ines, 30)
    tick(31, 40, 60)
    row = only()
    assert (row.is_open, row.resolved_by, row.reopened, row.status) == (True, None, 1, Status.FAILING)
    assert [kind for _, kind, _ in told()] == ["opened", "resolved", "reopened"]
    judge(watched, 70, drift=P)
    tick(70 + 2 * HOUR)
    assert only().resolved_at is not None
    assert [kind for _, kind, _ in told()] == ["opened", "resolved", "reopened", "resolved"]


def test_what_closed_by_itself_recovers_tells_nobody_and_closes_again(watched: Watched, ines: User) -> None:
    judge(watched, 0, drift=F)
    tick(10)
    judge(watched, 20, drift=P)
    tick(3 * HOUR)
    assert only().resolved_at is not None
    before = told()
    assert reopen(ines, 4 * HOUR)
    row = only()
    assert (row.is_open, row.recovering_since, row.status) == (True, at(4 * HOUR), Status.PASSING)
    tick(4 * HOUR + 1)
    assert only().is_open
    assert told() == before
    tick(8 * HOUR)
    assert only().resolved_at is not None
    assert told() == before
    assert [kind for _, kind in timeline(only())][-2:] == [EventKind.REOPENED, EventKind.RESOLVED]


def test_trouble_that_comes_while_it_recovers_is_told_in_the_same_incident(watched: Watched, ines: User) -> None:
    judge(watched, 0, drift=F)
    tick(10)
    judge(watched, 20, drift=P)
    tick(3 * HOUR)
    reopen(ines, 4 * HOUR)
    judge(watched, 4 * HOUR + 5, drift=F)
    tick(4 * HOUR + 6)
    assert Incident.objects.count() == 1
    assert [kind for _, kind, _ in told()] == ["opened", "resolved", "reopened"]


def test_it_is_done_once_and_written_down(watched: Watched, ines: User) -> None:
    judge(watched, 0, drift=F)
    tick(10)
    actions.resolve(only(), ines, at(20))
    assert [reopen(ines, 30), reopen(ines, 31)] == [True, False]
    event = only().events.get(kind=EventKind.REOPENED)
    assert (event.by, event.text) == (ines, "The cause is still there.")
    entry = AuditEntry.objects.get(action=AuditAction.INCIDENT_REOPENED)
    assert (entry.user, entry.detail["text"]) == (ines, "The cause is still there.")
    assert entry.detail["after"]["resolved_at"] is None


def test_a_reason_is_asked_for(watched: Watched, ines: User) -> None:
    judge(watched, 0, drift=F)
    tick(10)
    actions.resolve(only(), ines, at(20))
    with pytest.raises(ActionRefused, match="Say why"):
        reopen(ines, 30, why="  ")
    assert only().resolved_at is not None


def test_one_that_has_a_successor_stays_closed(watched: Watched, ines: User) -> None:
    judge(watched, 0, drift=F)
    tick(10)
    first = only()
    judge(watched, 20, drift=P)
    tick(2 * HOUR)
    judge(watched, 50 * HOUR, drift=F)
    tick(51 * HOUR)
    assert Incident.objects.count() == 2
    with pytest.raises(ActionRefused, match="newer incident"):
        actions.reopen(first, ines, at(52 * HOUR), why="really")
    assert Incident.objects.open().count() == 1


def test_old_ones_fleet_incidents_and_what_is_no_longer_watched_stay_closed(watched: Watched, ines: User) -> None:
    judge(watched, 0, drift=F)
    tick(10)
    row = only()
    actions.resolve(row, ines, at(20))
    with pytest.raises(ActionRefused, match="last 7 days"):
        actions.reopen(row, ines, at(20) + timedelta(days=7, minutes=1), why="late")
    fleet = make_incident(watched, kind=IncidentKind.FLEET, watched=None, area="", cause="x", resolved_at=at(10))
    with pytest.raises(ActionRefused, match="only single ones"):
        actions.reopen(fleet, ines, at(20), why="all of it")
    Watched.objects.filter(pk=watched.pk).update(gone_at=at(25))
    with pytest.raises(ActionRefused, match="no longer watched"):
        actions.reopen(row, ines, at(30), why="gone")
    assert not Incident.objects.open().exists()
