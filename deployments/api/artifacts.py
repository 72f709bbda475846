"""`modelPackages/{id}/artifact/`: the ONNX file by which a package can be asked here. An extension."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import FileResponse, Http404, HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import artifacts
from deployments.api import params
from deployments.api.datasets import uploaded
from deployments.api.deployments import caller
from deployments.api.errors import Conflict, TooLarge, ValidationFailed
from deployments.api.openapi import describes
from deployments.api.packages import seen
from deployments.api.views import ApiView
from deployments.ingest.errors import Refused
from deployments.models import ModelPackage

ARTIFACT = {
    "name": "model.onnx",
    "digest": "9f86d081884c7d65…",
    "inputs": [{"name": "age", "columns": ["age"], "type": "float32", "rank": 2}],
    "output": "probabilities",
    "classes": ["no", "yes"],
}


@dataclass(frozen=True, kw_only=True)
class ArtifactQuery(params.Query):
    """What the file is called, for bodies that do not say it themselves."""

    name: str | None = params.text("name", help="The file's name, where the body is the file itself.")


class ArtifactView(ApiView):
    """The artifact of a package."""

    @describes("Download the ONNX artifact of a model package.", extension=True, errors=(401, 404))
    def get(self, request: Request, package_id: str) -> HttpResponseBase:
        package = seen(caller(request)).filter(public_id=package_id).first()
        if package is None or not package.artifact:
            raise Http404
        try:
            file = package.artifact.open("rb")
        except FileNotFoundError:
            raise Http404 from None
        answer = FileResponse(file, as_attachment=True, filename=package.artifact_name)
        answer["Content-Type"], answer["X-Content-Type-Options"] = "application/octet-stream", "nosniff"
        return answer

    @describes(
        "Give a model package its ONNX artifact: it is loaded, matched with the features and asked once.",
        query=ArtifactQuery,
        content=("application/octet-stream", "multipart/form-data"),
        answer=ARTIFACT,
        status=201,
        extension=True,
        errors=(401, 404, 409, 413, 422),
    )
    def post(self, request: Request, package_id: str) -> Response:
        package = seen(caller(request)).filter(public_id=package_id).first()
        if package is None or not (request.user.is_superuser or package.owner_id == request.user.pk):
            raise Http404
        content, name, _ = uploaded(request, self.read(ArtifactQuery).name)
        if len(content) > settings.MAX_ARTIFACT_BYTES:
            raise TooLarge(f"At most {settings.MAX_ARTIFACT_BYTES} bytes (MAX_ARTIFACT_MB).")
        try:
            package = artifacts.attach(package, content, name)
        except Refused as problem:
            raise ValidationFailed(problem.errors) from None
        except artifacts.Taken as problem:
            raise Conflict(str(problem)) from None
        return Response(shown(package), status=201)


def shown(package: ModelPackage) -> dict[str, Any] | None:
    """The artifact as JSON; None without one."""
    if not package.artifact:
        return None
    return {
        "name": package.artifact_name,
        "digest": package.artifact_digest,
        "inputs": package.signature["inputs"],
        "output": package.signature["output"],
        "classes": package.signature["classes"],
    }
