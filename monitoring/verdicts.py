"""Stores verdicts: the present one, a row for each change, one a day for strips, and a cache for lists.

Runs inside the caller's transaction; the watched rows are locked, so that two judges of one deployment follow each
other and a change makes one transition however often it is seen. Incidents follow in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection, transaction

from monitoring.clock import format_time, parse_time
from monitoring.evidence import short
from monitoring.health import Judged
from monitoring.health.coverage import blind, written
from monitoring.health.parts import UNASKED
from monitoring.incidents.engine import settle
from monitoring.models import Area, AreaHealth, HealthDay, Status, Transition, Watched

_TROUBLE = frozenset({Status.WARNING, Status.FAILING})


@dataclass(frozen=True, slots=True)
class Ruling:
    """All that one judging of a deployment found."""

    watched_id: int
    areas: Mapping[Area, Judged]
    blind_spots: Sequence[str] = ()
    coverage: Mapping[str, str] = field(default_factory=dict)
    label_lag: timedelta | None = None
    interval: str = ""


def apply(rulings: Sequence[Ruling], now: datetime) -> list[Transition]:
    """Writes the rulings and returns the transitions that they made.

    An area whose question was not asked yet keeps its last verdict: nothing has changed but what is asked.
    """
    with transaction.atomic():
        by_id = {ruling.watched_id: ruling for ruling in rulings}
        # Without the key: the engine of incidents, at work on the team, must be able to refer to these rows.
        locked = Watched.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=by_id)
        rows = list(locked.select_related("source").order_by("pk"))
        old = {(row.watched_id, row.area): row for row in AreaHealth.objects.filter(watched__in=rows)}
        fresh, transitions = [], []
        news: dict[int, set[int]] = {}
        for row in rows:
            kept = []
            for area, judged in by_id[row.pk].areas.items():
                before = old.get((row.pk, area.value))
                if before is not None and judged.verdict.evidence.get(UNASKED):
                    kept.append(before)
                    continue
                if before is None and _is_off(area, judged):
                    continue
                health = _health(row, area, judged, before, now)
                _carry_trouble(health, before)
                fresh.append(health)
                if before is None or before.status != health.status:
                    news.setdefault(row.source.team_id, set()).add(row.pk)
                if changed_from(before) != health.status and (before is not None or health.status in _TROUBLE):
                    transitions.append(_transition(row, before, health, now))
            _cache(row, by_id[row.pk], [*kept, *(health for health in fresh if health.watched_id == row.pk)], now)
        _write(rows, fresh, transitions)
        _write_days(by_id, now.date())
        for team_id, ids in sorted(news.items()):
            settle(team_id, now, ids)
    return transitions


def _is_off(area: Area, judged: Judged) -> bool:
    """True for an area that not every deployment has and that is switched off: it leaves no trace."""
    return not area.is_core and Status(judged.verdict.status.value) is Status.UNAVAILABLE


def _health(row: Watched, area: Area, judged: Judged, before: AreaHealth | None, now: datetime) -> AreaHealth:
    status = Status(judged.verdict.status.value)
    since = before.since if before is not None and before.status == status else now
    said = row.source_health.get(area.value, {}).get("status", "") if isinstance(row.source_health, dict) else ""
    theirs = Status(said) if said in Status.values else None
    return AreaHealth(
        watched=row,
        area=area,
        status=status,
        reason=judged.verdict.reason,
        evidence={**judged.verdict.evidence, "metric": judged.metric, "shown": judged.value},
        since=since,
        judged_at=now,
        source_status=said,
        disagrees=disagree(status, theirs),
    )


def disagree(ours: Status, theirs: Status | None) -> bool:
    """True where one of the two raises an alarm that the other does not, or of another degree."""
    if theirs is None or ours == theirs:
        return False
    return ours in _TROUBLE or theirs in _TROUBLE


def changed_from(before: AreaHealth | None) -> Status:
    """The status before; what nobody judged was unknown. Trouble at first sight is a change, health is none."""
    return Status(before.status) if before is not None else Status.UNKNOWN


def _transition(row: Watched, before: AreaHealth | None, after: AreaHealth, now: datetime) -> Transition:
    """`trouble_since` survives the step between at risk and failing, so that a recovery knows how long it took."""
    return Transition(
        watched=row,
        area=after.area,
        old=changed_from(before),
        new=after.status,
        reason=after.reason,
        evidence=after.evidence,
        at=now,
        trouble_since=_trouble_since(before) or (now if after.status in _TROUBLE else None),
    )


def _trouble_since(area: AreaHealth | None) -> datetime | None:
    """When the trouble began that the area is in; None if it is in none."""
    if area is None:
        return None
    return parse_time(area.evidence.get("troubleSince")) or area.since if area.status in _TROUBLE else None


def _cache(row: Watched, ruling: Ruling, areas: Sequence[AreaHealth], now: datetime) -> None:
    """The row's own copy, so that the fleet page needs no join. Switched-off areas count as blind spots only."""
    counted = [Status(area.status) for area in areas if area.status != Status.UNAVAILABLE]
    worst = max(counted, key=lambda status: status.severity, default=Status.UNAVAILABLE)
    if row.worst != worst or row.worst_since is None:
        row.worst_since = now
    row.worst, row.severity, row.judged_at = worst, worst.severity, now
    row.served_failing = served_failing(row)
    row.blind_spots = list(ruling.blind_spots)
    row.coverage, row.uncovered = written(ruling.coverage), blind(ruling.coverage)
    row.label_lag_hours = ruling.label_lag / timedelta(hours=1) if ruling.label_lag is not None else None
    row.health = {area.area: _short(area) for area in areas} | {"interval": ruling.interval}


