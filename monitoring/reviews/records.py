"""The signed record: one canonical JSON text with all that was decided and known, and its SHA-256.

The text is stored as it was hashed, so anybody can check it with `sha256sum`. Each record names the hash of the record
before it: the reviews of a plan form a chain.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from django.db import connection, transaction

from monitoring.clock import format_time
from monitoring.models import ActionItem, Review, ReviewItem
from monitoring.reviews.gather import name_of

FORMAT = 1


def write(review: Review, signer: Any, now: datetime) -> tuple[str, str]:
    """The record's text and its hash."""
    text = orjson.dumps(content(review, signer, now), option=orjson.OPT_SORT_KEYS).decode()
    return text, hashlib.sha256(text.encode()).hexdigest()


def content(review: Review, signer: Any, now: datetime) -> dict[str, Any]:
    """All that the record holds, in plain values."""
    plan, previous = review.plan, review.previous
    made: dict[int | None, list[ActionItem]] = defaultdict(list)
    for action in review.actions.select_related("owner").order_by("pk"):
        made[action.watched_id].append(action)
    return {
        "format": FORMAT,
        "team": plan.team.name,
        "plan": plan.name,
        "number": review.number,
        "due_at": format_time(review.due_at),
        "opened_at": format_time(review.opened_at),
        "since": format_time(review.since),
        "known_at": format_time(review.known_at),
        "signed_at": format_time(now),
        "signed_by": name_of(signer),
        "present": [name_of(one.user) for one in review.present.select_related("user")],
        "previous": {"number": previous.number, "hash": previous.content_hash} if previous is not None else None,
        "items": [_item(item, made[item.watched_id]) for item in review.items.select_related("saved_by")],
        "actions": [_action(action) for action in made[None]],
        "promises": [_promise(action) for action in promises_of(previous)],
        "calm": review.calm,
    }


def promises_of(review: Review | None) -> Sequence[ActionItem]:
    """What was promised in a review, with how it stands now."""
    if review is None:
        return []
    return list(review.actions.select_related("owner", "watched").order_by("due_on", "pk"))


def _item(item: ReviewItem, actions: Sequence[ActionItem]) -> dict[str, Any]:
    return {
        "watched": item.watched_id,
        "label": item.label,
        "section": item.section,
        "reasons": item.reasons,
        "figures": item.figures,
        "verdict": item.verdict,
        "note": item.note,
        "decided_by": name_of(item.saved_by),
        "decided_at": format_time(item.saved_at) if item.saved_at else None,
        "actions": [_action(action) for action in actions],
    }


def _action(action: ActionItem) -> dict[str, Any]:
    return {"id": action.pk, "text": action.text, "owner": name_of(action.owner), "due_on": action.due_on.isoformat()}


def _promise(action: ActionItem) -> dict[str, Any]:
    closed = format_time(action.closed_at) if action.closed_at else None
    return _action(action) | {"label": action.label, "state": action.state, "closed_at": closed}


def erase(team_id: int) -> int:
    """Deletes every review of a team, signed ones too: only for a team that is itself taken away, on purpose."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('vitals.erase_reviews', 'on', true)")
        rows = Review.objects.filter(plan__team=team_id)
        rows.update(previous=None)
        deleted, _ = rows.delete()
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('vitals.erase_reviews', '', true)")
    return deleted
