"""What people do about an incident. Pages and links in mails call these; whoever calls has checked the person's role.

Each takes the person and the time, locks the incident, leaves a line on its timeline, and does nothing when there is
nothing to do (asked twice, or the incident is over). An action on a fleet incident holds for all its members.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from monitoring.incidents import record
from monitoring.incidents.locks import lock_team
from monitoring.incidents.machine import Memory, dismiss
from monitoring.models import (
    EventKind,
    Incident,
    IncidentEvent,
    IncidentNotice,
    IncidentTrack,
    Membership,
    NoticeKind,
)

#: Nobody is silenced for longer than this at once.
LONGEST_SNOOZE = timedelta(days=30)
LONGEST_NOTE = 5000


class ActionRefused(ValueError):
    """What was asked cannot be done; `field` names the form field that is at fault."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def acknowledge(incident: Incident, person: Any, now: datetime) -> bool:
    """Somebody has seen it: escalation stops and reminders come weekly. True if it was not acknowledged before."""

    def step(row: Incident) -> list[IncidentEvent]:
        if not row.is_open or row.acknowledged_at is not None:
            return []
        row.acknowledged_at, row.acknowledged_by = now, person
        return [record.event(row, EventKind.ACKNOWLEDGED, now, by=person)]

    return _each(incident, step, now)


def assign(incident: Incident, person: Any, now: datetime, *, to: Any) -> bool:
    """Gives it to a member of its team, or to nobody (None). Raises ActionRefused for a stranger."""
    if to is not None and not Membership.objects.filter(team=incident.team_id, user=to).exists():
        raise ActionRefused("assignee", f"{to} is not in the team of this incident.")

    def step(row: Incident) -> list[IncidentEvent]:
        if row.assignee_id == (to.pk if to is not None else None):
            return []
        row.assignee = to
        text = f"Assigned to {name_of(to)}." if to is not None else "Assigned to nobody."
        return [record.event(row, EventKind.ASSIGNED, now, by=person, text=text, to=to.pk if to else None)]

    return _each(incident, step, now)


def note(incident: Incident, person: Any, now: datetime, *, text: str) -> bool:
    """Adds a note, whether the incident is open or not. The same person's same note within a minute counts once."""
    words = text.strip()
    if not words:
        raise ActionRefused("text", "Write something.")
    if len(words) > LONGEST_NOTE:
        raise ActionRefused("text", f"A note has at most {LONGEST_NOTE:,} characters.")

    def step(row: Incident) -> list[IncidentEvent]:
        same = row.events.filter(kind=EventKind.NOTE, by=person, text=words, at__gt=now - timedelta(minutes=1))
        return [] if same.exists() else [record.event(row, EventKind.NOTE, now, by=person, text=words)]

    return _one(incident, step, now)


def snooze(incident: Incident, person: Any, now: datetime, *, until: datetime, why: str = "") -> bool:
    """Nothing is told until then, unless it gets worse or is resolved. Raises ActionRefused for a bad end."""
    if until <= now:
        raise ActionRefused("until", "The end of a snooze lies ahead.")
    if until - now > LONGEST_SNOOZE:
        raise ActionRefused("until", f"A snooze lasts at most {LONGEST_SNOOZE.days} days.")

    def step(row: Incident) -> list[IncidentEvent]:
        reason = why.strip()[:300]
        if not row.is_open or (row.snoozed_until == until and row.snoozed_why == reason):
            return []
        row.snoozed_until, row.snoozed_by, row.snoozed_why = until, person, reason
        row.snoozed_status = row.status
        return [record.event(row, EventKind.SNOOZED, now, by=person, text=reason, until=until.isoformat())]

    return _each(incident, step, now)


def unsnooze(incident: Incident, person: Any, now: datetime) -> bool:
    """Ends the snooze before its time."""

    def step(row: Incident) -> list[IncidentEvent]:
        if not row.is_snoozed(now):
            return []
        end_snooze(row)
        return [record.event(row, EventKind.UNSNOOZED, now, by=person)]

    return _each(incident, step, now)


