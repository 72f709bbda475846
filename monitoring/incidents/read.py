"""What lists show of incidents, in one statement however many rows they have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from monitoring.models import Incident, IncidentKind, IncidentState, Severity


@dataclass(frozen=True, slots=True)
class Mark:
    """An open incident of a deployment, as a card or a row shows it."""

    id: int
    area: str
    state: IncidentState
    severity: Severity
    opened_at: datetime
    assignee: str
    snoozed_until: datetime | None
    fleet_id: int | None


def open_marks(watched_ids: Iterable[int], now: datetime) -> dict[int, tuple[Mark, ...]]:
    """The open incidents by deployment, worst first; deployments without one are left out."""
    rows = Incident.objects.open().filter(watched__in=list(watched_ids), kind=IncidentKind.DEPLOYMENT)
    found: dict[int, list[Mark]] = {}
    for row in rows.select_related("assignee").defer("reason", "evidence").worst_first():
        assert row.watched_id is not None
        found.setdefault(row.watched_id, []).append(mark_of(row, now))
    return {pk: tuple(marks) for pk, marks in found.items()}


def mark_of(row: Incident, now: datetime) -> Mark:
    """The mark of one incident; the assignee's name is "" where nobody has it."""
    person = row.assignee
    return Mark(
        id=row.pk,
        area=row.area,
        state=row.state(now),
        severity=Severity(row.severity),
        opened_at=row.opened_at,
        assignee=(person.get_full_name() or person.get_username()) if person is not None else "",
        snoozed_until=row.snoozed_until if row.is_snoozed(now) else None,
        fleet_id=row.parent_id,
    )
