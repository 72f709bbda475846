"""From a composed message to its row in the outbox, and the headers around it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from monitoring.mail.addressee import Addressee
from monitoring.models import Carrier, MailState, Message, NotifyReason


@dataclass(frozen=True, slots=True)
class Composed:
    """A message as it will be stored: `pictures` maps content ids to PNGs in base64.

    `payload` is what a webhook posts; its `brief` is what chats and pagers show.
    """

    subject: str
    text: str
    html: str
    headers: dict[str, str]
    pictures: dict[str, str]
    message_id: str
    payload: dict[str, Any] = field(default_factory=dict)


def row_of(mail: Composed, to: Addressee, now: datetime, *, why: NotifyReason, **about: Any) -> Message:
    """The outbox row, not saved. Without a mail server mail is kept for the list and never sent."""
    kept = to.carrier is Carrier.EMAIL and not settings.MAIL_IS_SENT
    values = {"not_before": now, **about}
    return Message(
        team=to.team,
        user=to.user,
        channel=to.channel,
        carrier=to.carrier,
        why=why,
        recipient=to.address[:300],
        subject=mail.subject[:300],
        text=mail.text,
        html=mail.html,
        headers=mail.headers,
        pictures=mail.pictures,
        payload=mail.payload,
        message_id=mail.message_id,
        state=MailState.KEPT if kept else MailState.PENDING,
        created_at=now,
        **values,
    )


def put(rows: Iterable[Message]) -> int:
    """Stores the messages that are not there yet: the same message to the same addressee has the same id."""
    waiting = list(rows)
    wanted = set(unwritten(row.message_id for row in waiting))
    new = [row for row in waiting if row.message_id in wanted]
    Message.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)


def unwritten(message_ids: Iterable[str]) -> list[str]:
    """Those of the ids under which no message is stored."""
    asked = list(message_ids)
    known = set(Message.objects.filter(message_id__in=asked).values_list("message_id", flat=True))
    return [one for one in asked if one not in known]


def host() -> str:
    """The right side of our message ids."""
    return urlsplit(settings.PUBLIC_URL).hostname or "localhost"


def stable_id(kind: str, *parts: object) -> str:
    """The same id for the same message to the same addressee, in every attempt. It tells nothing about its parts."""
    digest = hashlib.sha256("/".join(str(part) for part in (kind, *parts, settings.SECRET_KEY)).encode()).hexdigest()
    return f"<{kind}.{digest[:32]}@{host()}>"


def headers(to: Addressee, *, thread: str = "") -> dict[str, str]:
    """Threading under the first message of the same story, and one-click unsubscribing for a person."""
    found = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
    if thread:
        found |= {"References": thread, "In-Reply-To": thread}
    if to.unsubscribe_url:
        found["List-Unsubscribe"] = f"<{to.unsubscribe_url}>"
        found["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return found
