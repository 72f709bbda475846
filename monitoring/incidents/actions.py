"""What people do about an incident. Pages and links in mails call these; whoever calls has checked the person's role.

Each takes the person and the time, locks the incident, leaves a line on its timeline and in the audit list (with the
address of `request`), and does nothing when there is nothing to do (asked twice, or the incident is over). An action on
a fleet incident holds for all its members.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from monitoring import audit
from monitoring.incidents import course as courses
from monitoring.incidents import record
from monitoring.incidents.locks import lock_team
from monitoring.incidents.machine import Memory, Move, dismiss
from monitoring.incidents.machine import reopen as open_again
from monitoring.incidents.rows import course_of, put_course
from monitoring.models import (
    Area,
    AuditAction,
    EventKind,
    Incident,
    IncidentEvent,
    IncidentKind,
    IncidentNotice,
    IncidentTrack,
    Membership,
    NoticeKind,
    Severity,
    Status,
)

From = HttpRequest | None
#: Nobody is silenced for longer than this at once.
LONGEST_SNOOZE = timedelta(days=30)
LONGEST_NOTE = 5000
#: What was closed longer ago is history.
REOPENED_WITHIN = timedelta(days=7)


class ActionRefused(ValueError):
    """What was asked cannot be done; `field` names the form field that is at fault."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def acknowledge(incident: Incident, person: Any, now: datetime, *, request: From = None) -> bool:
    """Somebody has seen it: escalation stops and reminders come weekly. True if it was not acknowledged before."""

    def step(row: Incident) -> list[IncidentEvent]:
        if not row.is_open or row.acknowledged_at is not None:
            return []
        row.acknowledged_at, row.acknowledged_by = now, person
        return [record.event(row, EventKind.ACKNOWLEDGED, now, by=person)]

    return _each(incident, step, now, request)


def assign(incident: Incident, person: Any, now: datetime, *, to: Any, request: From = None) -> bool:
    """Gives it to a member of its team, or to nobody (None). Raises ActionRefused for a stranger."""
    if to is not None and not Membership.objects.filter(team=incident.team_id, user=to).exists():
        raise ActionRefused("assignee", f"{to} is not in the team of this incident.")

    def step(row: Incident) -> list[IncidentEvent]:
        if row.assignee_id == (to.pk if to is not None else None):
            return []
        row.assignee = to
        text = f"Assigned to {name_of(to)}." if to is not None else "Assigned to nobody."
        return [record.event(row, EventKind.ASSIGNED, now, by=person, text=text, to=to.pk if to else None)]

    return _each(incident, step, now, request)


def note(incident: Incident, person: Any, now: datetime, *, text: str, request: From = None) -> bool:
    """Adds a note, whether the incident is open or not. The same person's same note within a minute counts once."""
    words = text.strip()
    if not words:
        raise ActionRefused("text", "Write something.")
    if len(words) > LONGEST_NOTE:
        raise ActionRefused("text", f"A note has at most {LONGEST_NOTE:,} characters.")

    def step(row: Incident) -> list[IncidentEvent]:
        same = row.events.filter(kind=EventKind.NOTE, by=person, text=words, at__gt=now - timedelta(minutes=1))
        return [] if same.exists() else [record.event(row, EventKind.NOTE, now, by=person, text=words)]

    return _one(incident, step, now, request)


def snooze(
    incident: Incident, person: Any, now: datetime, *, until: datetime, why: str = "", request: From = None
) -> bool:
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

    return _each(incident, step, now, request)


def unsnooze(incident: Incident, person: Any, now: datetime, *, request: From = None) -> bool:
    """Ends the snooze before its time."""

    def step(row: Incident) -> list[IncidentEvent]:
        if not row.is_snoozed(now):
            return []
        end_snooze(row)
        return [record.event(row, EventKind.UNSNOOZED, now, by=person)]

    return _each(incident, step, now, request)


def resolve(incident: Incident, person: Any, now: datetime, *, why: str = "", request: From = None) -> bool:
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
        changed = _apply(done, step, now, request)
        _dismiss(closed, now)
        told = [record.notice(row, NoticeKind.RESOLVED, now, by=name_of(person)) for row in closed if row.told]
        Incident.objects.bulk_update(closed, ["decisions", "told", "told_at"])
        _close_empty_fleets(closed, now)
        IncidentNotice.objects.bulk_create(told)
    _refresh(incident)
    return changed


def may_reopen(incident: Incident, now: datetime) -> bool:
    """Whether it is closed, one that stands for itself, and closed a short while ago."""
    closed = incident.resolved_at
    return closed is not None and incident.kind != IncidentKind.FLEET and now - closed <= REOPENED_WITHIN


