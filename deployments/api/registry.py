"""`modelPackages/` and `deployments/fromModelPackage/`: models registered, and deployments made of them. Extensions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from django.http import Http404
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import jobs, registration, registry
from deployments.api import artifacts, params
from deployments.api.deployments import caller
from deployments.api.errors import TooLarge, ValidationFailed
from deployments.api.examples import page_of
from deployments.api.openapi import describes
from deployments.api.packages import seen
from deployments.api.pagination import Window, page_of_queryset
from deployments.api.views import ApiView
from deployments.ingest.errors import Refused, TooMuch
from deployments.models import Deployment, Importance, ModelPackage, PredictionServer
from deployments.registration import PackageSpec

PACKAGE = {
    "id": "69235c1e8d2f4a7b9c0d1e2f",
    "modelId": "69235c1e1b2c3d4e5f607182",
    "name": "Late flights, trained in January",
    "description": "",
    "target": {
        "name": "late",
        "type": "Binary",
        "classNames": ["no", "yes"],
        "positiveClass": "yes",
        "predictionThreshold": 0.5,
        "promptColumn": None,
    },
    "features": [
        {"name": "distance", "type": "Numeric", "importance": None, "featureImpact": 0.4, "isDriftTracked": True}
    ],
    "segmentAttributes": ["origin"],
    "timeSeries": {
        "datetimeColumn": "day",
        "seriesIdColumns": ["origin"],
        "forecastDistances": [1, 2, 3],
        "forecastUnit": "DAY",
        "forecastDistanceColumn": "forecast_distance",
        "forecastPointColumn": "forecast_point",
    },
    "trainingDatasetId": None,
    "holdoutDatasetId": None,
    "trainingRowCount": 20000,
    "holdoutRowCount": 6000,
    "accuracyBaseline": {"AUC": 0.71},
    "artifact": artifacts.ARTIFACT,
    "scoringAddress": None,
    "createdAt": "2026-01-02T03:04:05Z",
}


@dataclass(frozen=True, kw_only=True)
class PackagesQuery(params.Query):
    """Which packages."""

    offset: int = params.whole("offset", default=0, help="Packages to skip.")
    limit: int = params.whole("limit", default=100, minimum=1, maximum=1000, help="Packages to return.")


class DeploymentSpec(Struct, rename="camel"):
    """A deployment to make."""

    model_package_id: str
    label: Annotated[str, Meta(min_length=1, max_length=512)]
    description: Annotated[str, Meta(max_length=10000)] | None = None
    importance: Importance | None = None
    prediction_environment_id: str | None = None
    default_prediction_server_id: str | None = None
    batch_monitoring: bool = False


def shown(package: ModelPackage) -> dict[str, Any]:
    """A package as JSON."""
    training, holdout = package.training_dataset, package.holdout_dataset
    return {
        "id": package.public_id,
        "modelId": package.model_id,
        "name": package.name,
        "description": package.description,
        "target": {
            "name": package.target_name,
            "type": package.target_type,
            "classNames": package.class_names,
            "positiveClass": package.positive_class or None,
            "predictionThreshold": package.prediction_threshold,
            "promptColumn": package.prompt_name or None,
        },
        "features": [
            {
                "name": feature.name,
                "type": feature.kind,
                "importance": feature.importance,
                "featureImpact": feature.feature_impact,
                "isDriftTracked": feature.tracked,
            }
            for feature in package.features.all()
        ],
        "segmentAttributes": package.segment_attributes,
        "timeSeries": package.time_series or None,
        "trainingDatasetId": training.public_id if training else None,
        "holdoutDatasetId": holdout.public_id if holdout else None,
        "trainingRowCount": package.training_rows,
        "holdoutRowCount": package.holdout_rows,
        "accuracyBaseline": package.accuracy_baseline,
        "artifact": artifacts.shown(package),
        "scoringAddress": package.scoring_address or None,
        "createdAt": package.created_at,
    }


def visible(request: Request) -> Any:
    """The packages that the caller registered, or sees in a deployment; an administrator sees all."""
    return seen(caller(request)).prefetch_related("features")


class PackageListView(ApiView):
    """Registered models."""

    @describes("List model packages.", query=PackagesQuery, answer=page_of(PACKAGE), extension=True, errors=(401, 422))
    def get(self, request: Request) -> Response:
        query = self.read(PackagesQuery)
        rows = visible(request).order_by("-pk")
        return Response(page_of_queryset(request, rows, Window(query.offset, query.limit), shown_all))

    @describes(
        "Register a model: target, features, training and holdout data. Its baselines are frozen at once.",
        body=PackageSpec,
        answer=PACKAGE,
        status=201,
        extension=True,
        errors=(401, 422),
    )
    def post(self, request: Request) -> Response:
        try:
            package = registration.register(self.body(PackageSpec), caller(request))
        except Refused as problem:
            raise ValidationFailed(problem.errors) from None
        except TooMuch as problem:
            raise TooLarge(str(problem)) from None
        return Response(shown(package), status=201)


def shown_all(rows: Sequence[ModelPackage]) -> list[dict[str, Any]]:
    return [shown(row) for row in rows]


class PackageView(ApiView):
    """One registered model."""

    @describes("Retrieve a model package.", answer=PACKAGE, extension=True, errors=(401, 404))
    def get(self, request: Request, package_id: str) -> Response:
        package = visible(request).filter(public_id=package_id).first()
        if package is None:
            raise Http404
        return Response(shown(package))


def server_of(public_id: str | None) -> PredictionServer | None:
    """The server that was named; 422 for one that is not there."""
    if public_id is None:
        return None
    found = PredictionServer.objects.filter(public_id=public_id).first()
    if found is None:
        raise ValidationFailed({"defaultPredictionServerId": "There is no such prediction server."})
    return found


class FromModelPackageView(ApiView):
    """A deployment of a registered model, active and readable as soon as it is answered."""

    @describes(
        "Create a deployment from a model package.",
        body=DeploymentSpec,
        answer={"id": "69235c1e8d2f4a7b9c0d1e2f"},
        status=202,
        extension=True,
        errors=(401, 422),
    )
    def post(self, request: Request) -> Response:
        body, user = self.body(DeploymentSpec), caller(request)
        package = visible(request).filter(public_id=body.model_package_id).first()
        if package is None:
            raise ValidationFailed({"modelPackageId": "There is no such model package."})
        server = server_of(body.default_prediction_server_id)
        deployment = registry.create_deployment(
            package,
            body.label,
            user,
            description=body.description or "",
            importance=body.importance or Importance.LOW,
            batch_monitoring=body.batch_monitoring,
        )
        if server is not None:
            Deployment.objects.filter(pk=deployment.pk).update(default_prediction_server=server)
        job = jobs.done("deployment.create", deployment, user, f"/api/v2/deployments/{deployment.public_id}/")
        return self.accepted(job, {"id": deployment.public_id})
