"""`status/{id}/`: where a job stands, 200 while it runs or after it failed, 303 to the result once it is done; and
`jobs/`, the jobs of a deployment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import Http404
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import jobs
from deployments.api import params
from deployments.api.errors import Conflict
from deployments.api.examples import page_of
from deployments.api.openapi import describes
from deployments.api.pagination import Window, page_of_queryset
from deployments.api.permissions import allows, role_of
from deployments.api.shown import person
from deployments.api.views import ApiView, DeploymentView
from deployments.models import Job, JobState, Role

EXAMPLE = {
    "statusId": "5f1f2a3b4c5d6e7f80910213",
    "status": "RUNNING",
    "message": "120000 of 400000 rows",
    "code": 0,
    "description": "settings",
    "statusType": "settings",
    "progress": 0.3,
    "created": "2026-01-05T09:00:00Z",
}
JOB = {
    "id": "5f1f2a3b4c5d6e7f80910213",
    "kind": "predictionDataExport",
    "state": "RUNNING",
    "progress": 0.3,
    "message": "120000 of 400000 rows",
    "isCancelAsked": False,
    "error": None,
    "result": None,
    "createdBy": {"id": "000000000000000000000001", "name": "Ada"},
    "createdAt": "2026-01-05T09:00:00Z",
    "finishedAt": None,
}
FAILED_CODE = 1


class StatusView(ApiView):
    """A job, to the person who started it, to everybody with a role in its deployment and to administrators."""

    @describes("Ask how a job is getting on.", answer=EXAMPLE, extension=True, errors=(401, 404))
    def get(self, request: Request, job_id: str) -> Response:
        job = self.job(job_id)
        if job.state == JobState.COMPLETED:
            where = request.build_absolute_uri(job.result or "/api/v2/")
            return Response(shown(job), status=303, headers={"Location": where})
        return Response(shown(job))

    @describes("Stop a job.", status=204, extension=True, errors=(401, 403, 404, 409))
    def delete(self, request: Request, job_id: str) -> Response:
        job = self.job(job_id)
        role = None if job.deployment is None else role_of(request.user, job.deployment)
        if job.created_by_id != request.user.pk and not (role is not None and allows(role, Role.OWNER)):
            raise PermissionDenied("Only an owner, or who started it, may stop a job.")
        if not jobs.cancel(job):
            raise Conflict("The job is finished.")
        return Response(status=204)

    def job(self, job_id: str) -> Job:
        job = Job.objects.select_related("deployment").filter(public_id=job_id).first()
        user = self.request.user
        if job is None or not (
            user.is_superuser
            or job.created_by_id == user.pk
            or (job.deployment is not None and role_of(user, job.deployment) is not None)
        ):
            raise Http404
        return job


@dataclass(frozen=True, kw_only=True)
class JobsQuery(params.Query):
    """Which jobs."""

    offset: int = params.whole("offset", default=0, help="Jobs to skip.")
    limit: int = params.whole("limit", default=100, minimum=1, maximum=1000, help="Jobs to return.")
    kind: str | None = params.text("kind", help="Only jobs of this kind.")
    state: tuple[str, ...] = params.many("state", tuple(JobState.values))


class JobsView(DeploymentView):
    """What was, is and will be worked at for a deployment, newest first."""

    roles = {"GET": Role.CONSUMER}

    @describes("List the jobs of a deployment.", query=JobsQuery, answer=page_of(JOB), extension=True)
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(JobsQuery)
        rows = Job.objects.filter(deployment=self.deployment).select_related("created_by")
        if query.kind:
            rows = rows.filter(kind=query.kind)
        if query.state:
            rows = rows.filter(state__in=query.state)
        window = Window(query.offset, query.limit)
        return Response(page_of_queryset(request, rows.order_by("-created_at", "-pk"), window, listed))


def shown(job: Job) -> dict[str, Any]:
    """The job in the words of the protocol."""
    return {
        "statusId": job.public_id,
        "status": str(job.state),
        "message": job.message,
        "code": FAILED_CODE if job.state == JobState.ERROR else 0,
        "description": job.kind,
        "statusType": job.kind,
        "progress": job.progress,
        "created": job.created_at,
    }


def listed(rows: Sequence[Job]) -> list[dict[str, Any]]:
    """Jobs as rows of a list."""
    return [
        {
            "id": job.public_id,
            "kind": job.kind,
            "state": job.state,
            "progress": job.progress,
            "message": job.message,
            "isCancelAsked": job.cancel_asked,
            "error": job.message if job.state == JobState.ERROR else None,
            "result": job.result or None,
            "createdBy": None if job.created_by is None else person(job.created_by),
            "createdAt": job.created_at,
            "finishedAt": job.finished_at,
        }
        for job in rows
    ]
