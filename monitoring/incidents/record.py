"""The two rows that every step of an incident may leave: an event on its timeline, and a notice to be told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from monitoring.models import EventKind, Held, Incident, IncidentEvent, IncidentNotice, NoticeKind, Status


def event(
    incident: Incident, kind: EventKind, now: datetime, *, by: Any = None, text: str = "", **data: Any
) -> IncidentEvent:
    """An event that is not saved yet."""
    return IncidentEvent(incident=incident, at=now, kind=kind, by=by, text=text, data=data)


def notice(
    incident: Incident, kind: NoticeKind, now: datetime, *, held: Held | None = None, **data: Any
) -> IncidentNotice:
    """A notice that is not saved yet. The incident remembers what was told, and must be saved with it.

    A notice that is held tells nobody anything: it is handled from the start.
    """
    incident.decisions += 1
    made = IncidentNotice(
        incident=incident,
        kind=kind,
        key=f"{incident.pk}.{incident.decisions}.{kind}",
        at=now,
        status=incident.status,
        was=incident.told,
        severity=incident.severity,
        reason=incident.reason,
        evidence=incident.evidence,
        data=data,
        held=held or "",
        handled_at=now if held else None,
        outcome=f"Not told: {held.label.lower()}." if held else "",
    )
    if held is None:
        incident.told, incident.told_at = incident.status, now
        if kind is NoticeKind.ESCALATED:
            incident.escalated_at = now
        if kind is NoticeKind.RESOLVED:
            incident.told = Status.PASSING
    return made
