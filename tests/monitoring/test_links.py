"""Buttons of mails: forged, expired, used again, in other hands; and what they do in the right ones."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import signing
from django.test import Client
from django.urls import reverse

from monitoring import mail
from monitoring.incidents import actions, record
from monitoring.mail import links
from monitoring.mail.links import Act, LinkRefused
from monitoring.models import (
    EventKind,
    Incident,
    Membership,
    Message,
    NoticeKind,
    Role,
    Team,
    UsedLink,
    Vote,
)
from tests.monitoring.factories import NOW, make_incident, make_member, make_team, make_watched

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock() -> object:
    with time_machine.travel(NOW, tick=False) as still:
        yield still


def token(act: Act = Act.ACKNOWLEDGE, member: Membership | None = None) -> str:
    """The token of a button in a mail that was really written."""
    member = member or make_member()
    incident = Incident.objects.first() or make_incident(make_watched())
    notice = record.notice(incident, NoticeKind.OPENED, NOW)
    notice.save()
    incident.save()
    address = links.link_to(act, mail.Addressee(member=member), notice)
    return address.rstrip("/").rpartition("/")[2]


def page(client: Client, name: str, method: str = "get") -> tuple[int, str]:
    response = getattr(client, method)(reverse("act", args=[name]))
    return response.status_code, response.content.decode()


def test_the_buttons_of_a_written_mail_are_these_links() -> None:
    make_member()
    incident = make_incident(make_watched())
    record.notice(incident, NoticeKind.OPENED, NOW).save()
    mail.decide(NOW)
    message = Message.objects.get()
    found = re.findall(r"/act/([^/\s]+)/", message.text)
    assert [links.read(one).act for one in found] == [
        Act.ACKNOWLEDGE,
        Act.SNOOZE_4H,
        Act.SNOOZE_24H,
        Act.SNOOZE_7D,
        Act.USEFUL,
        Act.NOISE,
    ]


@pytest.mark.parametrize("act", Act)
def test_looking_changes_nothing_and_says_scope_and_in_whose_name(client: Client, act: Act) -> None:
    make_member("tom", role=Role.MEMBER)
    name = token(act)
    assert page(client, name, "head")[0] == 200
    status, text = page(client, name)
    assert status == 200
    assert "in the name of ines" in text
    assert "Loan default" in text
    if not act.is_vote:
        assert "the whole team (1 other)" in text
    incident = Incident.objects.get()
    assert (incident.acknowledged_at, incident.snoozed_until) == (None, None)
    assert not incident.events.exists()
    assert not Vote.objects.exists()


def test_acknowledging_without_logging_in_is_recorded_in_the_recipients_name(client: Client) -> None:
    name = token()
    status, text = page(client, name, "post")
    assert status == 200
    assert "Recorded on the timeline in the name of ines" in text
    incident = Incident.objects.get()
    assert incident.acknowledged_by is not None
    assert incident.acknowledged_by.get_username() == "ines"
    assert incident.events.get().kind == EventKind.ACKNOWLEDGED


@pytest.mark.parametrize(("act", "hours"), [(Act.SNOOZE_4H, 4), (Act.SNOOZE_24H, 24), (Act.SNOOZE_7D, 168)])
def test_snoozing_ends_when_the_button_says(client: Client, act: Act, hours: int) -> None:
    page(client, token(act), "post")
    assert Incident.objects.get().snoozed_until == NOW + timedelta(hours=hours)


def test_a_button_acts_once_however_often_it_is_pressed(client: Client) -> None:
    name = token(Act.SNOOZE_4H)
    page(client, name, "post")
    incident = Incident.objects.get()
    actions.unsnooze(incident, incident.snoozed_by, NOW)
    status, text = page(client, name, "post")
    assert status == 200
    assert "This button has acted already" in text
    assert "has acted already" in page(client, name)[1]
    assert Incident.objects.get().snoozed_until is None
    assert UsedLink.objects.count() == 1
    assert not links.carry_out(links.read(name), NOW), "nor when two presses race"


def test_a_forged_or_shortened_link_does_nothing(client: Client) -> None:
    name = token()
    notice = Incident.objects.get().notices.get()
    forged = signing.dumps(["ack", Membership.objects.get().pk, notice.pk], key="another key", salt=links.SALT)
    other_salt = signing.dumps(["ack", Membership.objects.get().pk, notice.pk], salt="something else")
    values: tuple[Any, ...] = ("ack", ["launch", 1, 1], ["ack", 1], {})
    odd = [signing.dumps(value, salt=links.SALT) for value in values]
    for wrong in (name[:-3], name[:-1] + ("A" if name[-1] != "A" else "B"), forged, other_salt, "x", *odd):
        assert page(client, wrong, "post")[0] == 403
        assert "Nothing was done" in page(client, wrong)[1]
    assert Incident.objects.get().acknowledged_at is None


def test_a_link_ends_after_two_weeks(client: Client) -> None:
    name = token()
    with time_machine.travel(NOW + timedelta(days=14, seconds=-1), tick=False):
        assert page(client, name)[0] == 200
    with time_machine.travel(NOW + timedelta(days=14, seconds=2), tick=False):
        status, text = page(client, name, "post")
    assert status == 403
    assert "has expired" in text
    assert Incident.objects.get().acknowledged_at is None


def test_somebody_else_who_is_logged_in_is_refused(client: Client) -> None:
    name = token()
    tom = make_member("tom")
    client.force_login(tom.user)
    status, text = page(client, name, "post")
    assert status == 403
    assert "belongs to ines" in text
    assert Incident.objects.get().acknowledged_at is None


def test_the_recipient_who_is_logged_in_may(client: Client) -> None:
    member = make_member()
    name = token(member=member)
    client.force_login(member.user)
    assert page(client, name, "post")[0] == 200
    assert Incident.objects.get().acknowledged_at == NOW


def test_who_left_the_team_or_may_only_read_by_now_cannot_act(client: Client) -> None:
    member = make_member()
    name, vote = token(member=member), token(Act.USEFUL, member)
    Membership.objects.update(role=Role.READONLY)
    assert page(client, name, "post")[0] == 403
    assert page(client, vote, "post")[0] == 200, "what a mail was worth everybody may say"
    Membership.objects.update(role=Role.OWNER, team=Team.objects.create(name="Other"))
    assert page(client, name, "post")[0] == 403
    Membership.objects.update(team=make_team())
    member.user.is_active = False
    member.user.save()
    with pytest.raises(LinkRefused):
        links.read(name)
    assert Incident.objects.get().acknowledged_at is None


def test_an_incident_that_is_over_leaves_nothing_to_do(client: Client) -> None:
    name = token()
    Incident.objects.update(resolved_at=NOW)
    assert "The incident is over" in page(client, name)[1]
    assert "The incident is over" in page(client, name, "post")[1]
    assert Incident.objects.get().acknowledged_at is None


def test_a_vote_can_be_changed_and_the_newest_counts(client: Client) -> None:
    member = make_member()
    incident = make_incident(make_watched())
    notice = record.notice(incident, NoticeKind.OPENED, NOW)
    notice.save()
    for act in (Act.USEFUL, Act.USEFUL, Act.NOISE):
        address = links.link_to(act, mail.Addressee(member=member), notice)
        page(client, address.rstrip("/").rpartition("/")[2], "post")
    vote = Vote.objects.get()
    assert (vote.useful, vote.user, vote.at) == (False, member.user, NOW)


def test_the_times_on_the_page_are_the_readers(client: Client) -> None:
    status, text = page(client, token(Act.SNOOZE_4H, make_member(zone="Asia/Tokyo")))
    assert status == 200
    assert "Times in Asia/Tokyo" in text
    assert "23:20" in text


def test_the_form_needs_its_own_token() -> None:
    client = Client(enforce_csrf_checks=True)
    assert page(client, token(), "post")[0] == 403
    assert Incident.objects.get().acknowledged_at is None


def test_now_is_the_still_clock() -> None:
    assert datetime.now(UTC) == NOW
