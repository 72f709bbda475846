"""Turns notices into messages, once each.

1. Take unhandled notices, oldest first, locked (others skip them). 2. Decide by `who_hears`. 3. Write one message an
addressee and mark the notice handled, in the same transaction: a crash leaves both or neither.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from metrics.wording import plural
from monitoring.mail.addressee import Addressee
from monitoring.mail.audience import Audience, audience_of, happening_of
from monitoring.mail.envelope import put, row_of
from monitoring.mail.hears import Hearing, who_hears
from monitoring.mail.messages.incident import MESSAGES, Copy
from monitoring.mail.story import Story, gather
from monitoring.models import Delivery, IncidentNotice, MailState, Message, NoticeKind, NotifyReason

#: Notices decided in one transaction.
BATCH = 50
_OF_DELIVERY = {Delivery.DIGEST: "in the digest", Delivery.NEVER: "not told"}


def decide(now: datetime) -> int:
    """Handles what waits; returns the number of messages written."""
    written = 0
    while True:
        with transaction.atomic():
            rows = IncidentNotice.objects.select_for_update(skip_locked=True, of=("self",)).filter(handled_at=None)
            with_all = rows.select_related(
                "incident__watched__source",
                "incident__source",
                "incident__team",
                "incident__assignee",
                "incident__acknowledged_by",
            )
            waiting = list(with_all.order_by("at", "pk")[:BATCH])
            audiences: dict[int, Audience] = {}
            for row in waiting:
                team = row.incident.team_id
                if team not in audiences:
                    audiences[team] = audience_of(team)
                written += _handle(row, audiences[team], now)
        if len(waiting) < BATCH:
            return written


def _handle(row: IncidentNotice, audience: Audience, now: datetime) -> int:
    """One notice to everybody who hears it."""
    story = gather(row, now)
    hearings = who_hears(happening_of(row, story.watched), audience.hearers, audience.rules, now, audience.areas)
    told = [one for one in hearings if one.delivery is Delivery.NOW]
    messages = _messages(story, told, audience, now)
    written = put(messages)
    row.handled_at, row.outcome = now, _outcome(hearings, now)
    row.save(update_fields=["handled_at", "outcome"])
    return written


def _messages(story: Story, told: list[Hearing], audience: Audience, now: datetime) -> list[Message]:
    known, overtaken = _told_before(story), _overtake(story, now)
    compose = MESSAGES[story.kind]
    rows = []
    for hearing in told:
        to = audience.addressees[hearing.key]
        if story.kind is NoticeKind.RESOLVED and to.key in overtaken and to.key not in known:
            continue  # it came and went outside their hours: they were told nothing, so there is nothing to end
        copy = Copy(to, because(hearing.why, to), known.get(to.key, ""))
        about = {"watched": story.incident.watched, "incident": story.incident, "notice": story.notice}
        why = NotifyReason(story.kind.value)
        rows.append(row_of(compose(story, copy), to, now, why=why, not_before=hearing.at, **about))
    return rows


def _told_before(story: Story) -> dict[str, str]:
    """By addressee, the Message-ID of the first message of this incident that went out, or will at once."""
    rows = Message.objects.filter(incident=story.incident).exclude(state=MailState.DROPPED)
    return {key: row.message_id for key, row in _by_key(story, rows.exclude(_held(story.now)).order_by("-pk"))}


def _overtake(story: Story, now: datetime) -> set[str]:
    """What waits for somebody's hours is no longer the news; returns whose."""
    held = list(_by_key(story, Message.objects.filter(_held(now), incident=story.incident)))
    if held:
        waiting = Message.objects.filter(_held(now), pk__in=[row.pk for _, row in held])
        waiting.update(state=MailState.DROPPED, problem="A newer message took its place.")
    return {key for key, _ in held}


def _held(now: datetime) -> Q:
    """Messages that wait for hours, not for another attempt."""
    return Q(state=MailState.PENDING, attempts=0, not_before__gt=now)


def _by_key(story: Story, rows: QuerySet[Message]) -> Iterator[tuple[str, Message]]:
    members = dict(story.incident.team.memberships.values_list("user_id", "pk"))
    for row in rows.only("user_id", "channel_id", "message_id"):
        yield (f"c{row.channel_id}" if row.channel_id is not None else f"m{members.get(row.user_id or 0)}"), row


def because(why: str, to: Addressee) -> str:
    """`who_hears`'s reason as the foot of a message says it."""
    reason = why.removesuffix(", waits for working hours")
    if reason.startswith("rule "):
        return f"the rule “{reason.removeprefix('rule ')}” of {to.team.name} names you"
    if reason == "the policy for this area":
        return f"the alert policy of {to.team.name} says so for this area"
    words = {"nobody answered": "nobody has answered", "subscribed to it": "you subscribed to it"}
    return words.get(reason, f"you are in {to.team.name}" if to.member is not None else f"{to.team.name} chose so")


def _outcome(hearings: list[Hearing], now: datetime) -> str:
    """`Told to 3, 1 waits for working hours, 2 in the digest.`"""
    counts = Counter(one.delivery for one in hearings)
    later = sum(one.at > now for one in hearings if one.delivery is Delivery.NOW)
    parts = [f"told to {counts[Delivery.NOW]}"] if counts[Delivery.NOW] else []
    parts += [f"{plural(later, 'of them waits', 'of them wait')} for working hours"] if later else []
    parts += [f"{counts[kind]} {words}" for kind, words in _OF_DELIVERY.items() if counts[kind]]
    text = ", ".join(parts) if counts[Delivery.NOW] or counts[Delivery.DIGEST] else "nobody in the team hears this"
    return f"{text[0].upper()}{text[1:]}."[:200]
