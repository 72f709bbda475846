"""From stored verdicts to incidents and notices, with a moved clock."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest
from django.db import connection, connections, transaction

from metrics.health import Status as Found
from monitoring import retention
from monitoring.incidents import actions, due, silences
from monitoring.incidents.engine import settle
from monitoring.models import (
    AlertPolicy,
    Area,
    EventKind,
    Held,
    Incident,
    IncidentKind,
    IncidentNotice,
    IncidentTrack,
    NoticeKind,
    Severity,
    Silence,
    Source,
    Status,
    Watched,
)
from tests.monitoring.factories import NOW, make_member, make_source, make_team, make_watched
from tests.monitoring.incidents.clockwork import at, held, judge, tick, timeline, told

pytestmark = pytest.mark.django_db

P, W, F, U = Found.PASSING, Found.WARNING, Found.FAILING, Found.UNKNOWN
HOUR = 60


@pytest.fixture
def watched() -> Watched:
    """Healthy since the minute 0."""
    row = make_watched(importance="HIGH", daily_rates=[1440.0], predictions_per_day=1440.0)
    judge(row, 0, service=P, drift=P, accuracy=P)
    return row


def test_trouble_that_lasts_opens_an_incident_and_is_told_once(watched: Watched) -> None:
    judge(watched, 5, drift=F)
    tick(14)
    assert not Incident.objects.exists()
    tick(15, 16, 30)
    incident = Incident.objects.get()
    assert (incident.kind, incident.area, incident.status) == (IncidentKind.DEPLOYMENT, Area.DRIFT, Status.FAILING)
    assert (incident.began_at, incident.opened_at) == (at(5), at(15))
    assert incident.severity == Severity.HIGH
    assert incident.reason == "drift is failing."
    assert told() == [(15, NoticeKind.OPENED, Status.FAILING)]


def test_a_blip_is_recorded_and_nobody_is_told(watched: Watched) -> None:
    judge(watched, 5, drift=F)
    judge(watched, 12, drift=P)
    tick(20, 60)
    assert watched.transitions.count() == 2
    assert not Incident.objects.exists()


def test_worse_and_resolved_are_told_and_everything_is_on_the_timeline(watched: Watched) -> None:
    judge(watched, 0, drift=W)
    tick(10)
    judge(watched, 60, drift=F)
    judge(watched, 90, drift=P)
    tick(100, 120, 121)
    assert told() == [
        (10, NoticeKind.OPENED, Status.WARNING),
        (60, NoticeKind.WORSE, Status.FAILING),
        (120, NoticeKind.RESOLVED, Status.PASSING),
    ]
    incident = Incident.objects.get()
    assert timeline(incident) == [
        (10, EventKind.OPENED),
        (60, EventKind.WORSE),
        (90, EventKind.RECOVERING),
        (120, EventKind.RESOLVED),
    ]
    assert (incident.worst, incident.resolved_at) == (Status.FAILING, at(120))
    assert incident.predictions_affected == pytest.approx(120.0)  # one a minute


def test_better_is_told_once_it_has_lasted(watched: Watched) -> None:
    judge(watched, 0, drift=F)
    tick(10)
    judge(watched, 60, drift=W)
    tick(70, 89, 90, 100)
    assert told()[1:] == [(90, NoticeKind.BETTER, Status.WARNING)]


def test_returning_trouble_joins_the_old_incident(watched: Watched) -> None:
    judge(watched, 0, drift=F)
    tick(10)
    judge(watched, 60, drift=P)
    tick(90)
    judge(watched, 5 * HOUR, drift=F)
    tick(5 * HOUR + 10)
    incident = Incident.objects.get()
    assert (incident.reopened, incident.is_open) == (1, True)
    assert [kind for _, kind, _ in told()][-1] == NoticeKind.REOPENED
    assert told()[0][1] == NoticeKind.OPENED


def test_returning_trouble_after_a_day_is_another_incident(watched: Watched) -> None:
    judge(watched, 0, drift=F)
    judge(watched, 60, drift=P)
    tick(90)
    judge(watched, 90 + 24 * HOUR + 1, drift=F)
    tick(90 + 24 * HOUR + 11)
    assert Incident.objects.count() == 2


def test_flapping_is_told_once_and_ends_with_calm(watched: Watched) -> None:
    for minute in range(0, 240, 40):
        judge(watched, minute, drift=F)
        tick(minute + 10)
        judge(watched, minute + 20, drift=P)
        tick(minute + 35)
    assert told() == [(10, "opened", "failing"), (80, "flapping", "failing")]
    tick(220 + 6 * HOUR - 1)
    assert Incident.objects.get().is_open
    tick(220 + 6 * HOUR)
    assert told()[2:] == [(220 + 6 * HOUR, "resolved", "passing")]


def test_no_data_neither_opens_nor_closes_and_is_said_on_the_timeline(watched: Watched) -> None:
    judge(watched, 0, drift=F, service=F)
    tick(10)
    judge(watched, 20, drift=U, service=P)
    judge(watched, 25, service=U)
    tick(30 * HOUR)
    drift = Incident.objects.get(area=Area.DRIFT)
    assert (drift.is_open, drift.dark_since, drift.status) == (True, at(20), Status.FAILING)
    assert Incident.objects.get(area=Area.SERVICE).is_open
    assert timeline(drift)[-1] == (20, EventKind.DARK)
    assert [kind for _, kind, _ in told()] == ["opened", "opened"]  # no reminders of what nobody can see
    judge(watched, 31 * HOUR, drift=F)
    tick(31 * HOUR + 1)
    assert told()[2:] == [(31 * HOUR, "escalated", "failing")]


def reminders() -> list[float]:
    """The days after the opening on which somebody was reminded."""
    return [(minute - 10) / (24 * HOUR) for minute, kind, _ in told() if kind == "still"]


def test_reminders_come_in_growing_gaps_up_to_a_week(watched: Watched) -> None:
    judge(watched, 0, accuracy=W)  # moderate: nobody is woken
    tick(*(10 + 24 * HOUR * day for day in range(30)))
    assert reminders() == [1, 3, 7, 14, 21, 28]


def test_what_is_acknowledged_is_reminded_of_weekly_from_the_start(watched: Watched) -> None:
    judge(watched, 0, accuracy=W)
    tick(10)
    actions.acknowledge(Incident.objects.get(), make_member().user, at(11))
    tick(*(10 + 24 * HOUR * day for day in range(30)))
    assert reminders() == [7, 14, 21, 28]


def test_what_nobody_answers_is_escalated_once(watched: Watched) -> None:
    judge(watched, 0, drift=F)
    tick(10, 4 * HOUR + 9, 4 * HOUR + 10, 4 * HOUR + 11)
    assert told() == [(10, "opened", "failing"), (4 * HOUR + 10, "escalated", "failing")]


def test_what_somebody_acknowledged_is_not_escalated(watched: Watched) -> None:
    judge(watched, 0, drift=F)
    tick(10)
    actions.acknowledge(Incident.objects.get(), make_member().user, at(20))
    tick(5 * HOUR)
    assert told() == [(10, "opened", "failing")]


def test_a_snooze_holds_everything_but_worse_and_the_end(watched: Watched) -> None:
    judge(watched, 0, drift=W)
    tick(10)
    incident = Incident.objects.get()
    actions.snooze(incident, make_member().user, at(20), until=at(20 + 72 * HOUR))
    tick(25 * HOUR, 49 * HOUR)
    judge(watched, 50 * HOUR, drift=F)
    assert told() == [(10, "opened", "warning"), (50 * HOUR, "worse", "failing")]
    incident.refresh_from_db()
    assert incident.snoozed_until is None
    assert timeline(incident)[-1] == (50 * HOUR, EventKind.UNSNOOZED)


def test_a_snooze_that_ends_reminds(watched: Watched) -> None:
    judge(watched, 0, drift=W)
    tick(10)
    actions.snooze(Incident.objects.get(), make_member().user, at(20), until=at(80))
    tick(79, 80, 81)
    assert told() == [(10, "opened", "warning"), (80, "still", "warning")]
    assert IncidentNotice.objects.last().data["snoozeEnded"] is True  # type: ignore[union-attr]


def test_what_a_person_closed_stays_closed_until_the_trouble_was_gone(watched: Watched) -> None:
    judge(watched, 0, drift=F)
    tick(10)
    actions.resolve(Incident.objects.get(), make_member().user, at(20), why="a test")
    judge(watched, 30, drift=F)
    tick(60, 48 * HOUR)
    assert [kind for _, kind, _ in told()] == ["opened", "resolved"]
    judge(watched, 49 * HOUR, drift=P)
    judge(watched, 50 * HOUR, drift=F)
    tick(51 * HOUR)
    assert [kind for _, kind, _ in told()] == ["opened", "resolved", "opened"]


# --- Silences -----------------------------------------------------------------------------------------------------


def silence(of: Watched, start: int, end: int, **fields: object) -> Silence:
    made = Silence(
        team=of.source.team, reason="Upgrade", starts_at=at(start), ends_at=at(end), created_at=NOW, **fields
    )
    silences.check(made)
    made.save()
    return made


def test_a_silence_holds_alerts_back_and_what_still_holds_is_told_at_its_end(watched: Watched) -> None:
    silence(watched, 0, 120, watched=watched)
    judge(watched, 0, drift=F)
    tick(10, 60)
    incident = Incident.objects.get()
    assert told() == []
    assert held() == [(10, NoticeKind.OPENED, Held.SILENCE)]
    assert timeline(incident) == [(10, EventKind.OPENED), (10, EventKind.SILENCED)]
    tick(119, 120, 121)
    assert told() == [(120, "opened", "failing")]


def test_what_came_and_went_in_a_silence_is_told_to_nobody_but_recorded(watched: Watched) -> None:
    silence(watched, 0, 600)
    judge(watched, 0, drift=F)
    tick(10)
    judge(watched, 60, drift=P)
    tick(90, 700)
    assert told() == []
    assert not Incident.objects.get().is_open


def test_the_end_of_told_trouble_is_told_in_a_silence_too(watched: Watched) -> None:
    judge(watched, 0, drift=F)
    tick(10)
    silence(watched, 20, 600)
    judge(watched, 60, drift=P)
    tick(90)
    assert told()[1:] == [(90, "resolved", "passing")]


def test_a_cancelled_silence_lets_go_what_it_held(watched: Watched) -> None:
    quiet = silence(watched, 0, 600, area=Area.DRIFT)
    judge(watched, 0, drift=F)
    tick(10)
    assert silences.cancel(quiet, make_member().user, at(30)) is True
    assert silences.cancel(quiet, make_member("tom").user, at(31)) is False
    tick(31)
    assert told() == [(31, "opened", "failing")]


def test_while_a_deployment_is_being_changed_its_alerts_wait(watched: Watched) -> None:
    Watched.objects.update(deployment_status="replacingModel")
    judge(watched, 0, drift=F)
    tick(10, 20)
    assert told() == []
    assert held() == [(10, NoticeKind.OPENED, Held.CHANGING)]
    Watched.objects.update(deployment_status="active")
    tick(22)
    assert told() == [(22, "opened", "failing")]


# --- Sources ------------------------------------------------------------------------------------------------------


def test_a_silent_source_is_an_incident_of_its_own_and_colours_no_deployment(watched: Watched) -> None:
    Source.objects.update(silent_since=at(0), last_error="Connection refused.", last_error_kind="Unreachable")
    tick(9)
    assert not Incident.objects.exists()
    tick(10, 11, 30)
    incident = Incident.objects.get()
    assert (incident.kind, incident.watched, incident.reason) == (IncidentKind.SOURCE, None, "Connection refused.")
    assert incident.severity == Severity.HIGH
    watched.refresh_from_db()
    assert watched.worst == Status.PASSING
    Source.objects.update(silent_since=None, last_ok_at=at(45))
    tick(46)
    assert told() == [(10, "opened", "failing"), (46, "resolved", "passing")]
    assert Incident.objects.get().resolved_at == at(45)


def test_a_source_that_is_switched_off_is_not_missed(watched: Watched) -> None:
    Source.objects.update(silent_since=at(0))
    tick(10)
    Source.objects.update(enabled=False)
    tick(11)
    assert not Incident.objects.get().is_open


def test_pending_trouble_does_not_open_while_its_source_is_silent(watched: Watched) -> None:
    judge(watched, 0, drift=F)
    Source.objects.update(silent_since=at(4))
    tick(10, 100)
    assert not Incident.objects.filter(kind=IncidentKind.DEPLOYMENT).exists()
    Source.objects.update(silent_since=None, last_ok_at=at(200))
    judge(watched, 201, drift=F)
    tick(201, 206)
    assert not Incident.objects.filter(kind=IncidentKind.DEPLOYMENT).exists()
    tick(207)  # four minutes before the silence and six after it
    assert Incident.objects.filter(kind=IncidentKind.DEPLOYMENT).exists()


def test_a_deployment_that_is_gone_is_in_no_trouble(watched: Watched) -> None:
    judge(watched, 0, drift=F)
    tick(10)
    Watched.objects.update(gone_at=at(20))
    tick(21, 22)
    incident = Incident.objects.get()
    assert incident.resolved_at == at(21)
    assert incident.reason == "The source no longer lists the deployment."


# --- Run twice, by two, and killed --------------------------------------------------------------------------------


def test_settling_twice_changes_nothing(watched: Watched) -> None:
    judge(watched, 0, drift=F)
    for _ in range(3):
        settle(watched.source.team_id, at(10), [watched.pk])
    assert told() == [(10, "opened", "failing")]
    assert timeline(Incident.objects.get()) == [(10, EventKind.OPENED)]


def test_a_killed_transaction_leaves_nothing_and_the_next_run_does_it_all(watched: Watched) -> None:
    judge(watched, 0, drift=F)

    with transaction.atomic():
        tick(10)
        assert Incident.objects.exists()
        transaction.set_rollback(True)
    assert not Incident.objects.exists()
    tick(12)
    assert told() == [(12, "opened", "failing")]
    assert Incident.objects.get().opened_at == at(10)


def test_a_verdict_that_the_machine_never_saw_is_found(watched: Watched) -> None:
    IncidentTrack.objects.all().delete()
    watched.areas.filter(area=Area.DRIFT).update(status=Status.FAILING, since=at(0))
    tick(1, 2)
    assert told() == [(1, "opened", "failing")]


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_open_one_incident_and_decide_once() -> None:
    source = make_source()
    rows = [make_watched(source, remote_id=f"d{number}") for number in range(6)]
    judge(rows, 0, drift=P)
    judge(rows, 1, drift=F)
    barrier = Barrier(4)

    def work() -> None:
        try:
            barrier.wait()
            due.run_due(at(11))
            judge(rows, 11, drift=F)
        finally:
            connections.close_all()

    workers = [Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert Incident.objects.filter(kind=IncidentKind.DEPLOYMENT).count() == 6
    assert Incident.objects.filter(kind=IncidentKind.FLEET).count() == 1
    assert [kind for _, kind, _ in told()] == ["opened"]
    assert connection.vendor == "postgresql"


# --- Policies -----------------------------------------------------------------------------------------------------


def test_a_team_may_be_as_patient_as_it_likes(watched: Watched) -> None:
    AlertPolicy.objects.create(team=make_team(), pending_minutes=0, recovery_minutes=0, opens_at=Status.FAILING)
    judge(watched, 0, drift=W)
    judge(watched, 1, drift=F)
    judge(watched, 2, drift=W)
    assert told() == [(1, "opened", "failing"), (2, "resolved", "warning")]


def test_an_area_may_have_a_patience_and_a_weight_of_its_own(watched: Watched) -> None:
    own = {"drift": {"opens_at": "failing", "severity": -1}, "accuracy": {"pending_minutes": 60, "severity": 1}}
    AlertPolicy.objects.create(team=make_team(), pending_minutes=0, areas=own)
    judge(watched, 0, drift=W, accuracy=P)
    judge(watched, 1, drift=W, accuracy=W)
    assert told() == []
    judge(watched, 5, drift=F, accuracy=W)
    tick(30)
    assert [one.area for one in Incident.objects.all()] == ["drift"]
    tick(62)
    weights = {one.area: one.severity for one in Incident.objects.all()}
    # Of a deployment of high importance: failing is high, at risk moderate.
    assert weights == {"drift": Severity.MODERATE, "accuracy": Severity.HIGH}


def test_everything_is_one_transaction_with_the_verdict(watched: Watched) -> None:
    AlertPolicy.objects.create(team=make_team(), pending_minutes=0)
    with transaction.atomic():
        judge(watched, 1, drift=F)
        assert Incident.objects.get().opened_at == at(1)
        transaction.set_rollback(True)
    assert not Incident.objects.exists()
    assert watched.areas.get(area=Area.DRIFT).status == Status.PASSING


def test_what_is_long_over_is_forgotten_and_what_is_open_never(watched: Watched) -> None:
    judge(watched, 0, drift=F, accuracy=F)
    tick(10)
    judge(watched, 60, accuracy=P)
    tick(90)
    retention.prune(at(90 + 800 * 24 * HOUR))
    assert Incident.objects.get().area == Area.DRIFT
