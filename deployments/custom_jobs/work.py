"""Scheduled custom metrics: made with their job and schedule, run when they are due.

A run speaks of the whole hour before it. Its values are filed under a request id that is made of the metric and that
hour, so however often the hour is run, its values count once.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from deployments import jobs, schedules
from deployments.custom_jobs import calling, library
from deployments.custom_jobs.calling import NotAnswered
from deployments.custom_jobs.library import RECIPES, Hour, Value
from deployments.custom_metrics import definitions, taking, uploads
from deployments.custom_metrics.bodies import MetricCreate, ReportedValue, ValuesBody
from deployments.ingest import store
from deployments.ingest.errors import Clash, Refused, TooMuch
from deployments.models import BlockKind, CustomJob, CustomMetric, DeployedModel, Deployment, Job, ScheduledMetric
from deployments.schedules import Schedule
from metrics.buckets import hour_ordinal, hour_start

KIND = "customMetricJob"


@transaction.atomic
def create(
    deployment: Deployment, job: CustomJob, body: MetricCreate, schedule: Schedule, user: User, now: datetime
) -> CustomMetric:
    """A metric with its job. Raises NotPossible as `definitions.create`."""
    metric = definitions.create(deployment, user, body)
    ScheduledMetric.objects.create(
        metric=metric, job=job, schedule=schedules.as_json(schedule), next_at=schedules.next_due(schedule, now)
    )
    return metric


def run_due(now: datetime) -> int:
    """Start every run that is due, each once however many workers ask; returns how many were started."""
    started = 0
    rows = ScheduledMetric.objects.filter(next_at__lte=now).select_related("metric__deployment")
    for row in rows.order_by("next_at")[:1000]:
        after = schedules.next_due(msgspec.convert(row.schedule, Schedule), now)
        with transaction.atomic():
            taken = ScheduledMetric.objects.filter(pk=row.pk, next_at=row.next_at).update(next_at=after)
            deployment = row.metric.deployment
            if taken and deployment.deleted_at is None and deployment.champion_id is not None:
                start(row, hour_ordinal(now) - 1)
                started += 1
    return started


def start(row: ScheduledMetric, hour: int) -> Job:
    """Put the run of one whole hour down."""
    return jobs.start(KIND, row.metric.deployment, row.metric.created_by, {"scheduled": row.pk, "hour": hour})


@jobs.register(KIND, piecewise=True)
def run(job: Job) -> str:
    """Work the values of one hour out and file them."""
    row = (
        ScheduledMetric.objects.select_related("metric__deployment__champion__package", "job")
        .filter(pk=job.args["scheduled"])
        .first()
    )
    if row is None or row.metric.deployment.champion is None:
        raise jobs.JobFailed("The custom metric or its model is gone.")
    model, number = row.metric.deployment.champion, int(job.args["hour"])
    model.deployment = row.metric.deployment
    request_id = f"custom-job-{row.metric.public_id}-{number}"
    try:
        values = _values(row, model, number, request_id)
        jobs.progress(job, 0.5, "Filing the values")
        told = _file(row.metric, model, values, request_id)
    except (NotAnswered, Refused, TooMuch) as problem:
        ScheduledMetric.objects.filter(pk=row.pk).update(last_message=str(problem)[:1000])
        raise jobs.JobFailed(str(problem)) from None
    ScheduledMetric.objects.filter(pk=row.pk).update(last_hour=number, last_message=told)
    job.message = told
    return f"/api/v2/deployments/{row.metric.deployment.public_id}/customMetrics/{row.metric.public_id}/"


def _values(row: ScheduledMetric, model: DeployedModel, number: int, request_id: str) -> list[ReportedValue]:
    period = hour_start(number), hour_start(number + 1)
    if not row.job.built_in:
        return calling.ask(row.job.url, row.metric, model, period, request_id)
    found: Value | None = RECIPES[row.job.built_in].work(Hour(model, number))
    if found is None:
        return []
    at = (period[1] - timedelta(seconds=1)).isoformat()
    return [ReportedValue(value=found.value, timestamp=at, sample_size=found.samples)]


def _file(metric: CustomMetric, model: DeployedModel, values: list[ReportedValue], request_id: str) -> str:
    """File the values of an hour; an hour that was filed before stays as it is."""
    if not values:
        return "Nothing to measure in this hour."
    body = ValuesBody(buckets=values)
    request = store.Request(
        BlockKind.CUSTOM_METRICS, store.digest(msgspec.json.encode(body)), request_id, timezone.now()
    )
    try:
        if store.answered(metric.deployment, request) is not None:
            return "This hour was filed before."
        table = taking.from_json(metric.deployment, metric, body, request.received_at)
        uploads.file_values(metric.deployment, metric, model, request, table)
    except Clash:
        return "This hour was filed before."
    return f"{len(values)} value{'s' * (len(values) != 1)} filed."


def visible(user: User) -> list[CustomJob]:
    """The built-in recipes, then a person's own jobs; an administrator sees everybody's."""
    library.ensure()
    rows = CustomJob.objects.order_by("pk")
    own = rows.filter(built_in="") if user.is_superuser else rows.filter(built_in="", owner=user)
    return [*rows.exclude(built_in=""), *own]
