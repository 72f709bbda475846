"""What falls due though nobody wrote a verdict: timers, silent sources, and whatever a killed transaction left."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import F, OuterRef, Q, Subquery

from monitoring.incidents.engine import settle
from monitoring.models import AreaHealth, Incident, IncidentTrack, Source, Status


def run_due(now: datetime) -> int:
    """Settles every team that has something due, and returns how many had. Safe at any time and twice at once."""
    behind = _behind(now)
    teams = set(behind) | _with_timers(now) | _with_odd_sources()
    for team_id in sorted(teams):
        settle(team_id, now, behind.get(team_id, ()))
    return len(teams)


def _behind(now: datetime) -> dict[int, set[int]]:
    """Deployments by team whose stored verdict the state machine has not seen, or that are gone with an open incident.

    The verdicts of a silent source are old: they wait until it answers.
    """
    track = IncidentTrack.objects.filter(watched=OuterRef("watched"), area=OuterRef("area"))
    rows = AreaHealth.objects.annotate(known=Subquery(track.values("status")[:1])).filter(
        Q(known__isnull=True) | ~Q(known=F("status")), watched__gone_at=None, watched__source__silent_since=None
    )
    gone = IncidentTrack.objects.filter(watched__gone_at__isnull=False, trouble_since__isnull=False)
    found: dict[int, set[int]] = {}
    for rows_ in (
        rows.values_list("watched__source__team", "watched_id"),
        gone.values_list("watched__source__team", "watched_id"),
    ):
        for team_id, pk in rows_:
            found.setdefault(team_id, set()).add(pk)
    return found


def _with_timers(now: datetime) -> set[int]:
    tracks = IncidentTrack.objects.filter(check_at__lte=now)
    return {
        *_teams(tracks.values_list("watched__source__team", "source__team")),
        *Incident.objects.open().filter(check_at__lte=now).values_list("team_id", flat=True),
    }


def _teams(pairs: Iterable[tuple[int | None, int | None]]) -> set[int]:
    return {team for pair in pairs for team in pair if team is not None}


def _with_odd_sources() -> set[int]:
    """Teams with a source whose silence, or whose answer, the state machine has not seen."""
    missed = Q(silent_since__isnull=False, enabled=True) & ~Q(tracks__status=Status.FAILING)
    back = (Q(silent_since=None) | Q(enabled=False)) & Q(tracks__status=Status.FAILING)
    return set(Source.objects.filter(missed | back).values_list("team_id", flat=True))
