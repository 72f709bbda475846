"""`customMetrics/fromCustomJob/`: a metric that works itself out; and, as extensions, the jobs to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from django.db.models import ProtectedError
from django.http import Http404
from django.utils import timezone
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import addresses, schedules
from deployments.addresses import AddressRefused
from deployments.api import params
from deployments.api.custom_metrics import metric_of, possible
from deployments.api.deployments import caller
from deployments.api.errors import Conflict, ValidationFailed
from deployments.api.examples import page_of
from deployments.api.openapi import describes
from deployments.api.pagination import Window, page_of_list
from deployments.api.views import ApiView, DeploymentView
from deployments.custom_jobs import work
from deployments.custom_metrics.bodies import Baselines, ColumnName, MetricCreate, Name, TimestampColumn
from deployments.models import CustomJob, CustomMetric, Role, ScheduledMetric
from deployments.reports import custom
from deployments.schedules import Schedule
from metrics.buckets import hour_ordinal

ID, TIME = "69235c1e8d2f4a7b9c0d1e2f", "2026-01-02T03:04:05Z"
HOURLY = {"minute": [5], "hour": ["*"], "dayOfMonth": ["*"], "month": ["*"], "dayOfWeek": ["*"]}
JOB = {
    "id": ID,
    "name": "Missing rate",
    "description": "The share of missing values …",
    "isBuiltIn": True,
    "url": None,
    "type": "average",
    "directionality": "lowerIsBetter",
    "isModelSpecific": True,
    "units": "share",
}
SCHEDULED = {
    "id": ID,
    "name": "Missing rate",
    "description": "",
    "baselineValues": [{"value": 0.1}],
    "createdAt": TIME,
    "deployment": {
        "id": ID,
        "name": "Who buys",
        "createdAt": TIME,
        "creatorUsername": "ada",
        "creatorFirstName": "Ada",
        "creatorLastName": "",
        "creatorGravatarHash": None,
    },
    "directionality": "lowerIsBetter",
    "isModelSpecific": True,
    "sampleCount": None,
    "schedule": HOURLY,
    "timeStep": "hour",
    "timestamp": None,
    "type": "average",
    "units": "share",
    "value": None,
}


class JobBody(Struct, rename="camel"):
    """An address that gives values; see `deployments.custom_jobs.calling` for what it is asked."""

    name: Name
    url: Annotated[str, Meta(min_length=1, max_length=2000)]
    directionality: Literal["higherIsBetter", "lowerIsBetter"]
    type: Literal["average", "categorical", "gauge", "sum"] = "average"
    description: Annotated[str, Meta(max_length=10_000)] = ""
    is_model_specific: bool = True
    units: Annotated[str, Meta(max_length=100)] = ""


class FromJobBody(Struct, rename="camel"):
    """A metric whose values come from a custom job, at most once an hour."""

    custom_job_id: str
    name: Name
    description: Annotated[str, Meta(max_length=10_000)] | None = None
    baseline_values: Baselines = []
    schedule: Schedule = Schedule(minute=(5,))
    value: ColumnName | None = None
    sample_count: ColumnName | None = None
    timestamp: TimestampColumn | None = None


@dataclass(frozen=True, kw_only=True)
class JobsQuery(params.Query):
    """Which custom jobs."""

    offset: int = params.whole("offset", default=0, help="Jobs to skip.")
    limit: int = params.whole("limit", default=100, minimum=1, maximum=1000, help="Jobs to return.")


class CustomJobsView(ApiView):
    """The built-in recipes, and the caller's own addresses."""

    @describes("List custom jobs.", query=JobsQuery, answer=page_of(JOB), extension=True, errors=(401, 422))
    def get(self, request: Request) -> Response:
        query = self.read(JobsQuery)
        rows = [shown(row) for row in work.visible(caller(request))]
        return Response(page_of_list(request, rows, Window(query.offset, query.limit)))

    @describes("Make an address a custom job.", body=JobBody, answer=JOB, status=201, extension=True, errors=(401, 422))
    def post(self, request: Request) -> Response:
        body = self.body(JobBody)
        try:
            addresses.check(body.url)
        except AddressRefused as refused:
            raise ValidationFailed({"url": str(refused)}) from None
        made = CustomJob.objects.create(
            name=body.name,
            description=body.description,
            url=body.url,
            kind=body.type,
            directionality=body.directionality,
            is_model_specific=body.is_model_specific,
            units=body.units,
            owner=caller(request),
        )
        return Response(shown(made), status=201)


