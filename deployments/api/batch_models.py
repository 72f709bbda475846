"""`monitoringBatchLimits/`, and the models that have data in a batch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import Http404
from msgspec import Struct
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import batches
from deployments.api import params
from deployments.api.batches import OneBatchView
from deployments.api.deployments import caller
from deployments.api.errors import ValidationFailed
from deployments.api.examples import END, ID, START, page_of
from deployments.api.openapi import describes
from deployments.api.pagination import Window, page_of_queryset
from deployments.api.views import DeploymentView
from deployments.models import BatchModel, Role

BATCH_MODEL = {"batchId": ID, "modelId": ID, "predictionsCount": 1200, "startTime": START, "endTime": END}
LIMITS = {"batchesPerDayLimit": 100, "batchesCreatedToday": 3, "batchesLeftToday": 97}


@dataclass(frozen=True, kw_only=True)
class BatchModelsQuery(params.Query):
    """Which of the models."""

    offset: int = params.whole("offset", default=0, help="Models to skip.")
    limit: int = params.whole("limit", default=100, minimum=1, maximum=1000, help="Models to return.")
    model_id: str | None = params.text("modelId", help="Only this model.")


class BatchModelUpdate(Struct, rename="camel"):
    """When the data of a model in a batch begins and ends; what is left out or null stays."""

    start_time: str | None = None
    end_time: str | None = None


class LimitsView(DeploymentView):
    """How many batches can be made."""

    roles = {"GET": Role.CONSUMER}

    @describes("Get the limits related to monitoring batches.", answer=LIMITS, errors=(401, 404))
    def get(self, request: Request, deployment_id: str) -> Response:
        made = batches.created_today(self.deployment)
        return Response(
            {
                "batchesPerDayLimit": batches.MAX_BATCHES_PER_DAY,
                "batchesCreatedToday": made,
                "batchesLeftToday": max(0, batches.MAX_BATCHES_PER_DAY - made),
            }
        )


class BatchModelsView(OneBatchView):
    """The models that have data in a batch, in the order of their coming."""

    roles = {"GET": Role.CONSUMER}

    @describes("List the models that have data in a batch.", query=BatchModelsQuery, answer=page_of(BATCH_MODEL))
    def get(self, request: Request, deployment_id: str, batch_id: str) -> Response:
        query, batch = self.read(BatchModelsQuery), self.batch(batch_id)
        rows = BatchModel.objects.filter(batch=batch).select_related("batch", "model__package").order_by("pk")
        if query.model_id is not None:
            rows = rows.filter(model__package__model_id=query.model_id)
        window = Window(query.offset, query.limit)
        return Response(page_of_queryset(request, rows, window, lambda page: [shown(row) for row in page]))


class BatchModelView(OneBatchView):
    """One model's data in a batch."""

    roles = {"GET": Role.CONSUMER, "PATCH": Role.USER}

    @describes("Get information about a model that has data in a batch.", answer=BATCH_MODEL, errors=(401, 404))
    def get(self, request: Request, deployment_id: str, batch_id: str, model_id: str) -> Response:
        return Response(shown(self.row(batch_id, model_id)))

    @describes("Update when a model's data in a batch begins and ends.", body=BatchModelUpdate, answer=BATCH_MODEL)
    def patch(self, request: Request, deployment_id: str, batch_id: str, model_id: str) -> Response:
        row, body = self.row(batch_id, model_id), self.body(BatchModelUpdate)
        start, end = moment(body.start_time, "startTime"), moment(body.end_time, "endTime")
        try:
            batches.set_times(row, caller(request), start or row.start_at, end or row.end_at)
        except batches.NotPossible as problem:
            raise ValidationFailed({"startTime" if start else "endTime": str(problem)}) from None
        return Response(shown(self.row(batch_id, model_id)))

    def row(self, batch_id: str, model_id: str) -> BatchModel:
        rows = BatchModel.objects.select_related("batch__deployment", "model__package")
        found = rows.filter(batch=self.batch(batch_id), model__package__model_id=model_id).first()
        if found is None:
            raise Http404
        return found


def moment(text: str | None, field: str) -> datetime | None:
    """An RFC 3339 time of a body; 422 that names the field."""
    if text is None:
        return None
    try:
        return params.parse_moment(text)
    except params.BadValue as problem:
        raise ValidationFailed({field: str(problem)}) from None


def shown(row: BatchModel) -> dict[str, Any]:
    """A model's part of a batch as JSON."""
    return {
        "batchId": row.batch.public_id,
        "modelId": row.model.public_id,
        "predictionsCount": row.predictions_count,
        "startTime": row.start_at,
        "endTime": row.end_at,
    }
