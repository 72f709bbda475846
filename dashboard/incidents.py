"""How incidents are named and told on pages: one line for lists, rows of the fleet and heads of deployments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from dashboard.charts import words
from monitoring.incidents.past import as_known, was_open
from monitoring.models import Area, EventKind, Incident, IncidentEvent, IncidentKind, IncidentState

#: States in which somebody still has to answer.
WAITING = frozenset({IncidentState.OPEN})


@dataclass(frozen=True)
class Line:
    """One incident on a list."""

    incident: Incident
    title: str
    state: IncidentState
    who: str
    since: str
    lasting: str
    affected: str
    snoozed: bool
    members: int = 0

    @property
    def number(self) -> int:
        return self.incident.pk

    @property
    def waiting(self) -> bool:
        return self.state in WAITING and not self.who

    @property
    def words(self) -> str:
        """`Acknowledged`, `Snoozed to Fri 26 Jul 09:00`, `Nobody yet`."""
        if self.waiting:
            return "Nobody yet"
        return self.who or self.state.label


def lines(rows: Iterable[Incident], zone: tzinfo, now: datetime, members: dict[int, int] | None = None) -> list[Line]:
    """Rows as they are listed."""
    return [line(row, zone, now, (members or {}).get(row.pk, 0)) for row in rows]


def line(row: Incident, zone: tzinfo, now: datetime, members: int = 0) -> Line:
    state = row.state(now)
    ended = row.resolved_at or now
    return Line(
        incident=row,
        title=title(row),
        state=state,
        who=person(row.assignee) or (person(row.acknowledged_by) if row.acknowledged_at else ""),
        since=words.stamp(row.began_at, zone, now),
        lasting=words.duration(ended - row.began_at),
        affected=f"≈ {words.compact(row.predictions_affected)}" if row.predictions_affected >= 1 else words.NONE,
        snoozed=row.is_snoozed(now),
        members=members,
    )


def title(row: Incident) -> str:
    """`Flight delayed: data drift`, `Source ops-east does not answer`, `Drift of carrier in 4 deployments`."""
    area = area_words(row.area)
    if row.kind == IncidentKind.SOURCE:
        return f"Source {row.source.name if row.source else ''} does not answer"
    if row.kind == IncidentKind.FLEET:
        told = row.evidence.get("cause") if isinstance(row.evidence, dict) else ""
        cause = str(told or area or "one cause")
        return f"{cause[:1].upper()}{cause[1:]} in {words.count(row.size, 'deployment')}"
    name = row.watched.label if row.watched else "A deployment"
    return f"{name}: {area}" if area else name


def area_words(area: str) -> str:
    """`data drift`; empty for none."""
    return Area(area).label.lower() if area in Area.values else area.replace("_", " ")


def person(user: object) -> str:
    """A person's name; empty for nobody."""
    if user is None:
        return ""
    return str(user.get_full_name() or user.get_username())  # type: ignore[attr-defined]


def open_by_deployment(
    watched_ids: Sequence[int], zone: tzinfo, now: datetime, as_of: datetime | None = None
) -> dict[int, list[Line]]:
    """The open incidents of deployments, or those that were open then, worst first each: one statement (two)."""
    rows = Incident.objects.filter(was_open(as_of)).filter(watched__in=watched_ids).worst_first()
    listed: Iterable[Incident] = rows.select_related("assignee", "acknowledged_by", "watched")
    if as_of is not None:
        listed = [row for row in as_known(list(listed), as_of) if row.is_open]
    found: dict[int, list[Line]] = {}
    for row in listed:
        assert row.watched_id is not None
        found.setdefault(row.watched_id, []).append(line(row, zone, now))
    return found


@dataclass(frozen=True)
class Step:
    """One line of a timeline."""

    at: datetime
    fact: str
    by: str
    text: str
    status: str
    is_note: bool


_STATUS = {
    EventKind.OPENED: "",
    EventKind.REOPENED: "",
    EventKind.WORSE: "",
    EventKind.RELAPSED: "",
    EventKind.RESOLVED: "passing",
    EventKind.RECOVERING: "passing",
    EventKind.DARK: "unavailable",
}


def step(event: IncidentEvent, incident: Incident) -> Step:
    """An event as it is told; status changes have an icon, everything else a dot."""
    kind = EventKind(event.kind)
    status = _STATUS.get(kind)
    if status == "":
        told = event.data.get("status") if isinstance(event.data, dict) else None
        status = str(told or incident.worst)
    return Step(event.at, kind.label, person(event.by), event.text, status or "", kind is EventKind.NOTE)
