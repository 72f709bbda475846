"""Ninety days of real flights under other settings, and the same days through the engine with a moved clock."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import msgspec
import pytest
from django.db import connection
from django.db.models import Min
from django.test.utils import CaptureQueriesContext

from metrics.health import Status as Found
from metrics.health import Verdict
from monitoring import backtest, client, verdicts
from monitoring.backtest.run import judged
from monitoring.client import schemas
from monitoring.health import Judged
from monitoring.incidents import due
from monitoring.incidents.policy import Policy
from monitoring.models import Area, Incident, IncidentKind, IncidentNotice, IncidentTrack, Status, Watched
from tests.monitoring.backtest.stored import DAY, NOW, UNTIL, flights, store

pytestmark = pytest.mark.django_db

Lines = list[str]
LATE, TIMETABLE, JFK, JETBLUE = flights()

#: Incident by incident: opened, closed, worst status, then what is told, each as month-day hour:minute.
EXPECTED: dict[str, dict[Area, Lines]] = {
    LATE: {
        Area.DRIFT: [
            "08-29 00:01 to 09-10 00:30 warning, reopened 1: opened 08-29 00:01, escalated 08-29 04:01, "
            "still 08-30 04:01, still 09-01 04:01, still 09-05 04:01, resolved 09-06 00:30, reopened 09-07 00:10, "
            "escalated 09-07 04:10, still 09-08 04:10, resolved 09-10 00:30",
            "10-10 00:10 to 10-23 00:30 warning, reopened 0: opened 10-10 00:10, escalated 10-10 04:10, "
            "still 10-11 04:10, still 10-13 04:10, still 10-17 04:10, resolved 10-23 00:30",
            "10-29 00:10 to 11-05 00:30 warning, reopened 0: opened 10-29 00:10, escalated 10-29 04:10, "
            "still 10-30 04:10, still 11-01 04:10, resolved 11-05 00:30",
        ],
        Area.ACCURACY: [
            "11-20 00:10 to now failing, reopened 0: opened 11-20 00:10, escalated 11-20 04:10, worse 11-21 00:00, "
            "still 11-22 00:00, still 11-24 00:00",
        ],
    },
    TIMETABLE: {
        Area.DRIFT: [],
        Area.ACCURACY: [
            "11-22 00:10 to now failing, reopened 0: opened 11-22 00:10, still 11-23 00:10, worse 11-24 00:00, "
            "still 11-25 00:00",
        ],
    },
    JFK: {
        Area.DRIFT: [
            "08-29 00:01 to 10-25 00:30 warning, reopened 0: opened 08-29 00:01, still 08-30 00:01, "
            "still 09-01 00:01, still 09-05 00:01, still 09-12 00:01, still 09-19 00:01, still 09-26 00:01, "
            "still 10-03 00:01, still 10-10 00:01, still 10-17 00:01, still 10-24 00:01, resolved 10-25 00:30",
            "10-27 00:10 to now warning, reopened 0: opened 10-27 00:10, still 10-28 00:10, still 10-30 00:10, "
            "still 11-03 00:10, still 11-10 00:10, still 11-17 00:10, still 11-24 00:10",
        ],
        Area.ACCURACY: [
            "11-18 00:10 to 11-22 00:30 warning, reopened 0: opened 11-18 00:10, still 11-19 00:10, "
            "still 11-21 00:10, resolved 11-22 00:30",
        ],
    },
    JETBLUE: {
        Area.DRIFT: [
            "08-29 00:01 to now warning, reopened 0: opened 08-29 00:01, still 08-30 00:01, still 09-01 00:01, "
            "still 09-05 00:01, still 09-12 00:01, still 09-19 00:01, still 09-26 00:01, still 10-03 00:01, "
            "still 10-10 00:01, still 10-17 00:01, still 10-24 00:01, still 10-31 00:01, still 11-07 00:01, "
            "still 11-14 00:01, still 11-21 00:01",
        ],
        Area.ACCURACY: [],
    },
}


def short(moment: datetime | None) -> str:
    return f"{moment:%m-%d %H:%M}" if moment is not None else "now"


def played(result: backtest.AreaResult) -> Lines:
    return [
        f"{short(one.moves[0].at)} to {short(one.course.resolved_at)} {one.course.worst}, "
        f"reopened {one.course.reopened}: " + ", ".join(f"{told.kind} {short(told.at)}" for told in one.told)
        for one in result.incidents
    ]


@pytest.mark.parametrize("label", [LATE, TIMETABLE, JFK, JETBLUE])
def test_ninety_days_of_flights_make_exactly_these_incidents_and_notices(label: str) -> None:
    found = backtest.run(backtest.past_of(store(label), NOW))
    assert {area: played(result) for area, result in found.areas.items()} == EXPECTED[label]


def moving_clock(until: datetime) -> None:
    """Lets the engine run whenever something is due, as its timer would, up to a time."""
    while True:
        tracks = IncidentTrack.objects.aggregate(at=Min("check_at"))["at"]
        open_ = Incident.objects.open().aggregate(at=Min("check_at"))["at"]
        times = [at for at in (tracks, open_) if at is not None]
        if not times or min(times) > until:
            return
        due.run_due(min(times))


def stored_lines(area: Area) -> Lines:
    lines = []
    for incident in Incident.objects.filter(kind=IncidentKind.DEPLOYMENT, area=area).order_by("pk"):
        opened = incident.events.first()
        assert opened is not None
        told = ", ".join(f"{one.kind} {short(one.at)}" for one in incident.notices.filter(held=""))
        span = f"{short(opened.at)} to {short(incident.resolved_at)}"
        lines.append(f"{span} {incident.worst}, reopened {incident.reopened}: {told}")
    return lines


@pytest.mark.parametrize("label", [LATE, JFK])
def test_the_engine_itself_makes_the_same_of_the_same_verdicts(label: str) -> None:
    watched = store(label)
    past = backtest.past_of(watched, NOW)
    seen = sorted(
        ((one, area) for area, points in judged(past, past.settings).items() for one in points),
        key=lambda pair: pair[0].at,
    )
    for one, area in seen:
        moving_clock(one.at)
        ruling = {area: Judged(Verdict(Found(one.status.value), one.reason, {}))}
        verdicts.apply([verdicts.Ruling(watched.pk, ruling)], one.at)
    moving_clock(NOW)
    assert {area: stored_lines(area) for area in (Area.DRIFT, Area.ACCURACY)} == EXPECTED[label]
    assert IncidentNotice.objects.exclude(held="").count() == 0


# --- Days and limits ----------------------------------------------------------------------------------------------


def limits(**fields: float | int | None) -> client.HealthSettings:
    usual = schemas.DriftRule(high_importance_failing_count=1, low_importance_warning_count=1)
    return msgspec.structs.replace(
        msgspec.convert({}, client.HealthSettings), data_drift=msgspec.structs.replace(usual, **fields)
    )


def test_the_days_in_trouble_are_those_whose_scores_are_above_the_limit() -> None:
    found = backtest.run(backtest.past_of(store(JETBLUE), NOW), limits(drift_threshold=0.33))
    raw = flights()[JETBLUE]
    expected = {
        (datetime.fromisoformat(end) - DAY).date()
        for end, rows in zip(raw["ends"], raw["drift"], strict=True)
        if any(row[2] is not None and row[2] > 0.33 for row in rows)
    }
    result = found.areas[Area.DRIFT]
    in_trouble = {*result.warning_days, *result.failing_days}
    assert in_trouble == {day for day in expected if day >= (NOW - 89 * DAY).date()}
    assert 10 < len(in_trouble) < 80


def test_other_limits_are_held_beside_the_present_ones_in_one_sentence() -> None:
    found = backtest.compare(backtest.past_of(store(JFK), NOW), limits(drift_threshold=0.5))
    assert found.sentence(90) == (
        "With these settings: 48 days at risk and 0 failing of the last 90, 20 messages instead of 23."
    )


def test_patience_is_tried_too() -> None:
    past = backtest.past_of(store(LATE), NOW)
    patient = Policy(pending=timedelta(days=2), recovery=timedelta(days=2), escalate=timedelta(0))
    found = backtest.compare(past, past.settings, proposed_policy=patient)
    assert found.proposed.notices < found.current.notices
    assert found.proposed.warning_days == found.current.warning_days  # days are verdicts; patience is about alerts


def test_a_quieter_limit_is_the_least_change_that_halves_the_messages() -> None:
    past = backtest.past_of(store(JETBLUE), NOW)
    found = backtest.propose(past, Area.DRIFT)
    assert found is not None
    assert (found.limit, found.before.notices, found.after.notices) == (0.34, 15, 6)
    assert found.words == "drift threshold 0.34 instead of 0.15"
    again = backtest.run(past, found.settings)
    assert again.notices == found.after.notices


def test_no_limit_is_proposed_that_misses_what_was_useful() -> None:
    past = backtest.past_of(store(TIMETABLE), NOW)
    useful = UNTIL - timedelta(days=3)
    assert backtest.propose(past, Area.ACCURACY) is not None
    assert backtest.propose(past, Area.ACCURACY, keep=[useful]) is None


def test_where_nothing_is_noisy_nothing_is_proposed() -> None:
    past = backtest.past_of(store(TIMETABLE), NOW)
    assert backtest.propose(past, Area.DRIFT) is None
    assert backtest.propose(past, Area.SERVICE) is None


def test_areas_without_limits_are_played_as_they_were_recorded() -> None:
    watched = store(TIMETABLE)
    for back, status in ((4, Status.PASSING), (3, Status.FAILING), (2, Status.PASSING)):
        watched.health_days.create(
            area=Area.SERVICE, day=(UNTIL - back * DAY).date(), status=status, reason="3 errors.", reconstructed=True
        )
    result = backtest.run(backtest.past_of(watched, NOW)).areas[Area.SERVICE]
    assert result.failing_days == ((UNTIL - 3 * DAY).date(),)
    assert [told.kind for told in result.told] == ["opened", "resolved"]


def test_live_verdicts_count_at_the_time_they_were_made() -> None:
    watched = store(TIMETABLE)
    at = UNTIL - timedelta(hours=5)
    watched.transitions.create(area=Area.SERVICE, old=Status.PASSING, new=Status.FAILING, reason="Errors.", at=at)
    watched.health_days.create(area=Area.SERVICE, day=at.date(), status=Status.FAILING, reason="Errors.")
    result = backtest.run(backtest.past_of(watched, NOW)).areas[Area.SERVICE]
    assert result.incidents[0].course.began_at == at


def test_a_deployment_without_a_past_has_an_empty_backtest() -> None:
    watched = store(TIMETABLE)
    watched.topics.all().delete()
    found = backtest.run(backtest.past_of(watched, NOW))
    assert (dict(found.areas), found.notices, found.failing_days) == ({}, 0, 0)


def test_reading_the_past_costs_the_same_statements_however_long_it_is() -> None:
    watched = store(JFK)

    def cost(length: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            backtest.past_of(watched, NOW, length=length)
        return len(queries)

    assert cost(90) == cost(10) == 7


def test_only_the_asked_days_are_played() -> None:
    past = backtest.past_of(store(JFK), NOW, length=10)
    assert past.days == tuple(date(2026, 11, 16) + timedelta(days=number) for number in range(10))
    assert min(point.at for point in past.drift).date() >= past.days[0]
    assert Watched.objects.count() == 1
