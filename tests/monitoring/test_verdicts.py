"""From verdicts to rows: transitions, trouble that keeps its start, days, and disagreement with the source."""

from __future__ import annotations

from datetime import timedelta

import pytest

from metrics.health import Status as Found
from metrics.health import Verdict
from monitoring import mail, verdicts
from monitoring.clock import parse_time
from monitoring.health import Judged
from monitoring.health.parts import UNASKED
from monitoring.incidents import due
from monitoring.incidents.tell import CHANGING
from monitoring.models import Area, HealthDay, Held, IncidentNotice, Message, Status, Transition, Watched
from tests.monitoring.factories import NOW, make_member, make_watched

pytestmark = pytest.mark.django_db


def rule(watched: Watched, minutes: int, **areas: Found) -> list[Transition]:
    judged = {Area(name): Judged(Verdict(status, f"{name} {status}", {})) for name, status in areas.items()}
    return verdicts.apply([verdicts.Ruling(watched.pk, judged)], NOW + timedelta(minutes=minutes))


def test_health_at_first_sight_is_no_change_but_trouble_is() -> None:
    watched = make_watched()
    made = rule(watched, 0, service=Found.PASSING, drift=Found.FAILING, accuracy=Found.NOT_STARTED)
    assert [(one.area, one.old, one.new) for one in made] == [(Area.DRIFT, Status.UNKNOWN, Status.FAILING)]


def test_an_unchanged_verdict_keeps_its_start_and_makes_no_row() -> None:
    watched = make_watched()
    rule(watched, 0, service=Found.PASSING)
    assert rule(watched, 5, service=Found.PASSING) == []
    assert watched.areas.get().since == NOW


def test_trouble_keeps_its_start_through_a_change_of_degree_and_ends_with_it() -> None:
    watched = make_watched()
    rule(watched, 0, drift=Found.PASSING)
    rule(watched, 10, drift=Found.WARNING)
    rule(watched, 20, drift=Found.FAILING)
    rule(watched, 30, drift=Found.FAILING)
    made = rule(watched, 40, drift=Found.PASSING)
    assert made[0].trouble_since == NOW + timedelta(minutes=10)
    assert "troubleSince" not in watched.areas.get().evidence


@pytest.mark.parametrize(
    ("rates", "minutes", "expected"),
    [
        ([9, 100, 50], 0, 50),  # failing as of now: the newest day
        ([9, 100, 50], 2 * 24 * 60, 150),
        ([9, None, 50], 30 * 24 * 60, 59),  # no more days than are known
    ],
)
def test_predictions_served_while_failing_are_those_of_its_days(
    rates: list[float | None], minutes: int, expected: float
) -> None:
    watched = make_watched(daily_rates=rates)
    rule(watched, 0, service=Found.FAILING)
    rule(watched, minutes, service=Found.FAILING)
    watched.refresh_from_db()
    assert watched.served_failing == expected
    rule(watched, minutes + 5, service=Found.PASSING)
    watched.refresh_from_db()
    assert watched.served_failing == 0


def test_grey_hides_no_red_and_switched_off_areas_do_not_count() -> None:
    watched = make_watched()
    rule(watched, 0, service=Found.PASSING, drift=Found.UNKNOWN, accuracy=Found.UNAVAILABLE)
    watched.refresh_from_db()
    assert watched.worst == Status.UNKNOWN
    rule(watched, 1, service=Found.WARNING, drift=Found.UNKNOWN, accuracy=Found.UNAVAILABLE)
    watched.refresh_from_db()
    assert watched.worst == Status.WARNING
    rule(watched, 2, service=Found.UNAVAILABLE, drift=Found.UNAVAILABLE, accuracy=Found.UNAVAILABLE)
    watched.refresh_from_db()
    assert watched.worst == Status.UNAVAILABLE


def test_a_day_remembers_its_trouble() -> None:
    watched = make_watched()
    rule(watched, 0, service=Found.UNKNOWN)
    rule(watched, 10, service=Found.PASSING)
    assert HealthDay.objects.get().status == Status.PASSING
    rule(watched, 20, service=Found.FAILING)
    rule(watched, 30, service=Found.PASSING)
    assert HealthDay.objects.get().status == Status.FAILING


@pytest.mark.parametrize("state", sorted(CHANGING))
def test_while_a_deployment_is_being_changed_verdicts_are_recorded_and_nobody_is_written_to(state: str) -> None:
    make_member()
    watched = make_watched(deployment_status=state)
    rule(watched, 0, service=Found.FAILING)
    later = NOW + timedelta(minutes=30)
    due.run_due(later)
    mail.decide(later)
    assert Transition.objects.get().new == Status.FAILING
    assert IncidentNotice.objects.get().held == Held.CHANGING
    assert not Message.objects.exists()


DISAGREEMENTS = [
    # ours, theirs, shown as a disagreement
    (Status.PASSING, Status.PASSING, False),
    (Status.PASSING, Status.FAILING, True),
    (Status.WARNING, Status.FAILING, True),
    (Status.FAILING, None, False),
    # two kinds of grey, or grey against green, raise no alarm
    (Status.UNKNOWN, Status.NOT_STARTED, False),
    (Status.UNKNOWN, Status.PASSING, False),
    (Status.UNKNOWN, Status.FAILING, True),
]


@pytest.mark.parametrize(("ours", "theirs", "expected"), DISAGREEMENTS)
def test_disagreement_is_about_alarms(ours: Status, theirs: Status | None, expected: bool) -> None:
    assert verdicts.disagree(ours, theirs) is expected


def test_the_sources_own_status_stands_beside_ours() -> None:
    watched = make_watched(source_health={"accuracy": {"status": "failing", "message": "AUC fell"}})
    rule(watched, 0, accuracy=Found.PASSING)
    area = watched.areas.get()
    assert (area.source_status, area.disagrees) == (Status.FAILING, True)
    watched.refresh_from_db()
    assert watched.health["accuracy"]["disagrees"] is True
    assert parse_time(watched.health["accuracy"]["since"]) == NOW.replace(microsecond=0)


def test_a_question_that_was_not_asked_yet_changes_no_verdict() -> None:
    watched = make_watched()
    rule(watched, 0, drift=Found.FAILING)
    waiting = Judged(Verdict(Found.UNKNOWN, "Data drift was not asked for yet.", {UNASKED: True}))
    made = verdicts.apply([verdicts.Ruling(watched.pk, {Area.DRIFT: waiting})], NOW + timedelta(minutes=5))
    watched.refresh_from_db()
    assert made == []
    assert watched.areas.get().status == watched.worst == Status.FAILING
    assert watched.health["drift"]["status"] == Status.FAILING
    assert HealthDay.objects.get(watched=watched).status == Status.FAILING
