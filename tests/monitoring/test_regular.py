"""What goes out by the clock: once a person and period, silent when empty if so wished, safe to run twice."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from monitoring import deadman
from monitoring.incidents import actions
from monitoring.mail import Addressee, bulletin, regular
from monitoring.models import (
    Area,
    HandoverPlan,
    HealthDay,
    Incident,
    MailState,
    Membership,
    Message,
    NotifyReason,
    Ping,
    PollRun,
    Role,
    RunKind,
    Silence,
    Source,
    Status,
    Subscription,
    Wish,
)
from tests.monitoring.factories import make_incident, make_member, make_source, make_team, make_watched
from tests.monitoring.http_server import HttpServer

pytestmark = pytest.mark.django_db

# A Monday, eight o'clock in UTC.
NOW = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)


def prefer(member: Membership, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(member.user.preference, name, value)
    member.user.preference.save()


def trouble(label: str = "Loan default", **fields: Any) -> Incident:
    source = Source.objects.first() or make_source()
    watched = make_watched(source, remote_id=label, label=label, worst=Status.FAILING, severity=5)
    values = {"began_at": NOW - timedelta(days=2), "opened_at": NOW - timedelta(days=2)}
    return make_incident(watched, **{**values, **fields})


# --- Digests --------------------------------------------------------------------------------------------------------


def test_a_weekly_digest_comes_on_monday_once_worst_first_with_what_is_in_hand() -> None:
    member = make_member("ines")
    trouble("Small", severity=1, status=Status.WARNING)
    big = trouble("Big", severity=4)
    assert big.watched is not None
    HealthDay.objects.create(watched=big.watched, area=Area.DRIFT, day=NOW.date(), status=Status.FAILING)
    actions.note(big, member.user, NOW, text="The upstream table changed.")
    actions.assign(big, member.user, NOW, to=member.user)
    trouble("Over", resolved_at=NOW - timedelta(hours=3))
    assert regular.run_regular(NOW) == 1
    for later in (timedelta(0), timedelta(minutes=5), timedelta(hours=5), timedelta(days=1)):
        assert regular.run_regular(NOW + later) == 0
    message = Message.objects.get()
    assert message.why == NotifyReason.DIGEST
    assert message.subject == "[WEEKLY] Risk: 2 open"
    for body in (message.text, message.html):
        assert body.index("Big, data drift") < body.index("Small, data drift")
        assert "With ines." in body
        assert "Nobody has answered." in body
        assert "ines: The upstream table changed." in body
        assert "14 d: 1 failing, 0 at risk" in body
        assert "well again Mon 4 May 05:00, after" in body
        assert "Mon 27 Apr to Mon 4 May" in body
        assert "you chose a weekly digest" in body
    assert "3 of 3 deployments failing, 0 at risk; 3 incidents opened, 1 resolved." in message.text
    assert member.mail_token in message.headers["List-Unsubscribe"]


def test_what_is_not_listed_is_counted_in_digest_and_hand_over() -> None:
    member = make_member("ines")
    for number in range(30):
        trouble(f"Number {number}")
    assert regular.send_digests(NOW) == 1
    assert regular.hand_over(member.team_id, [Addressee(member=member)], NOW, key="now", since=NOW) == 1
    digest, note = Message.objects.order_by("pk")
    assert (digest.subject, note.subject) == ("[WEEKLY] Risk: 30 open", "[HAND-OVER] Risk: 30 open")
    for body in (digest.text, digest.html, note.text, note.html):
        assert "and 5 more" in body


def test_the_two_newest_notes_of_each_are_read_by_one_statement() -> None:
    member = make_member("ines")
    for label in ("One", "Two", "Three"):
        incident = trouble(label)
        for number in range(3):
            actions.note(incident, member.user, NOW - timedelta(hours=9 - number), text=f"{label} {number}")
    with CaptureQueriesContext(connection) as asked:
        found = bulletin.gather(member.team_id, NOW - timedelta(days=1), NOW)
    assert sum("monitoring_incidentevent" in one["sql"] for one in asked) == 1
    told = {line.incident.watched.label: line.notes for line in found.open if line.incident.watched is not None}
    assert told["Two"] == ["ines: Two 2", "ines: Two 1"]
    assert set(told) == {"One", "Two", "Three"}


def test_nothing_to_say_is_not_said_unless_somebody_wants_it() -> None:
    make_member("silent")
    prefer(make_member("curious"), digest_when_empty=True)
    assert regular.run_regular(NOW) == 1
    message = Message.objects.get()
    assert message.recipient == "curious@example.com"
    assert message.subject == "[WEEKLY] Risk: all is well"
    trouble()
    assert regular.run_regular(NOW + timedelta(minutes=5)) == 0, "the period is done, also for whom it was silent"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"digest": "never"}, 0),
        ({"digest": "daily"}, 1),
        ({"digest": "monthly"}, 0),
        ({"digest": "weekly", "digest_hour": 9}, 0),
        ({"digest": "weekly", "time_zone": "Asia/Tokyo"}, 1),
        ({"digest": "weekly", "time_zone": "America/New_York"}, 0),
    ],
)
def test_it_comes_at_the_pace_and_hour_that_a_person_chose_in_the_own_zone(
    fields: dict[str, Any], expected: int
) -> None:
    prefer(make_member(), **fields)
    trouble()
    assert regular.send_digests(NOW) == expected


def test_who_wants_no_mail_gets_no_digest_and_what_is_muted_is_not_in_it() -> None:
    make_member("quiet", wants_mail=False)
    member = make_member("ines")
    muted = trouble("Muted")
    assert muted.watched is not None
    Subscription.objects.create(user=member.user, watched=muted.watched, wish=Wish.NOTHING)
    trouble("Heard")
    regular.send_digests(NOW)
    message = Message.objects.get()
    assert "Heard" in message.text
    assert "Muted" not in message.text


# --- Silences and hand-overs ----------------------------------------------------------------------------------------


def make_silence(member: Membership, **fields: Any) -> Silence:
    values = {
        "team": make_team(),
        "reason": "Release of the new table",
        "owner": member.user,
        "starts_at": NOW - timedelta(days=6),
        "ends_at": NOW + timedelta(hours=20),
        "created_at": NOW - timedelta(days=6),
    }
    return Silence.objects.create(**{**values, **fields})


def test_a_silences_owner_hears_before_it_ends_what_it_holds_back_once() -> None:
    owner = make_member("ines")
    make_member("tom")
    prefer(owner, digest="never")
    trouble()
    make_silence(owner)
    assert regular.tell_ending_silences(NOW) == 1
    assert regular.tell_ending_silences(NOW) == 0
    message = Message.objects.get()
    assert (message.recipient, message.why) == ("ines@example.com", NotifyReason.SILENCE)
    assert message.subject == "[SILENCE ENDS] Release of the new table, Tue 5 May 04:00"
    for body in (message.text, message.html):
        assert "1 incident is held back by it, and told once it has ended" in body
        assert "Loan default, data drift" in body
        assert "by ines, ends Tue 5 May 04:00" in body


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"ends_at": NOW + timedelta(days=2)}, 0),
        ({"cancelled_at": NOW}, 0),
        ({"ends_at": NOW}, 0),
        # a short one: told in its last quarter
        ({"starts_at": NOW - timedelta(hours=1), "ends_at": NOW + timedelta(hours=1)}, 0),
        ({"starts_at": NOW - timedelta(hours=3), "ends_at": NOW + timedelta(minutes=50)}, 1),
    ],
)
def test_a_silence_is_announced_in_time_but_not_too_early(fields: dict[str, Any], told: int) -> None:
    make_silence(make_member(), **fields)
    assert regular.tell_ending_silences(NOW) == told


def test_a_silence_whose_owner_is_gone_is_told_to_those_who_answer() -> None:
    make_member("owner")
    make_member("member", role=Role.MEMBER)
    silence = make_silence(make_member("gone"))
    Membership.objects.filter(user=silence.owner).delete()
    regular.tell_ending_silences(NOW)
    assert Message.objects.get().recipient == "owner@example.com"


def test_at_a_change_of_shift_the_next_ones_get_the_note_once() -> None:
    leaving, next_one = make_member("ines"), make_member("tom")
    incident = trouble()
    actions.note(incident, leaving.user, NOW, text="Look at the weather feed.")
    plan = HandoverPlan.objects.create(team=make_team(), name="Morning", at=time(8), days=[0])
    plan.members.add(next_one)
    for minutes in (0, 5, 60):
        regular.run_handovers(NOW + timedelta(minutes=minutes))
    message = Message.objects.get()
    assert (message.recipient, message.why) == ("tom@example.com", NotifyReason.HANDOVER)
    assert message.subject == "[HAND-OVER] Risk: 1 open"
    assert "ines: Look at the weather feed." in message.text
    assert "because your shift begins" in message.text


# --- The ping to the outside ----------------------------------------------------------------------------------------


def alive() -> None:
    source = make_source(last_ok_at=NOW - timedelta(minutes=1))
    PollRun.objects.create(source=source, kind=RunKind.DISCOVERY, started_at=NOW - timedelta(minutes=1))


def ping(far: HttpServer) -> tuple[bool, int]:
    with override_settings(DEADMAN_URL=far.url):
        return deadman.ping(NOW), len(far.posts)


def test_while_all_works_the_outside_is_called_and_the_watch_page_can_say_when() -> None:
    alive()
    with HttpServer() as far:
        assert ping(far) == (True, 1)
    assert far.posts[0].method == "GET"
    assert (Ping.objects.get().at, Ping.objects.get().problem) == (NOW, "")


def test_without_an_address_nothing_is_called() -> None:
    alive()
    assert not deadman.ping(NOW)
    assert not Ping.objects.exists()


def test_no_run_no_answer_or_mail_that_waits_holds_the_ping() -> None:
    alive()
    member = make_member()
    problems = []
    with HttpServer() as far:
        PollRun.objects.update(started_at=NOW - timedelta(hours=1))
        problems.append((ping(far), Ping.objects.get().problem))
        PollRun.objects.update(started_at=NOW)
        member.team.sources.update(last_ok_at=NOW - timedelta(hours=1))
        problems.append((ping(far), Ping.objects.get().problem))
        member.team.sources.update(last_ok_at=NOW)
        late = {"created_at": NOW - timedelta(hours=1), "not_before": NOW - timedelta(minutes=50)}
        fields = {"team": member.team, "why": NotifyReason.TEST, "message_id": "<1@x>", "state": MailState.PENDING}
        Message.objects.create(**fields, **late)
        problems.append((ping(far), Ping.objects.get().problem))
    assert problems == [
        ((False, 0), "No source has been asked for 10 minutes."),
        ((False, 0), "No source has answered for 10 minutes."),
        ((False, 0), "1 message not sent for more than 15 minutes."),
    ]


def test_mail_that_waits_for_somebodys_hours_does_not_hold_it() -> None:
    alive()
    fields = {"team": make_team(), "why": NotifyReason.TEST, "message_id": "<1@x>", "state": MailState.PENDING}
    Message.objects.create(**fields, created_at=NOW - timedelta(hours=1), not_before=NOW + timedelta(hours=3))
    with HttpServer() as far:
        assert ping(far) == (True, 1)


def test_an_outside_that_refuses_is_shown() -> None:
    alive()
    with HttpServer(404) as far:
        assert ping(far) == (False, 1)
    assert Ping.objects.get().problem == "The outside address answered 404."