class CustomJobView(ApiView):
    """One custom job."""

    @describes("Retrieve a custom job.", answer=JOB, extension=True, errors=(401, 404))
    def get(self, request: Request, job_id: str) -> Response:
        return Response(shown(one_of(request, job_id)))

    @describes("Delete a custom job.", status=204, extension=True, errors=(401, 404, 409))
    def delete(self, request: Request, job_id: str) -> Response:
        row = one_of(request, job_id)
        if row.built_in:
            raise Conflict("The built-in jobs stay.")
        try:
            row.delete()
        except ProtectedError:
            raise Conflict("A custom metric still takes its values from this job.") from None
        return Response(status=204)


class FromCustomJobView(DeploymentView):
    """A metric that works itself out."""

    roles = {"POST": Role.OWNER}

    @describes("Create a custom metric from a custom job.", body=FromJobBody, answer=SCHEDULED, status=201)
    def post(self, request: Request, deployment_id: str) -> Response:
        body, user = self.body(FromJobBody), caller(request)
        job = next((row for row in work.visible(user) if row.public_id == body.custom_job_id), None)
        if job is None:
            raise ValidationFailed({"customJobId": "There is no such custom job."})
        wrong = schedules.problems(body.schedule, hourly=True)
        if wrong:
            raise ValidationFailed(wrong)
        create = msgspec.convert(
            {"name": body.name, "type": job.kind, "directionality": job.directionality}, MetricCreate
        )
        create.description, create.units = body.description, job.units
        create.is_model_specific, create.baseline_values = job.is_model_specific, body.baseline_values
        create.value, create.sample_count, create.timestamp = body.value, body.sample_count, body.timestamp
        now = timezone.now()
        metric = possible(lambda: work.create(self.deployment, job, create, body.schedule, user, now))
        return Response(scheduled_json(metric), status=201)


class CustomJobRunsView(DeploymentView):
    """The last hour again, now: for who does not want to wait for the schedule."""

    roles = {"POST": Role.USER}

    @describes("Run the custom job of a metric.", answer={}, status=202, extension=True)
    def post(self, request: Request, deployment_id: str, custom_metric_id: str) -> Response:
        metric = metric_of(self.deployment, custom_metric_id)
        row = ScheduledMetric.objects.filter(metric=metric).select_related("metric__deployment").first()
        if row is None:
            raise Http404
        return self.accepted(work.start(row, hour_ordinal(timezone.now()) - 1))


def one_of(request: Request, public_id: str) -> CustomJob:
    """A custom job that the caller may use, else 404."""
    found = next((row for row in work.visible(caller(request)) if row.public_id == public_id), None)
    if found is None:
        raise Http404
    return found


def shown(row: CustomJob) -> dict[str, Any]:
    """A custom job as JSON."""
    return {
        "id": row.public_id,
        "name": row.name,
        "description": row.description,
        "isBuiltIn": bool(row.built_in),
        "url": row.url or None,
        "type": row.kind,
        "directionality": row.directionality,
        "isModelSpecific": row.is_model_specific,
        "units": row.units,
    }


def scheduled_json(metric: CustomMetric) -> dict[str, Any]:
    """A metric with its schedule, as the reference shows it."""
    deployment, kept = metric.deployment, custom.definition(metric)
    maker = deployment.created_by
    names: Sequence[str] = (
        *("baselineValues", "createdAt", "description", "directionality", "id", "isModelSpecific", "name"),
        *("sampleCount", "timeStep", "timestamp", "type", "units", "value"),
    )
    return {name: kept.get(name) for name in names} | {
        "schedule": metric.scheduled.schedule,
        "deployment": {
            "id": deployment.public_id,
            "name": deployment.label,
            "createdAt": deployment.created_at,
            "creatorUsername": None if maker is None else maker.get_username(),
            "creatorFirstName": None if maker is None else maker.first_name,
            "creatorLastName": None if maker is None else maker.last_name,
            "creatorGravatarHash": None,
        },
    }
