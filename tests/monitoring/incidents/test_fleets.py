"""One cause, one incident, one message: and nothing is lost by it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from metrics.health import Status as Found
from monitoring.incidents import actions
from monitoring.models import (
    EventKind,
    Held,
    Incident,
    IncidentKind,
    IncidentNotice,
    NoticeKind,
    Severity,
    Source,
    Status,
    Watched,
)
from tests.monitoring.factories import NOW, make_member, make_source, make_team
from tests.monitoring.incidents.clockwork import at, held, judge, tick, timeline, told

pytestmark = pytest.mark.django_db

P, W, F = Found.PASSING, Found.WARNING, Found.FAILING
CARRIER = {"highImportance": [{"name": "carrier", "score": 0.31}], "lowImportance": []}
DAY = 24 * 60


def make_fleet(count: int, source: Source | None = None, **fields: Any) -> list[Watched]:
    """Healthy deployments of one source, moderate so that nobody is escalated to."""
    source = source or make_source()
    defaults = {"label": "Model", "importance": "MODERATE", "first_seen_at": NOW, "seen_at": NOW, **fields}
    rows = Watched.objects.bulk_create(
        Watched(source=source, remote_id=f"{source.pk}-{number}", **defaults) for number in range(count)
    )
    judge(rows, 0, service=P, drift=P)
    return rows


def fleet_of() -> Incident:
    return Incident.objects.get(kind=IncidentKind.FLEET)


def test_three_that_drift_on_one_feature_are_one_incident_and_one_message() -> None:
    rows = make_fleet(3)
    for minute, row in enumerate(rows):
        judge(row, minute, CARRIER, drift=F)
    tick(10, 11, 12)
    fleet = fleet_of()
    assert (fleet.cause, fleet.reason) == ("feature:carrier", "3 deployments in trouble: drift of carrier.")
    assert fleet.members.count() == 3
    assert told() == [(10, "opened", "failing")]
    assert [what for _, _, what in held()] == [Held.FLEET] * 3
    assert timeline(fleet.members.order_by("pk")[0]) == [(10, EventKind.OPENED), (10, EventKind.JOINED)]


def test_two_are_two() -> None:
    judge(make_fleet(2), 0, CARRIER, drift=F)
    tick(10)
    assert not Incident.objects.filter(kind=IncidentKind.FLEET).exists()
    assert len(told()) == 2


def test_the_same_trouble_at_other_times_has_another_cause() -> None:
    rows = make_fleet(3)
    for number, row in enumerate(rows):
        judge(row, number * 120, CARRIER, drift=F)
        tick(number * 120 + 10)
    assert not Incident.objects.filter(kind=IncidentKind.FLEET).exists()


def test_members_are_judged_and_resolved_as_ever_and_the_fleet_is_over_with_the_last() -> None:
    rows = make_fleet(4)
    judge(rows, 0, CARRIER, drift=F)
    tick(10)
    judge(rows[:3], 60, drift=P)
    tick(90)
    fleet = fleet_of()
    assert fleet.is_open
    assert (fleet.size, fleet.members.filter(resolved_at=at(90)).count()) == (1, 3)
    judge(rows[3], 100, drift=P)
    tick(130)
    assert [(minute, kind) for minute, kind, _ in told()] == [(10, "opened"), (130, "resolved")]
    assert fleet_of().resolved_at == at(130)


def test_a_latecomer_joins_and_is_no_message_of_its_own() -> None:
    rows = make_fleet(4)
    judge(rows[:3], 0, CARRIER, drift=F)
    tick(10)
    judge(rows[3], 30, CARRIER, drift=F)
    tick(40)
    assert fleet_of().members.count() == 4
    assert len(told()) == 1


def test_a_fleet_that_doubles_is_news() -> None:
    rows = make_fleet(6)
    judge(rows[:3], 0, CARRIER, drift=F)
    tick(10)
    judge(rows[3:], 30, CARRIER, drift=F)
    tick(40)
    assert [(minute, kind) for minute, kind, _ in told()] == [(10, "opened"), (40, "worse")]
    assert IncidentNotice.objects.get(kind=NoticeKind.WORSE).data["grown"] is True


def test_somebody_important_who_joins_is_news() -> None:
    rows = make_fleet(4)
    Watched.objects.filter(pk=rows[3].pk).update(importance="CRITICAL")
    judge(rows[:3], 0, CARRIER, drift=F)
    tick(10)
    judge(rows[3], 30, CARRIER, drift=F)
    tick(40)
    assert [(minute, kind) for minute, kind, _ in told()] == [(10, "opened"), (40, "worse")]
    assert fleet_of().severity == Severity.CRITICAL


def test_who_shares_the_cause_of_an_old_fleet_long_after_is_alone_and_heard() -> None:
    rows = make_fleet(4)
    judge(rows[:3], 0, CARRIER, drift=F)
    tick(10)
    judge(rows[3], 5 * DAY, CARRIER, drift=F)
    tick(5 * DAY + 10)
    alone = Incident.objects.get(watched=rows[3])
    assert alone.parent is None
    assert told([alone]) == [(5 * DAY + 10, "opened", "failing")]


def test_who_was_told_alone_hears_of_the_end_alone_though_it_joined() -> None:
    rows = make_fleet(4)
    judge(rows[0], 0, CARRIER, drift=F)
    tick(10)
    judge(rows[1:], 20, CARRIER, drift=F)
    tick(30)
    judge(rows, 60, drift=P)
    tick(90)
    first = Incident.objects.get(watched=rows[0])
    assert first.parent == fleet_of()
    assert [(minute, kind) for minute, kind, _ in told([first])] == [(10, "opened"), (90, "resolved")]
    assert [(minute, kind) for minute, kind, _ in told([fleet_of()])] == [(30, "opened"), (90, "resolved")]


def test_one_prediction_server_is_one_cause() -> None:
    listing = {"predictionEnvironment": {"id": "env1", "name": "serving-east"}}
    judge(make_fleet(3, listing=listing), 0, service=F)
    tick(10)
    assert fleet_of().reason == "3 deployments in trouble: service health on serving-east."


def test_models_that_were_replaced_on_one_day_are_one_release() -> None:
    long_ago = at(-40 * DAY)
    rows = make_fleet(3, model_deployed_at=at(-60), created_at_source=long_ago)
    for row, name in zip(rows, ("a", "b", "c"), strict=True):
        judge(row, 0, {"highImportance": [{"name": name, "score": 0.2}]}, drift=F)
    tick(10)
    assert fleet_of().cause == f"release:{at(-60):%Y-%m-%d}"


def test_first_models_are_no_release() -> None:
    rows = make_fleet(3, model_deployed_at=at(-60), created_at_source=at(-61))
    for row, name in zip(rows, ("a", "b", "c"), strict=True):
        judge(row, 0, {"highImportance": [{"name": name, "score": 0.2}]}, drift=F)
    tick(10)
    assert fleet_of().cause.startswith("source:")


def test_teams_have_fleets_of_their_own() -> None:
    ours = make_fleet(2)
    theirs = make_fleet(2, make_source(team=make_team("Other"), name="ops-west"))
    judge([*ours, *theirs], 0, CARRIER, drift=F)
    tick(10)
    assert not Incident.objects.filter(kind=IncidentKind.FLEET).exists()


def test_a_fleet_that_returns_within_a_day_is_the_old_one() -> None:
    rows = make_fleet(3)
    judge(rows, 0, CARRIER, drift=F)
    tick(10)
    judge(rows, 60, drift=P)
    tick(90)
    judge(rows, 200, CARRIER, drift=F)
    tick(210)
    fleet = fleet_of()
    assert (fleet.reopened, fleet.is_open, fleet.members.open().count()) == (1, True, 3)
    assert [kind for _, kind, _ in told()] == ["opened", "resolved", "reopened"]


def test_a_person_who_closes_the_last_member_closes_the_fleet() -> None:
    judge(make_fleet(3), 0, CARRIER, drift=F)
    tick(10)
    ines = make_member().user
    for member in fleet_of().members.all():
        actions.resolve(member, ines, at(20))
    tick(21)
    assert fleet_of().resolved_at == at(21)


def test_a_silence_over_all_members_holds_the_fleet_and_one_over_some_does_not() -> None:
    from monitoring.models import Silence

    rows = make_fleet(4)
    for row in rows[:2]:
        Silence.objects.create(
            team=row.source.team, watched=row, reason="x", starts_at=at(0), ends_at=at(600), created_at=NOW
        )
    judge(rows, 0, CARRIER, drift=F)
    tick(10)
    assert len(told()) == 1
    Incident.objects.all().delete()
    Silence.objects.create(team=rows[0].source.team, reason="x", starts_at=at(0), ends_at=at(9999), created_at=NOW)
    more = make_fleet(3, make_source(name="ops-west"))
    judge(more, 1000, CARRIER, drift=F)
    tick(1010)
    assert told() == []


# --- A thousand deployments ---------------------------------------------------------------------------------------


def statements(run: Any) -> int:
    with CaptureQueriesContext(
        connection,
    ) as found:
        run()
    return len(found)


def test_an_outage_of_a_source_of_a_thousand_deployments_is_one_message_and_one_when_it_ends() -> None:
    rows = make_fleet(1000)
    Source.objects.update(silent_since=at(1), last_error="Timed out.", failures=1)
    tick(*range(2, 60))
    Source.objects.update(silent_since=None, last_ok_at=at(60))
    judge(rows, 61, service=P, drift=P)
    tick(61, 62, 120)
    assert told() == [(11, "opened", "failing"), (61, "resolved", "passing")]
    assert Watched.objects.filter(worst=Status.PASSING).count() == 1000


def in_batches(rows: Sequence[Watched], minute: float, **areas: Any) -> None:
    """As workers poll them: some at a time, all within five minutes."""
    for start in range(0, len(rows), 100):
        judge(rows[start : start + 100], minute + start / len(rows) * 5, **areas)


def test_errors_of_a_thousand_deployments_at_once_are_one_message_and_one_when_they_end() -> None:
    rows = make_fleet(1000)
    in_batches(rows, 10, service=F)
    tick(*range(11, 30))
    in_batches(rows, 60, service=P)
    tick(*range(61, 100))
    assert [(minute, kind) for minute, kind, _ in told()] == [(20, "opened"), (95, "resolved")]
    assert fleet_of().members.filter(resolved_at__isnull=False).count() == 1000


def test_a_round_costs_the_same_statements_for_three_deployments_as_for_a_thousand() -> None:
    few = make_fleet(3)
    counts = []
    for rows, start in ((few, 0), (make_fleet(1000, make_source(name="ops-west")), 3 * DAY)):
        judge(rows, start + 1, service=F)
        opening = statements(lambda at_=start + 11: tick(at_))
        idle = statements(lambda at_=start + 12: tick(at_))
        judge(rows, start + 60, service=P)
        closing = statements(lambda at_=start + 90: tick(at_))
        counts.append((opening, idle, closing))
    small, large = counts
    assert small == (23, 5, 20)
    assert large == (small[0] + 1, 5, small[2])  # 2,001 events are written in two statements
