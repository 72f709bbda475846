"""`predictionDataExports/`, `actualsDataExports/`, `trainingDataExports/`: rows of a deployment as files.

The file of an export is a dataset: whoever may see the deployment's data downloads it at `datasets/{id}/file/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from django.db.models import QuerySet
from django.http import Http404
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import jobs
from deployments.api import params
from deployments.api.deployments import caller
from deployments.api.errors import ValidationFailed
from deployments.api.examples import page_of
from deployments.api.openapi import describes
from deployments.api.pagination import Window, page_of_queryset
from deployments.api.scoping import model_of
from deployments.api.shown import user_id
from deployments.api.views import DeploymentView
from deployments.audit import record
from deployments.exports import work
from deployments.models import Augmentation, DataExport, Deployment, ExportKind, ExportStatus, Role
from deployments.settings_schema import Settings, parse

STATUSES = tuple(ExportStatus.values)
MOST_BATCHES = 1000
ID, TIME = "69235c1e8d2f4a7b9c0d1e2f", "2026-01-02T03:00:00Z"
_SHARED = {
    "id": ID,
    "createdAt": TIME,
    "modelId": "69235c1e1b2c3d4e5f607182",
    "period": {"start": TIME, "end": "2026-01-09T03:00:00Z"},
    "status": "SUCCEEDED",
    "error": None,
    "data": [{"id": ID, "name": f"predictions-{ID}.csv"}],
}
PREDICTIONS = _SHARED | {
    "associationIds": ["association_id"],
    "augmentationType": "NO_AUGMENTATION",
    "batches": [{"batchId": ID, "batchName": "May"}],
    "createdBy": "000000000000000000000001",
}
ACTUALS = _SHARED | {"createdBy": {"id": "000000000000000000000001"}, "onlyMatchedPredictions": True}
TRAINING = {
    "id": ID,
    "createdAt": TIME,
    "createdBy": "000000000000000000000001",
    "data": {"id": ID, "name": f"training-{ID}.csv"},
    "modelId": "69235c1e1b2c3d4e5f607182",
    "modelPackageId": ID,
}
FormatName = Literal["csv", "parquet"]
Batches = Annotated[list[str], Meta(min_length=1, max_length=MOST_BATCHES)]


class PeriodBody(Struct, rename="camel"):
    """Rows from `start` to before `end`, by default all that are kept; `format` is an extension."""

    start: str | None = None
    end: str | None = None
    model_id: str | None = None
    format: FormatName = "csv"

    def period(self) -> tuple[datetime | None, datetime | None]:
        """The period; 422 for what is none."""
        start, end = moment_of(self.start, "start"), moment_of(self.end, "end")
        if start is not None and end is not None and start >= end:
            raise ValidationFailed({"start": "Must lie before the end of the period."})
        return start, end


class PredictionsBody(PeriodBody, rename="camel"):
    """Predictions: those of these batches, or those in no batch."""

    augmentation_type: Augmentation = Augmentation.NO_AUGMENTATION
    batch_ids: Batches | None = None


class ActualsBody(PeriodBody, rename="camel"):
    """Actuals: with their predictions, and if wanted also those that wait for one."""

    only_matched_predictions: bool = True


class TrainingBody(Struct, rename="camel"):
    """What a model was trained on; by default the champion."""

    model_id: str | None = None


class Cancellation(Struct):
    """The one change that an export takes."""

    status: Literal["CANCELLED"]


@dataclass(frozen=True, kw_only=True)
class PageQuery(params.Query):
    """A part of a list."""

    offset: int = params.whole("offset", default=0, help="Exports to skip.")
    limit: int = params.whole("limit", default=100, minimum=1, maximum=1000, help="Exports to return.")


@dataclass(frozen=True, kw_only=True)
class ActualsQuery(PageQuery):
    """Which exports of actuals."""

    status: str | None = params.choice("status", STATUSES)


@dataclass(frozen=True, kw_only=True)
class PredictionsQuery(ActualsQuery):
    """Which exports of predictions."""

    model_id: str | None = params.text("modelId", help="Only exports of this model.")
    batch: bool | None = params.flag("batch", default=None, help="Only exports of batches, or only others.")


@dataclass(frozen=True, kw_only=True)
class TrainingQuery(PageQuery):
    """Which exports of training data."""

    model_id: str | None = params.text("modelId", help="Only exports of this model.")


class ExportsView(DeploymentView):
    """What the lists of the three kinds share."""

    kind: ClassVar[ExportKind]
    roles = {"GET": Role.CONSUMER, "POST": Role.USER}

    def rows(self) -> QuerySet[DataExport]:
        return of_kind(self.deployment, self.kind).order_by("-created_at", "-pk")

    def page(self, request: Request, rows: QuerySet[DataExport], query: PageQuery) -> Response:
        window = Window(query.offset, query.limit)
        return Response(page_of_queryset(request, rows, window, shown_all))

    def start(self, request: Request, **fields: Any) -> DataExport:
        export = work.make(self.kind, self.deployment, created_by=caller(request), **fields)
        work.start(export)
        what = {"id": export.public_id, "modelId": export.model.public_id}
        record(self.deployment, caller(request), f"{self.kind}.exported", {}, what)
        return export


class PredictionExportsView(ExportsView):
    """Exports of predictions."""

    kind = ExportKind.PREDICTIONS

    @describes("List prediction data exports.", query=PredictionsQuery, answer=page_of(PREDICTIONS))
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(PredictionsQuery)
        rows = by_status(by_model(self.rows(), self.deployment, query.model_id), query.status)
        if query.batch is not None:
            rows = rows.exclude(batches=[]) if query.batch else rows.filter(batches=[])
        return self.page(request, rows, query)

    @describes("Export predictions to a file.", body=PredictionsBody, answer=PREDICTIONS, status=202)
    def post(self, request: Request, deployment_id: str) -> Response:
        body = self.body(PredictionsBody)
        start, end = body.period()
        export = self.start(
            request,
            model=model_of(self.deployment, body.model_id),
            start=start,
            end=end,
            batches=batches_of(self.deployment, body.batch_ids),
            augmentation=body.augmentation_type,
            format=body.format,
        )
        assert export.job is not None
        return self.accepted(export.job, shown(export))


class ActualsExportsView(ExportsView):
    """Exports of actuals."""

    kind = ExportKind.ACTUALS

    @describes("List actuals data exports.", query=ActualsQuery, answer=page_of(ACTUALS))
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(ActualsQuery)
        return self.page(request, by_status(self.rows(), query.status), query)

    @describes("Export actuals to a file.", body=ActualsBody, answer=ACTUALS, status=202)
    def post(self, request: Request, deployment_id: str) -> Response:
        body = self.body(ActualsBody)
        start, end = body.period()
        export = self.start(
            request,
            model=model_of(self.deployment, body.model_id),
            start=start,
            end=end,
            only_matched=body.only_matched_predictions,
            format=body.format,
        )
        assert export.job is not None
        return self.accepted(export.job, shown(export))


class TrainingExportsView(ExportsView):
    """Exports of training data; the list holds those that succeeded."""

    kind = ExportKind.TRAINING

    @describes("List training data exports.", query=TrainingQuery, answer=page_of(TRAINING))
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(TrainingQuery)
        rows = self.rows().filter(status=ExportStatus.SUCCEEDED)
        return self.page(request, by_model(rows, self.deployment, query.model_id), query)

    @describes("Export the training data of a model.", body=TrainingBody, answer={}, status=202)
    def post(self, request: Request, deployment_id: str) -> Response:
        model = model_of(self.deployment, self.body(TrainingBody).model_id)
        if model.package.training_dataset_id is None:
            raise ValidationFailed({"modelId": "This model was registered without training data."})
        export = self.start(request, model=model)
        assert export.job is not None
        return self.accepted(export.job)


class ExportView(DeploymentView):
    """What single exports share."""

    kind: ClassVar[ExportKind]

    def export(self, export_id: str) -> DataExport:
        found = of_kind(self.deployment, self.kind).filter(public_id=export_id).first()
        if found is None:
            raise Http404
        return found

    def cancel(self, export_id: str) -> Response:
        export = self.export(export_id)
        self.body(Cancellation)
        if export.job is None or not jobs.cancel(export.job):
            raise ValidationFailed({"status": f"The export is {export.status} and cannot be cancelled any more."})
        return Response(status=204)


class PredictionExportView(ExportView):
    """One export of predictions."""

    kind = ExportKind.PREDICTIONS
    roles = {"GET": Role.CONSUMER, "PATCH": Role.USER}

    @describes("Retrieve a prediction data export.", answer=PREDICTIONS, errors=(401, 403, 404))
    def get(self, request: Request, deployment_id: str, export_id: str) -> Response:
        return Response(shown(self.export(export_id)))

    @describes("Cancel a prediction data export.", body=Cancellation, status=204)
    def patch(self, request: Request, deployment_id: str, export_id: str) -> Response:
        return self.cancel(export_id)


class ActualsExportView(ExportView):
    """One export of actuals."""

    kind = ExportKind.ACTUALS
    roles = {"GET": Role.CONSUMER, "PATCH": Role.USER, "DELETE": Role.USER}

    @describes("Retrieve an actuals data export.", answer=ACTUALS, errors=(401, 403, 404))
    def get(self, request: Request, deployment_id: str, export_id: str) -> Response:
        return Response(shown(self.export(export_id)))

    @describes("Cancel an actuals data export.", body=Cancellation, status=204)
    def patch(self, request: Request, deployment_id: str, export_id: str) -> Response:
        return self.cancel(export_id)

    @describes("Delete an actuals data export with its file.", status=204, errors=(401, 403, 404))
    def delete(self, request: Request, deployment_id: str, export_id: str) -> Response:
        export = self.export(export_id)
        work.delete(export)
        record(self.deployment, caller(request), "actuals.export.deleted", {"id": export.public_id}, {})
        return Response(status=204)


class TrainingExportView(ExportView):
    """One export of training data."""

    kind = ExportKind.TRAINING
    roles = {"GET": Role.CONSUMER}

    @describes("Retrieve a training data export.", answer=TRAINING, errors=(401, 403, 404))
    def get(self, request: Request, deployment_id: str, export_id: str) -> Response:
        return Response(shown(self.export(export_id)))


def of_kind(deployment: Deployment, kind: ExportKind) -> QuerySet[DataExport]:
    """A deployment's exports with all that showing them needs."""
    rows = DataExport.objects.filter(deployment=deployment, kind=kind)
    return rows.select_related("deployment", "model__package", "dataset", "created_by", "job")


