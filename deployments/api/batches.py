"""`monitoringBatches/`: batches of predictions that are monitored as a whole instead of by time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from django.db.models import F, OrderBy, Q, QuerySet
from django.http import Http404
from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import batches
from deployments.api import params, shown
from deployments.api.deployments import caller
from deployments.api.errors import Conflict, ValidationFailed
from deployments.api.examples import BATCH, page_of
from deployments.api.openapi import describes
from deployments.api.pagination import Window, page_of_queryset
from deployments.api.views import DeploymentView
from deployments.models import Deployment, MonitoringBatch, Role


class BatchOrder(StrEnum):
    """Columns by which batches are sorted."""

    NAME = "name"
    CREATED = "createdAt"
    EARLIEST = "earliestPredictionTimestamp"
    LATEST = "latestPredictionTimestamp"


COLUMNS = {
    BatchOrder.NAME: "name",
    BatchOrder.CREATED: "created_at",
    BatchOrder.EARLIEST: "earliest_prediction_at",
    BatchOrder.LATEST: "latest_prediction_at",
}
ORDERS = tuple(sign + order for order in BatchOrder for sign in ("", "-"))


@dataclass(frozen=True, kw_only=True)
class BatchesQuery(params.Query):
    """Which batches, in which order."""

    offset: int = params.whole("offset", default=0, help="Batches to skip.")
    limit: int = params.whole("limit", default=100, minimum=1, maximum=1000, help="Batches to return.")
    created_by: str | None = params.text("createdBy", help="Id of the person who created the batch.")
    search: str | None = params.text("search", help="Part of the name in any case, or the whole id.")
    order_by: str = params.choice("orderBy", ORDERS, default="-createdAt")
    created_after: datetime | None = params.moment("createdAfter")
    created_before: datetime | None = params.moment("createdBefore")
    start_after: datetime | None = params.moment("startAfter", help="First prediction after this.")
    end_before: datetime | None = params.moment("endBefore", help="Last prediction before this.")


class BatchBody(Struct, rename="camel"):
    """What can be set on a batch; its name is needed to create one."""

    batch_name: Annotated[str, Meta(min_length=1, max_length=128)] | UnsetType = UNSET
    description: Annotated[str, Meta(max_length=10000)] | UnsetType | None = UNSET
    external_context_url: Annotated[str, Meta(max_length=2000)] | UnsetType | None = UNSET
    is_locked: bool | UnsetType = UNSET

    def fields(self) -> dict[str, Any]:
        """The columns to write; a web address must be http or https."""
        if self.external_context_url and not str(self.external_context_url).startswith(("http://", "https://")):
            raise ValidationFailed({"externalContextUrl": "Must be an http or https address."})
        wanted = {
            "name": self.batch_name,
            "description": self.description if self.description is not None else "",
            "external_context_url": self.external_context_url if self.external_context_url is not None else "",
            "is_locked": self.is_locked,
        }
        return {name: value for name, value in wanted.items() if value is not UNSET}


class BatchesView(DeploymentView):
    """The batches of a deployment."""

    roles = {"GET": Role.CONSUMER, "POST": Role.USER}

    @describes("List monitoring batches in a deployment.", query=BatchesQuery, answer=page_of(BATCH))
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(BatchesQuery)
        rows = matching(self.deployment, query).select_related("created_by")
        window = Window(query.offset, query.limit)
        return Response(page_of_queryset(request, rows, window, lambda page: [shown.batch(row) for row in page]))

    @describes("Create a monitoring batch for a deployment.", body=BatchBody, answer=BATCH)
    def post(self, request: Request, deployment_id: str) -> Response:
        fields = self.body(BatchBody).fields()
        if "name" not in fields:
            raise ValidationFailed({"batchName": "This field is required."})
        try:
            row = batches.create(self.deployment, caller(request), fields)
        except batches.NotPossible as reason:
            raise ValidationFailed(str(reason)) from None
        return Response(shown.batch(row))


class OneBatchView(DeploymentView):
    """Anything below one batch."""

    def batch(self, batch_id: str) -> MonitoringBatch:
        rows = MonitoringBatch.objects.select_related("created_by", "deployment")
        found = rows.filter(deployment=self.deployment, public_id=batch_id).first()
        if found is None:
            raise Http404
        return found


class BatchView(OneBatchView):
    """One batch."""

    roles = {"GET": Role.CONSUMER, "PATCH": Role.USER, "DELETE": Role.OWNER}

    @describes("Retrieve a monitoring batch in a deployment.", answer=BATCH, errors=(401, 404))
    def get(self, request: Request, deployment_id: str, batch_id: str) -> Response:
        return Response(shown.batch(self.batch(batch_id)))

    @describes("Update a monitoring batch in a deployment.", body=BatchBody, answer=BATCH)
    def patch(self, request: Request, deployment_id: str, batch_id: str) -> Response:
        fields = self.body(BatchBody).fields()
        try:
            batches.update(self.batch(batch_id), caller(request), fields)
        except batches.NotPossible as reason:
            raise ValidationFailed({"batchName": str(reason)}) from None
        return Response(shown.batch(self.batch(batch_id)))

    @describes("Delete a monitoring batch in a deployment.", answer={}, errors=(401, 403, 404, 409))
    def delete(self, request: Request, deployment_id: str, batch_id: str) -> Response:
        try:
            batches.delete(self.batch(batch_id), caller(request))
        except batches.NotPossible as reason:
            raise Conflict(str(reason)) from None
        return Response({})


def matching(deployment: Deployment, query: BatchesQuery) -> QuerySet[MonitoringBatch]:
    """The batches that pass the filters, sorted."""
    found = Q(deployment=deployment)
    if query.created_by is not None:
        found &= Q(created_by_id=int(query.created_by, 16)) if params.is_id(query.created_by) else Q(pk=None)
    if query.search:
        found &= Q(name__icontains=query.search) | Q(public_id=query.search)
    for lookup, moment in (
        ("created_at__gt", query.created_after),
        ("created_at__lt", query.created_before),
        ("earliest_prediction_at__gt", query.start_after),
        ("latest_prediction_at__lt", query.end_before),
    ):
        if moment is not None:
            found &= Q((lookup, moment))
    column = COLUMNS[BatchOrder(query.order_by.removeprefix("-"))]
    order = OrderBy(F(column), descending=query.order_by.startswith("-"), nulls_last=True)
    return MonitoringBatch.objects.filter(found).order_by(order, "pk")
