"""The table of noise, and the quieter limit that is proposed for a rule by trying it on ninety real days."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from monitoring import mail
from monitoring.incidents import record
from monitoring.models import Area, NoticeKind, Source, Vote, Watched
from monitoring.noise import noise_table, quieter
from tests.monitoring.backtest.stored import NOW as PAST_NOW
from tests.monitoring.backtest.stored import UNTIL, flights, store
from tests.monitoring.factories import NOW, make_incident, make_member, make_source, make_watched

pytestmark = pytest.mark.django_db
_, TIMETABLE, _, JETBLUE = flights()
START, END = NOW - timedelta(days=1), NOW + timedelta(days=1)


def told(label: str, *votes: bool, metric: str = "", kinds: tuple[NoticeKind, ...] = (NoticeKind.OPENED,)) -> Watched:
    """A deployment of whose incident these notices were mailed, each voter saying one thing about the first."""
    watched = make_watched(Source.objects.first() or make_source(), remote_id=label, label=label)
    incident = make_incident(watched, area=Area.ACCURACY, evidence={"metric": metric} if metric else {})
    notices = []
    for kind in kinds:
        notices.append(record.notice(incident, kind, NOW))
        notices[-1].save()
        incident.save()
    for number, useful in enumerate(votes):
        voter = make_member(f"voter-{label}-{number}", wants_mail=False).user
        Vote.objects.create(notice=notices[0], user=voter, useful=useful, at=NOW)
    return watched


def test_rules_are_counted_by_area_metric_and_deployment_worst_first() -> None:
    make_member("ines")
    make_member("tom")
    told("Calm", True, True, metric="AUC")
    told("Loud", False, False, True, metric="AUC", kinds=(NoticeKind.OPENED, NoticeKind.STILL))
    told("Unheard", metric="LogLoss")
    mail.decide(NOW)
    table = noise_table([Source.objects.get().team_id], START, END)
    assert [(row.watched.label, row.metric, row.notices, row.mails, row.useful, row.noise) for row in table] == [
        ("Loud", "AUC", 1, 4, 1, 2),
        ("Calm", "AUC", 1, 2, 2, 0),
        ("Unheard", "LogLoss", 1, 2, 0, 0),
    ]
    assert [row.share for row in table] == [pytest.approx(2 / 3), 0.0, None]


def test_another_month_and_another_team_are_not_counted() -> None:
    make_member()
    told("Loud", False)
    mail.decide(NOW)
    team = Source.objects.get().team_id
    assert noise_table([team], END, END + timedelta(days=30)) == []
    assert noise_table([team + 1], START, END) == []


def test_the_table_asks_as_much_for_many_rules_as_for_one(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    make_member()
    for number in range(12):
        told(f"Model {number}", False)
    mail.decide(NOW)
    team = Source.objects.get().team_id
    with django_assert_num_queries(3):
        assert len(noise_table([team], START, END)) == 12


def test_the_noisiest_gets_the_least_change_that_halves_its_messages() -> None:
    found = quieter(store(JETBLUE), Area.DRIFT, PAST_NOW)
    assert found is not None
    assert found.words == "drift threshold 0.34 instead of 0.15"
    before, after = found.before.areas[Area.DRIFT].told, found.after.areas[Area.DRIFT].told
    assert len(after) * 2 <= len(before)


def test_what_somebody_called_useful_is_not_given_away() -> None:
    watched = store(TIMETABLE)
    assert quieter(watched, Area.ACCURACY, PAST_NOW) is not None
    incident = make_incident(watched, area=Area.ACCURACY)
    notice = record.notice(incident, NoticeKind.OPENED, UNTIL - timedelta(days=3))
    notice.save()
    Vote.objects.create(notice=notice, user=make_member().user, useful=True, at=PAST_NOW)
    assert quieter(watched, Area.ACCURACY, PAST_NOW) is None
