"""What one round of the engine reads: a fixed number of statements, however many deployments there are."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q

from monitoring.incidents import silences
from monitoring.incidents.course import Course
from monitoring.incidents.policy import Policy, policy_of
from monitoring.incidents.severity import severity_of
from monitoring.incidents.silences import Holding
from monitoring.models import (
    AlertPolicy,
    AreaHealth,
    Incident,
    IncidentEvent,
    IncidentKind,
    IncidentNotice,
    IncidentTrack,
    Severity,
    Source,
    Status,
    Watched,
)

Slot = tuple[int, str]


class Member(NamedTuple):
    """What a fleet incident follows of an open member."""

    watched_id: int | None
    source_id: int | None
    area: str
    status: str
    severity: int
    began_at: datetime
    recovering_since: datetime | None
    dark_since: datetime | None


@dataclass(slots=True)
class Round:
    """One team, now. What is written at its end is collected in `events`, `notices` and `touched`."""

    team_id: int
    now: datetime
    policy: Policy
    silences: list[Holding]
    tracks: dict[Slot, IncidentTrack]
    source_tracks: dict[int, IncidentTrack]
    incidents: dict[int, Incident]
    watched: dict[int, Watched]
    health: dict[Slot, AreaHealth]
    sources: dict[int, Source]
    importances: dict[int, set[str]]
    fleets: dict[str, Incident]
    members: dict[int, list[Member]] = field(default_factory=dict)  # open ones, of the fleet incidents looked at
    touched: dict[int, Incident] = field(default_factory=dict)
    moved: set[int] = field(default_factory=set)  # of those touched: something happened, not only time
    changed: list[IncidentTrack] = field(default_factory=list)
    opening: list[tuple[IncidentTrack, Incident]] = field(default_factory=list)
    events: list[IncidentEvent] = field(default_factory=list)
    notices: list[IncidentNotice] = field(default_factory=list)

    def touch(self, incident: Incident, *, moved: bool = False) -> None:
        """The incident is to be looked at and written. It may not have an id yet."""
        self.touched[id(incident)] = incident
        if moved:
            self.moved.add(id(incident))

    def severity(self, track: IncidentTrack, status: Status) -> Severity:
        """By the deployment's importance and the area; for a source by that of its most important deployment."""
        if track.watched_id is not None:
            step = self.policy.for_area(track.area).severity
            return severity_of(status, self.watched[track.watched_id].importance, step)
        assert track.source_id is not None
        found = self.importances.get(track.source_id) or {""}
        return max(severity_of(status, importance) for importance in found)


_COURSE = tuple(one.name for one in fields(Course))


def course_of(incident: Incident) -> Course:
    """The facts of the row that decisions go by."""
    known = {name: getattr(incident, name) for name in _COURSE}
    known["status_since"] = known["status_since"] or incident.opened_at
    known["status"], known["worst"] = Status(known["status"]), Status(known["worst"])
    return Course(**known)


def put_course(incident: Incident, course: Course) -> None:
    """Writes the facts onto the row, which is not saved."""
    for name in _COURSE:
        setattr(incident, name, getattr(course, name))


def load(team_id: int, watched_ids: Collection[int], now: datetime) -> Round:
    """The team's lock is held. Reads the tracks that were asked for or are due, and all that belongs to them."""
    of_team = Q(watched__source__team=team_id) | Q(source__team=team_id)
    wanted = Q(watched__in=watched_ids) | Q(check_at__lte=now) | Q(source__isnull=False)
    tracks = list(IncidentTrack.objects.filter(of_team, wanted).order_by("pk"))
    ids = {track.watched_id for track in tracks if track.watched_id is not None} | set(watched_ids)
    policy = policy_of(AlertPolicy.objects.filter(team=team_id).first())
    incidents = _incidents(team_id, tracks, now, policy)
    ids |= {row.watched_id for row in incidents.values() if row.watched_id is not None and row.is_open}
    watched = Watched.objects.filter(pk__in=ids).select_related("source").defer("source_health", "health")
    health = AreaHealth.objects.filter(watched__in=ids)
    sources = {row.pk: row for row in Source.objects.filter(team=team_id)}
    return Round(
        team_id=team_id,
        now=now,
        policy=policy,
        silences=silences.holding(silences.of_team(team_id, now), now),
        tracks={(track.watched_id, track.area): track for track in tracks if track.watched_id is not None},
        source_tracks={track.source_id: track for track in tracks if track.source_id is not None},
        incidents=incidents,
        watched={row.pk: row for row in watched},
        health={(row.watched_id, row.area): row for row in health},
        sources=sources,
        importances=_importances(sources.values()),
        fleets=_newest_by_cause(incidents.values()),
    )


def _incidents(team_id: int, tracks: Iterable[IncidentTrack], now: datetime, policy: Policy) -> dict[int, Incident]:
    """Those of the tracks, those that are due, and fleet incidents that are open or may open again."""
    mine = {track.incident_id for track in tracks if track.incident_id is not None}
    fleets = Q(kind=IncidentKind.FLEET) & (Q(resolved_at=None) | Q(resolved_at__gte=now - policy.reopen_within))
    due = Q(resolved_at=None, check_at__lte=now)
    rows = Incident.objects.filter(Q(pk__in=mine) | fleets | due, team=team_id).order_by("pk")
    return {row.pk: row for row in rows}


def _newest_by_cause(rows: Iterable[Incident]) -> dict[str, Incident]:
    fleets = [row for row in rows if row.kind == IncidentKind.FLEET]
    return {row.cause: row for row in sorted(fleets, key=lambda row: (row.is_open, row.opened_at))}


def _importances(sources: Iterable[Source]) -> dict[int, set[str]]:
    """Only sources that are silent are asked about: theirs weigh the source's own incident."""
    silent = [row.pk for row in sources if row.silent_since is not None]
    found: dict[int, set[str]] = {}
    if silent:
        rows = Watched.objects.filter(source__in=silent, gone_at=None).order_by()
        for source_id, importance in rows.values_list("source_id", "importance").distinct():
            found.setdefault(source_id, set()).add(importance)
    return found
