"""Turns transitions into messages, once each.

1. Take unhandled transitions, oldest first, locked (others skip them). 2. Decide by `why_notify`. 3. Write one message
a reader and mark the transition handled, in the same transaction: a crash leaves both or neither.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction

from monitoring.mail.compose import Composed, Context, gather, health_changed
from monitoring.mail.why import why_notify
from monitoring.models import MailState, Membership, Message, NotifyReason, Status, Transition

_TOLD = (NotifyReason.FIRST, NotifyReason.WORSE, NotifyReason.BETTER, NotifyReason.RESOLVED)
_NOBODY = "Nobody in the team wants mail."
#: Transitions decided in one transaction.
BATCH = 50


def decide(now: datetime) -> int:
    """Handles what waits; returns the number of messages written."""
    written = 0
    while True:
        with transaction.atomic():
            rows = Transition.objects.select_for_update(skip_locked=True, of=("self",)).filter(handled_at__isnull=True)
            waiting = list(rows.select_related("watched__source__team").order_by("at", "pk")[:BATCH])
            for row in waiting:
                written += _handle(row, now)
        if len(waiting) < BATCH:
            return written


def _handle(row: Transition, now: datetime) -> int:
    why = why_notify(last_told(row), Status(row.new))
    row.handled_at, row.outcome = now, why.value
    messages: list[Message] = []
    if why is not NotifyReason.NONE:
        readers = _readers(row)
        row.outcome = why.value if readers else f"{why.value}: {_NOBODY}"
        if readers:
            context = gather(row, why, now)
            messages = [_message(row, context, reader, now) for reader in readers]
    Message.objects.bulk_create(messages, ignore_conflicts=True)
    row.save(update_fields=["handled_at", "outcome"])
    return len(messages)


def last_told(row: Transition) -> Status | None:
    """The status that the last message about this area told; None if there was none."""
    told = Transition.objects.filter(watched=row.watched_id, area=row.area, outcome__in=_TOLD, pk__lt=row.pk)
    newest = told.order_by("-pk").values_list("new", flat=True).first()
    return Status(newest) if newest is not None else None


def _readers(row: Transition) -> list[Membership]:
    """Members with an address who want mail."""
    found = Membership.objects.filter(team=row.watched.source.team_id, wants_mail=True, user__is_active=True)
    return list(found.exclude(user__email="").select_related("user__preference", "team").order_by("pk"))


def _message(row: Transition, context: Context, reader: Membership, now: datetime) -> Message:
    mail = health_changed(context, reader)
    return message_of(mail, reader, now, why=context.why, transition=row)


def message_of(
    mail: Composed, reader: Membership, now: datetime, *, why: NotifyReason, transition: Transition | None = None
) -> Message:
    """The outbox row; without a mail server it is kept for the list and never sent."""
    return Message(
        team=reader.team,
        user=reader.user,
        watched=transition.watched if transition is not None else None,
        transition=transition,
        why=why,
        recipient=reader.user.email,
        subject=mail.subject,
        text=mail.text,
        html=mail.html,
        headers=mail.headers,
        pictures=mail.pictures,
        message_id=mail.message_id,
        state=MailState.PENDING if settings.MAIL_IS_SENT else MailState.KEPT,
        created_at=now,
        not_before=now,
    )
