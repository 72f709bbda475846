"""Verdicts, fleets and incidents as they were known: replayed from the same changes by hand."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitoring.fleet import Filters
from monitoring.groups import Grouping
from monitoring.incidents import listing, record
from monitoring.incidents.listing import Narrowed, Show
from monitoring.incidents.past import as_known
from monitoring.models import Area, AreaHealth, EventKind, HealthDay, Incident, Status, Transition, Watched
from monitoring.past import RECONSTRUCTED, fleet_then, groups_then, put_back, statuses, verdicts, worst
from tests.monitoring.factories import NOW, make_incident, make_member, make_source, make_watched

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def change(of: Watched, old: str, new: str, at: datetime, **fields: object) -> None:
    Transition.objects.create(watched=of, area=Area.DRIFT, old=old, new=new, at=at, reason=f"now {new}", **fields)


def present(of: Watched, status: str, since: datetime) -> None:
    fields = {"status": status, "since": since, "judged_at": NOW, "reason": f"today {status}"}
    AreaHealth.objects.create(watched=of, area=Area.DRIFT, **fields)


def day(of: Watched, at: datetime, status: str, **fields: object) -> None:
    HealthDay.objects.create(
        watched=of, area=Area.DRIFT, day=at.date(), status=status, reason=f"that day {status}", **fields
    )


def drift_of(of: Watched, then: datetime) -> tuple[str, str]:
    found = verdicts([of.pk], then).get(of.pk, {}).get("drift")
    return (found.status.value, found.reason) if found is not None else ("", "")


def test_a_verdict_holds_from_its_change_until_the_next_one() -> None:
    one = make_watched()
    change(one, "passing", "warning", NOW - 5 * HOUR)
    change(one, "warning", "failing", NOW - 2 * HOUR)
    present(one, "failing", NOW - 2 * HOUR)
    assert drift_of(one, NOW - 6 * HOUR)[0] == "passing"
    assert drift_of(one, NOW - 5 * HOUR) == ("warning", "now warning")
    assert drift_of(one, NOW - 3 * HOUR) == ("warning", "now warning")
    assert drift_of(one, NOW - HOUR) == ("failing", "now failing")


def test_the_arithmetic_is_that_of_the_last_day_that_had_ended() -> None:
    one = make_watched()
    change(one, "passing", "failing", NOW - 5 * DAY)
    for back in range(5):
        day(one, NOW - back * DAY, "failing")
    HealthDay.objects.filter(day=(NOW - DAY).date()).update(reason="PSI 0.31 yesterday")
    assert drift_of(one, NOW) == ("failing", "PSI 0.31 yesterday")
    assert drift_of(one, NOW - 5 * DAY + HOUR) == ("failing", "now failing")


def test_what_never_changed_was_the_same_since_it_was_first_judged() -> None:
    one = make_watched()
    present(one, "passing", NOW - DAY)
    assert drift_of(one, NOW - HOUR) == ("passing", "today passing")
    assert drift_of(one, NOW - 2 * DAY) == ("", "")


def test_days_before_the_first_look_say_that_they_are_reconstructed() -> None:
    one = make_watched()
    day(one, NOW - 9 * DAY, "warning", reconstructed=True)
    present(one, "passing", NOW - DAY)
    assert drift_of(one, NOW - 8 * DAY) == ("warning", f"that day warning {RECONSTRUCTED}")


STATUSES = st.sampled_from(["passing", "warning", "failing", "unknown"])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STATUSES, min_size=1, max_size=6), back=st.integers(0, 14))
def test_any_chain_of_changes_replays_to_the_state_that_it_left(steps: list[str], back: int) -> None:
    one = make_watched(make_source(name=f"s{Watched.objects.count()}"), remote_id=f"d{Watched.objects.count()}")
    chain, before = [], "unknown"
    for i, status in enumerate(steps):
        if status != before:
            at = NOW - timedelta(hours=2 * (len(steps) - i))
            change(one, before, status, at)
            chain.append((at, status))
            before = status
    present(one, before, NOW - 20 * HOUR)
    then = NOW - timedelta(hours=back)
    expected = next((status for at, status in reversed(chain) if at <= then), "unknown" if chain else before)
    assert statuses([one.pk], then)[one.pk] == {"drift": expected}
    assert drift_of(one, then)[0] == expected
    one.refresh_from_db()


def test_the_past_costs_one_statement_for_any_number_of_deployments() -> None:
    source = make_source()
    ids = [make_watched(source, remote_id=f"d{i}").pk for i in range(20)]
    with CaptureQueriesContext(connection) as queries:
        verdicts(ids, NOW)
        statuses(ids, NOW)
    assert len(queries) == 2


def test_what_is_switched_off_does_not_count_for_the_worst() -> None:
    assert worst({"drift": Status.UNAVAILABLE, "service": Status.PASSING}) is Status.PASSING
    assert worst({}) is Status.UNAVAILABLE


def test_a_row_put_back_tells_nothing_of_today() -> None:
    one = make_watched(worst=Status.FAILING, severity=5, served_failing=90.0, blind_spots=["Nobody gets mail"])
    change(one, "passing", "warning", NOW - 5 * HOUR)
    put_back(one, verdicts([one.pk], NOW - HOUR)[one.pk], NOW - HOUR)
    assert (one.worst, one.severity, one.served_failing, one.blind_spots) == (Status.WARNING, 4, 0.0, [])
    assert one.worst_since == NOW - 5 * HOUR


# --- The fleet ----------------------------------------------------------------------------------------------------


def test_the_fleet_of_a_past_moment_counts_and_orders_as_of_then() -> None:
    source = make_source()
    one, two, three = (make_watched(source, remote_id=f"d{i}", label=f"Model {i}") for i in range(3))
    for of, new in ((one, "failing"), (two, "warning")):
        change(of, "passing", new, NOW - 5 * HOUR)
    change(two, "warning", "passing", NOW - HOUR)
    present(three, "passing", NOW - DAY)
    page = fleet_then([source.team_id], Filters(), "worst", 1, then=NOW - 2 * HOUR, size=2)
    assert [(row.watched.label, row.status) for row in page.rows] == [("Model 0", "failing"), ("Model 1", "warning")]
    assert (page.counts["failing"], page.counts["warning"], page.counts["passing"], page.pages) == (1, 1, 1, 2)
    risky = fleet_then([source.team_id], Filters(statuses=("warning",)), "worst", 1, then=NOW - 2 * HOUR, size=9)
    assert [row.watched.label for row in risky.rows] == ["Model 1"]
    drifting = fleet_then([source.team_id], Filters(areas=(("drift", "failing"),)), "label", 1, then=NOW, size=9)
    assert [row.watched.label for row in drifting.rows] == ["Model 0"]


def test_groups_of_a_past_moment_have_the_verdicts_of_then() -> None:
    source = make_source()
    tags = [{"name": "tier", "value": "1"}]
    one, two, three = (make_watched(source, remote_id=f"d{i}", label=f"Model {i}") for i in range(3))
    Watched.objects.filter(pk__in=[one.pk, two.pk]).update(tags=tags)
    change(one, "passing", "failing", NOW - 5 * HOUR)
    change(two, "passing", "warning", NOW - 5 * HOUR)
    change(one, "failing", "passing", NOW - HOUR)
    present(three, "passing", NOW - DAY)
    present(make_watched(source, remote_id="new", label="New"), "passing", NOW - HOUR)  # unknown then
    with CaptureQueriesContext(connection) as queries:
        then = groups_then([source], Filters(), Grouping.TAG, NOW - 2 * HOUR)
    assert len(queries) == 3
    assert [(group.label, group.worst, group.size) for group in then.shown] == [
        ("tier: 1", Status.FAILING, 2),
        ("No tag", Status.PASSING, 1),
    ]
    now = groups_then([source], Filters(), Grouping.TAG, NOW)
    assert [(group.label, group.worst, group.size) for group in now.shown] == [
        ("tier: 1", Status.WARNING, 2),
        ("No tag", Status.PASSING, 2),
    ]
    risky = groups_then([source], Filters(statuses=("warning",)), Grouping.SOURCE, NOW - 2 * HOUR)
    assert [(group.label, group.size) for group in risky.shown] == [(source.name, 1)]


def test_a_deployment_that_is_gone_now_was_there_then_and_one_that_came_later_was_not() -> None:
    source = make_source()
    gone = make_watched(source, remote_id="gone", label="Gone", gone_at=NOW - HOUR)
    change(gone, "passing", "failing", NOW - 5 * HOUR)
    present(make_watched(source, remote_id="new", label="New"), "passing", NOW - HOUR)
    page = fleet_then([source.team_id], Filters(), "worst", 1, then=NOW - 2 * HOUR, size=9)
    assert [row.watched.label for row in page.rows] == ["Gone"]


@pytest.mark.parametrize("size", [3, 40])
def test_the_past_fleet_costs_six_statements_whatever_its_size(size: int) -> None:
    source = make_source()
    for i in range(size):
        present(make_watched(source, remote_id=f"d{i}", label=f"{i}"), "passing", NOW - DAY)
    with CaptureQueriesContext(connection) as queries:
        fleet_then([source.team_id], Filters(), "worst", 1, then=NOW, size=30)
    assert len(queries) == 6


# --- Incidents ----------------------------------------------------------------------------------------------------


def an_incident() -> Incident:
    """Opened at risk 5 h ago, failing 3 h ago, acknowledged 2 h ago, resolved 1 h ago."""
    member = make_member()
    row = make_incident(
        make_watched(),
        opened_at=NOW - 5 * HOUR,
        resolved_at=NOW - HOUR,
        acknowledged_at=NOW - 2 * HOUR,
        acknowledged_by=member.user,
        status=Status.PASSING,
    )
    record.event(row, EventKind.OPENED, NOW - 5 * HOUR, text="PSI 0.2.", status="warning").save()
    record.event(row, EventKind.WORSE, NOW - 3 * HOUR, text="PSI 0.9.", status="failing").save()
    record.event(row, EventKind.ACKNOWLEDGED, NOW - 2 * HOUR, by=member.user).save()
    record.event(row, EventKind.RESOLVED, NOW - HOUR, status="passing").save()
    return row


@pytest.mark.parametrize(
    ("back", "status", "reason", "answered", "is_open"),
    [
        (4, "warning", "PSI 0.2.", False, True),
        (2.5, "failing", "PSI 0.9.", False, True),
        (1.5, "failing", "PSI 0.9.", True, True),
    ],
)
def test_an_incident_is_told_as_it_was(back: float, status: str, reason: str, answered: bool, is_open: bool) -> None:
    row = as_known([an_incident()], NOW - back * HOUR)[0]
    assert (row.status, row.reason, row.acknowledged_at is not None, row.is_open) == (status, reason, answered, is_open)


def test_lists_of_the_past_hold_what_was_open_then() -> None:
    row = an_incident()
    everything = listing.of_teams([row.team_id])
    for back, shown in ((6, []), (4, [row.pk]), (0.5, [])):
        then = NOW - back * HOUR
        found = listing.narrowed(everything, Narrowed(), 0, NOW, then)
        assert [one.pk for one in found] == shown, back
        assert listing.counts_then(everything, then)[Show.OPEN] == len(shown)


def test_an_incident_that_came_back_was_closed_in_between() -> None:
    row = an_incident()
    record.event(row, EventKind.REOPENED, NOW - HOUR / 2, text="PSI 1.1.", status="failing").save()
    Incident.objects.filter(pk=row.pk).update(resolved_at=None, acknowledged_at=None)
    row.refresh_from_db()
    assert not as_known([row], NOW - 0.75 * HOUR)[0].is_open
    row.refresh_from_db()
    assert as_known([row], NOW)[0].is_open
