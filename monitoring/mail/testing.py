"""The message that proves that a way works."""

from __future__ import annotations

from datetime import datetime

from monitoring.mail.addressee import Addressee
from monitoring.mail.envelope import row_of
from monitoring.mail.messages.probe import test_message
from monitoring.models import Message, NotifyReason


def send_test(to: Addressee, now: datetime) -> Message:
    """Puts a test message into the outbox; it goes by the same way as every other."""
    message = row_of(test_message(to, now), to, now, why=NotifyReason.TEST)
    message.save()
    return message
