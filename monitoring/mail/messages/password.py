"""A link to set a new password, to a person and not to a team: it stands in the outbox and nowhere in the clear."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from metrics.wording import duration
from monitoring.mail.carriers.sealed import blanked, lives, seal
from monitoring.mail.envelope import stable_id
from monitoring.models import MailState, Message, NotifyReason


def new_password(user: Any, address: str, link: str, now: datetime) -> Message:
    """The outbox row, not saved."""
    length = duration(lives(NotifyReason.PASSWORD))
    words: dict[str, Any] = {
        "subject": "Set a new password for Vitals",
        "title": "Set a new password",
        "lines": [
            f"Somebody, hopefully you, asked for a new password for {user.get_username()}.",
            f"The link works once, for {length}. If it was not you, let it be: nothing changes then.",
        ],
        "url": blanked(link),
        "button": "Set a new password",
        "home": settings.PUBLIC_URL,
        "tone": {"mark": "#191B1F"},
    }
    return Message(
        user=user,
        why=NotifyReason.PASSWORD,
        recipient=address,
        subject=words["subject"],
        text=render_to_string("emails/account.txt", words),
        html=render_to_string("emails/account.html", words),
        link_encrypted=seal(link),
        headers={"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"},
        message_id=stable_id("password", user.pk, link, now.isoformat()),
        state=MailState.PENDING if settings.MAIL_IS_SENT else MailState.KEPT,
        created_at=now,
        not_before=now,
    )
