"""From stored verdicts to incidents and notices: the rows that follow from the pure rules, one team at a time.

`settle` reads what is stored (`AreaHealth`, `Source.silent_since`) and brings tracks and incidents in line with it. It
is called in the transaction that wrote verdicts, and again by a timer; run twice, or by two workers, it finds nothing
left to do, and what a killed transaction left undone is still to be seen by the next run.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from monitoring.incidents import course as courses
from monitoring.incidents import fleets, record
from monitoring.incidents.affected import served
from monitoring.incidents.causes import causes_of
from monitoring.incidents.locks import lock_team
from monitoring.incidents.machine import Memory, Move, due_at, next_state
from monitoring.incidents.policy import Policy
from monitoring.incidents.rows import Round, course_of, load, put_course
from monitoring.incidents.tell import tell
from monitoring.models import (
    Area,
    AreaHealth,
    EventKind,
    Incident,
    IncidentEvent,
    IncidentKind,
    IncidentNotice,
    IncidentTrack,
    Source,
    Status,
)

_GONE = "The source no longer lists the deployment."
_LEFT_OUT = "The team no longer watches the deployment."
_UNREACHED = "The source cannot be reached."


def settle(team_id: int, now: datetime, watched_ids: Collection[int] = ()) -> None:
    """Brings the incidents of these deployments, and whatever else of the team is due, in line with what is stored."""
    with transaction.atomic():
        lock_team(team_id)
        found = load(team_id, watched_ids, now)
        for (pk, area), health in found.health.items():
            if pk in watched_ids or (pk, area) in found.tracks:
                _area(found, health)
        for source in found.sources.values():
            _source(found, source)
        _create(found)
        fleets.gather(found)
        tell(found)
        _write(found)


# --- One subject --------------------------------------------------------------------------------------------------


def _area(found: Round, health: AreaHealth) -> None:
    """Plays the machine of one area up to now, with the stored verdict as what is seen."""
    watched = found.watched[health.watched_id]
    track = found.tracks.get((watched.pk, health.area))
    if track is None:
        track = IncidentTrack(watched=watched, area=health.area, status=Status.UNKNOWN)
        found.tracks[watched.pk, health.area] = track
    memory = Memory.from_json(track.state)
    if watched.gone_at is not None:
        _end(found, track, memory, _LEFT_OUT if watched.left_out_at is not None else _GONE)
        return
    silent, policy = watched.source.silent_since, found.policy.for_area(health.area)
    seen, at = Status(health.status), max(health.since, memory.at or health.since)
    if memory.dark_since is not None and seen.is_verdict:
        at = max(at, health.judged_at)  # what was known before it went dark is no news
        seen = seen if health.judged_at > memory.dark_since else memory.seen
    if silent is not None and due_at(memory, policy) is not None and health.judged_at <= silent:
        seen, at = Status.UNKNOWN, max(silent, memory.at or silent)
    _step(found, track, memory, policy, (seen, min(at, found.now)))
    if memory.trouble_since is None and Memory.from_json(track.state).trouble_since is not None:
        first = Memory.from_json(track.state).first
        causes = causes_of(watched, Area(health.area), health.evidence, health.since, first=first)
        track.causes = [list(cause) for cause in causes]


def _source(found: Round, source: Source) -> None:
    """A source that is switched on and does not answer is in trouble; one that is switched off is not missed."""
    silent = source.silent_since if source.enabled else None
    track = found.source_tracks.get(source.pk)
    if track is None:
        if silent is None:
            return
        track = IncidentTrack(source=source, status=Status.UNKNOWN)
        found.source_tracks[source.pk] = track
    memory = Memory.from_json(track.state)
    back = source.last_ok_at if source.last_ok_at is not None else found.now
    seen, at = (Status.FAILING, silent) if silent is not None else (Status.PASSING, back)
    at = max(at, memory.at or at)
    _step(found, track, memory, found.policy.for_source(), (seen, min(at, found.now)))


def _step(found: Round, track: IncidentTrack, memory: Memory, policy: Policy, seen: tuple[Status, datetime]) -> None:
    status, at = seen
    before = memory
    memory, moves = next_state(memory, status, at, policy)
    memory, later = next_state(memory, None, found.now, policy)
    for move in (*moves, *later):
        _move(found, track, memory, move)
    track.status, track.trouble_since, track.check_at = memory.seen, memory.trouble_since, due_at(memory, policy)
    if memory != before or track.pk is None:
        track.state = memory.to_json()
        found.changed.append(track)


def _move(found: Round, track: IncidentTrack, memory: Memory, move: Move) -> None:
    severity = found.severity(track, move.status)
    incident = found.incidents.get(track.incident_id) if track.incident_id is not None else track.incident
    opens = move.kind in (EventKind.OPENED, EventKind.REOPENED)
    if opens and (move.kind is EventKind.OPENED or incident is None):
        course = courses.opened(move, memory.trouble_since or move.at, severity)
        incident = _new(found, track)
        put_course(incident, course)
    elif incident is None:
        return  # its row was deleted; the machine goes on
    else:
        put_course(incident, courses.moved(course_of(incident), move, severity))
    if opens:
        incident.parent = None
        incident.acknowledged_by = None
        found.opening.append((track, incident))
    if move.kind is EventKind.RESOLVED:
        incident.snoozed_by, incident.snoozed_why = None, ""
    if opens or incident.reconstructed:
        incident.resolved_by, incident.reconstructed = None, False
    _say(found, track, incident)
    text = incident.reason if move.kind in _WITH_REASON else ""
    found.events.append(record.event(incident, move.kind, move.at, text=text, status=str(move.status)))
    found.touch(incident, moved=True)


_WITH_REASON = frozenset(
    {EventKind.OPENED, EventKind.REOPENED, EventKind.WORSE, EventKind.BETTER, EventKind.RELAPSED, EventKind.RECOVERING}
)


def _new(found: Round, track: IncidentTrack) -> Incident:
    watched = found.watched[track.watched_id] if track.watched_id is not None else None
    track.incident = Incident(
        kind=IncidentKind.DEPLOYMENT if watched is not None else IncidentKind.SOURCE,
        team_id=found.team_id,
        source_id=watched.source_id if watched is not None else track.source_id,
        watched=watched,
        area=track.area,
    )
    return track.incident


def _say(found: Round, track: IncidentTrack, incident: Incident) -> None:
    """The sentence and the evidence of the newest verdict."""
    if track.watched_id is not None:
        health = found.health[track.watched_id, track.area]
        incident.reason, incident.evidence = health.reason, health.evidence
    elif track.source_id is not None:
        source = found.sources[track.source_id]
        if source.silent_since is not None:
            incident.reason = source.last_error or _UNREACHED
            incident.evidence = {"errorKind": source.last_error_kind, "failures": source.failures}
        else:
            incident.reason = "The source answers again." if source.enabled else "The source was switched off."


def _end(found: Round, track: IncidentTrack, memory: Memory, why: str) -> None:
    """What is no longer there is in no trouble; should it come back, it is looked at as if for the first time."""
    incident = found.incidents.get(track.incident_id) if track.incident_id is not None else None
    if incident is not None and incident.is_open:
        move = Move(EventKind.RESOLVED, found.now, Status(incident.status))
        put_course(incident, courses.moved(course_of(incident), move, found.severity(track, move.status)))
        incident.reason = why
        found.events.append(record.event(incident, EventKind.RESOLVED, found.now, text=why))
        found.touch(incident, moved=True)
    closed = Memory(closed_at=found.now if memory.is_open else memory.closed_at)
    track.status, track.trouble_since, track.check_at = Status.UNKNOWN, None, None
    track.state = closed.to_json()
    found.changed.append(track)


# --- Writing ------------------------------------------------------------------------------------------------------


def _create(found: Round) -> None:
    """New incidents need their ids before anything can refer to them."""
    new = [row for row in found.touched.values() if row._state.adding]
    Incident.objects.bulk_create(new)
    found.incidents.update({row.pk: row for row in new})
    for track, incident in found.opening:
        track.incident = incident


_TRACK = ("incident", "status", "state", "causes", "trouble_since", "check_at")


def _write(found: Round) -> None:
    rows = list(found.touched.values())
    for row in rows:
        _count_served(found, row)
    if rows:
        names = [one.name for one in Incident._meta.concrete_fields if not one.primary_key]
        Incident.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["id"], update_fields=names, batch_size=2000
        )
    IncidentEvent.objects.bulk_create(found.events, batch_size=2000)
    IncidentNotice.objects.bulk_create(found.notices, batch_size=2000)
    for unique in (["watched", "area"], ["source"]):
        tracks = [track for track in found.changed if (track.source_id is not None) is (unique == ["source"])]
        if tracks:
            IncidentTrack.objects.bulk_create(
                tracks, update_conflicts=True, unique_fields=unique, update_fields=_TRACK, batch_size=2000
            )


def _count_served(found: Round, row: Incident) -> None:
    watched = found.watched.get(row.watched_id) if row.watched_id is not None else None
    if watched is not None:
        until = row.resolved_at or found.now
        row.predictions_affected = served(watched.daily_rates, row.began_at, until, known_at=found.now)
