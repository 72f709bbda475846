"""Tells of settings that let more trouble pass: to whoever hears about the deployment, save the one who did it here.

What a silence or a maintenance window covers waits for its end and is told then, if it was not put back meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from django.db import transaction
from django.db.models import Q

from monitoring import snapshots
from monitoring.configuration.edits import Edit
from monitoring.configuration.fields import FIELDS
from monitoring.configuration.loosening import loosenings
from monitoring.configuration.present import QUESTIONS
from monitoring.configuration.values import same
from monitoring.incidents import silences
from monitoring.incidents.severity import severity_of
from monitoring.incidents.silences import Holding
from monitoring.mail.audience import Audience, audience_of, tags_of
from monitoring.mail.envelope import put, row_of
from monitoring.mail.hears import Happening, Hearing
from monitoring.mail.hears import who_hears as decide
from monitoring.mail.messages.loosened import loosened
from monitoring.models import AlertPolicy, CommandKind, Delivery, NotifyReason, SettingsChange, SilenceKind, Status

#: How many are told of in one run.
MOST = 500


def tell_loosened(now: datetime) -> int:
    """Messages for what waits; returns how many. The change and its messages are marked and written together."""
    written, holding = 0, dict[int, list[Holding]]()
    with transaction.atomic():
        due = Q(handled_at=None) & (Q(held_until=None) | Q(held_until__lte=now))
        rows = SettingsChange.objects.select_for_update(skip_locked=True, of=("self",)).filter(due)
        found = list(rows.select_related("watched__source__team", "by").order_by("watched", "seen_at", "pk")[:MOST])
        for _, group in groupby(found, key=lambda one: (one.watched_id, one.seen_at, one.by_id)):
            changes = list(group)
            team = changes[0].watched.source.team_id
            if team not in holding:
                holding[team] = silences.holding(silences.of_team(team, now), now)
            free = [one for one in changes if not _settled(one, holding[team], now)]
            written += _tell(free, now) if free else 0
    return written


def _settled(change: SettingsChange, holding: Sequence[Holding], now: datetime) -> bool:
    """Whether there is nothing to tell now: a silence holds it back, or did until it was put back."""
    found = silences.over(holding, change.watched, change.watched.source_id, change.area)
    if found is not None:
        change.held_until, change.outcome = found.until, _held_words(found)
    elif change.held_until is not None and _put_back(change):
        change.held_until, change.handled_at = None, now
        change.outcome = "Put back while it was held back; not told."
    else:
        return False
    change.save(update_fields=["held_until", "handled_at", "outcome"])
    return True


def _held_words(found: Holding) -> str:
    """`Held back by a maintenance window: patches of the scoring hosts`; the reader is told until when beside it."""
    by = "a maintenance window" if found.silence.kind == SilenceKind.MAINTENANCE else "a silence"
    return f"Held back by {by}: {found.silence.reason}"[:200]


def _put_back(change: SettingsChange) -> bool:
    """Whether the newest value that was seen since lets no more pass than the one from before did."""
    since = SettingsChange.objects.filter(watched=change.watched_id, kind=change.kind, path=change.path)
    newest = since.filter(seen_at__gt=change.seen_at).order_by("-seen_at", "-pk").first()
    if newest is None or same(newest.after, change.before):
        return newest is not None
    kind = CommandKind(change.kind)
    field = FIELDS.get((kind, tuple(change.path.split("."))))
    if field is None:
        return False
    found = snapshots.answer(change.watched, QUESTIONS[kind])
    present = found.payload if found is not None and isinstance(found.payload, dict) else {}
    return not loosenings(kind, present, [Edit(field, change.before, newest.after)])


def who_hears(
    hearings: Sequence[Hearing], *, doer: str, tells: bool, tells_doer: bool
) -> tuple[list[Hearing], dict[str, str]]:
    """Who is written to at once, and for each of the others why not. Pure.

    `doer` is the key of the addressee who made the change here, "" where it was made at the source.
    """
    now, others = [], {}
    for one in hearings:
        if not tells:
            others[one.key] = "the team does not want to hear of it"
        elif one.key == doer and not tells_doer:
            others[one.key] = "did it themselves"
        elif one.delivery is Delivery.NOW:
            now.append(one)
        else:
            others[one.key] = "in the digest" if one.delivery is Delivery.DIGEST else one.why
    return now, others


def _tell(changes: Sequence[SettingsChange], now: datetime) -> int:
    first = changes[0]
    watched, team = first.watched, first.watched.source.team_id
    policy = AlertPolicy.objects.filter(team=team).first() or AlertPolicy()
    audience = audience_of(team)
    doer = next(
        (key for key, to in audience.addressees.items() if to.user is not None and to.user.pk == first.by_id), ""
    )
    hearings = decide(_happening(changes, audience), audience.hearers, audience.rules, now, audience.areas)
    told, others = who_hears(hearings, doer=doer, tells=policy.tell_loosened, tells_doer=policy.tell_own_changes)
    rows = [
        row_of(
            loosened(changes, audience.addressees[one.key]),
            audience.addressees[one.key],
            now,
            why=NotifyReason.LOOSENED,
            watched=watched,
            not_before=one.at,
        )
        for one in told
    ]
    outcome = f"Told {len(told)}; not at once: {len(others)}." if hearings else "Nobody hears about it."
    SettingsChange.objects.filter(pk__in=[one.pk for one in changes]).update(
        handled_at=now, held_until=None, outcome=outcome
    )
    return put(rows)


def _happening(changes: Sequence[SettingsChange], audience: Audience) -> Happening:
    """As the rules see it: at risk, of the area where it is one alone."""
    watched = changes[0].watched
    areas = {one.area for one in changes}
    area = areas.pop() if len(areas) == 1 else ""
    own = audience.areas.get(area)
    return Happening(
        status=Status.WARNING,
        severity=severity_of(Status.WARNING, watched.importance, own.severity if own is not None else 0),
        importance=watched.importance,
        area=area,
        tags=frozenset(tags_of(watched)),
        watched=frozenset({watched.pk}),
    )
