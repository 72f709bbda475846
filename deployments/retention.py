"""Deleting what is past its retention: rows by deployment and by whole months, states by their grain.

States outlive rows, so charts go on showing what was counted. An actual for an hour whose rows are gone finds no
prediction any more and is refused or waits until it is pruned itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, Max, OuterRef, QuerySet

from deployments import datasets, partitions
from deployments.models import (
    AuditEntry,
    Deployment,
    Grain,
    IngestRequest,
    Job,
    JobState,
    ReportMail,
    ReportMailState,
    ReportRun,
    RetrainingRun,
)
from deployments.rollups import fill
from metrics import day_ordinal

HOURS = 24
#: Rows of a table that are deleted in one transaction.
CHUNK = 5000


def prune(now: datetime) -> None:
    """Delete old rows, states, request ids, finished jobs, reports that were sent, and who changed what."""
    for deployment in Deployment.objects.only("pk", "keep_rows_days"):
        _rows(deployment, now)
    _months(now)
    _states(Grain.HOUR, day_ordinal(now - timedelta(days=settings.RETENTION_HOURS_DAYS)) * HOURS)
    _states(Grain.DAY, day_ordinal(now - timedelta(days=settings.RETENTION_DAYS_DAYS)))
    _reports(now - timedelta(days=settings.RETENTION_MAIL_DAYS))
    _in_steps(AuditEntry.objects.filter(at__lt=now - timedelta(days=settings.RETENTION_AUDIT_DAYS)))
    _trainings(now - timedelta(days=settings.RETENTION_AUDIT_DAYS))
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


def _in_steps(rows: QuerySet[Any]) -> None:
    """Deletes them a few thousand at a time, each time in a transaction of its own."""
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        with transaction.atomic():
            rows.model._default_manager.filter(pk__in=keys).delete()


def _reports(limit: datetime) -> None:
    """Reports that were made and sent: their pages and their mails, save the newest of each and what is under way."""
    later = ReportRun.objects.filter(report=OuterRef("report"), due_at__gt=OuterRef("due_at"))
    waiting = ReportMail.objects.filter(run=OuterRef("pk")).exclude(
        state__in=(ReportMailState.SENT, ReportMailState.FAILED)
    )
    old = ReportRun.objects.filter(Exists(later), ~Exists(waiting), due_at__lt=limit)
    for run in old.select_related("dataset"):
        with transaction.atomic():
            run.delete()
            if run.dataset is not None:
                datasets.delete(run.dataset)


def _trainings(limit: datetime) -> None:
    """Runs that made nothing; the newest of each policy stays."""
    later = RetrainingRun.objects.filter(policy=OuterRef("policy"), started_at__gt=OuterRef("started_at"))
    _in_steps(RetrainingRun.objects.filter(Exists(later), finished_at__lt=limit, package=None))


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
