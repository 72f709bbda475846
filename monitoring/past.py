"""Verdicts and the fleet as they were known at a moment of the past, from changes and from the days before.

A verdict holds from its change until the next one. Its arithmetic is that of the last day that had ended by then, or of
the change itself where that is younger; days before the watcher's first look are the source's own history, and say so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q

from monitoring import conf, fleet, groups
from monitoring.clock import DAY, format_time
from monitoring.fleet import Filters, FleetPage
from monitoring.groups import Grouping, Groups
from monitoring.models import Source, Status, Watched

UNKNOWN_THEN = "Nothing was known of it then."
RECONSTRUCTED = "Reconstructed from the source's history."


@dataclass(frozen=True, slots=True)
class Then:
    """One verdict as it was known. `since` is None where it is not known since when."""

    status: Status
    reason: str = ""
    since: datetime | None = None
    evidence: dict[str, Any] = field(default_factory=dict)


#: (watched, area) -> the newest of: 1 a change by then, 2 the last whole day, 3 what the first change after then
#: replaced, 4 the present verdict if it is as old. Days give their reason to a change that is older than they are.
_THEN = """
    WITH changed AS (
        SELECT DISTINCT ON (watched_id, area) watched_id, area, new AS status, at, reason, evidence, reconstructed
        FROM monitoring_transition WHERE watched_id = ANY(%(ids)s) AND at <= %(then)s
        ORDER BY watched_id, area, at DESC, id DESC
    ), past AS (
        SELECT DISTINCT ON (watched_id, area) watched_id, area, status, day, reason, reconstructed
        FROM monitoring_healthday WHERE watched_id = ANY(%(ids)s) AND day < (%(then)s AT TIME ZONE 'UTC')::date
        ORDER BY watched_id, area, day DESC
    ), replaced AS (
        SELECT DISTINCT ON (watched_id, area) watched_id, area, old AS status
        FROM monitoring_transition WHERE watched_id = ANY(%(ids)s) AND at > %(then)s
        ORDER BY watched_id, area, at, id
    ), present AS (
        SELECT watched_id, area, status, since, reason FROM monitoring_areahealth
        WHERE watched_id = ANY(%(ids)s) AND since <= %(then)s
    ), known AS (
        SELECT watched_id, area FROM changed UNION SELECT watched_id, area FROM past
        UNION SELECT watched_id, area FROM replaced UNION SELECT watched_id, area FROM present
    )
    SELECT watched_id, area, coalesce(changed.status, past.status, replaced.status, present.status) AS status{columns}
    FROM known LEFT JOIN changed USING (watched_id, area) LEFT JOIN past USING (watched_id, area)
    LEFT JOIN replaced USING (watched_id, area) LEFT JOIN present USING (watched_id, area)
"""
_DETAILS = """,
    changed.at, changed.reason, changed.evidence, changed.reconstructed,
    past.status, past.day, past.reason, past.reconstructed, present.since, present.reason
