"""Incidents as they were known at a moment of the past: what happened to them later is taken away."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils.dateparse import parse_datetime

from monitoring.models import EventKind, Incident, IncidentEvent, Status

_VERDICTS = (EventKind.OPENED, EventKind.REOPENED, EventKind.WORSE, EventKind.BETTER, EventKind.RELAPSED)


def was_open(as_of: datetime | None) -> Q:
    """Open now, or at that moment."""
    if as_of is None:
        return Q(resolved_at__isnull=True)
    return Q(opened_at__lte=as_of) & (Q(resolved_at__isnull=True) | Q(resolved_at__gt=as_of))


def was_resolved(as_of: datetime | None) -> Q:
    """Resolved by now, or by then."""
    return Q(resolved_at__isnull=False) if as_of is None else Q(resolved_at__lte=as_of)


def as_known(rows: Sequence[Incident], then: datetime) -> list[Incident]:
    """The rows with the facts of then, from their timelines: one statement, two with people. They must not be saved."""
    events: dict[int, list[IncidentEvent]] = {}
    for event in (
        IncidentEvent.objects.filter(incident__in=rows, at__lte=then).select_related("by").order_by("at", "pk")
    ):
        events.setdefault(event.incident_id, []).append(event)
    people = User.objects.in_bulk(
        {pk for told in events.values() for one in told if (pk := _given_to(one)) is not None}
    )
    for row in rows:
        _put_back(row, events.get(row.pk, []), people, then)
    return list(rows)


def _given_to(event: IncidentEvent) -> int | None:
    to = event.data.get("to") if event.kind == EventKind.ASSIGNED and isinstance(event.data, dict) else None
    return to if isinstance(to, int) else None


def _put_back(row: Incident, events: Sequence[IncidentEvent], people: dict[int, User], then: datetime) -> None:
    """Facts that have an event follow from events; the others are kept where they are as old as that."""
    if row.resolved_at is not None and row.resolved_at > then:
        row.resolved_at, row.resolved_by = None, None
    for name in ("recovering_since", "dark_since", "flapping_since"):
        since = getattr(row, name)
        setattr(row, name, since if since is not None and since <= then else None)
    if not events:
        return
    row.assignee, row.snoozed_until = None, None
    row.acknowledged_at, row.acknowledged_by = None, None
    seen: list[Status] = []
    for event in events:
        _play(row, event, people)
        if event.kind in _VERDICTS and event.data.get("status") in Status.values:
            seen.append(Status(event.data["status"]))
            row.reason = event.text or row.reason
    if seen:
        row.status, row.worst = seen[-1], max(seen, key=lambda status: status.severity)


def _play(row: Incident, event: IncidentEvent, people: dict[int, User]) -> None:
    if event.kind == EventKind.ASSIGNED:
        row.assignee = people.get(_given_to(event) or 0)
    elif event.kind == EventKind.ACKNOWLEDGED:
        row.acknowledged_at, row.acknowledged_by = event.at, event.by
    elif event.kind == EventKind.SNOOZED:
        row.snoozed_until = parse_datetime(str(event.data.get("until", "")))
    elif event.kind == EventKind.UNSNOOZED:
        row.snoozed_until = None
    elif event.kind == EventKind.RESOLVED:
        row.resolved_at, row.resolved_by, row.snoozed_until = event.at, event.by, None
    elif event.kind == EventKind.REOPENED:
        row.resolved_at, row.resolved_by = None, None
        row.acknowledged_at, row.acknowledged_by = None, None
