"""From a document to commands: first a plan that says what would change where, then, if it still holds, the asking."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

import orjson
from django.db import transaction

from monitoring import commands
from monitoring.configuration.document import Document, Wanted
from monitoring.configuration.edits import Edit, Payload, edits, patch
from monitoring.configuration.fields import FIELDS
from monitoring.configuration.loosening import Loosening, loosenings
from monitoring.configuration.present import Payloads, fleet, payloads
from monitoring.models import Command, CommandKind, Membership, Role, Watched


class Fate(Enum):
    """What becomes of one entry of a document."""

    CHANGE = "change"
    SAME = "same"
    UNKNOWN = "unknown"
    REFUSED = "refused"


@dataclass(frozen=True)
class Step:
    """One command that would be asked for."""

    watched: Watched
    kind: CommandKind
    present: Payload
    edits: tuple[Edit, ...]
    loosens: tuple[Loosening, ...]


@dataclass(frozen=True)
class Item:
    """One deployment of the document. `why`: the reason where nothing can be done."""

    wanted: Wanted
    fate: Fate
    watched: Watched | None = None
    steps: tuple[Step, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Plan:
    items: tuple[Item, ...]

    def of(self, fate: Fate) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.fate is fate)

    @property
    def steps(self) -> tuple[Step, ...]:
        return tuple(step for item in self.items for step in item.steps)

    @property
    def loosens(self) -> int:
        return sum(len(step.loosens) for step in self.steps)

    @property
    def digest(self) -> str:
        """Equal for plans that would do the same to the same: what a person agreed to."""
        return digest_of(self.steps)


def digest_of(steps: Iterable[Step]) -> str:
    """Equal for steps that do the same to the same."""
    rows = [[step.watched.pk, step.kind, e.field.name, e.before, e.after] for step in steps for e in step.edits]
    return hashlib.sha256(orjson.dumps(rows)).hexdigest()[:32]


def plan(document: Document, user: Any, now: datetime) -> Plan:
    """What the document would change, as this person, in the teams that the person is in."""
    roles = {row.team_id: Role(row.role) for row in Membership.objects.filter(user=user)}
    known = fleet(sorted(roles))
    places = _places(known)
    found = [(one, *_find(one, places)) for one in document.wanted]
    seen = {row.pk: shown for row, shown in payloads([w for _, w, _ in found if w is not None], now)}
    return Plan(tuple(_item(wanted, watched, why, roles, seen) for wanted, watched, why in found))


def _places(known: Iterable[Watched]) -> Mapping[str, list[Watched]]:
    places: dict[str, list[Watched]] = {}
    for row in known:
        places.setdefault(row.remote_id, []).append(row)
    return places


def _find(wanted: Wanted, places: Mapping[str, list[Watched]]) -> tuple[Watched | None, str]:
    """The deployment that is meant, or why none is."""
    found = [one for one in places.get(wanted.id, []) if not wanted.source or one.source.name == wanted.source]
    if len(found) == 1:
        return found[0], ""
    if found:
        return None, f"Several sources have a deployment {wanted.id}: name its source."
    at = f" at source {wanted.source}" if wanted.source else ""
    return None, f"Your teams watch no deployment {wanted.id}{at}."


def _item(
    wanted: Wanted, watched: Watched | None, why: str, roles: Mapping[int, Role], seen: Mapping[int, Payloads]
) -> Item:
    if watched is None:
        return Item(wanted, Fate.UNKNOWN, why=why)
    steps = []
    for kind in dict.fromkeys(kind for kind, _ in wanted.values):
        present = seen[watched.pk].get(kind, {})
        if not present:
            return Item(wanted, Fate.UNKNOWN, watched, why="Its settings were not read from the source yet.")
        values = {path: value for (of, path), value in wanted.values.items() if of is kind}
        changes = edits([FIELDS[kind, path] for path in values], present, values)
        if changes:
            steps.append(Step(watched, kind, present, changes, loosenings(kind, present, changes)))
    if not steps:
        return Item(wanted, Fate.SAME, watched)
    if not roles[watched.source.team_id].may_change:
        return Item(wanted, Fate.REFUSED, watched, why="Only owners and managers of its team change settings.")
    return Item(wanted, Fate.CHANGE, watched, tuple(steps))


def apply(made: Plan, user: Any, now: datetime, *, group: str) -> Sequence[Command]:
    """Asks for every step, all or none; the same group asks once. Workers carry it out."""
    with transaction.atomic():
        return [_ask(step, user, now, group) for step in made.steps]


def _ask(step: Step, user: Any, now: datetime, group: str) -> Command:
    body, read = patch(step.kind, step.present, step.edits)
    return commands.ask(
        user,
        step.kind,
        step.watched.source,
        now,
        watched=step.watched,
        name=step.watched.label,
        body=body,
        read=read,
        nonce=f"{group}.{step.watched.pk}.{step.kind}",
        group=group,
    )