def resolve(incident: Incident, person: Any, now: datetime, *, why: str = "") -> bool:
    """Closes it by hand. The same trouble opens it again only if it gets worse, or was gone in between."""

    def step(row: Incident) -> list[IncidentEvent]:
        if not row.is_open:
            return []
        row.resolved_at, row.resolved_by, row.recovering_since, row.dark_since = now, person, None, None
        end_snooze(row)
        return [record.event(row, EventKind.RESOLVED, now, by=person, text=why.strip()[:LONGEST_NOTE])]

    with transaction.atomic():
        done = _lock(incident)
        closed = [row for row in done if row.is_open]
        changed = _apply(done, step, now)
        _dismiss(closed, now)
        told = [record.notice(row, NoticeKind.RESOLVED, now, by=name_of(person)) for row in closed if row.told]
        Incident.objects.bulk_update(closed, ["decisions", "told", "told_at"])
        _close_empty_fleets(closed, now)
        IncidentNotice.objects.bulk_create(told)
    _refresh(incident)
    return changed


def end_snooze(row: Incident) -> None:
    """Takes the snooze off; the row is not saved."""
    row.snoozed_until, row.snoozed_by, row.snoozed_why, row.snoozed_status = None, None, "", ""


def name_of(person: Any) -> str:
    """How a person is called in sentences."""
    return (person.get_full_name() or person.get_username()) if person is not None else "Vitals"


# --- How an action is carried out ---------------------------------------------------------------------------------

_CHANGED = (
    *("acknowledged_at", "acknowledged_by", "assignee", "resolved_at", "resolved_by", "recovering_since", "dark_since"),
    *("snoozed_until", "snoozed_by", "snoozed_why", "snoozed_status", "check_at"),
)
Step = Callable[[Incident], list[IncidentEvent]]


def _each(incident: Incident, step: Step, now: datetime) -> bool:
    """The step for the incident and, if it is one of a fleet, for its open members."""
    with transaction.atomic():
        changed = _apply(_lock(incident), step, now)
    _refresh(incident)
    return changed


def _one(incident: Incident, step: Step, now: datetime) -> bool:
    with transaction.atomic():
        changed = _apply(_lock(incident)[:1], step, now)
    _refresh(incident)
    return changed


def _lock(incident: Incident) -> list[Incident]:
    """The incident first, then its open members, under the lock that the engine takes too."""
    lock_team(incident.team_id)
    ids = [incident.pk, *Incident.objects.filter(parent=incident.pk).open().values_list("pk", flat=True)]
    rows = list(Incident.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
    return sorted(rows, key=lambda row: row.pk != incident.pk)


def _apply(rows: Sequence[Incident], step: Step, now: datetime) -> bool:
    events = [made for row in rows for made in step(row)]
    acted = {made.incident_id for made in events}
    for row in rows:
        row.check_at = now if row.is_open and row.pk in acted else row.check_at  # the engine sets its timers anew
    Incident.objects.bulk_update(rows, _CHANGED)
    IncidentEvent.objects.bulk_create(events)
    return bool(events)


def _dismiss(closed: Sequence[Incident], now: datetime) -> None:
    """The state machine learns that a person closed them."""
    tracks = list(IncidentTrack.objects.select_for_update().filter(incident__in=closed).order_by("pk"))
    for track in tracks:
        track.state, track.check_at = dismiss(Memory.from_json(track.state), now).to_json(), None
    IncidentTrack.objects.bulk_update(tracks, ["state", "check_at"])


def _close_empty_fleets(closed: Sequence[Incident], now: datetime) -> None:
    """A fleet incident whose last member was closed by hand is looked at by the engine at once."""
    parents = {row.parent_id for row in closed if row.parent_id is not None}
    Incident.objects.open().filter(pk__in=parents).update(check_at=now)


def _refresh(incident: Incident) -> None:
    """The caller's own row shows what was done."""
    incident.refresh_from_db()
