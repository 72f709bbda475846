"""A change of settings of one deployment, carried to those like it: which they are, and what it would change for each.

Carried is the change and not the whole: a limit becomes the new one; of a list of features only what was added is added
and what was taken out is taken out. What names the metrics of one deployment is not carried.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from monitoring import questions as q
from monitoring import snapshots
from monitoring.configuration.edits import Edit, Payload, chosen, edits
from monitoring.configuration.fields import Shape
from monitoring.configuration.loosening import loosenings
from monitoring.configuration.plan import Step, digest_of
from monitoring.configuration.present import payloads
from monitoring.configuration.values import Known, unknown_names, value_at
from monitoring.models import Command, CommandKind, Watched

#: Kinds whose change can be carried; names and descriptions are one deployment's own.
KINDS = (CommandKind.HEALTH_SETTINGS, CommandKind.SETTINGS)
#: As many are listed at most.
MOST = 200
_OWN = (Shape.CONDITIONS,)


@dataclass(frozen=True)
class Carried:
    """What would change where: one step a deployment; for each of the others the reason why nothing will."""

    steps: tuple[Step, ...]
    left: tuple[tuple[Watched, str], ...]

    @property
    def digest(self) -> str:
        """Equal where the same would be done to the same: what a person agreed to."""
        return digest_of(self.steps)


def like(watched: Watched) -> QuerySet[Watched]:
    """Those of the same team with the same kind of target and, at least, all tags of this one."""
    rows = Watched.objects.filter(source__team=watched.source.team_id, target_type=watched.target_type, gone_at=None)
    tags = watched.tags if isinstance(watched.tags, list) else []
    shared = [
        {"name": one["name"], "value": one.get("value")} for one in tags if isinstance(one, dict) and "name" in one
    ]
    if shared:
        rows = rows.filter(tags__contains=shared)
    return rows.exclude(pk=watched.pk).select_related("source__team").order_by("label", "pk")


def carriable(command: Command) -> tuple[tuple[Edit, ...], tuple[Edit, ...]]:
    """(what of a command's change can be carried, what cannot)."""
    kind = CommandKind(command.kind)
    if kind not in KINDS:
        return (), ()
    found = chosen(kind, command.body, command.read)
    return (
        tuple(one for one in found if one.field.shape not in _OWN),
        tuple(one for one in found if one.field.shape in _OWN),
    )


def carried(kind: CommandKind, changes: Sequence[Edit], rows: Iterable[Watched], now: datetime) -> Carried:
    """What the changes would make of each."""
    found = list(rows)
    names = _features(found, now) if any(one.field.shape is Shape.NAMES and one.field.known for one in changes) else {}
    steps, left = [], []
    for watched, shown in payloads(found, now):
        step, why = _step(kind, changes, watched, shown.get(kind, {}), names.get(watched.pk, ()))
        if step is not None:
            steps.append(step)
        else:
            left.append((watched, why))
    return Carried(tuple(steps), tuple(left))


def _step(
    kind: CommandKind, changes: Sequence[Edit], watched: Watched, present: Payload, features: tuple[str, ...]
) -> tuple[Step | None, str]:
    """The step, or why there is none."""
    if not present:
        return None, "its settings were not read from the source yet"
    known = Known(features=features, categorical=features)
    wanted = {one.field.path: _wanted(one, present) for one in changes}
    for one in changes:
        before = value_at(present, one.field.path)
        strange = unknown_names(one.field, wanted[one.field.path], known, before if isinstance(before, list) else ())
        if strange:
            return None, f"its model has no feature {', '.join(strange[:4])}"
    made = edits([one.field for one in changes], present, wanted)
    if not made:
        return None, "it is so already"
    return Step(watched, kind, present, made, loosenings(kind, present, made)), ""


def _wanted(change: Edit, present: Payload) -> Any:
    """The value after the same change: of lists what was added and taken out, of anything else the new value."""
    if change.field.shape is not Shape.NAMES:
        return change.after
    before, after = _list(change.before), _list(change.after)
    now = _list(value_at(present, change.field.path))
    gone = [name for name in before if name not in after]
    kept = [name for name in now if name not in gone]
    return kept + [name for name in after if name not in before and name not in kept]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _features(rows: Sequence[Watched], now: datetime) -> Mapping[int, tuple[str, ...]]:
    """The names of the features of each, as far as its source has told them."""
    known = snapshots.read_many({row.pk: (q.features(),) for row in rows}, now=now)
    found = {}
    for row in rows:
        data = known[row.pk].payload(q.features()).get("data")
        entries = data if isinstance(data, list) else []
        found[row.pk] = tuple(str(one["name"]) for one in entries if isinstance(one, dict) and one.get("name"))
    return found
