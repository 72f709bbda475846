"""The message that proves that a way works."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from monitoring.mail.addressee import Addressee
from monitoring.mail.envelope import Composed, stable_id
from monitoring.mail.letter import letter
from monitoring.mail.words import when
from monitoring.models import Status


def test_message(to: Addressee, now: datetime) -> Composed:
    """Says when and for whom it was asked for."""
    words = {"subject": "[TEST] Mail from Vitals", "moment": when(now, to.zone), "status": Status.PASSING}
    payload = {
        "kind": "test",
        "at": now.isoformat(),
        "brief": f"{to.team.name} asked for a test; messages arrive here. {settings.PUBLIC_URL}",
        "url": settings.PUBLIC_URL,
    }
    return letter("test", to, words, message_id=stable_id("test", to.key, now.isoformat()), payload=payload)
