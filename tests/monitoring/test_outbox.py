"""The outbox against a real SMTP server that accepts, refuses, is busy, dawdles, or hangs up in the middle."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.test import override_settings

from monitoring import mail
from monitoring.gauges import mail_states
from monitoring.mail.outbox import gap
from monitoring.models import MailState, Message
from tests.monitoring.factories import NOW, make_member
from tests.monitoring.smtp_server import SmtpServer

pytestmark = pytest.mark.django_db
SMTP = "django.core.mail.backends.smtp.EmailBackend"


@contextmanager
def server(behaviour: str = "accept") -> Iterator[SmtpServer]:
    with (
        SmtpServer(behaviour) as running,
        override_settings(
            EMAIL_BACKEND=SMTP, EMAIL_HOST="127.0.0.1", EMAIL_PORT=running.port, MAIL_IS_SENT=True, EMAIL_TIMEOUT=5
        ),
    ):
        yield running


def queue() -> Message:
    return mail.send_test(mail.Addressee(member=make_member()), NOW)


def test_a_mail_arrives_whole() -> None:
    with server() as smtp:
        message = queue()
        message.pictures = {"chart": base64.b64encode(b"\x89PNG").decode()}
        message.save()
        assert mail.send_due(NOW) == 1
    arrived = smtp.mails[0]
    assert arrived["Message-ID"] == message.message_id
    assert arrived["To"] == "ines@example.com"
    assert arrived["List-Unsubscribe"]
    assert arrived.get_content_type() == "multipart/related"
    assert {part.get_content_type() for part in arrived.walk()} >= {"text/plain", "text/html", "image/png"}
    assert next(part["Content-ID"] for part in arrived.walk() if part.get_content_type() == "image/png") == "<chart>"
    message.refresh_from_db()
    assert (message.state, message.sent_at) == (MailState.SENT, NOW)


def test_a_sent_mail_is_not_sent_again() -> None:
    with server() as smtp:
        queue()
        mail.send_due(NOW)
        mail.send_due(NOW + timedelta(hours=1))
    assert len(smtp.mails) == 1


def test_a_busy_server_is_tried_again_with_growing_gaps() -> None:
    with server("busy") as smtp:
        message = queue()
        mail.send_due(NOW)
        message.refresh_from_db()
        assert (message.state, message.not_before) == (MailState.PENDING, NOW + timedelta(minutes=1))
        assert mail.send_due(NOW + timedelta(seconds=30)) == 0
        smtp.behaviour = "accept"
        assert mail.send_due(NOW + timedelta(minutes=1)) == 1
    assert [gap(number) for number in (1, 2, 3, 30)] == [timedelta(minutes=n) for n in (1, 2, 4, 360)]


def test_a_reader_whom_the_server_does_not_know_is_given_up() -> None:
    with server("unknown"):
        message = queue()
        mail.send_due(NOW)
    message.refresh_from_db()
    assert message.state == MailState.FAILED
    assert "550" in message.problem


def test_a_mail_that_the_server_does_not_want_is_given_up_with_its_words() -> None:
    with server("spam"):
        message = queue()
        mail.send_due(NOW)
    message.refresh_from_db()
    assert (message.state, message.problem) == (MailState.FAILED, "554 we do not want this")


def test_a_server_that_is_full_is_tried_again() -> None:
    with server("full"):
        message = queue()
        mail.send_due(NOW)
    message.refresh_from_db()
    assert (message.state, message.problem) == (MailState.PENDING, "452 disk full")


@pytest.mark.parametrize("behaviour", ["die", "slow"])
def test_a_server_that_dies_in_the_mail_or_never_answers_leaves_it_in_doubt(behaviour: str) -> None:
    with server(behaviour) as smtp, override_settings(EMAIL_TIMEOUT=0.3):
        message = queue()
        mail.send_due(NOW)
        smtp.go_on()
    message.refresh_from_db()
    assert message.state == MailState.IN_DOUBT


def test_what_was_given_up_goes_out_when_somebody_asks_for_it_and_under_the_same_id() -> None:
    with server("unknown") as smtp:
        message = queue()
        mail.send_due(NOW)
        smtp.behaviour = "accept"
        assert mail.try_again(message, NOW)
        assert not mail.try_again(message, NOW)
        assert mail.send_due(NOW) == 1
    assert [arrived["Message-ID"] for arrived in smtp.mails] == [message.message_id]


def test_a_server_that_is_away_is_asked_once_a_run_however_much_waits() -> None:
    member = make_member()
    for minute in range(5):
        mail.send_test(mail.Addressee(member=member), NOW - timedelta(minutes=minute))
    Message.objects.update(state=MailState.PENDING)
    with server() as smtp:
        port = smtp.port
    with override_settings(EMAIL_BACKEND=SMTP, EMAIL_HOST="127.0.0.1", EMAIL_PORT=port, MAIL_IS_SENT=True):
        mail.send_due(NOW)
    assert sorted(Message.objects.values_list("attempts", flat=True)) == [0, 0, 0, 0, 1]


def test_no_server_at_all_is_tried_again() -> None:
    with server() as smtp:
        port = smtp.port
    with override_settings(EMAIL_BACKEND=SMTP, EMAIL_HOST="127.0.0.1", EMAIL_PORT=port, MAIL_IS_SENT=True):
        message = queue()
        mail.send_due(NOW)
    message.refresh_from_db()
    assert message.state == MailState.PENDING
    assert message.problem.startswith("The mail server cannot be reached: ")


def test_what_cannot_be_sent_is_overdue_since_its_first_attempt_and_what_waits_for_its_hour_is_not() -> None:
    with server() as smtp:
        port = smtp.port
    with override_settings(EMAIL_BACKEND=SMTP, EMAIL_HOST="127.0.0.1", EMAIL_PORT=port, MAIL_IS_SENT=True):
        message = queue()
        assert mail_states(Message.objects.all(), NOW - timedelta(hours=1))[1] is None
        for minutes in (0, 1, 3, 7, 15):
            mail.send_due(NOW + timedelta(minutes=minutes))
    message.refresh_from_db()
    assert (message.attempts, message.not_before) == (5, NOW + timedelta(minutes=31))
    assert mail_states(Message.objects.all(), NOW + timedelta(minutes=20))[1] == NOW


def test_a_send_that_was_cut_off_is_repeated_once_under_the_same_message_id() -> None:
    with server("drop") as smtp:
        message = queue()
        mail.send_due(NOW)
        message.refresh_from_db()
        assert message.state == MailState.IN_DOUBT
        smtp.behaviour = "accept"
        mail.send_due(NOW + timedelta(minutes=2))
    assert [arrived["Message-ID"] for arrived in smtp.mails] == [message.message_id] * 2
    message.refresh_from_db()
    assert message.state == MailState.SENT


def test_a_send_that_is_cut_off_twice_is_not_sent_a_third_time() -> None:
    with server("drop") as smtp:
        message = queue()
        for minutes in (0, 2, 4, 6):
            mail.send_due(NOW + timedelta(minutes=minutes))
    assert len(smtp.mails) == 2
    message.refresh_from_db()
    assert message.state == MailState.FAILED


def test_a_sender_that_died_in_the_middle_leaves_its_mail_in_doubt() -> None:
    with server() as smtp:
        message = queue()
        Message.objects.update(state=MailState.SENDING, claimed_until=NOW + timedelta(minutes=3))
        assert mail.send_due(NOW) == 0
        assert mail.send_due(NOW + timedelta(minutes=4)) == 1
    message.refresh_from_db()
    assert (message.state, message.doubted, len(smtp.mails)) == (MailState.SENT, True, 1)