"""


def statuses(watched_ids: Sequence[int], then: datetime) -> dict[int, dict[str, Status]]:
    """Watched -> area -> status as known then: one statement. What nobody knew anything of is left out."""
    found: dict[int, dict[str, Status]] = {}
    for pk, area, status in _rows(watched_ids, then, ""):
        found.setdefault(pk, {})[area] = Status(status)
    return found


def verdicts(watched_ids: Sequence[int], then: datetime) -> dict[int, dict[str, Then]]:
    """The same with reasons: one statement."""
    found: dict[int, dict[str, Then]] = {}
    for pk, area, status, *details in _rows(watched_ids, then, _DETAILS):
        found.setdefault(pk, {})[area] = _then(Status(status), details)
    return found


def _rows(watched_ids: Sequence[int], then: datetime, columns: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_THEN.format(columns=columns), {"ids": list(watched_ids), "then": then})
        return list(cursor.fetchall())


def _then(status: Status, details: Sequence[Any]) -> Then:
    at, why, evidence, rebuilt, day_status, day, day_why, day_rebuilt, since, present = details
    if at is not None:
        if day is not None and day > at.date() and day_status == status and day_why:
            return Then(status, _told(day_why, day_rebuilt), at)
        return Then(status, _told(why, rebuilt), at, json.loads(evidence))
    if day is not None:
        return Then(status, _told(day_why, day_rebuilt))
    if since is not None:
        return Then(status, present or "", since)
    return Then(status, UNKNOWN_THEN)


def _told(reason: str | None, rebuilt: bool) -> str:
    return f"{reason or ''} {RECONSTRUCTED}".strip() if rebuilt else reason or ""


def worst(areas: Mapping[str, Status]) -> Status:
    """The worst of the areas, as the watcher counts them: what is switched off counts for nothing."""
    counted = [status for status in areas.values() if status is not Status.UNAVAILABLE]
    return max(counted, key=lambda status: status.severity, default=Status.UNAVAILABLE)


def put_back(watched: Watched, areas: Mapping[str, Then], then: datetime) -> None:
    """Lets a row, which must not be saved, tell what was known then; what only holds now is taken away."""
    watched.worst = worst({area: one.status for area, one in areas.items()}) if areas else Status.UNKNOWN
    watched.severity, watched.judged_at, watched.served_failing = Status(watched.worst).severity, then, 0.0
    told = {area: one for area, one in areas.items() if one.status == watched.worst and one.since is not None}
    watched.worst_since = min((one.since for one in told.values() if one.since is not None), default=None)
    watched.blind_spots, watched.predictions_per_day, watched.daily_rates = [], None, []
    watched.health = {area: _cached(one) for area, one in areas.items()}


def _cached(one: Then) -> dict[str, Any]:
    since = format_time(one.since) if one.since is not None else None
    shown = {"metric": one.evidence.get("metric", ""), "value": one.evidence.get("shown")}
    return {"status": one.status.value, "reason": one.reason, "since": since, **shown}


# --- The fleet ----------------------------------------------------------------------------------------------------


def fleet_then(
    team_ids: Iterable[int], filters: Filters, order: str, page: int, *, then: datetime, size: int, viewer: int = 0
) -> FleetPage:
    """One page of the fleet as known then, in six statements; statuses are worked out for the whole of it.

    `viewer`: for whom the rows tell `wish`, which is of today.
    """
    sources = tuple(Source.objects.filter(team__in=list(team_ids)).select_related("team").order_by("name"))
    seen, worst_of = _seen(sources, filters, order, then)
    counts = {status.value: 0 for status in Status}
    for status in worst_of.values():
        counts[status.value] += 1
    chosen = [one for one in seen if not filters.statuses or worst_of[one[0]] in filters.statuses]
    if order == "worst":
        chosen.sort(key=lambda one: (-worst_of[one[0]].severity, one[1]))
    pages = max(1, -(-len(chosen) // size))
    number = max(1, min(page, pages))
    shown = [pk for pk, _ in chosen[(number - 1) * size : number * size]]
    return FleetPage(
        rows=_rows_then(shown, {source.pk: source for source in sources}, then, viewer),
        total=len(chosen),
        page=number,
        pages=pages,
        counts=counts,
        all_count=len(seen),
        served_while_failing=0.0,
        sources=sources,
        silent_sources=(),
        data_age=None,
    )


def _seen(
    sources: Sequence[Source], filters: Filters, order: str, then: datetime
) -> tuple[list[tuple[int, int]], dict[int, Status]]:
    """What was there and known then, whatever its status: (key, rank of importance) in order, and the worst of each."""
    plain = Filters(**{**{name: getattr(filters, name) for name in Filters.__slots__}, "areas": ()})
    rows = Watched.objects.filter(Q(gone_at__isnull=True) | Q(gone_at__gt=then), source__in=sources)
    listed = list(fleet.narrow(rows, plain).order_by(*fleet.ORDERS[order]).values_list("pk", "importance_rank"))
    known = statuses([pk for pk, _ in listed], then)
    seen = [(pk, rank) for pk, rank in listed if pk in known and _has(known[pk], filters.areas)]
    return seen, {pk: worst(known[pk]) for pk, _ in seen}


def groups_then(sources: Sequence[Source], filters: Filters, by: Grouping, then: datetime) -> Groups:
    """The groups of the fleet as known then, worst first, of what the filters leave: three statements."""
    _, worst_of = _seen(sources, filters, "label", then)
    chosen = {pk: one for pk, one in worst_of.items() if not filters.statuses or one in filters.statuses}
    return groups.groups_then(Watched.objects.all(), by, chosen)


def _has(areas: Mapping[str, Status], wanted: Sequence[tuple[str, str]]) -> bool:
    return all(areas.get(area) == status for area, status in wanted)


def _rows_then(
    ids: Sequence[int], sources: Mapping[int, Source], then: datetime, viewer: int
) -> tuple[fleet.FleetRow, ...]:
    wide = fleet.with_wish(Watched.objects.defer("listing", "source_health"), viewer).in_bulk(ids)
    details = verdicts(ids, then)
    found = [wide[pk] for pk in ids if pk in wide]
    for row in found:
        row.source = sources[row.source_id]
        put_back(row, details.get(row.pk, {}), then)
        row.last_prediction_at = None
        row.seen_at = max(row.first_seen_at, then - conf.STALE_AFTER / 2)
    return fleet.rows_of(found, sources, then, (then - DAY).date())
