"""Turns transitions into messages, once each.

1. Take unhandled transitions, oldest first, locked (others skip them). 2. Decide by `why_notify`. 3. Write one message
a reader and mark the transition handled, in the same transaction: a crash leaves both or neither.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from monitoring.mail.addressee import Addressee
from monitoring.mail.compose import Context, gather, health_changed
from monitoring.mail.envelope import row_of
from monitoring.mail.why import why_notify
from monitoring.models import Membership, Message, NotifyReason, Status, Transition

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
            messages = [_message(row, context, Addressee(member=reader), now) for reader in readers]
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


def _message(row: Transition, context: Context, to: Addressee, now: datetime) -> Message:
    return row_of(health_changed(context, to), to, now, why=context.why, transition=row, watched=row.watched)
