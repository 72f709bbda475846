"""`monitoringDataDeletions/` of a deployment, and `deletedDeployments/` for administrators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from django.http import Http404
from msgspec import Meta, Struct
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import erasure
from deployments.api import params
from deployments.api.deployments import caller
from deployments.api.errors import ValidationFailed
from deployments.api.examples import page_of
from deployments.api.exports import moment_of
from deployments.api.openapi import describes
from deployments.api.pagination import Window, page_of_queryset
from deployments.api.views import ApiView, DeploymentView
from deployments.deletions import work
from deployments.models import Deployment, Role
from metrics.buckets import is_whole_hour

DELETED = {"id": "69235c1e8d2f4a7b9c0d1e2f", "label": "Who buys", "deletedAt": "2026-01-02T03:04:05Z"}


class DeletionBody(Struct, rename="camel"):
    """The model, and the whole hours of which nothing is to be left; by default all that there ever was."""

    model_id: str
    start: str | None = None
    end: str | None = None


class ErasureBody(Struct, rename="camel"):
    """Deleted deployments to erase."""

    action: Literal["PermanentlyErase"]
    deployment_ids: Annotated[list[str], Meta(min_length=1, max_length=100)]


@dataclass(frozen=True, kw_only=True)
class DeletedQuery(params.Query):
    """Which deleted deployments."""

    offset: int = params.whole("offset", default=0, help="Deployments to skip.")
    limit: int = params.whole("limit", default=100, minimum=1, maximum=1000, help="Deployments to return.")


class MonitoringDataDeletionsView(DeploymentView):
    """Take monitoring data out."""

    roles = {"POST": Role.OWNER}

    @describes("Delete monitoring data of a model.", body=DeletionBody, answer={})
    def post(self, request: Request, deployment_id: str) -> Response:
        body = self.body(DeletionBody)
        start, end = (moment_of(text, place) for text, place in ((body.start, "start"), (body.end, "end")))
        for at, place in ((start, "start"), (end, "end")):
            if at is not None and not is_whole_hour(at):
                raise ValidationFailed({place: "Must be the top of an hour, for example 2019-08-01T00:00:00Z."})
        if start is not None and end is not None and start >= end:
            raise ValidationFailed({"start": "Must lie before the end of the period."})
        model = self.deployment.models.select_related("deployment", "package").filter(package__model_id=body.model_id)
        found = model.first()
        if found is None:
            raise Http404
        answer = self.accepted(work.start(found, start, end, caller(request)))
        answer.status_code = 200  # as the reference has it; the address of the job is there all the same
        return answer


class DeletedDeploymentsView(ApiView):
    """Deployments that were deleted: administrators see them, and may erase them for good."""

    admin = True

    @describes("List deleted deployments.", query=DeletedQuery, answer=page_of(DELETED), errors=(401, 403, 422))
    def get(self, request: Request) -> Response:
        administrators_only(request)
        query = self.read(DeletedQuery)
        return Response(page_of_queryset(request, erasure.deleted(), Window(query.offset, query.limit), shown))

    @describes("Erase deleted deployments.", body=ErasureBody, answer={}, status=202, errors=(401, 403, 422))
    def patch(self, request: Request) -> Response:
        administrators_only(request)
        wanted = list(dict.fromkeys(self.body(ErasureBody).deployment_ids))
        found = {row.public_id: row for row in erasure.deleted().filter(public_id__in=wanted)}
        for place, public_id in enumerate(wanted):
            if public_id not in found:
                raise ValidationFailed({f"deploymentIds[{place}]": "There is no such deleted deployment."})
        return self.accepted(erasure.start([found[public_id] for public_id in wanted], caller(request)))


def administrators_only(request: Request) -> None:
    """403 for everybody else."""
    if not request.user.is_superuser:
        raise PermissionDenied("This needs an administrator.")


def shown(rows: Sequence[Deployment]) -> list[dict[str, Any]]:
    return [{"id": row.public_id, "label": row.label, "deletedAt": row.deleted_at} for row in rows]
