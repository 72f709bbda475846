"""`customMetrics/`: list, create, retrieve, update, delete, and reporting of values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.http import Http404
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import datasets
from deployments.api import params
from deployments.api.deployments import caller
from deployments.api.errors import Conflict, TooLarge, ValidationFailed
from deployments.api.examples import CUSTOM_METRIC, page_of
from deployments.api.openapi import describes
from deployments.api.pagination import Window, page_of_queryset
from deployments.api.scoping import model_or_package
from deployments.api.views import DeploymentView
from deployments.custom_metrics import definitions, taking, uploads
from deployments.custom_metrics.bodies import DatasetBody, MetricCreate, MetricUpdate, ValuesBody
from deployments.ingest import store
from deployments.ingest.errors import Clash, Refused, TooMuch
from deployments.models import BlockKind, CustomMetric, Deployment, Role
from deployments.reports import custom

T = TypeVar("T")
LONGEST_KEY = 128


@dataclass(frozen=True, kw_only=True)
class ListQuery(params.Query):
    """Which custom metrics."""

    offset: int = params.whole("offset", default=0, help="Metrics to skip.")
    limit: int = params.whole("limit", default=100, minimum=1, maximum=1000, help="Metrics to return.")


class CustomMetricsView(DeploymentView):
    """The custom metrics of a deployment, oldest first."""

    roles = {"GET": Role.CONSUMER, "POST": Role.OWNER}

    @describes("Retrieve a list of custom metrics.", query=ListQuery, answer=page_of(CUSTOM_METRIC))
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(ListQuery)
        rows = CustomMetric.objects.filter(deployment=self.deployment).select_related("created_by").order_by("pk")
        window = Window(query.offset, query.limit)
        return Response(page_of_queryset(request, rows, window, lambda page: [custom.definition(row) for row in page]))

    @describes("Create a deployment custom metric.", body=MetricCreate, answer=CUSTOM_METRIC, status=201)
    def post(self, request: Request, deployment_id: str) -> Response:
        body = self.body(MetricCreate)
        metric = possible(lambda: definitions.create(self.deployment, caller(request), body))
        return Response(custom.definition(metric), status=201)


class CustomMetricView(DeploymentView):
    """One custom metric."""

    roles = {"GET": Role.CONSUMER, "PATCH": Role.OWNER, "DELETE": Role.OWNER}

    @describes("Retrieve a single custom metric metadata.", answer=CUSTOM_METRIC, errors=(401, 404))
    def get(self, request: Request, deployment_id: str, custom_metric_id: str) -> Response:
        return Response(custom.definition(metric_of(self.deployment, custom_metric_id)))

    @describes("Update given custom metric settings.", body=MetricUpdate, answer=CUSTOM_METRIC)
    def patch(self, request: Request, deployment_id: str, custom_metric_id: str) -> Response:
        body = self.body(MetricUpdate)
        metric = metric_of(self.deployment, custom_metric_id)
        return Response(custom.definition(possible(lambda: definitions.update(metric, caller(request), body))))

    @describes("Delete a custom metric.", status=204, errors=(401, 403, 404))
    def delete(self, request: Request, deployment_id: str, custom_metric_id: str) -> Response:
        definitions.delete(metric_of(self.deployment, custom_metric_id), caller(request))
        return Response(status=204)


class ValuesView(DeploymentView):
    """What both ways of reporting values have in common."""

    roles = {"POST": Role.USER}

    def request_of(self, given: str | None, metric: CustomMetric) -> store.Request:
        """The request by its id, from the body or the header; its body counts together with the metric."""
        key = given or self.request.headers.get("Idempotency-Key") or None
        if key is not None and len(key) > LONGEST_KEY:
            raise ValidationFailed({"requestId": f"At most {LONGEST_KEY} characters."})
        digest = store.digest(self.request.body, metric.public_id.encode())
        return store.Request(BlockKind.CUSTOM_METRICS, digest, key, timezone.now())


class ValuesFromJsonView(ValuesView):
    """Values as rows; they can be read as soon as this is answered. A dry run only checks them."""

    @describes(
        "Upload custom metric values from JSON.",
        body=ValuesBody,
        answer=CUSTOM_METRIC,
        status=202,
        errors=(401, 403, 404, 409, 413, 422),
    )
    def post(self, request: Request, deployment_id: str, custom_metric_id: str) -> Response:
        body = self.body(ValuesBody)
        metric = metric_of(self.deployment, custom_metric_id)
        model = model_or_package(self.deployment, body.model_id, body.model_package_id)
        asked = self.request_of(body.request_id, metric)

        def take() -> None:
            if store.answered(self.deployment, asked) is None:
                values = taking.from_json(self.deployment, metric, body, asked.received_at)
                if not body.dry_run:
                    uploads.file_values(self.deployment, metric, model, asked, values)

        taken(take)
        return Response(custom.definition(metric_of(self.deployment, custom_metric_id)), status=202)


class ValuesFromDatasetView(ValuesView):
    """The values of a dataset, added by a job."""

    @describes(
        "Upload custom metric values from dataset.",
        body=DatasetBody,
        answer={},
        status=202,
        errors=(401, 403, 404, 409, 422),
    )
    def post(self, request: Request, deployment_id: str, custom_metric_id: str) -> Response:
        body = self.body(DatasetBody)
        metric = metric_of(self.deployment, custom_metric_id)
        model = model_or_package(self.deployment, body.model_id, body.model_package_id)
        dataset = datasets.visible(caller(request)).filter(public_id=body.dataset_id).first()
        if dataset is None:
            raise ValidationFailed({"datasetId": "There is no such dataset."})
        available = [column["name"] for column in dataset.columns]
        asked = self.request_of(body.request_id, metric)
        columns = possible(lambda: taking.columns_of(metric, body, available))
        taken(lambda: taking.check_columns(self.deployment, columns, available))
        job = taken(
            lambda: uploads.file_dataset(self.deployment, metric, model, asked, dataset, columns, caller(request))
        )
        where = request.build_absolute_uri(f"/api/v2/status/{job}/")
        return Response({}, status=202, headers={"Location": where})


def metric_of(deployment: Deployment, public_id: str) -> CustomMetric:
    """A metric of the deployment; 404 for any other."""
    found = (
        CustomMetric.objects.filter(deployment=deployment, public_id=public_id)
        .select_related("created_by", "deployment")
        .first()
    )
    if found is None:
        raise Http404
    return found


def possible(work: Callable[[], T]) -> T:
    """The result; 422 for what is against the rules of custom metrics, 404 for a metric that has just gone."""
    try:
        return work()
    except definitions.NotPossible as reason:
        raise ValidationFailed(reason.errors) from None
    except CustomMetric.DoesNotExist:
        raise Http404 from None


def taken(work: Callable[[], T]) -> T:
    """The result of taking values in; its errors as those of every door."""
    try:
        return work()
    except Refused as problem:
        raise ValidationFailed(problem.errors) from None
    except TooMuch as problem:
        raise TooLarge(str(problem)) from None
    except Clash as problem:
        raise Conflict(str(problem)) from None
    except CustomMetric.DoesNotExist:
        raise Http404 from None
