"""The job of a report: ask, draw, keep the page as a dataset, and put down one mail a recipient, all at once."""

from __future__ import annotations

import hashlib
from datetime import datetime

import msgspec
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from deployments import jobs, schedules
from deployments.models import Dataset, Job, ReportMail, ReportRun, ScheduledReport
from deployments.reporting import facts, page
from deployments.schedules import Schedule

KIND = "healthReport"
HTML = "text/html"


@transaction.atomic
def start(report: ScheduledReport, due_at: datetime, user: User | None) -> Job:
    """Put a run down; a due time that was put down before keeps its job."""
    run, fresh = ReportRun.objects.get_or_create(report=report, due_at=due_at, defaults={"created_by": user})
    if not fresh and run.job is not None:
        return run.job
    first = report.deployments.filter(deleted_at=None).order_by("pk").first()
    run.job = jobs.start(KIND, first, user, {"run": run.pk})
    run.save(update_fields=["job"])
    return run.job


def run_due(now: datetime) -> int:
    """Start every report that is due, each once however many workers ask; returns how many were started."""
    started = 0
    for row in ScheduledReport.objects.filter(next_at__lte=now, enabled=True).order_by("next_at")[:100]:
        with transaction.atomic():
            taken = ScheduledReport.objects.filter(pk=row.pk, next_at=row.next_at).update(next_at=next_of(row, now))
            if taken and row.next_at is not None:
                start(row, row.next_at, row.created_by)
                started += 1
    return started


def next_of(report: ScheduledReport, now: datetime) -> datetime | None:
    """When a report is due next."""
    if not report.enabled or not report.schedule:
        return None
    return schedules.next_due(msgspec.convert(report.schedule, Schedule), now)


@jobs.register(KIND, piecewise=True)
def render(job: Job) -> str:
    """Make the page of a run; one that is there already is not made again."""
    run = ReportRun.objects.select_related("report", "dataset", "created_by").filter(pk=job.args["run"]).first()
    if run is None:
        raise jobs.JobFailed("The report was deleted.")
    if run.dataset is not None:
        return _address(run.dataset)
    report, now = run.report, timezone.now()
    rows = list(report.deployments.filter(deleted_at=None).select_related("champion__package").order_by("pk"))
    if not rows:
        raise jobs.JobFailed("None of the report's deployments is left.")
    told = []
    for number, row in enumerate(rows):
        jobs.progress(job, 0.9 * number / len(rows), f"{number} of {len(rows)} deployments")
        told.append(facts.gather(row, now, report.days))
    content = page.render(report.name, told, now, report.days).encode()
    with transaction.atomic():
        jobs.progress(job, 0.95, f"{len(rows)} deployments")
        dataset = _keep(run, content)
        mails = [ReportMail(run=run, recipient=one) for one in report.recipients]
        ReportMail.objects.bulk_create(mails, ignore_conflicts=True)
    return _address(dataset)


def _keep(run: ReportRun, content: bytes) -> Dataset:
    dataset = Dataset(
        name=f"{run.report.name[:150]} {run.due_at:%Y-%m-%d %H.%M}.html",
        media_type=HTML,
        digest=hashlib.sha256(content).hexdigest(),
        size=len(content),
        row_count=0,
        owner=run.created_by or run.report.created_by,
    )
    storage, path = dataset.file.storage, f"reports/{run.public_id}.html"
    storage.delete(path)
    dataset.file.name = storage.save(path, ContentFile(content))
    dataset.save()
    ReportRun.objects.filter(pk=run.pk).update(dataset=dataset)
    return dataset


def _address(dataset: Dataset) -> str:
    return f"/api/v2/datasets/{dataset.public_id}/"
