"""Sends the outbox. Each message is claimed by a conditional update; two senders never hold the same one.

A send ends in one of four ways: sent; refused for good; not sent, tried again later with growing gaps; or *in doubt*:
the server was talking and then was not, or the sender died. What is in doubt goes out once more under the same
Message-ID, so that the reader's program can drop the copy, and never a third time.
"""

from __future__ import annotations

import base64
import smtplib
from datetime import datetime, timedelta
from email.mime.image import MIMEImage

from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import Q

from monitoring.mail.compose import test_message
from monitoring.mail.decide import message_of
from monitoring.models import MailState, Membership, Message, NotifyReason

CLAIM = timedelta(minutes=3)
FIRST_GAP, LONGEST_GAP = timedelta(minutes=1), timedelta(hours=6)
ATTEMPTS = 12
_DIED = "The sender died while sending."
_TWICE = "In doubt twice; it is not sent a third time."


def compose_test(reader: Membership, now: datetime) -> Message:
    """Puts a test mail to one reader into the outbox."""
    message = message_of(test_message(reader, now), reader, now, why=NotifyReason.TEST)
    message.save()
    return message


def send_due(now: datetime, *, limit: int = 100) -> int:
    """Sends what is due and returns how many were sent."""
    doubt_the_lost(now)
    sent = 0
    for _ in range(limit):
        message = _claim(now)
        if message is None:
            break
        sent += _send(message, now)
    return sent


def doubt_the_lost(now: datetime) -> None:
    """A claim that ran out means that its sender died in the middle."""
    lost = Message.objects.filter(state=MailState.SENDING, claimed_until__lte=now)
    lost.filter(doubted=True).update(state=MailState.FAILED, problem=_TWICE)
    lost.filter(doubted=False).update(state=MailState.IN_DOUBT, not_before=now, problem=_DIED)


def _claim(now: datetime) -> Message | None:
    waiting = Q(state=MailState.PENDING) | Q(state=MailState.IN_DOUBT)
    with transaction.atomic():
        rows = Message.objects.select_for_update(skip_locked=True).filter(waiting, not_before__lte=now)
        message = rows.order_by("not_before", "pk").first()
        if message is not None:
            message.doubted = message.doubted or message.state == MailState.IN_DOUBT
            message.state, message.claimed_until = MailState.SENDING, now + CLAIM
            message.attempts += 1
            message.save(update_fields=["doubted", "state", "claimed_until", "attempts"])
    return message


def _send(message: Message, now: datetime) -> bool:
    """Sends one claimed message and records how it ended."""
    connection: BaseEmailBackend = get_connection()
    try:
        connection.open()
    except (OSError, smtplib.SMTPException) as error:
        _later(message, error, now)
        return False
    try:
        connection.send_messages([mime(message)])
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        _refused(message, error, now, for_good=all(code >= 500 for code in codes))
        return False
    except smtplib.SMTPResponseException as error:
        _refused(message, error, now, for_good=error.smtp_code >= 500)
        return False
    except (OSError, smtplib.SMTPException) as error:
        _doubt(message, error, now)
        return False
    else:
        _end(message, MailState.SENT, "", sent_at=now)
        return True
    finally:
        _close(connection)


def _close(connection: BaseEmailBackend) -> None:
    """Whatever happens while hanging up changes nothing about the message."""
    try:
        connection.close()
    except (OSError, smtplib.SMTPException):
        return


class _Related(EmailMultiAlternatives):
    """Pictures belong to the text rather than being attachments beside it."""

    mixed_subtype = "related"


def mime(message: Message) -> EmailMultiAlternatives:
    """The stored message as it goes out: text and HTML, pictures by content id."""
    mail = _Related(
        subject=message.subject,
        body=message.text,
        to=[message.recipient],
        headers={**message.headers, "Message-ID": message.message_id},
    )
    mail.attach_alternative(message.html, "text/html")
    for name, encoded in message.pictures.items():
        picture = MIMEImage(base64.b64decode(encoded), "png")
        picture.add_header("Content-ID", f"<{name}>")
        picture.add_header("Content-Disposition", "inline", filename=f"{name}.png")
        mail.attach(picture)
    return mail


def gap(attempts: int) -> timedelta:
    """The pause after that many attempts: 1, 2, 4 … minutes, at most six hours."""
    grown: timedelta = FIRST_GAP * 2 ** min(attempts - 1, 20)
    return min(grown, LONGEST_GAP)


def _refused(message: Message, error: Exception, now: datetime, *, for_good: bool) -> None:
    if for_good:
        _end(message, MailState.FAILED, str(error))
    else:
        _later(message, error, now)


def _later(message: Message, error: Exception, now: datetime) -> None:
    if message.attempts >= ATTEMPTS:
        _end(message, MailState.FAILED, str(error))
        return
    message.not_before = now + gap(message.attempts)
    _end(message, MailState.PENDING, str(error))


def _doubt(message: Message, error: Exception, now: datetime) -> None:
    if message.doubted:
        _end(message, MailState.FAILED, f"{_TWICE} {error}")
        return
    message.not_before = now + FIRST_GAP
    _end(message, MailState.IN_DOUBT, str(error))


def _end(message: Message, state: MailState, problem: str, sent_at: datetime | None = None) -> None:
    message.state, message.problem, message.sent_at, message.claimed_until = state, problem[:500], sent_at, None
    message.save(update_fields=["state", "problem", "sent_at", "claimed_until", "not_before"])
