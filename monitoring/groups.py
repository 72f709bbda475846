"""The fleet by team, tag, owner, importance, source or kind of target: worst status and counts of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import CharField, Count, F, Func, JSONField, QuerySet, Sum
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


_KEYS: Mapping[Grouping, Combinable] = {
    Grouping.TEAM: F("source__team_id"),
    Grouping.SOURCE: F("source_id"),
    Grouping.IMPORTANCE: F("importance"),
    Grouping.TYPE: F("target_type"),
    Grouping.TAG: _Elements(F("tags")),
    Grouping.OWNER: _Texts(F("owners")),
}
_NAMES = {Grouping.TEAM: F("source__team__name"), Grouping.SOURCE: F("source__name")}
_LACKING = {
    Grouping.TAG: "No tag",
    Grouping.OWNER: "No owner",
    Grouping.IMPORTANCE: "No importance set",
    Grouping.TYPE: "No kind of target told",
}
#: What has few values in any fleet, and stands in one index.
PLAIN = (Grouping.TEAM, Grouping.SOURCE, Grouping.IMPORTANCE, Grouping.TYPE)


def groups(rows: QuerySet[Watched], by: Grouping) -> Groups:
    """The groups of these rows, worst first, then those with the most deployments in trouble: one statement."""
    return _groups(by, _counted(rows, (by,)))


def plain_groups(rows: QuerySet[Watched]) -> dict[Grouping, Groups]:
    """The groups by everything in `PLAIN`: one statement for all of them."""
    counted = list(_counted(rows, PLAIN))
    return {by: _groups(by, counted) for by in PLAIN}


def groups_then(rows: QuerySet[Watched], by: Grouping, worst: Mapping[int, Status]) -> Groups:
    """The same with the verdicts of another moment; deployments without one are left out. Their traffic is not known
    then, and what they are grouped by is of today.
    """
    names = {f"{by.value}_key": _KEYS[by]} | ({f"{by.value}_name": _NAMES[by]} if by in _NAMES else {})
    found = rows.filter(pk__in=list(worst)).order_by().annotate(**names).values("pk", *names)
    return _groups(by, ({**row, "worst": worst[row["pk"]].value, "n": 1, "rate": 0.0} for row in found))


def _counted(rows: QuerySet[Watched], by: Sequence[Grouping]) -> Iterable[Mapping[str, Any]]:
    """How many there are of each verdict, and their traffic, by every value of what is asked for."""
    names = {f"{one.value}_key": _KEYS[one] for one in by} | {
        f"{one.value}_name": _NAMES[one] for one in by if one in _NAMES
    }
    found = rows.order_by().annotate(**names).values("worst", *names)
    counted: Iterable[Mapping[str, Any]] = found.annotate(n=Count("pk"), rate=Sum("predictions_per_day"))
    return counted


def _groups(by: Grouping, counted: Iterable[Mapping[str, Any]]) -> Groups:
    counts: dict[tuple[str, str], dict[str, int]] = {}
    rates: dict[tuple[str, str], float] = {}
    for row in counted:
        key = row[f"{by.value}_key"]
        named = _named(by, key, row.get(f"{by.value}_name", key))
        of_group = counts.setdefault(named, dict.fromkeys(SEVERITY, 0))
        of_group[row["worst"]] += row["n"]
        rates[named] = rates.get(named, 0.0) + (row["rate"] or 0.0)
    every = [Group(by, *named, _worst(found), found, rates[named]) for named, found in counts.items()]
    every.sort(key=lambda group: group.label.lower())
    every.sort(key=lambda group: (group.worst.severity, *_trouble(group), group.size), reverse=True)
    return Groups(tuple(every[:MOST_GROUPS]), len(every))


def _worst(counts: Mapping[str, int]) -> Status:
    return max((Status(name) for name, n in counts.items() if n), key=lambda status: status.severity)


def _trouble(group: Group) -> tuple[int, int]:
    return group.counts[Status.FAILING], group.counts[Status.WARNING]


def _named(by: Grouping, key: Any, label: Any) -> tuple[str, str]:
    if by is Grouping.TAG and isinstance(key, dict):
        name, value = str(key.get("name") or ""), str(key.get("value") or "")
        return (f"{name}={value}", f"{name}: {value}") if value else (f"{name}=", name)
    if key in (None, ""):
        return "", _LACKING[by]
    if by is Grouping.IMPORTANCE and key in Importance.values:
        return str(key), str(Importance(key).label)
    return str(key), str(label)
