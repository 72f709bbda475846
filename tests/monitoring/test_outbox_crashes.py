"""Senders that run at the same time, and senders that are killed: real processes, a real server, a real database."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings

from monitoring import mail
from monitoring.models import MailState, Message
from tests.monitoring.factories import NOW, make_member
from tests.monitoring.smtp_server import SmtpServer

pytestmark = pytest.mark.django_db(transaction=True)
SMTP = "django.core.mail.backends.smtp.EmailBackend"
ROOT = Path(__file__).resolve().parents[2]
SEND = """
import django; django.setup()
from datetime import datetime
from monitoring import mail
mail.send_due(datetime.fromisoformat({now!r}))
"""


def sender(port: int) -> subprocess.Popen[bytes]:
    """A process of its own that sends what is due, against this test's database."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": urlunsplit(parts._replace(path=f"/{connection.settings_dict['NAME']}")),
        "EMAIL_URL": f"smtp://127.0.0.1:{port}",
        "VITALS_SECRET_KEY": settings.SECRET_KEY,
        "VITALS_FERNET_KEYS": ",".join(settings.FERNET_KEYS),
    }
    return subprocess.Popen([sys.executable, "-c", SEND.format(now=NOW.isoformat())], env=environment, cwd=ROOT)


def carried_by(port: int) -> override_settings:
    """Mail goes to that server. For the whole process: threads of their own each would undo it for the others."""
    return override_settings(EMAIL_BACKEND=SMTP, EMAIL_HOST="127.0.0.1", EMAIL_PORT=port, MAIL_IS_SENT=True)


def send_here(port: int, minutes: int) -> int:
    with carried_by(port):
        return mail.send_due(NOW + timedelta(minutes=minutes))


@override_settings(MAIL_IS_SENT=True)
def test_a_sender_killed_after_the_mail_left_repeats_it_once_under_the_same_id() -> None:
    message = mail.send_test(mail.Addressee(member=make_member()), NOW)
    with SmtpServer("slow") as smtp:
        process = sender(smtp.port)
        assert smtp.took.wait(60), "the mail never arrived"
        process.send_signal(signal.SIGKILL)
        process.wait()
        message.refresh_from_db()
        assert message.state == MailState.SENDING
        smtp.behaviour = "accept"
        smtp.go_on()
        assert send_here(smtp.port, 2) == 0, "the claim still holds"
        assert send_here(smtp.port, 4) == 1
        assert send_here(smtp.port, 60) == 0
    assert [arrived["Message-ID"] for arrived in smtp.mails] == [message.message_id] * 2
    message.refresh_from_db()
    assert (message.state, message.doubted) == (MailState.SENT, True)


@override_settings(MAIL_IS_SENT=True)
def test_a_sender_killed_between_claim_and_send_loses_nothing() -> None:
    message = mail.send_test(mail.Addressee(member=make_member()), NOW)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        mute.settimeout(60)
        process = sender(mute.getsockname()[1])
        talk, _ = mute.accept()
        with talk:
            process.send_signal(signal.SIGKILL)
            process.wait()
    message.refresh_from_db()
    assert (message.state, message.attempts) == (MailState.SENDING, 1)
    with SmtpServer() as smtp:
        assert send_here(smtp.port, 4) == 1
    assert [arrived["Message-ID"] for arrived in smtp.mails] == [message.message_id]


@override_settings(MAIL_IS_SENT=True)
def test_senders_at_the_same_time_send_each_message_once() -> None:
    member = make_member()
    for minute in range(24):
        mail.send_test(mail.Addressee(member=member), NOW - timedelta(minutes=minute))

    def work() -> None:
        try:
            mail.send_due(NOW)
        finally:
            connection.close()

    with SmtpServer() as smtp, carried_by(smtp.port):
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    arrived = Counter(str(one["Message-ID"]) for one in smtp.mails)
    assert arrived == Counter(Message.objects.values_list("message_id", flat=True))
    assert set(arrived.values()) == {1}
    assert set(Message.objects.values_list("state", flat=True)) == {MailState.SENT}
