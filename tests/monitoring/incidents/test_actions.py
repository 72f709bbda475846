"""What people do about incidents: on the timeline, once, within limits, for all members of a fleet incident."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from monitoring.incidents import actions
from monitoring.models import EventKind, Incident, IncidentKind, IncidentState, NoticeKind, Status
from tests.monitoring.factories import NOW, make_incident, make_member, make_source, make_team, make_watched

pytestmark = pytest.mark.django_db

SOON = NOW + timedelta(hours=4)


def kinds(incident: Incident) -> list[str]:
    return list(incident.events.values_list("kind", flat=True))


TWICE: list[tuple[Callable[[Incident, Any], bool], EventKind]] = [
    (lambda row, ines: actions.acknowledge(row, ines, NOW), EventKind.ACKNOWLEDGED),
    (lambda row, ines: actions.assign(row, ines, NOW, to=ines), EventKind.ASSIGNED),
    (lambda row, ines: actions.note(row, ines, NOW, text="Looking."), EventKind.NOTE),
    (lambda row, ines: actions.snooze(row, ines, NOW, until=SOON, why="night"), EventKind.SNOOZED),
    (lambda row, ines: actions.resolve(row, ines, NOW, why="known"), EventKind.RESOLVED),
]


@pytest.mark.parametrize(("act", "kind"), TWICE)
def test_an_action_asked_twice_is_done_once(act: Callable[[Incident, Any], bool], kind: EventKind) -> None:
    incident, ines = make_incident(make_watched()), make_member().user
    assert act(incident, ines) is True
    assert act(incident, ines) is False
    assert kinds(incident) == [kind]
    assert incident.events.get().by == ines


def test_the_state_follows_from_the_facts_and_the_time() -> None:
    incident, ines = make_incident(make_watched()), make_member().user
    assert incident.state(NOW) is IncidentState.OPEN
    actions.acknowledge(incident, ines, NOW)
    assert incident.state(NOW) is IncidentState.ACKNOWLEDGED
    actions.snooze(incident, ines, NOW, until=SOON)
    assert incident.state(NOW) is IncidentState.SNOOZED
    assert incident.state(SOON) is IncidentState.ACKNOWLEDGED
    actions.unsnooze(incident, ines, NOW)
    assert incident.state(NOW) is IncidentState.ACKNOWLEDGED
    actions.resolve(incident, ines, NOW)
    assert incident.state(NOW) is IncidentState.RESOLVED
    assert incident.resolved_by == ines


@pytest.mark.parametrize("until", [NOW, NOW - timedelta(hours=1), NOW + timedelta(days=30, seconds=1)])
def test_a_snooze_has_an_end_ahead_and_at_most_thirty_days_away(until: Any) -> None:
    incident = make_incident(make_watched())
    with pytest.raises(actions.ActionRefused) as refused:
        actions.snooze(incident, make_member().user, NOW, until=until)
    assert refused.value.field == "until"
    assert kinds(incident) == []


def test_an_incident_is_given_to_members_of_its_team_only() -> None:
    stranger = make_member("tom", team=make_team("Other")).user
    incident, ines = make_incident(make_watched()), make_member().user
    with pytest.raises(actions.ActionRefused):
        actions.assign(incident, ines, NOW, to=stranger)
    actions.assign(incident, ines, NOW, to=ines)
    actions.assign(incident, ines, NOW, to=None)
    assert incident.assignee is None
    assert [event.text for event in incident.events.all()] == ["Assigned to ines.", "Assigned to nobody."]


@pytest.mark.parametrize("text", ["", "  \n", "x" * 5001])
def test_a_note_says_something_and_not_a_book(text: str) -> None:
    with pytest.raises(actions.ActionRefused):
        actions.note(make_incident(make_watched()), make_member().user, NOW, text=text)


def test_what_is_over_can_be_noted_but_neither_acknowledged_nor_snoozed() -> None:
    incident, ines = make_incident(make_watched(), resolved_at=NOW), make_member().user
    assert actions.acknowledge(incident, ines, NOW) is False
    assert actions.snooze(incident, ines, NOW, until=SOON) is False
    assert actions.unsnooze(incident, ines, NOW) is False
    assert actions.note(incident, ines, NOW, text="It was the feed.") is True


def test_resolving_is_told_to_those_who_were_told_of_the_trouble() -> None:
    source, ines = make_source(), make_member().user
    told = make_incident(make_watched(source), told=Status.FAILING)
    quiet = make_incident(make_watched(source, remote_id="d2"))
    for incident in (told, quiet):
        actions.resolve(incident, ines, NOW)
    assert told.notices.get().kind == NoticeKind.RESOLVED
    assert not quiet.notices.exists()


def test_an_action_on_a_fleet_incident_holds_for_its_open_members() -> None:
    source, ines = make_source(), make_member().user
    first = make_watched(source)
    fleet = make_incident(first, kind=IncidentKind.FLEET, watched=None, area="", cause="feature:income")
    member = make_incident(first, parent=fleet)
    over = make_incident(make_watched(source, remote_id="d2"), parent=fleet, resolved_at=NOW)
    actions.acknowledge(fleet, ines, NOW)
    actions.note(fleet, ines, NOW, text="One cause.")
    actions.resolve(fleet, ines, NOW)
    member.refresh_from_db()
    assert member.acknowledged_by == member.resolved_by == ines
    assert kinds(member) == [EventKind.ACKNOWLEDGED, EventKind.RESOLVED]
    assert kinds(fleet) == [EventKind.ACKNOWLEDGED, EventKind.NOTE, EventKind.RESOLVED]
    assert kinds(over) == []
