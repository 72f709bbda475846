"""Deleting what is past its retention: rows by deployment and by whole months, states by their grain.

States outlive rows, so charts go on showing what was counted. An actual for an hour whose rows are gone finds no
prediction any more and is refused or waits until it is pruned itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max

from deployments import partitions
from deployments.models import Deployment, Grain, IngestRequest, Job, JobState
from deployments.rollups import fill
from metrics import day_ordinal

HOURS = 24


def prune(now: datetime) -> None:
    """Delete old rows, states, request ids and finished jobs."""
    for deployment in Deployment.objects.only("pk", "keep_rows_days"):
        _rows(deployment, now)
    _months(now)
    _states(Grain.HOUR, day_ordinal(now - timedelta(days=settings.RETENTION_HOURS_DAYS)) * HOURS)
    _states(Grain.DAY, day_ordinal(now - timedelta(days=settings.RETENTION_DAYS_DAYS)))
    old = now - timedelta(days=settings.RETENTION_JOBS_DAYS)
    Job.objects.filter(finished_at__lt=old, state__in=(JobState.COMPLETED, JobState.ERROR, JobState.ABORTED)).delete()


def _rows(deployment: Deployment, now: datetime) -> None:
    """Rows of one deployment, with their keys and actuals; batches stay as long as their newest row."""
    first_kept = (now - timedelta(days=deployment.rows_days)).date()
    with transaction.atomic():
        if not fill.locked(deployment.pk):
            return
        with connection.cursor() as cursor:
            for table in partitions.TABLES:
                cursor.execute(
                    f"DELETE FROM {table} WHERE deployment_id = %s AND day < %s",  # noqa: S608
                    [deployment.pk, first_kept],
                )
            cursor.execute(
                "DELETE FROM deployments_predictionkey WHERE deployment_id = %s AND grain = %s AND bucket < %s",
                [deployment.pk, int(Grain.HOUR), day_ordinal(first_kept) * HOURS],
            )
            cursor.execute(
                "DELETE FROM deployments_customrow WHERE deployment_id = %s AND at < %s", [deployment.pk, first_kept]
            )
            cursor.execute(
                "DELETE FROM deployments_waitingkey w WHERE deployment_id = %s AND NOT EXISTS "
                "(SELECT 1 FROM deployments_block b WHERE b.deployment_id = w.deployment_id AND b.id = w.block_id)",
                [deployment.pk],
            )
        IngestRequest.objects.filter(
            deployment=deployment, received_at__lt=now - timedelta(days=deployment.rows_days)
        ).delete()


def _months(now: datetime) -> None:
    """Months in which no deployment keeps anything any more."""
    longest = Deployment.objects.aggregate(most=Max("keep_rows_days"))["most"] or 0
    first_kept = (now - timedelta(days=max(longest, settings.RETENTION_ROWS_DAYS))).date()
    for table in partitions.TABLES:
        for month in partitions.months(table):
            if partitions.next_month(month) <= first_kept:
                partitions.drop(table, month)


def _states(grain: Grain, first_kept: int) -> None:
    with connection.cursor() as cursor:
        for table in ("deployments_state", "deployments_customvalue"):
            cursor.execute(f"DELETE FROM {table} WHERE grain = %s AND bucket < %s", [int(grain), first_kept])  # noqa: S608
