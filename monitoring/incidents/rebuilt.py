"""Incidents of days before the watcher looked, from their reconstructed verdicts. Nobody is written to about them.

They are played by the same rules from one verdict a day, and marked as reconstructed. Trouble that the watcher found at
its first look began on the day that its past says, not at the look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from django.db import transaction

from monitoring.incidents import record
from monitoring.incidents.affected import served
from monitoring.incidents.locks import lock_team
from monitoring.incidents.machine import Memory
from monitoring.incidents.play import Played, Seen, play
from monitoring.incidents.policy import policy_of
from monitoring.incidents.rows import put_course
from monitoring.models import AlertPolicy, Incident, IncidentKind, IncidentTrack, Status, Watched

DAY = timedelta(days=1)
#: Between the last reconstructed day and the first look may lie a part of a day.
NEAR = 2 * DAY


def rebuild(watched: Watched, now: datetime) -> None:
    """Brings the reconstructed incidents of a deployment in line with its reconstructed days; safe to repeat.

    One that somebody noted or acted on stays, even if it would no longer be made.
    """
    with transaction.atomic():
        lock_team(watched.source.team_id)
        policy = policy_of(AlertPolicy.objects.filter(team=watched.source.team_id).first())
        before = {(one.area, one.opened_at): one for one in watched.incidents.filter(reconstructed=True)}
        kept = set()
        for area, seen in _days(watched).items():
            for one in play(seen, policy.for_area(area), importance=watched.importance, until=seen[-1].at):
                if one.course.resolved_at is None:
                    _draw_back(watched, area, one, seen[-1].at)
                else:
                    slot = (area, one.course.opened_at)
                    kept.add(slot)
                    _save(watched, area, one, before.get(slot), now)
        gone = [one.pk for slot, one in before.items() if slot not in kept]
        Incident.objects.filter(pk__in=gone).exclude(events__by__isnull=False).delete()


def _days(watched: Watched) -> dict[str, Sequence[Seen]]:
    """One verdict a day and area, made when the day was over."""
    found: dict[str, list[Seen]] = {}
    rows = watched.health_days.filter(reconstructed=True).order_by("day")
    for area, day, status, reason in rows.values_list("area", "day", "status", "reason"):
        end = datetime.combine(day, time(0), UTC) + DAY
        found.setdefault(area, []).append(Seen(end, Status(status), reason))
    return {area: tuple(seen) for area, seen in found.items()}


def _save(watched: Watched, area: str, one: Played, known: Incident | None, now: datetime) -> None:
    """Writes one that is over; the time of its opening tells it from others."""
    course = replace(one.course, told="", told_at=None, first_told_at=None, escalated_at=None, reminders=0, told_size=0)
    assert course.resolved_at is not None
    row = known or Incident(
        kind=IncidentKind.DEPLOYMENT,
        team_id=watched.source.team_id,
        source_id=watched.source_id,
        watched=watched,
        area=area,
        reconstructed=True,
    )
    put_course(row, course)
    row.reason = one.reason
    row.predictions_affected = served(watched.daily_rates, course.began_at, course.resolved_at, known_at=now)
    row.save()
    row.events.filter(by__isnull=True).delete()
    row.events.bulk_create(record.event(row, move.kind, move.at, status=str(move.status)) for move in one.moves)


def _draw_back(watched: Watched, area: str, one: Played, until: datetime) -> None:
    """The past ends in trouble: if the watcher's first look found it too, it is the same trouble."""
    track = IncidentTrack.objects.filter(watched=watched, area=area).first()
    memory = Memory.from_json(track.state) if track is not None else Memory()
    began, known = one.course.began_at, memory.trouble_since
    if track is None or known is None or not memory.first or not began < known <= until + NEAR:
        return
    track.trouble_since = began
    track.state = replace(memory, trouble_since=began).to_json()
    track.save(update_fields=["trouble_since", "state"])
    if memory.is_open and track.incident_id is not None:
        Incident.objects.filter(pk=track.incident_id).update(began_at=began)
