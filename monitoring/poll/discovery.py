"""The deployment list: one cheap call that tells what is there and what moved.

Rows are compared by a fingerprint that leaves out what merely slides with the clock. An unchanged list of a thousand
deployments costs ten requests, one read and one write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from monitoring import packing
from monitoring.client import Entry, HealthObject, Malformed, parse
from monitoring.clock import parse_time
from monitoring.models import Area, DeploymentStatus, Importance, ModelSeen, Source, Status, Watched

_HEALTH = "Health"
"""How the names of health objects end, of whatever area."""
_COPIED = (
    *("label", "description", "importance", "deployment_status", "model_id", "model_name", "model_deployed_at"),
    *("target_name", "target_type", "batch_monitoring", "tags", "owners", "daily_rates", "predictions_per_day"),
    *("last_prediction_at", "created_at_source", "source_health", "listing", "fingerprint", "moved_at", "due_at"),
    *("gone_at", "problem"),
)


@dataclass(frozen=True, slots=True)
class Discovered:
    """What a list told: rows in all, new ones, moved ones, and ones no longer there."""

    total: int
    new: int
    moved: int
    gone: int


def fingerprint(entry: Mapping[str, Any]) -> str:
    """Digest of an entry without the sliding windows of its health objects."""
    return packing.digest({name: _still(name, value) for name, value in entry.items()})


def _still(name: str, value: Any) -> Any:
    """Of a health object only its status."""
    return value.get("status") if name.endswith(_HEALTH) and isinstance(value, Mapping) else value


def apply(source: Source, entries: Sequence[Mapping[str, Any]], *, now: datetime, interval: timedelta) -> Discovered:
    """Brings the watched rows in line with the list. `interval`: least time between two polls of one deployment."""
    listed = {str(entry["id"]): entry for entry in entries if entry.get("id")}
    with transaction.atomic():
        Source.objects.select_for_update().get(pk=source.pk)
        known = {row.remote_id: row for row in source.watched.all()}
        new = [_new(source, remote_id, entry, now) for remote_id, entry in listed.items() if remote_id not in known]
        moved = [
            _moved(known[remote_id], entry, print_, now, interval)
            for remote_id, entry in listed.items()
            if remote_id in known
            and (known[remote_id].fingerprint != (print_ := fingerprint(entry)) or _came_back(known[remote_id]))
        ]
        Watched.objects.bulk_create(new)
        Watched.objects.bulk_update(moved, _COPIED, batch_size=500)
        gone = _forget(source, known, listed, now)
        source.watched.filter(remote_id__in=[pk for pk in listed if pk in known]).update(seen_at=now)
        _note_models([*new, *moved], now)
    return Discovered(len(listed), len(new), len(moved), gone)


def _new(source: Source, remote_id: str, entry: Mapping[str, Any], now: datetime) -> Watched:
    row = Watched(source=source, remote_id=remote_id, first_seen_at=now, seen_at=now, moved_at=now)
    return _copy(row, entry, fingerprint(entry))


def _came_back(row: Watched) -> bool:
    """Listed again; what the team leaves out stays out."""
    return row.gone_at is not None and row.left_out_at is None


def _moved(row: Watched, entry: Mapping[str, Any], print_: str, now: datetime, interval: timedelta) -> Watched:
    row.moved_at, row.gone_at = now, row.left_out_at
    earliest = now if row.attempted_at is None else max(now, row.attempted_at + interval)
    row.due_at = earliest if row.due_at is None else min(row.due_at, earliest)
    return _copy(row, entry, print_)


def _forget(source: Source, known: Mapping[str, Watched], listed: Mapping[str, Any], now: datetime) -> int:
    """History of a deployment that is no longer listed stays; it is only marked."""
    gone = [row.pk for remote_id, row in known.items() if remote_id not in listed and row.gone_at is None]
    return source.watched.filter(pk__in=gone).update(gone_at=now) if gone else 0


def _copy(row: Watched, raw: Mapping[str, Any], print_: str) -> Watched:
    """Copies an entry onto its row; one of the wrong shape leaves the row as it was and says so."""
    row.fingerprint, row.listing = print_, dict(raw)
    try:
        entry = parse(Entry, raw)
    except Malformed as error:
        row.problem = str(error)[:500]
        row.label = row.label or str(raw.get("label") or row.remote_id)[:512]
        return row
    row.problem = ""
    row.label = (entry.label or row.remote_id)[:512]
    row.description = entry.description or ""
    row.importance = _one_of(Importance, entry.importance, "")
    row.deployment_status = _one_of(DeploymentStatus, entry.status, DeploymentStatus.ACTIVE)
    row.created_at_source = parse_time(entry.created_at)
    row.batch_monitoring = bool(entry.settings and entry.settings.batch_monitoring_enabled)
    row.tags = [{"name": tag.name, "value": tag.value} for tag in entry.tags or []]
    row.owners = [_person(person.email, person.first_name, person.last_name) for person in _owners(entry)]
    _copy_model(row, entry)
    _copy_usage(row, entry)
    row.source_health = {
        Area.SERVICE.value: _health(entry.service_health),
        Area.DRIFT.value: _health(entry.model_health),
        Area.ACCURACY.value: _health(entry.accuracy_health),
    } | _further(entry)
    return row


def _further(entry: Entry) -> dict[str, dict[str, str]]:
    """The areas that not every source judges: only those that it names."""
    told = {
        Area.FAIRNESS.value: entry.fairness_health,
        Area.CUSTOM_METRICS.value: entry.custom_metrics_health,
        Area.PREDICTIONS_TIMELINESS.value: entry.predictions_timeliness_health,
        Area.ACTUALS_TIMELINESS.value: entry.actuals_timeliness_health,
    }
    return {area: _health(found) for area, found in told.items() if found is not None}


def _copy_model(row: Watched, entry: Entry) -> None:
    model, package = entry.model, entry.model_package
    row.model_id = ((model.id if model else None) or "")[:64]
    row.model_name = ((package.name if package else None) or (model.type if model else None) or "")[:512]
    row.model_deployed_at = parse_time(model.deployed_at) if model else None
    row.target_name = ((model.target_name if model else None) or "")[:512]
    row.target_type = ((model.target_type if model else None) or "")[:32]


def _copy_usage(row: Watched, entry: Entry) -> None:
    usage = entry.prediction_usage
    rates = [rate for rate in (usage.daily_rates or []) if rate is not None] if usage else []
    row.daily_rates = rates
    row.predictions_per_day = _a_day(rates)
    row.last_prediction_at = parse_time(usage.last_timestamp) if usage else None


def _a_day(rates: Sequence[float]) -> float | None:
    """The mean of the whole days; the running one, which comes last, counts only where nothing came before it."""
    whole = rates[:-1] if any(rates[:-1]) else rates
    return sum(whole) / len(whole) if whole else None


def _owners(entry: Entry) -> Sequence[Any]:
    return (entry.owners.preview if entry.owners else None) or []


def _person(email: str | None, first: str | None, last: str | None) -> str:
    return " ".join(part for part in (first, last) if part) or email or ""


def _health(found: HealthObject | None) -> dict[str, str]:
    status = found.status if found is not None else None
    message = (found.message if found is not None else None) or ""
    return {"status": _one_of(Status, status, Status.UNKNOWN), "message": message}


def _one_of(choices: type[Status] | type[Importance] | type[DeploymentStatus], value: str | None, other: str) -> str:
    return value if value in choices.values else str(other)


def _note_models(rows: Sequence[Watched], now: datetime) -> None:
    """Ends the stay of a former champion and begins that of the present one, at the source's own time if it told."""
    rows = [row for row in rows if row.model_id]
    if not rows:
        return
    open_stays = {stay.watched_id: stay for stay in ModelSeen.objects.filter(watched__in=rows, until__isnull=True)}
    begun = []
    for row in rows:
        stay = open_stays.get(row.pk)
        if stay is not None and stay.model_id == row.model_id:
            continue
        since = row.model_deployed_at or now
        if stay is not None:
            stay.until = max(since, stay.since)
            stay.save(update_fields=["until"])
        begun.append(ModelSeen(watched=row, model_id=row.model_id, name=row.model_name, since=since, seen_at=now))
    ModelSeen.objects.bulk_create(begun, ignore_conflicts=True)
