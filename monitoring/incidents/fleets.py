"""One cause, one incident: what opens together from one cause becomes a fleet incident, which alone is told.

Its facts follow from those of its members. Members are opened, judged and resolved as ever; only their alerts are held.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from monitoring.incidents import record
from monitoring.incidents.causes import Cause, Suspect, alike, group
from monitoring.incidents.machine import DEGREE
from monitoring.incidents.rows import Member, Round, course_of, put_course
from monitoring.models import EventKind, Incident, IncidentKind, IncidentTrack, Severity, Status


def gather(found: Round) -> None:
    """Groups what opened in this round, then brings every touched fleet incident in line with its members."""
    fresh = [pair for pair in found.opening if pair[1].watched_id is not None]
    suspects: list[Suspect] = []
    if fresh:
        suspects = _suspects(found, fresh)
        _group(found, suspects)
    touched = {row.parent_id for row in found.touched.values() if row.parent_id is not None}
    touched |= {row.pk for row in found.fleets.values() if row.check_at is not None and row.check_at <= found.now}
    if touched:
        _bring_in_line(found, touched, suspects)


def _suspects(found: Round, fresh: Sequence[tuple[IncidentTrack, Incident]]) -> list[Suspect]:
    """All areas in trouble that belong to no fleet incident: those that open now, and from the table the others."""
    opening = {incident.pk for _, incident in fresh}
    began = min(incident.began_at for _, incident in fresh) - found.policy.fleet_window
    rows = IncidentTrack.objects.filter(
        watched__source__team=found.team_id, trouble_since__gte=began, watched__gone_at=None
    ).exclude(incident__parent__isnull=False, incident__resolved_at=None)
    known = {(track.watched_id, track.area): track for track in rows.select_related("incident")}
    known.update({slot: track for slot, track in found.tracks.items() if track.trouble_since is not None})
    return [one for number, track in enumerate(known.values()) if (one := _suspect(found, track, number, opening))]


def _suspect(found: Round, track: IncidentTrack, number: int, opening: Collection[int]) -> Suspect | None:
    """None for a member of an open fleet incident. A pending one, which has no incident, gets a number below 0."""
    incident = found.incidents.get(track.incident_id) if track.incident_id is not None else None
    incident = incident or track.incident
    if incident is not None and not incident.is_open:
        incident = None
    if incident is not None:
        found.incidents.setdefault(incident.pk, incident)
        if incident.parent_id is not None:
            return None
    assert track.watched_id is not None
    assert track.trouble_since is not None
    return Suspect(
        id=incident.pk if incident is not None else -number - 1,
        watched_id=track.watched_id,
        causes=[Cause(*cause) for cause in track.causes],
        since=track.trouble_since,
        opens=incident is not None and incident.pk in opening,
    )


def _group(found: Round, suspects: Sequence[Suspect]) -> None:
    newest, window = _newest(found), found.policy.fleet_window
    chosen = group(suspects, newest, size=found.policy.fleet_size, window=window)
    by_id = {one.id: one for one in suspects}
    for pk, cause in chosen.items():
        one, first = by_id[pk], found.incidents[pk]
        if first.parent_id is not None:
            continue  # taken in by the one before
        last, fleet = newest.get(cause.key), found.fleets.get(cause.key)
        joins = fleet is not None and last is not None and one.since - last <= window
        if fleet is None or last is None:
            fleet = _open(found, cause, first)
        elif not joins:
            fleet.told_size = 0  # a second wave is news, however many there were before
        for member in [one] if joins else alike(suspects, cause.key, one.since, window):
            _join(found, fleet, member)
        newest[cause.key] = datetime.fromisoformat(fleet.evidence["newest"])


def _newest(found: Round) -> dict[str, datetime]:
    """Open fleet incidents by cause, with the time at which the trouble of the newest member began."""
    return {
        cause: datetime.fromisoformat(row.evidence["newest"])
        for cause, row in found.fleets.items()
        if row.is_open and "newest" in row.evidence
    }


def _open(found: Round, cause: Cause, first: Incident) -> Incident:
    """A new fleet incident, or the former one of the same cause if that closed a short while ago."""
    fleet = found.fleets.get(cause.key)
    kind = EventKind.OPENED
    if fleet is None:
        fleet = Incident(kind=IncidentKind.FLEET, team_id=found.team_id, cause=cause.key, worst=Status.PASSING)
        fleet.began_at, fleet.severity, fleet.status = first.began_at, first.severity, first.status
        fleet.evidence = {"cause": cause.words}
    else:
        kind = EventKind.REOPENED
        fleet.resolved_at = fleet.resolved_by = fleet.acknowledged_at = fleet.acknowledged_by = None
        fleet.first_told_at = fleet.escalated_at = None
        fleet.reopened += 1
    fleet.opened_at = fleet.status_since = found.now
    fleet.evidence = {**fleet.evidence, "cause": cause.words, "newest": first.began_at.isoformat()}
    if fleet._state.adding:
        fleet.save()
    found.fleets[cause.key] = found.incidents[fleet.pk] = fleet
    found.events.append(record.event(fleet, kind, found.now, text=cause.words))
    found.touch(fleet, moved=True)
    return fleet


def _join(found: Round, fleet: Incident, one: Suspect) -> None:
    """An open incident becomes a member; a pending one will once it opens."""
    incident = found.incidents.get(one.id)
    if incident is None or incident.parent_id is not None:
        return
    incident.parent = fleet
    newest = max(datetime.fromisoformat(fleet.evidence["newest"]), one.since)
    fleet.evidence = {**fleet.evidence, "newest": newest.isoformat()}
    found.events.append(
        record.event(incident, EventKind.JOINED, found.now, fleet=fleet.pk, text=fleet.evidence["cause"])
    )
    found.touch(incident)
    found.touch(fleet)


def _bring_in_line(found: Round, ids: set[int], suspects: Sequence[Suspect]) -> None:
    members: dict[int, dict[int, Member]] = {pk: {} for pk in ids}
    stored = Incident.objects.filter(parent__in=ids).open().values_list("parent_id", "pk", *Member._fields)
    for parent_id, pk, *facts in stored:
        members[parent_id][pk] = Member(*facts)
    for row in found.touched.values():
        if row.parent_id in members:
            members[row.parent_id].pop(row.pk, None)
            if row.is_open:
                members[row.parent_id][row.pk] = Member(*(getattr(row, name) for name in Member._fields))
    for pk in sorted(ids):
        fleet = found.incidents[pk]
        if fleet.is_open:
            found.members[pk] = list(members[pk].values())
            _follow(found, fleet, found.members[pk], _waiting(fleet, suspects, found))
            found.touch(fleet)


def _waiting(fleet: Incident, suspects: Sequence[Suspect], found: Round) -> int:
    """Pending ones that will join: they count for what is told, so that a slow start is told once."""
    newest = datetime.fromisoformat(fleet.evidence["newest"])
    pending = [one for one in suspects if one.id < 0]
    return len({one.watched_id for one in alike(pending, fleet.cause, newest, found.policy.fleet_window)})


def _follow(found: Round, fleet: Incident, open_: Sequence[Member], waiting: int) -> None:
    """Worst of its open members; over once there is none."""
    if not open_:
        _close(found, fleet)
        return
    status = max((Status(row.status) for row in open_), key=lambda status: DEGREE[status])
    recovering = [row.recovering_since for row in open_ if row.recovering_since is not None]
    dark = [row.dark_since for row in open_ if row.dark_since is not None]
    fleet.recovering_since = max(recovering) if len(recovering) == len(open_) else None
    fleet.dark_since = max(dark) if len(dark) == len(open_) else None
    if fleet.status != status:
        fleet.status, fleet.status_since = status, found.now
    fleet.worst = max(Status(fleet.worst), status, key=lambda one: DEGREE[one])
    severity = Severity(max(row.severity for row in open_))
    if fleet.told_size and severity > fleet.severity:
        fleet.told_size = 0  # somebody important has joined: that is news
    fleet.severity = max(fleet.severity, severity)
    fleet.began_at = min(row.began_at for row in open_)
    fleet.size = len({row.watched_id for row in open_}) + waiting
    fleet.evidence = {**fleet.evidence, "deployments": fleet.size}
    cause = fleet.evidence["cause"]
    fleet.reason = f"{fleet.size} {'deployment' if fleet.size == 1 else 'deployments'} in trouble: {cause}."


def _close(found: Round, fleet: Incident) -> None:
    put_course(
        fleet,
        replace(course_of(fleet), resolved_at=found.now, recovering_since=None, dark_since=None, snoozed_until=None),
    )
    fleet.snoozed_by, fleet.snoozed_why, fleet.snoozed_status = None, "", ""
    fleet.size = 0
    fleet.reason = f"All deployments are well again: {fleet.evidence['cause']}."
    found.events.append(record.event(fleet, EventKind.RESOLVED, found.now))
    found.touch(fleet, moved=True)
