"""Sends the outbox. Each message is claimed by a conditional update; two senders never hold the same one.

A send ends in one of four ways: sent; refused for good; not sent, tried again later with growing gaps; or *in doubt*:
the far side was talking and then was not, or the sender died. What is in doubt goes out once more under the same
id, so that the reader's program can drop the copy, and never a third time.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from time import monotonic

from django.db import transaction
from django.db.models import F, Q

from monitoring.mail.carriers import CARRIERS, DeliveryError, InDoubt, NotSent, Refused
from monitoring.models import Channel, MailState, Message
from monitoring.secrets import UnreadableSecret

CLAIM = timedelta(minutes=3)
#: No message is begun later than this after the start of a run; the next run goes on.
RUN = timedelta(minutes=2)
FIRST_GAP, LONGEST_GAP = timedelta(minutes=1), timedelta(hours=6)
ATTEMPTS = 12
_DIED = "The sender died while sending."
_TWICE = "In doubt twice; it is not sent a third time."
#: A carrier and, for channels, which one.
Way = tuple[str, int | None]
logger = logging.getLogger(__name__)


def send_due(now: datetime, *, limit: int = 100) -> int:
    """Sends what is due and returns how many were sent.

    A far side that cannot be reached is left alone for the rest of the run, so that it does not hold up the others.
    """
    doubt_the_lost(now)
    started, sent = monotonic(), 0
    away: set[Way] = set()
    for _ in range(limit):
        # A claim counts from its own moment: a run can last longer than a claim.
        moment = now + timedelta(seconds=int(monotonic() - started))
        message = _claim(moment, away) if moment - now < RUN else None
        if message is None:
            break
        problem = _send(message, moment)
        sent += problem is None
        if isinstance(problem, NotSent) and not problem.reached:
            away.add((message.carrier, message.channel_id))
    return sent


def doubt_the_lost(now: datetime) -> None:
    """A claim that ran out means that its sender died in the middle."""
    lost = Message.objects.filter(state=MailState.SENDING, claimed_until__lte=now)
    lost.filter(doubted=True).update(state=MailState.FAILED, problem=_TWICE)
    lost.filter(doubted=False).update(state=MailState.IN_DOUBT, not_before=now, problem=_DIED)


def _claim(now: datetime, away: set[Way]) -> Message | None:
    waiting = Q(state=MailState.PENDING) | Q(state=MailState.IN_DOUBT)
    with transaction.atomic():
        rows = Message.objects.select_for_update(skip_locked=True, of=("self",)).filter(waiting, not_before__lte=now)
        for carrier, channel in away:
            rows = rows.exclude(carrier=carrier) if channel is None else rows.exclude(channel=channel)
        message = rows.select_related("channel").order_by("not_before", "pk").first()
        if message is not None:
            message.doubted = message.doubted or message.state == MailState.IN_DOUBT
            message.state, message.claimed_until = MailState.SENDING, now + CLAIM
            message.attempts += 1
            message.save(update_fields=["doubted", "state", "claimed_until", "attempts"])
    return message


def _send(message: Message, now: datetime) -> DeliveryError | None:
    """Sends one claimed message by its carrier, records how it ended, and returns what was wrong."""
    try:
        if message.channel is not None and not message.channel.enabled:
            raise Refused("Its channel is switched off.")
        message.provider_id = CARRIERS[message.carrier](message, now)[:200]
    except DeliveryError as error:
        problem: DeliveryError | None = error
    except UnreadableSecret as error:
        problem = Refused(str(error))
    except Exception as error:
        # A fault of ours must not hold up the messages behind it; whether this one left is not known.
        logger.exception("Message %s could not be sent", message.pk)
        problem = InDoubt(f"{type(error).__name__} while sending.")
    else:
        problem = None
    _record(message, problem, now)
    return problem


def _record(message: Message, problem: DeliveryError | None, now: datetime) -> None:
    if problem is None:
        _end(message, MailState.SENT, "", now)
    elif isinstance(problem, NotSent) and message.attempts < ATTEMPTS:
        message.not_before = now + max(gap(message.attempts), problem.wait or timedelta(0))
        _end(message, MailState.PENDING, str(problem), now)
    elif isinstance(problem, InDoubt) and not message.doubted:
        message.not_before = now + FIRST_GAP
        _end(message, MailState.IN_DOUBT, str(problem), now)
    else:
        _end(message, MailState.FAILED, f"{_TWICE} {problem}" if isinstance(problem, InDoubt) else str(problem), now)


def gap(attempts: int) -> timedelta:
    """The pause after that many attempts: 1, 2, 4 … minutes, at most six hours."""
    grown: timedelta = FIRST_GAP * 2 ** min(attempts - 1, 20)
    return min(grown, LONGEST_GAP)


def _end(message: Message, state: MailState, problem: str, now: datetime) -> None:
    """Written only while the claim is still ours; a good end also after it ran out, unless it is being repeated."""
    sent_at = now if state is MailState.SENT else None
    states = [MailState.SENDING, MailState.IN_DOUBT] if sent_at else [MailState.SENDING]
    with transaction.atomic():
        mine = Message.objects.filter(pk=message.pk, state__in=states, attempts=message.attempts)
        done = mine.update(
            state=state,
            problem=problem[:500],
            sent_at=sent_at,
            claimed_until=None,
            not_before=message.not_before,
            provider_id=message.provider_id,
        )
        if sent_at:
            Message.objects.filter(pk=message.pk, link_encrypted__isnull=False).update(link_encrypted=None)
        if done and message.channel_id is not None:
            _tell_channel(message.channel_id, problem, now)


def _tell_channel(channel_id: int, problem: str, now: datetime) -> None:
    rows = Channel.objects.filter(pk=channel_id)
    if problem:
        rows.update(last_error=problem[:500], last_error_at=now, failures=F("failures") + 1)
    else:
        rows.update(last_sent_at=now, last_error="", last_error_at=None, failures=0)


def try_again(message: Message, now: datetime) -> bool:
    """Somebody asks for another go at a message that was given up or bounced; False if it is not in that state."""
    given_up = Message.objects.filter(pk=message.pk, state__in=[MailState.FAILED, MailState.BOUNCED])
    return bool(given_up.update(state=MailState.PENDING, not_before=now, attempts=0, doubted=False))
