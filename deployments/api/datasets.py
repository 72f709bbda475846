"""`datasets/`: files of rows, uploaded and downloaded. An extension of the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import FileResponse, Http404, HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import datasets
from deployments.api import params
from deployments.api.deployments import caller
from deployments.api.errors import Conflict, TooLarge, ValidationFailed
from deployments.api.examples import page_of
from deployments.api.openapi import describes
from deployments.api.pagination import Window, page_of_queryset
from deployments.api.permissions import allows, role_of
from deployments.api.views import ApiView
from deployments.ingest import datasets as sources
from deployments.ingest.errors import Refused, TooMuch
from deployments.models import DataExport, Dataset, Role

DATASET = {
    "id": "69235c1e8d2f4a7b9c0d1e2f",
    "name": "training.csv",
    "mediaType": "text/csv",
    "rowCount": 26398,
    "size": 1843211,
    "digest": "9f86d081884c7d65…",
    "columns": [{"name": "distance", "type": "Float64"}],
    "createdAt": "2026-01-02T03:04:05Z",
}
FILES = ("text/csv", "application/x-ndjson", "application/vnd.apache.parquet", "multipart/form-data")


@dataclass(frozen=True, kw_only=True)
class DatasetsQuery(params.Query):
    """Which datasets."""

    offset: int = params.whole("offset", default=0, help="Datasets to skip.")
    limit: int = params.whole("limit", default=100, minimum=1, maximum=1000, help="Datasets to return.")


@dataclass(frozen=True, kw_only=True)
class UploadQuery(params.Query):
    """What the file is called, for bodies that do not say it themselves."""

    name: str | None = params.text("name", help="The file's name, where the body is the file itself.")


def shown(dataset: Dataset) -> dict[str, Any]:
    """A dataset as JSON."""
    return {
        "id": dataset.public_id,
        "name": dataset.name,
        "mediaType": dataset.media_type,
        "rowCount": dataset.row_count,
        "size": dataset.size,
        "digest": dataset.digest,
        "columns": dataset.columns,
        "createdAt": dataset.created_at,
    }


def one_of(request: Request, public_id: str, *, to_read: bool = False) -> Dataset:
    """The dataset if the caller may see it, else 404; files made of a deployment's rows are for all its users."""
    found = datasets.visible(caller(request)).filter(public_id=public_id).first()
    if found is None and to_read:
        found = _of_deployment(request, public_id)
    if found is None:
        raise Http404
    return found


def _of_deployment(request: Request, public_id: str) -> Dataset | None:
    export = DataExport.objects.select_related("dataset", "deployment").filter(dataset__public_id=public_id).first()
    if export is None or export.deployment.deleted_at is not None:
        return None
    role = role_of(request.user, export.deployment)
    return export.dataset if role is not None and allows(role, Role.USER) else None


class DatasetListView(ApiView):
    """The caller's datasets."""

    @describes("List datasets.", query=DatasetsQuery, answer=page_of(DATASET), extension=True, errors=(401, 422))
    def get(self, request: Request) -> Response:
        query = self.read(DatasetsQuery)
        rows = datasets.visible(caller(request)).order_by("-pk")
        return Response(page_of_queryset(request, rows, Window(query.offset, query.limit), shown_all))


def shown_all(rows: Sequence[Dataset]) -> list[dict[str, Any]]:
    return [shown(row) for row in rows]


class DatasetUploadView(ApiView):
    """A new dataset from a file: the raw body, or the part `file` of a form."""

    @describes(
        "Upload a dataset as CSV, NDJSON or Parquet.",
        query=UploadQuery,
        content=FILES,
        answer=DATASET,
        status=201,
        extension=True,
        errors=(401, 413, 422),
    )
    def post(self, request: Request) -> Response:
        content, name, media_type = uploaded(request, self.read(UploadQuery).name)
        try:
            dataset = datasets.store(content, name, media_type, caller(request))
        except Refused as problem:
            raise ValidationFailed(problem.errors) from None
        except TooMuch as problem:
            raise TooLarge(str(problem)) from None
        return Response(shown(dataset), status=201)


def uploaded(request: Request, name: str | None) -> tuple[bytes, str, str]:
    """Content, name and media type of the file in a request; 413 beyond MAX_FILE_MB, 422 without a file."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.MAX_FILE_BYTES:
        raise TooLarge(f"At most {settings.MAX_FILE_BYTES} bytes (MAX_FILE_MB).")
    raw = request._request
    if raw.content_type == "multipart/form-data":
        part = raw.FILES.get("file")
        if part is None:
            raise ValidationFailed({"file": "The form has no part of this name."})
        return part.read(), name or part.name or "", part.content_type or ""
    # read from the stream: Django's limit on bodies in memory is meant for forms and JSON, not for files
    content = raw.read(settings.MAX_FILE_BYTES + 1)
    if len(content) > settings.MAX_FILE_BYTES:
        raise TooLarge(f"At most {settings.MAX_FILE_BYTES} bytes (MAX_FILE_MB).")
    if not content:
        raise ValidationFailed({"file": "The body is empty."})
    return content, name or "", raw.content_type or ""


class DatasetView(ApiView):
    """One dataset."""

    @describes("Retrieve a dataset.", answer=DATASET, extension=True, errors=(401, 404))
    def get(self, request: Request, dataset_id: str) -> Response:
        return Response(shown(one_of(request, dataset_id, to_read=True)))

    @describes("Delete a dataset.", status=204, extension=True, errors=(401, 404, 409))
    def delete(self, request: Request, dataset_id: str) -> Response:
        dataset = one_of(request, dataset_id)
        if sources.waited_for(dataset):
            raise Conflict("A job has yet to read this dataset.")
        datasets.delete(dataset)
        return Response(status=204)


class DatasetFileView(ApiView):
    """The file as it was uploaded or made."""

    @describes("Download a dataset.", extension=True, errors=(401, 404))
    def get(self, request: Request, dataset_id: str) -> HttpResponseBase:
        dataset = one_of(request, dataset_id, to_read=True)
        try:
            file = dataset.file.open("rb")
        except FileNotFoundError:
            raise Http404 from None
        answer = FileResponse(file, as_attachment=True, filename=dataset.name, content_type=dataset.media_type)
        answer["X-Content-Type-Options"] = "nosniff"
        return answer
