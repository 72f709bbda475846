"""`predictionServers/`, and `deployments/fromLearningModel/`: a deployment of a registered model by the model's id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from django.db import transaction
from django.http import Http404
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import jobs, registry
from deployments.api import params
from deployments.api.deletions import administrators_only
from deployments.api.deployments import caller
from deployments.api.errors import ValidationFailed
from deployments.api.examples import page_of
from deployments.api.openapi import describes
from deployments.api.pagination import Window, page_of_queryset
from deployments.api.registry import server_of, visible
from deployments.api.shown import prediction_server
from deployments.api.views import ApiView
from deployments.models import DeploymentRole, Importance, PredictionServer, Role

SERVER = {
    "id": "69235c1e8d2f4a7b9c0d1e2f",
    "url": "https://predictions.example.org",
    "datarobot-key": None,
    "batchPredictions": {"processing": 0, "queued": 0},
}


class ServerBody(Struct, rename="camel"):
    """A prediction server."""

    url: Annotated[str, Meta(max_length=2000, pattern=r"^https?://[^\s/?#@]+[^\s@]*$")]
    key: Annotated[str, Meta(max_length=200)] = ""


class LearningModelBody(Struct, rename="camel"):
    """A deployment to make of a registered model."""

    model_id: str
    label: Annotated[str, Meta(min_length=1, max_length=512)]
    description: Annotated[str, Meta(max_length=10000)] | None = None
    importance: Importance | None = None
    default_prediction_server_id: str | None = None
    prediction_threshold: Annotated[float, Meta(ge=0, le=1)] | None = None
    grant_initial_deployment_roles_from_project: bool = False
    status: Literal["active", "inactive"] = "active"


@dataclass(frozen=True, kw_only=True)
class ServersQuery(params.Query):
    """Which prediction servers."""

    offset: int = params.whole("offset", default=0, help="Servers to skip.")
    limit: int = params.whole("limit", default=100, minimum=1, maximum=1000, help="Servers to return.")


class PredictionServersView(ApiView):
    """Where predictions are made; administrators add what there is."""

    @describes("List prediction servers.", query=ServersQuery, answer=page_of(SERVER), errors=(401, 422))
    def get(self, request: Request) -> Response:
        query = self.read(ServersQuery)
        window = Window(query.offset, query.limit)
        return Response(page_of_queryset(request, PredictionServer.objects.order_by("pk"), window, shown))

    @describes("Add a prediction server.", body=ServerBody, answer=SERVER, status=201, extension=True)
    def post(self, request: Request) -> Response:
        administrators_only(request)
        body = self.body(ServerBody)
        return Response(shown([PredictionServer.objects.create(url=body.url, key=body.key)])[0], status=201)


class PredictionServerView(ApiView):
    """One prediction server."""

    @describes("Remove a prediction server.", status=204, extension=True, errors=(401, 403, 404))
    def delete(self, request: Request, server_id: str) -> Response:
        administrators_only(request)
        gone, _ = PredictionServer.objects.filter(public_id=server_id).delete()
        if not gone:
            raise Http404
        return Response(status=204)


class FromLearningModelView(ApiView):
    """A deployment that is readable as soon as it is answered."""

    @describes(
        "Create a deployment from a registered model.",
        body=LearningModelBody,
        answer={"id": "69235c1e8d2f4a7b9c0d1e2f"},
        status=202,
        errors=(401, 422),
    )
    def post(self, request: Request) -> Response:
        body, user = self.body(LearningModelBody), caller(request)
        package = visible(request).filter(model_id=body.model_id).first()
        if package is None:
            raise ValidationFailed({"modelId": "There is no such registered model."})
        if body.prediction_threshold not in (None, package.prediction_threshold):
            raise ValidationFailed(
                {"predictionThreshold": f"This model was registered with {package.prediction_threshold:g}."}
            )
        server = server_of(body.default_prediction_server_id)
        with transaction.atomic():
            made = registry.create_deployment(
                package,
                body.label,
                user,
                description=body.description or "",
                importance=body.importance or Importance.LOW,
            )
            made.status, made.default_prediction_server = body.status, server
            made.save(update_fields=["status", "default_prediction_server"])
            owner = package.owner
            if body.grant_initial_deployment_roles_from_project and owner is not None and owner != user:
                DeploymentRole.objects.create(deployment=made, user=owner, role=Role.OWNER)
            job = jobs.done("deployment.create", made, user, f"/api/v2/deployments/{made.public_id}/")
        return self.accepted(job, {"id": made.public_id})


def shown(rows: Sequence[PredictionServer]) -> list[dict[str, Any]]:
    """Servers as the list shows them. No batch of predictions is ever queued here: those are made outside."""
    return [{**prediction_server(row), "batchPredictions": {"processing": 0, "queued": 0}} for row in rows]
