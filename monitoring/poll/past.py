"""Answers about windows that ended on past days: kept for the backtest, one a day, under a topic of their own.

They are marked as reconstructed and no page reads them: nobody knew them then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from monitoring import packing
from monitoring.models import Answer, Topic, TopicState, Watched

DRIFT, ACCURACY = "featureDrift/", "accuracy/"


def key_of(path: str) -> str:
    """The topic of the past answers of one path."""
    return f"past:{path}"


def keep(watched: Watched, path: str, answers: Mapping[datetime, Any], now: datetime) -> None:
    """Replaces what is stored of the windows that ended at these times; other days stay."""
    if not answers:
        return
    with transaction.atomic():
        fields = {"path": path, "state": TopicState.OK, "checked_at": now}
        topic, _ = Topic.objects.update_or_create(watched=watched, key=key_of(path), defaults=fields)
        topic.answers.filter(known_at__in=list(answers)).delete()
        Answer.objects.bulk_create(
            Answer(topic=topic, known_at=end, payload=packing.pack(payload), reconstructed=True)
            for end, payload in sorted(answers.items())
        )


def stored(watched: Watched, keys: Sequence[str], since: datetime) -> dict[str, list[tuple[datetime, Any, bool]]]:
    """All stored answers of topics since a time, oldest first: when known, what was answered, reconstructed or not."""
    rows = Answer.objects.filter(topic__watched=watched, topic__key__in=keys, known_at__gte=since)
    found: dict[str, list[tuple[datetime, Any, bool]]] = {key: [] for key in keys}
    for key, at, payload, past in rows.order_by("known_at", "pk").values_list(
        "topic__key", "known_at", "payload", "reconstructed"
    ):
        found[key].append((at, packing.unpack(payload), past))
    return found
