"""Deleted deployments, and their erasure: every row, state and file of them goes, and only the audit trail tells."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from django.apps import apps
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.db import connection, models, transaction
from django.db.models import Q, QuerySet

from deployments import jobs
from deployments.models import (
    AuditEntry,
    DataExport,
    Dataset,
    Deployment,
    Job,
    ReportRun,
    ScheduledReport,
    ScoringCodeBuild,
)
from deployments.rollups import fill

KIND = "deployment.erase"
PIECE = 2_000
PATIENCE = 600


class Busy(RuntimeError):
    """Another worker is still at the deployment; the job is tried again later."""


def deleted() -> QuerySet[Deployment]:
    """Deployments that were deleted and are not erased, the latest first."""
    return Deployment.objects.exclude(deleted_at=None).order_by("-deleted_at", "-pk")


def start(rows: Sequence[Deployment], user: User) -> Job:
    """Put the erasure of deleted deployments down."""
    return jobs.start(KIND, None, user, {"deployments": [row.public_id for row in rows]})


@jobs.register(KIND, piecewise=True)
def erase(job: Job) -> str:
    """Erase what is still there of each deployment."""
    ids: list[str] = job.args["deployments"]
    for number, public_id in enumerate(ids):
        row = deleted().filter(public_id=public_id).first()
        if row is not None:
            for _ in _erased(row, job.created_by):
                jobs.progress(job, number / len(ids), f"{number} of {len(ids)} erased")
    return "/api/v2/deletedDeployments/"


def _erased(row: Deployment, user: User | None) -> Iterator[None]:
    """Piece by piece: files first, then the large tables, last the deployment with all that hangs on it."""
    for build in ScoringCodeBuild.objects.filter(model__deployment=row):
        name = str(build.file.name)
        build.delete()
        default_storage.delete(name)
        yield
    for dataset in files_of(row):
        name = str(dataset.file.name)
        with transaction.atomic():
            dataset.delete()
        default_storage.delete(name)
        yield
    for table in large_tables():
        while _some_of(table, row.pk):
            yield
    yield
    with transaction.atomic():
        _wait_for(row.pk)
        for table in large_tables():
            while _some_of(table, row.pk):
                pass
        ScheduledReport.objects.filter(deployments=row).exclude(
            deployments__in=Deployment.objects.exclude(pk=row.pk)
        ).delete()
        what = {"id": row.public_id, "label": row.label}
        AuditEntry.objects.create(deployment=None, user=user, action="deployment.erased", before=what)
        row.delete()


def files_of(row: Deployment) -> QuerySet[Dataset]:
    """The files that were made of a deployment's rows; what people uploaded is theirs and stays."""
    exports = DataExport.objects.filter(deployment=row).values("dataset")
    # of reports only those that tell of nothing else
    others = Deployment.objects.exclude(pk=row.pk)
    alone = ScheduledReport.objects.filter(deployments=row).exclude(deployments__in=others)
    pages = ReportRun.objects.filter(report__in=alone).values("dataset")
    return Dataset.objects.filter(Q(pk__in=exports) | Q(pk__in=pages))


def large_tables() -> list[str]:
    """The tables without foreign keys, which no cascade reaches."""
    own: list[type[models.Model]] = list(apps.get_app_config("deployments").get_models())
    return [model._meta.db_table for model in own if not model._meta.managed]


def _some_of(table: str, deployment_id: int) -> bool:
    """Delete a bounded number of rows; false when none was left."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table} WHERE (tableoid, ctid) IN "  # noqa: S608
            f"(SELECT tableoid, ctid FROM {table} WHERE deployment_id = %s LIMIT %s)",
            [deployment_id, PIECE],
        )
        return bool(cursor.rowcount)


def _wait_for(deployment_id: int) -> None:
    for _ in range(PATIENCE):
        if fill.locked(deployment_id):
            return
        time.sleep(0.1)
    raise Busy