def served_failing(row: Watched) -> float:
    """Predictions of the days since it is failing, the first day whole; 0 while it is not failing."""
    if row.worst != Status.FAILING or row.worst_since is None or row.judged_at is None:
        return 0.0
    days = max(1, round((row.judged_at - row.worst_since) / timedelta(days=1)))
    rates = row.daily_rates if isinstance(row.daily_rates, list) else []
    return float(sum(rate for rate in rates[-days:] if isinstance(rate, int | float)))


def _short(area: AreaHealth) -> dict[str, Any]:
    return {
        "status": str(area.status),
        "reason": area.reason,
        "since": format_time(area.since),
        "metric": area.evidence.get("metric", ""),
        "value": area.evidence.get("shown"),
        "percent_change": area.evidence.get("percentChange"),
        "short": short(Area(area.area), area.evidence),
        "source_status": area.source_status,
        "disagrees": area.disagrees,
    }


def _write(rows: Sequence[Watched], fresh: Sequence[AreaHealth], transitions: Sequence[Transition]) -> None:
    AreaHealth.objects.bulk_create(
        fresh,
        update_conflicts=True,
        unique_fields=["watched", "area"],
        update_fields=["status", "reason", "evidence", "since", "judged_at", "source_status", "disagrees"],
    )
    Transition.objects.bulk_create(transitions)
    cached = (
        "worst",
        "severity",
        "served_failing",
        "health",
        "worst_since",
        "blind_spots",
        "coverage",
        "uncovered",
        "label_lag_hours",
        "judged_at",
    )
    Watched.objects.bulk_update(rows, cached, batch_size=500)


def _carry_trouble(area: AreaHealth, before: AreaHealth | None) -> None:
    """Keeps the start of the trouble through changes of its degree and of its reason."""
    if area.status in _TROUBLE:
        area.evidence["troubleSince"] = format_time(_trouble_since(before) or area.since)


def _write_days(rulings: Mapping[int, Ruling], today: date) -> None:
    """The verdict of today: trouble seen today stays, else the last one counts."""
    seen = {
        (row.watched_id, row.area): row
        for row in HealthDay.objects.filter(watched__in=rulings, day=today, reconstructed=False)
    }
    days: list[Day] = []
    for pk, ruling in rulings.items():
        for area, judged in ruling.areas.items():
            status = Status(judged.verdict.status.value)
            before = seen.get((pk, area.value))
            if before is None and _is_off(area, judged):
                continue
            if judged.verdict.evidence.get(UNASKED) and before is not None:
                continue
            if before is not None and before.status in _TROUBLE and Status(before.status).severity > status.severity:
                continue
            days.append(
                Day(pk, area.value, today, status.value, judged.verdict.reason, judged.value, reconstructed=False)
            )
    save_days(days)


class Day(NamedTuple):
    """One day of a strip as it is written: thirty an area and deployment are too many for model instances."""

    watched_id: int
    area: str
    day: date
    status: str
    reason: str
    value: float | None
    reconstructed: bool


_SAVE_DAYS = """
    INSERT INTO monitoring_healthday (watched_id, area, day, status, reason, value, reconstructed)
    SELECT * FROM unnest(%s::bigint[], %s::text[], %s::date[], %s::text[], %s::text[], %s::float8[], %s::bool[])
    ON CONFLICT (watched_id, area, day) DO UPDATE SET
        status = excluded.status, reason = excluded.reason, value = excluded.value,
        reconstructed = excluded.reconstructed
"""


def save_days(days: Sequence[Day]) -> None:
    """Writes days, replacing what is there."""
    if not days:
        return
    columns: list[Any] = [list(column) for column in zip(*days, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(_SAVE_DAYS, columns)
