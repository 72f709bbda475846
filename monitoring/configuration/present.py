"""The settings of many deployments as the watcher saw them last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from monitoring import questions as q
from monitoring import snapshots
from monitoring.configuration.edits import Payload
from monitoring.models import CommandKind, Watched
from monitoring.snapshots import Snapshot

QUESTIONS = {
    CommandKind.HEALTH_SETTINGS: q.health_settings(),
    CommandKind.SETTINGS: q.settings(),
    CommandKind.DETAILS: q.details(),
}
#: Deployments that are read in one go.
CHUNK = 200
Payloads = Mapping[CommandKind, Payload]


def payloads(watched: Iterable[Watched], now: datetime) -> Iterator[tuple[Watched, Payloads]]:
    """What each shows, kind by kind; {} for what the source has not said. Two statements a few hundred deployments."""
    rows = list(watched)
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        known = snapshots.read_many({row.pk: tuple(QUESTIONS.values()) for row in part}, now=now)
        yield from ((row, of(row, known[row.pk])) for row in part)


def of(watched: Watched, known: Snapshot) -> dict[CommandKind, Payload]:
    """The payloads of one deployment; its name and importance are those of the list, which is asked far more often."""
    found: dict[CommandKind, Payload] = {kind: known.payload(question) for kind, question in QUESTIONS.items()}
    found[CommandKind.DETAILS] = {**found[CommandKind.DETAILS], **listed(watched)}
    return found


def listed(watched: Watched) -> dict[str, Any]:
    """Name, description and importance as the list of deployments tells them."""
    listing = watched.listing if isinstance(watched.listing, dict) else {}
    return {name: listing[name] for name in ("label", "description", "importance") if name in listing}


def fleet(team_ids: Sequence[int]) -> list[Watched]:
    """All deployments of teams that the sources still list, in a steady order."""
    rows = Watched.objects.filter(source__team__in=team_ids, gone_at=None).select_related("source__team")
    return list(rows.order_by("source__team__name", "source__name", "label", "remote_id"))