def by_status(rows: QuerySet[DataExport], status: str | None) -> QuerySet[DataExport]:
    return rows.filter(status=status) if status else rows


def by_model(rows: QuerySet[DataExport], deployment: Deployment, model_id: str | None) -> QuerySet[DataExport]:
    return rows if model_id is None else rows.filter(model=model_of(deployment, model_id))


def batches_of(deployment: Deployment, ids: Sequence[str] | None) -> list[dict[str, Any]]:
    """The batches that were named, as an export keeps them; 422 for one that is not there."""
    if ids is None:
        return []
    known = {batch.public_id: batch for batch in deployment.batches.filter(public_id__in=ids)}
    for place, one in enumerate(ids):
        if one not in known:
            raise ValidationFailed({f"batchIds[{place}]": "There is no such batch in this deployment."})
    return [{"pk": known[one].pk, "id": one, "name": known[one].name} for one in dict.fromkeys(ids)]


def shown_all(rows: Sequence[DataExport]) -> list[dict[str, Any]]:
    return [shown(row) for row in rows]


def shown(export: DataExport) -> dict[str, Any]:
    """An export in the words of the reference."""
    kind = ExportKind(export.kind)
    who = None if export.created_by is None else user_id(export.created_by)
    file = None if export.dataset is None else {"id": export.dataset.public_id, "name": export.dataset.name}
    common = {"id": export.public_id, "createdAt": export.created_at, "modelId": export.model.public_id}
    if kind is ExportKind.TRAINING:
        return common | {"createdBy": who, "data": file, "modelPackageId": export.model.package.public_id}
    common |= {
        "period": {"start": export.start, "end": export.end},
        "status": export.status,
        "error": {"message": export.error} if export.error else None,
        "data": [] if file is None else [file],
    }
    if kind is ExportKind.ACTUALS:
        by = None if who is None else {"id": who}
        return common | {"createdBy": by, "onlyMatchedPredictions": export.only_matched}
    names = parse(Settings, export.deployment.settings).association_id.column_names
    return common | {
        "createdBy": who,
        "associationIds": names or ["association_id"],
        "augmentationType": export.augmentation,
        "batches": [{"batchId": batch["id"], "batchName": batch["name"]} for batch in export.batches],
    }


def moment_of(text: str | None, place: str) -> datetime | None:
    """A time of a body, or None; 422 that names its place."""
    if text is None:
        return None
    try:
        return params.parse_moment(text)
    except params.BadValue as bad:
        raise ValidationFailed({place: str(bad)}) from None
