"""The watch of settings: what an answer shows otherwise than the one before, and whose doing it was.

A change is found in the transaction that stores the answer, so that it is noted once, whatever is killed when. It is
laid to a command of ours where the command sent that very value; the reference does not tell who else changed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from monitoring import questions as q
from monitoring.configuration.edits import Edit, differences
from monitoring.configuration.fields import FIELDS, Field
from monitoring.configuration.loosening import loosenings
from monitoring.configuration.values import same, value_at
from monitoring.models import Command, CommandKind, SettingsChange, Watched

#: Answers that are compared with the ones before them.
KINDS = {
    q.health_settings().path: CommandKind.HEALTH_SETTINGS,
    q.settings().path: CommandKind.SETTINGS,
    q.details().path: CommandKind.DETAILS,
}
#: A command may have ended this long before the poll that first showed its change.
SLACK = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Turn:
    """Two answers of one deployment that follow each other; the older was last confirmed at `since`."""

    watched_id: int
    kind: CommandKind
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    since: datetime | None


def note(turns: Iterable[Turn], now: datetime) -> list[SettingsChange]:
    """Stores what changed: one statement where nothing did, a few where something did."""
    found = [(turn, edits) for turn in turns if (edits := differences(turn.kind, turn.before, turn.after))]
    if not found:
        return []
    commands = _commands([turn for turn, _ in found], now)
    rows = [row for turn, edits in found for row in _rows(turn, edits, commands, now)]
    Watched.objects.filter(pk__in={turn.watched_id for turn, _ in found}).update(settings_changed_at=now)
    return SettingsChange.objects.bulk_create(rows)


def _commands(turns: Sequence[Turn], now: datetime) -> list[Command]:
    """Our own commands that may have done it, newest first."""
    first = min((turn.since for turn in turns if turn.since is not None), default=now) - SLACK
    late = Q(finished_at=None) | Q(finished_at__gte=first)
    rows = Command.objects.filter(late, watched__in={turn.watched_id for turn in turns}, sent_at__isnull=False)
    return list(rows.filter(kind__in={turn.kind for turn in turns}).order_by("-sent_at", "-pk"))


def _rows(turn: Turn, edits: Sequence[Edit], commands: Sequence[Command], now: datetime) -> Iterable[SettingsChange]:
    loose = {one.path: one for one in loosenings(turn.kind, turn.before, edits)}
    for edit in edits:
        path = edit.field.path
        command = next((one for one in commands if _did(one, turn, edit)), None)
        said = loose.get(path)
        yield SettingsChange(
            watched_id=turn.watched_id,
            kind=turn.kind,
            path=edit.field.name,
            before=edit.before,
            after=edit.after,
            since=turn.since,
            seen_at=now,
            command=command,
            by_id=command.asked_by_id if command is not None else None,
            loosens=said.way if said is not None else "",
            area=said.area if said is not None else "",
            words=said.words[:500] if said is not None else "",
            handled_at=None if said is not None else now,
        )


def _did(command: Command, turn: Turn, edit: Edit) -> bool:
    """Whether the command sent this value in place of another one."""
    if command.watched_id != turn.watched_id or command.kind != turn.kind:
        return False
    sent, read = value_at(command.body, edit.field.path), value_at(command.read, edit.field.path)
    named = value_at(command.body, edit.field.path[:-1]) if len(edit.field.path) > 1 else command.body
    return (
        isinstance(named, Mapping) and edit.field.path[-1] in named and same(sent, edit.after) and not same(sent, read)
    )


def settings_changes(watched: Watched, start: datetime, end: datetime) -> list[SettingsChange]:
    """What was seen to change in [start, end), oldest first: marks of charts, entries of a history.

    One statement; none while nothing has changed since `start`.
    """
    if watched.settings_changed_at is None or watched.settings_changed_at < start:
        return []
    rows = SettingsChange.objects.filter(watched=watched, seen_at__gte=start, seen_at__lt=end)
    return list(rows.select_related("by").order_by("seen_at", "pk"))


def field_of(change: SettingsChange) -> Field | None:
    """The declared field that was changed; None for one that this version no longer knows."""
    return FIELDS.get((CommandKind(change.kind), tuple(change.path.split("."))))
