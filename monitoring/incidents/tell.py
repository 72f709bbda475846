"""Decides for every incident of a round what is to be told, and what keeps it from being told."""

from __future__ import annotations

from datetime import datetime, timedelta

from monitoring.incidents import course as courses
from monitoring.incidents import record, silences
from monitoring.incidents.course import Course
from monitoring.incidents.rows import Round, course_of, put_course
from monitoring.incidents.silences import Holding
from monitoring.models import (
    DeploymentStatus,
    EventKind,
    Held,
    Incident,
    IncidentKind,
    IncidentNotice,
    NoticeKind,
    Watched,
)

#: While a deployment is in one of these states its verdicts are recorded and nobody is written to.
CHANGING = frozenset({DeploymentStatus.LAUNCHING, DeploymentStatus.REPLACING, DeploymentStatus.STOPPING})
#: What is held back without a known end is looked at again after this.
AGAIN = timedelta(minutes=1)


def tell(found: Round) -> None:
    """Notices for what was touched and for what is due; the rows remember what was told."""
    for row in found.incidents.values():
        if row.is_open and row.check_at is not None and row.check_at <= found.now:
            found.touch(row)
    for row in sorted(found.touched.values(), key=lambda row: (row.kind != IncidentKind.FLEET, row.pk)):
        _tell(found, row)


def _tell(found: Round, row: Incident) -> None:
    course = course_of(row)
    held, holding = _held(found, row)
    kind = courses.what_to_tell(course, found.now, found.policy, held)
    if kind is not None:
        _refresh(found, row)
        found.notices.append(_notice(row, course, kind, found.now))
        snoozed = course.snoozed_until is not None
        course = courses.after_telling(course, kind, found.now)
        put_course(row, course)
        _say(found, row, kind, unsnoozed=snoozed and course.snoozed_until is None)
    elif held is not None and id(row) in found.moved:
        _hold(found, row, course, held, holding)
    row.check_at = _again(course, found, held, holding)


def _notice(row: Incident, course: Course, kind: NoticeKind, now: datetime, held: Held | None = None) -> IncidentNotice:
    snooze_ended = course.snoozed_until is not None and course.snoozed_until <= now
    return record.notice(
        row,
        kind,
        now,
        held=held,
        since=row.began_at.isoformat(),
        size=course.size,
        grown=kind is NoticeKind.WORSE and row.status == course.told,
        snoozeEnded=snooze_ended and kind is NoticeKind.STILL,
    )


def _refresh(found: Round, row: Incident) -> None:
    """What is told is the newest sentence, not that of the opening."""
    health = found.health.get((row.watched_id, row.area)) if row.watched_id is not None else None
    if health is not None and row.is_open and health.status == row.status:
        row.reason, row.evidence = health.reason, health.evidence


def _say(found: Round, row: Incident, kind: NoticeKind, *, unsnoozed: bool) -> None:
    if unsnoozed:
        row.snoozed_by, row.snoozed_why = None, ""
        found.events.append(record.event(row, EventKind.UNSNOOZED, found.now))
    if kind is NoticeKind.ESCALATED:
        found.events.append(record.event(row, EventKind.ESCALATED, found.now, text="Nobody acknowledged it."))


def _hold(found: Round, row: Incident, course: Course, held: Held, holding: Holding | None) -> None:
    """Says once for each turn of events what would have been told, and why it was not."""
    kind = courses.what_to_tell(course, found.now, found.policy)
    if kind is None:
        return
    found.notices.append(_notice(row, course, kind, found.now, held))
    if holding is not None:
        text = f"Alerts are held back: {holding.silence.reason}"
        data = {"silence": holding.silence.pk, "until": holding.until.isoformat()}
        found.events.append(record.event(row, EventKind.SILENCED, found.now, text=text, **data))


def _held(found: Round, row: Incident) -> tuple[Held | None, Holding | None]:
    if row.kind == IncidentKind.FLEET:
        return _held_fleet(found, row)
    fleet = found.incidents.get(row.parent_id) if row.parent_id is not None else None
    if fleet is not None and fleet.is_open:
        return Held.FLEET, None
    watched = found.watched.get(row.watched_id) if row.watched_id is not None else None
    holding = silences.over(found.silences, watched, row.source_id, row.area)
    if holding is not None:
        return Held.SILENCE, holding
    if watched is not None and watched.source.enabled and watched.source.silent_since is not None:
        return Held.SOURCE, None
    if watched is not None and watched.deployment_status in CHANGING:
        return Held.CHANGING, None
    return None, None


def _held_fleet(found: Round, row: Incident) -> tuple[Held | None, Holding | None]:
    """A fleet incident is silent only if every one of its open members is; held until the first of them is not."""
    members = found.members.get(row.pk)
    if not found.silences or not members:
        return None, None
    missing = {one.watched_id for one in members if one.watched_id is not None} - set(found.watched)
    found.watched.update({one.pk: one for one in Watched.objects.filter(pk__in=missing).select_related("source")})
    over = [
        silences.over(found.silences, found.watched.get(one.watched_id or 0), one.source_id, one.area)
        for one in members
    ]
    known = [one for one in over if one is not None]
    return (Held.SILENCE, min(known, key=lambda one: one.until)) if len(known) == len(over) else (None, None)


def _again(course: Course, found: Round, held: Held | None, holding: Holding | None) -> datetime | None:
    if course.resolved_at is not None or held is Held.FLEET:
        return None
    if held is None:
        return courses.tell_at(course, found.now, found.policy)
    return holding.until if holding is not None else found.now + AGAIN
