"""The fleet by team, tag, owner, importance, source or kind of target: worst status and counts of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import CharField, Count, F, Func, JSONField, Max, Q, QuerySet, Sum
from django.db.models.expressions import Combinable

from monitoring.models import Importance, Status, Watched
from monitoring.models.choices import SEVERITY

MOST_GROUPS = 100


class Grouping(StrEnum):
    """What the fleet can be grouped by. The value is also the name of the filter that shows one group."""

    TEAM = "team"
    TAG = "tag"
    OWNER = "owner"
    IMPORTANCE = "importance"
    SOURCE = "source"
    TYPE = "type"


@dataclass(frozen=True, slots=True)
class Group:
    """Deployments that have something in common. `key` is the filter's value; "" for those that lack it.

    A deployment with two tags or owners stands in two groups, so that counts of groups do not add up to the fleet's.
    """

    by: Grouping
    key: str
    label: str
    worst: Status
    counts: Mapping[str, int]
    rate: float

    @property
    def size(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Groups:
    """The worst groups first, and how many there are in all."""

    shown: tuple[Group, ...]
    total: int


class _Unrolled(Func):
    """The elements of a JSON array, one row each; one row with `null` for an empty array."""

    set_returning = True
    template = (
        "%(function)s(CASE WHEN jsonb_typeof(%(expressions)s) = 'array' AND %(expressions)s <> '[]'::jsonb"
        " THEN %(expressions)s ELSE '[null]'::jsonb END)"
    )


class _Elements(_Unrolled):
    function = "jsonb_array_elements"
    output_field = JSONField()


class _Texts(_Unrolled):
    function = "jsonb_array_elements_text"
    output_field = CharField()


_KEYS: Mapping[Grouping, tuple[Combinable, Combinable]] = {
    Grouping.TEAM: (F("source__team_id"), F("source__team__name")),
    Grouping.SOURCE: (F("source_id"), F("source__name")),
    Grouping.IMPORTANCE: (F("importance"), F("importance")),
    Grouping.TYPE: (F("target_type"), F("target_type")),
    Grouping.TAG: (_Elements(F("tags")), _Elements(F("tags"))),
    Grouping.OWNER: (_Texts(F("owners")), _Texts(F("owners"))),
}
_LACKING = {
    Grouping.TAG: "No tag",
    Grouping.OWNER: "No owner",
    Grouping.IMPORTANCE: "No importance set",
    Grouping.TYPE: "No kind of target told",
}


def groups(rows: QuerySet[Watched], by: Grouping) -> Groups:
    """The groups of these rows, worst first, then those with the most deployments in trouble: one statement."""
    key, label = _KEYS[by]
    counted = {f"n_{status.value}": Count("pk", filter=Q(worst=status)) for status in Status}
    found = (
        rows.order_by()
        .annotate(group_key=key, group_label=label)
        .values("group_key", "group_label")
        .annotate(top=Max("severity"), rate=Sum("predictions_per_day"), **counted)
    )
    every = [_group(by, row) for row in found]
    every.sort(key=lambda group: group.label.lower())
    every.sort(key=lambda group: (group.worst.severity, *_trouble(group), group.size), reverse=True)
    return Groups(tuple(every[:MOST_GROUPS]), len(every))


def _trouble(group: Group) -> tuple[int, int]:
    return group.counts[Status.FAILING], group.counts[Status.WARNING]


def _group(by: Grouping, row: Mapping[str, Any]) -> Group:
    counts = {status: row[f"n_{status}"] for status in SEVERITY}
    worst = max((status for status in Status if counts[status.value]), key=lambda status: status.severity)
    key, label = _named(by, row["group_key"], row["group_label"])
    return Group(by, key, label, worst, counts, row["rate"] or 0.0)


def _named(by: Grouping, key: Any, label: Any) -> tuple[str, str]:
    if by is Grouping.TAG and isinstance(key, dict):
        name, value = str(key.get("name") or ""), str(key.get("value") or "")
        return (f"{name}={value}", f"{name}: {value}") if value else (f"{name}=", name)
    if key in (None, ""):
        return "", _LACKING[by]
    if by is Grouping.IMPORTANCE and key in Importance.values:
        return str(key), str(Importance(key).label)
    return str(key), str(label)
