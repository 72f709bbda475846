"""`status/{id}/`: where a job stands. 200 while it runs or after it failed, 303 to the result once it is done."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from deployments.api.openapi import describes
from deployments.api.permissions import allows, role_of
from deployments.api.views import ApiView
from deployments.models import Job, JobState, Role

EXAMPLE = {
    "statusId": "5f1f2a3b4c5d6e7f80910213",
    "status": "RUNNING",
    "message": "",
    "code": 0,
    "description": "settings",
    "statusType": "settings",
    "created": "2026-01-05T09:00:00Z",
    "progress": 0.4,
}
FAILED_CODE = 1


class StatusView(ApiView):
    """A job, to the person who started it, to administrators, and to those who work with its deployment."""

    @describes("Ask how a job is getting on.", answer=EXAMPLE, extension=True, errors=(401, 404))
    def get(self, request: Request, job_id: str) -> Response:
        job = Job.objects.select_related("deployment").filter(public_id=job_id).first()
        if job is None or not may_see(request.user, job):
            raise Http404
        if job.state == JobState.COMPLETED:
            where = request.build_absolute_uri(job.result or "/api/v2/")
            return Response(shown(job), status=303, headers={"Location": where})
        return Response(shown(job))


def may_see(user: User | AnonymousUser, job: Job) -> bool:
    """Whether a person may follow a job: 429 answers point to jobs that others started."""
    if user.is_superuser or job.created_by_id == user.pk:
        return True
    if job.deployment is None or job.deployment.deleted_at is not None:
        return False
    role = role_of(user, job.deployment)
    return role is not None and allows(role, Role.USER)


def shown(job: Job) -> dict[str, Any]:
    """The job in the words of the protocol."""
    return {
        "statusId": job.public_id,
        "status": str(job.state),
        "message": job.message,
        "code": FAILED_CODE if job.state == JobState.ERROR else 0,
        "description": job.kind,
        "statusType": job.kind,
        "created": job.created_at,
        "progress": job.progress,
    }
