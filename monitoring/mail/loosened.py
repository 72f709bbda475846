"""Tells of settings that let more trouble pass: to whoever hears about the deployment, save the one who did it here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from django.db import transaction

from monitoring.incidents.severity import severity_of
from monitoring.mail.audience import audience_of, tags_of
from monitoring.mail.envelope import put, row_of
from monitoring.mail.hears import Happening, Hearing
from monitoring.mail.hears import who_hears as decide
from monitoring.mail.messages.loosened import loosened
from monitoring.models import AlertPolicy, Delivery, NotifyReason, SettingsChange, Status

#: How many are told of in one run.
MOST = 500


def tell_loosened(now: datetime) -> int:
    """Messages for what waits; returns how many. The change and its messages are marked and written together."""
    written = 0
    with transaction.atomic():
        rows = SettingsChange.objects.select_for_update(skip_locked=True, of=("self",)).filter(handled_at=None)
        found = list(rows.select_related("watched__source__team", "by").order_by("watched", "seen_at", "pk")[:MOST])
        for _, group in groupby(found, key=lambda one: (one.watched_id, one.seen_at, one.by_id)):
            written += _tell(list(group), now)
    return written


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
    hearings = decide(_happening(changes), audience.hearers, audience.rules, now)
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
    SettingsChange.objects.filter(pk__in=[one.pk for one in changes]).update(handled_at=now, outcome=outcome)
    return put(rows)


def _happening(changes: Sequence[SettingsChange]) -> Happening:
    """As the rules see it: at risk, of the area where it is one alone."""
    watched = changes[0].watched
    areas = {one.area for one in changes}
    return Happening(
        status=Status.WARNING,
        severity=severity_of(Status.WARNING, watched.importance),
        importance=watched.importance,
        area=areas.pop() if len(areas) == 1 else "",
        tags=frozenset(tags_of(watched)),
        watched=frozenset({watched.pk}),
    )
