"""A watcher in small for the tests of incidents: verdicts and a clock that is moved, minute by minute."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from metrics.health import Status as Found
from metrics.health import Verdict
from monitoring import verdicts
from monitoring.health import Judged
from monitoring.incidents import due
from monitoring.models import Area, Incident, IncidentNotice, Watched
from tests.monitoring.factories import NOW


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def judge(
    watched: Watched | Sequence[Watched], minutes: float, evidence: dict[str, Any] | None = None, **areas: Found
) -> None:
    """Writes the same verdicts for one deployment or for many, at a minute."""
    rows = [watched] if isinstance(watched, Watched) else watched
    judged = {
        Area(name): Judged(Verdict(status, f"{name} is {status}.", evidence or {})) for name, status in areas.items()
    }
    verdicts.apply([verdicts.Ruling(row.pk, judged) for row in rows], at(minutes))


def tick(*minutes: float) -> None:
    """Lets the timers run at these minutes."""
    for minute in minutes:
        due.run_due(at(minute))


def told(rows: Iterable[Incident] | None = None) -> list[tuple[int, str, str]]:
    """Minute, kind and status of every notice that is to go out, in order."""
    notices = IncidentNotice.objects.filter(held="").order_by("at", "pk")
    if rows is not None:
        notices = notices.filter(incident__in=list(rows))
    return [(round((one.at - NOW) / timedelta(minutes=1)), one.kind, one.status) for one in notices]


def held() -> list[tuple[int, str, str]]:
    """The same of those that were held, with what held them."""
    notices = IncidentNotice.objects.exclude(held="").order_by("at", "pk")
    return [(round((one.at - NOW) / timedelta(minutes=1)), one.kind, one.held) for one in notices]


def timeline(incident: Incident) -> list[tuple[int, str]]:
    return [(round((one.at - NOW) / timedelta(minutes=1)), one.kind) for one in incident.events.all()]
