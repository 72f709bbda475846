"""From a transition to the reader's screen: what is written, to whom, once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import override_settings

from monitoring import mail
from monitoring.models import Area, Message, NotifyReason, Status, Team, Transition, Watched
from monitoring.models import MailState as State
from tests.monitoring.factories import NOW, make_member, make_source, make_watched

pytestmark = pytest.mark.django_db

EVIDENCE = {
    "metric": "AUC",
    "value": 0.685,
    "baseline": 0.8,
    "measurement": "percent",
    "warningThreshold": 5.0,
    "failingThreshold": 10.0,
    "rows": 5798,
    "labelLagHours": 46,
}


def change(
    watched: Watched, new: Status = Status.FAILING, old: Status = Status.WARNING, **fields: object
) -> Transition:
    values = {
        "area": Area.ACCURACY,
        "old": old,
        "new": new,
        "reason": "AUC 0.685, 14.4 % below baseline 0.800; limit 10.0 %.",
        "evidence": EVIDENCE,
        "at": NOW,
        "trouble_since": NOW - timedelta(days=2),
    }
    return Transition.objects.create(watched=watched, **{**values, **fields})


def test_a_transition_is_written_to_everybody_who_wants_mail() -> None:
    watched = make_watched()
    make_member("ines")
    make_member("tom")
    make_member("quiet", wants_mail=False)
    make_member("stranger", team=Team.objects.create(name="Other"))
    change(watched)
    assert mail.decide(NOW) == 2
    assert {message.recipient for message in Message.objects.all()} == {"ines@example.com", "tom@example.com"}


def test_a_decision_is_made_once() -> None:
    make_member()
    change(make_watched())
    assert mail.decide(NOW) == 1
    assert mail.decide(NOW) == 0
    assert Transition.objects.get().outcome == NotifyReason.FIRST


def test_subject_text_and_html_say_what_why_since_when_and_where() -> None:
    make_member(zone="America/New_York")
    watched = make_watched(label="Flight delayed > 15 min", predictions_per_day=1234.0)
    change(watched)
    mail.decide(NOW)
    message = Message.objects.get()
    assert message.subject == "[FAILING] Flight delayed > 15 min – accuracy (AUC 0.685)"
    for body in (message.text, message.html):
        assert "AUC 0.685, 14.4 % below baseline 0.800; limit 10.0 %." in body
        assert "AUC 0.685, baseline 0.800; at risk from 5.0\u202f%, failing from 10.0\u202f%" in body
        assert "Wed 29 Apr 06:20, judged Fri 1 May 06:20" in body
        assert "5,798; about 1,234 a day" in body
        assert "complete after 46\u202fh" in body
        assert f"/deployments/{watched.pk}/accuracy/" in body
        assert "America/New_York" in body
    assert "Flight delayed > 15 min" in message.text
    assert "Flight delayed &gt; 15 min" in message.html


def test_what_a_user_typed_cannot_become_markup_or_a_header() -> None:
    make_member()
    change(make_watched(label="<script>alert(1)</script>\nBcc: all@example.com"))
    mail.decide(NOW)
    message = Message.objects.get()
    assert "<script>" not in message.html
    assert "\n" not in message.subject


def test_the_mail_names_what_else_does_not_pass() -> None:
    make_member()
    source = make_source()
    other = make_watched(source, remote_id="d2", label="Churn")
    other.areas.create(
        area=Area.DRIFT, status=Status.FAILING, reason="1 feature above PSI 0.15.", since=NOW, judged_at=NOW
    )
    change(make_watched(source))
    mail.decide(NOW)
    message = Message.objects.get()
    assert "Churn, data drift" in message.text
    assert "Churn, data drift" in message.html


def test_a_recovery_opens_with_its_duration() -> None:
    make_member()
    watched = make_watched()
    change(watched)
    change(watched, Status.PASSING, Status.FAILING)
    mail.decide(NOW)
    message = Message.objects.get(why=NotifyReason.RESOLVED)
    assert message.subject.startswith("[RESOLVED]")
    assert "well again after 2\u202fd" in message.text
    assert 'bgcolor="#147F58"' in message.html


def test_silence_about_data_is_not_told_and_what_was_told_still_stands() -> None:
    make_member()
    watched = make_watched()
    change(watched)
    change(watched, Status.UNKNOWN, Status.FAILING)
    change(watched, Status.FAILING, Status.UNKNOWN)
    mail.decide(NOW)
    assert [row.outcome for row in Transition.objects.order_by("pk")] == ["first", "none", "none"]


def test_headers_thread_the_mails_of_one_area_and_let_the_reader_leave() -> None:
    reader = make_member()
    watched = make_watched()
    change(watched)
    change(watched, Status.PASSING, Status.FAILING)
    mail.decide(NOW)
    first, second = Message.objects.order_by("pk")
    assert first.headers["References"] == second.headers["References"]
    assert reader.mail_token in first.headers["List-Unsubscribe"]
    assert first.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert first.message_id != second.message_id


def test_without_a_mail_server_mail_is_kept_and_never_sent(mailoutbox: list[object]) -> None:
    make_member()
    change(make_watched())
    with override_settings(MAIL_IS_SENT=False):
        mail.decide(NOW)
        assert mail.send_due(NOW) == 0
    assert Message.objects.get().state == State.KEPT
    assert mailoutbox == []


def test_a_reader_without_a_time_zone_reads_utc() -> None:
    member = make_member(zone="Nowhere/Atlantis")
    change(make_watched())
    mail.decide(NOW)
    assert "Times in UTC" in Message.objects.get(user=member.user).text


def test_a_mail_that_asks_for_a_picture_goes_out_without_it_when_drawing_fails(
    caplog: pytest.LogCaptureFixture,
) -> None:
    make_member()
    change(make_watched())
    with override_settings(MAIL_CHART="tests.monitoring.test_mail.draw"):
        assert mail.decide(NOW) == 1
    assert Message.objects.get().pictures == {}
    assert "without its picture" in caplog.text


def draw(chart: object) -> bytes:
    raise RuntimeError("no ink")


def icon(status: str) -> bytes:
    raise RuntimeError("no ink")
