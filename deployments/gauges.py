"""The service's figures for operation: what comes in, what waits to be rolled up, what its jobs do."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count, Min

from deployments.models import Deployment, IngestRequest, Job, JobState
from deployments.models.choices import BlockState

Labels = tuple[tuple[str, str], ...]
Gauge = tuple[str, str, list[tuple[Labels, float]]]
"""Name, what it is, and its samples: labels and value."""

WINDOW = timedelta(minutes=5)
NEWEST = 5000
"""Requests that are looked at for the rate: the newest ones, so that the cost does not grow with the traffic."""
COUNTED = 100_000
"""Rows that wait are counted up to here."""


def read(now: datetime) -> list[Gauge]:
    """Eight statements, each over what waits or over the newest requests only."""
    rows, requests = ingest_rate(now)
    dirty, pending, oldest = _roll_ups()
    age = (now - oldest).total_seconds() if oldest is not None else 0.0
    return [
        _one("vitals_deployments", "Deployments of the service.", Deployment.objects.filter(deleted_at=None).count()),
        _one("vitals_ingest_rows_per_second", "Rows taken in a second, over the last five minutes.", rows),
        _one("vitals_ingest_requests_per_second", "Requests taken in a second, over the last five minutes.", requests),
        _one("vitals_rollup_dirty_buckets", "Hours and batches whose state is older than their rows.", dirty),
        _one("vitals_rollup_pending_blocks", "Requests' blocks of rows that no roll-up has seen.", pending),
        _one("vitals_rollup_lag_seconds", "How long the oldest of those blocks waits.", max(0.0, age)),
        *_jobs(now),
    ]


def _one(name: str, meaning: str, value: float) -> Gauge:
    return name, meaning, [((), float(value))]


def ingest_rate(now: datetime) -> tuple[float, float]:
    """Rows and requests a second over the last five minutes, or over the newest 5,000 requests if those are fewer."""
    newest = list(IngestRequest.objects.order_by("-pk").values_list("received_at", "rows")[:NEWEST])
    recent = [(at, rows) for at, rows in newest if at > now - WINDOW]
    if not recent:
        return 0.0, 0.0
    whole = len(recent) < NEWEST
    seconds = WINDOW.total_seconds() if whole else max(1.0, (now - min(at for at, _ in recent)).total_seconds())
    return sum(rows for _, rows in recent) / seconds, len(recent) / seconds


def _roll_ups() -> tuple[int, int, datetime | None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM (SELECT 1 FROM deployments_dirtybucket LIMIT %s) one", [COUNTED])
        dirty = cursor.fetchone()[0]
        cursor.execute(
            "SELECT count(*) FROM (SELECT 1 FROM deployments_block WHERE state = %s LIMIT %s) one",
            [BlockState.PENDING, COUNTED],
        )
        pending = cursor.fetchone()[0]
        # of all that wait: any COUNTED of them need not hold the oldest
        cursor.execute("SELECT min(received_at) FROM deployments_block WHERE state = %s", [BlockState.PENDING])
        oldest = cursor.fetchone()[0]
    return dirty, pending, oldest


def _jobs(now: datetime) -> list[Gauge]:
    working = (JobState.INITIALIZED, JobState.RUNNING)
    found = dict(Job.objects.filter(state__in=working).order_by().values_list("state").annotate(n=Count("pk")))
    oldest = Job.objects.filter(state=JobState.INITIALIZED).aggregate(at=Min("created_at"))["at"]
    failed = Job.objects.filter(state=JobState.ERROR, finished_at__gte=now - timedelta(days=1)).count()
    counts = {"waiting": found.get(JobState.INITIALIZED, 0), "running": found.get(JobState.RUNNING, 0)}
    counts["failed"] = failed
    age = (now - oldest).total_seconds() if oldest is not None else 0.0
    return [
        (
            "vitals_jobs",
            "Jobs that wait or run, and those that failed in the last day.",
            [((("state", state),), float(n)) for state, n in counts.items()],
        ),
        _one("vitals_jobs_oldest_waiting_seconds", "How long the oldest waiting job waits.", max(0.0, age)),
    ]