def reopen(incident: Incident, person: Any, now: datetime, *, why: str, request: From = None) -> bool:
    """Opens a closed one again. Where all is well it recovers, and closes by itself once that has lasted.

    Raises ActionRefused without a reason, and for one that is too old, has a successor, or is no longer watched.
    """
    words = why.strip()[:LONGEST_NOTE]
    if not words:
        raise ActionRefused("why", "Say why it is opened again: the team reads it.")
    with transaction.atomic():
        row = _lock(incident)[0]
        if row.is_open:
            return False
        track, known = _track_of(row, now)
        memory = open_again(known, now, row.began_at)

        def step(row: Incident) -> list[IncidentEvent]:
            move = Move(EventKind.REOPENED, now, memory.verdict or Status(row.status))
            put_course(row, courses.moved(course_of(row), move, Severity(row.severity)))
            row.recovering_since, row.resolved_by, row.acknowledged_by = memory.well_since, None, None
            row.parent = row.parent if row.parent is not None and row.parent.is_open else None
            return [record.event(row, EventKind.REOPENED, now, by=person, text=words)]

        _apply([row], step, now, request)
        if row.parent_id is not None:
            Incident.objects.filter(pk=row.parent_id).update(check_at=now)
        track.state, track.check_at, track.trouble_since = memory.to_json(), now, memory.trouble_since
        track.save(update_fields=["state", "check_at", "trouble_since"])
    _refresh(incident)
    return True


def _track_of(row: Incident, now: datetime) -> tuple[IncidentTrack, Memory]:
    """What the state machine remembers of the incident, which must be the newest of its subject."""
    if not may_reopen(row, now):
        raise ActionRefused(
            "why", f"It stays closed: only single ones of the last {REOPENED_WITHIN.days} days open again."
        )
    track = IncidentTrack.objects.select_for_update(of=("self",)).filter(incident=row).first()
    memory = Memory.from_json(track.state) if track is not None else Memory()
    if track is None or memory.is_open:
        raise ActionRefused("why", "It stays closed: there is a newer incident of the same.")
    if memory.verdict is None or (row.watched is not None and row.watched.gone_at is not None):
        raise ActionRefused("why", "It stays closed: the deployment is no longer watched.")
    return track, memory


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
    *("status", "status_since", "reopened", "escalated_at", "first_told_at", "parent"),
)
_DEEDS = {
    EventKind.ACKNOWLEDGED: AuditAction.INCIDENT_ACKNOWLEDGED,
    EventKind.ASSIGNED: AuditAction.INCIDENT_ASSIGNED,
    EventKind.NOTE: AuditAction.INCIDENT_NOTED,
    EventKind.SNOOZED: AuditAction.INCIDENT_SNOOZED,
    EventKind.UNSNOOZED: AuditAction.INCIDENT_UNSNOOZED,
    EventKind.RESOLVED: AuditAction.INCIDENT_RESOLVED,
    EventKind.REOPENED: AuditAction.INCIDENT_REOPENED,
}
Step = Callable[[Incident], list[IncidentEvent]]


def _each(incident: Incident, step: Step, now: datetime, request: From) -> bool:
    """The step for the incident and, if it is one of a fleet, for its open members."""
    with transaction.atomic():
        changed = _apply(_lock(incident), step, now, request)
    _refresh(incident)
    return changed


def _one(incident: Incident, step: Step, now: datetime, request: From) -> bool:
    with transaction.atomic():
        changed = _apply(_lock(incident)[:1], step, now, request)
    _refresh(incident)
    return changed


def _lock(incident: Incident) -> list[Incident]:
    """The incident first, then its open members, under the lock that the engine takes too."""
    lock_team(incident.team_id)
    ids = [incident.pk, *Incident.objects.filter(parent=incident.pk).open().values_list("pk", flat=True)]
    rows = list(Incident.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
    return sorted(rows, key=lambda row: row.pk != incident.pk)


def _apply(rows: Sequence[Incident], step: Step, now: datetime, request: From) -> bool:
    before = [_facts(row) for row in rows]
    events = [made for row in rows for made in step(row)]
    acted = {made.incident_id for made in events}
    for row in rows:
        row.check_at = now if row.is_open and row.pk in acted else row.check_at  # the engine sets its timers anew
    Incident.objects.bulk_update(rows, _CHANGED)
    IncidentEvent.objects.bulk_create(events)
    if events:
        _write_down(events[0], before[rows.index(events[0].incident)], request)
    return bool(events)


def _facts(row: Incident) -> dict[str, Any]:
    return audit.facts(row, "acknowledged_at", "assignee", "snoozed_until", "snoozed_why", "resolved_at")


def _write_down(event: IncidentEvent, before: dict[str, Any], request: From) -> None:
    """One line in the audit list for what was done, however many members it holds for."""
    row = event.incident
    where = row.watched or row.source or row.cause
    about = f"incident {row.pk} ({where}{f', {Area(row.area).label.lower()}' if row.area else ''})"
    detail = {**audit.moved(before, _facts(row)), **event.data, **({"text": event.text} if event.text else {})}
    audit.note(_DEEDS[EventKind(event.kind)], event.by, team=row.team, about=about, detail=detail, request=request)


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
