"""From what a person wants to what is sent: edits of a section, and the smallest PATCH that brings them about. Pure.

A PATCH names every field of a group that it touches, as the source showed it, so that sources which replace groups and
sources which merge them end in the same state; `read` holds the same fields as the person saw them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from monitoring.configuration.fields import FIELDS, Field, Path
from monitoring.configuration.values import same, value_at
from monitoring.models import CommandKind

Payload = Mapping[str, Any]


@dataclass(frozen=True)
class Edit:
    """One field that is to change."""

    field: Field
    before: Any
    after: Any


def edits(fields: Iterable[Field], present: Payload, wanted: Mapping[Path, Any]) -> tuple[Edit, ...]:
    """The fields whose wanted value is not the present one; fields that are not named stay."""
    found = []
    for field in fields:
        before = value_at(present, field.path)
        if field.path in wanted and not same(before, wanted[field.path]):
            found.append(Edit(field, before, wanted[field.path]))
    return tuple(found)


def applied(present: Payload, changes: Iterable[Edit]) -> dict[str, Any]:
    """The answer as it would be after the changes; the given one stays as it is."""
    result = dict(present)
    for change in changes:
        _put(result, change.field.path, change.after)
    return result


def _put(into: dict[str, Any], path: Path, value: Any) -> None:
    if len(path) == 1:
        into[path[0]] = value
        return
    below = into.get(path[0])
    into[path[0]] = dict(below) if isinstance(below, Mapping) else {}
    _put(into[path[0]], path[1:], value)


def patch(kind: CommandKind, present: Payload, changes: Iterable[Edit]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(body, read) of the command that makes these changes: whole groups, and what the person saw of them."""
    changed = tuple(changes)
    after = applied(present, changed)
    touched = {change.field.path[0] for change in changed}
    named = {change.field.path for change in changed}
    body: dict[str, Any] = {}
    read: dict[str, Any] = {}
    for (of, path), _ in FIELDS.items():
        if of is not kind or path[0] not in touched:
            continue
        if len(path) == 1 and path not in named:
            continue
        if _has(after, path):
            _put(body, path, value_at(after, path))
        if _has(present, path):
            _put(read, path, value_at(present, path))
    return body, read


def _has(payload: Payload, path: Path) -> bool:
    found: Any = payload
    for part in path:
        if not isinstance(found, Mapping) or part not in found:
            return False
        found = found[part]
    return True


def differences(kind: CommandKind, before: Payload, after: Payload) -> tuple[Edit, ...]:
    """Every declared field that two answers differ in."""
    wanted = {path: value_at(after, path) for of, path in FIELDS if of is kind}
    return edits([field for (of, _), field in FIELDS.items() if of is kind], before, wanted)


def chosen(kind: CommandKind, body: Payload, read: Payload) -> tuple[Edit, ...]:
    """What a person changed by a command of this kind: the fields that it sends otherwise than they were read."""
    sent = {path: value_at(body, path) for of, path in FIELDS if of is kind and _has(body, path)}
    return edits([FIELDS[kind, path] for path in sent], read, sent)


def rebased(kind: CommandKind, body: Payload, read: Payload, present: Payload) -> tuple[dict[str, Any], dict[str, Any]]:
    """(body, read) of the same wishes over what stands there now: what others changed beside them stays theirs."""
    wishes = chosen(kind, body, read)
    fresh = edits([one.field for one in wishes], present, {one.field.path: one.after for one in wishes})
    return patch(kind, present, fresh)
