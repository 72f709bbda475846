"""`serviceStats/`, `batchServiceStats/`, `serviceStatsOverTime/` and `serviceStatsOverBatch/`."""

from __future__ import annotations

from dataclasses import dataclass

from rest_framework.request import Request
from rest_framework.response import Response

from deployments.api import params, shown
from deployments.api.examples import BATCH_SERVICE_STATS, SERVICE_OVER_BATCH, SERVICE_OVER_TIME, SERVICE_STATS
from deployments.api.openapi import describes
from deployments.api.scoping import (
    BatchQuery,
    BucketQuery,
    ModelQuery,
    PeriodQuery,
    ServiceSegmentQuery,
    batches_of,
    scope,
    segment_json,
)
from deployments.api.views import DeploymentView
from deployments.models import Role
from deployments.reports import service
from deployments.reports.numbers import period
from deployments.reports.service import Options, ServiceMetric
from deployments.rollups import read

SLOWEST = 3_600_000
OVER_TIME = tuple(metric.value for metric in ServiceMetric)
OVER_BATCH = tuple(metric.value for metric in service.OF_BATCHES)


@dataclass(frozen=True, kw_only=True)
class AllMetricsQuery(ServiceSegmentQuery, ModelQuery):
    """How all metrics are to be worked out."""

    execution_quantile: float = params.number("executionTimeQuantile", default=0.5, minimum=0, maximum=1)
    response_quantile: float = params.number("responseTimeQuantile", default=0.5, minimum=0, maximum=1)
    slow: int = params.whole("slowRequestsThreshold", default=1000, maximum=SLOWEST, help="Milliseconds.")

    @property
    def options(self) -> Options:
        return Options(self.response_quantile, self.execution_quantile, self.slow)


@dataclass(frozen=True, kw_only=True)
class StatsQuery(PeriodQuery, AllMetricsQuery):
    """All metrics over one period."""


@dataclass(frozen=True, kw_only=True)
class BatchStatsQuery(AllMetricsQuery, BatchQuery):
    """All metrics over some batches."""


@dataclass(frozen=True, kw_only=True)
class OneMetricQuery(ServiceSegmentQuery, ModelQuery):
    """How one metric is to be worked out."""

    quantile: float = params.number("quantile", default=0.5, minimum=0, maximum=1, help="For the two times.")
    threshold: int = params.whole("threshold", default=1000, maximum=SLOWEST, help="Milliseconds, for slowRequests.")

    @property
    def options(self) -> Options:
        return Options(self.quantile, self.quantile, self.threshold)


@dataclass(frozen=True, kw_only=True)
class OverTimeQuery(BucketQuery, OneMetricQuery):
    """One metric by time."""

    metric: str = params.choice("metric", OVER_TIME, default=ServiceMetric.TOTAL_PREDICTIONS)


@dataclass(frozen=True, kw_only=True)
class OverBatchQuery(OneMetricQuery, BatchQuery):
    """One metric by batch."""

    metric: str = params.choice("metric", OVER_BATCH, default=ServiceMetric.TOTAL_PREDICTIONS)


class ServiceStatsView(DeploymentView):
    """All service health metrics over one period."""

    roles = {"GET": Role.CONSUMER}

    @describes("Retrieve all service health metrics over a period.", query=StatsQuery, answer=SERVICE_STATS)
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(StatsQuery)
        asked = scope(self.deployment, query.model_id, query)
        state = read.service_over(asked, [query.period])[0]
        return Response(
            {
                "metrics": service.values(state, query.options),
                "modelId": asked.model.public_id,
                "period": period(query.period),
                **segment_json(query),
            }
        )


class ServiceStatsOverTimeView(DeploymentView):
    """One service health metric by time."""

    roles = {"GET": Role.CONSUMER}

    @describes("Retrieve one service health metric over time.", query=OverTimeQuery, answer=SERVICE_OVER_TIME)
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(OverTimeQuery)
        asked, metric = scope(self.deployment, query.model_id, query), ServiceMetric(query.metric)
        buckets = query.buckets
        states = read.service_over(asked, buckets)
        whole = read.merged_service(states)
        return Response(
            {
                "metric": metric.value,
                "modelId": asked.model.public_id,
                "buckets": [
                    {"period": period(bucket), "value": service.value(state, metric, query.options)}
                    for bucket, state in zip(buckets, states, strict=True)
                ],
                "summary": {"period": period(query.period), "value": service.value(whole, metric, query.options)},
                **segment_json(query),
            }
        )


class ServiceStatsOverBatchView(DeploymentView):
    """One service health metric by batch."""

    roles = {"GET": Role.CONSUMER}

    @describes("Retrieve one service health metric over batches.", query=OverBatchQuery, answer=SERVICE_OVER_BATCH)
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(OverBatchQuery)
        asked, metric = scope(self.deployment, query.model_id, query), ServiceMetric(query.metric)
        batches = batches_of(self.deployment, query.batch_ids)
        states = read.service_by_batch(asked, batches)
        return Response(
            {
                "metric": metric.value,
                "buckets": [
                    {"batch": shown.batch_brief(batch), "value": service.value(state, metric, query.options)}
                    for batch, state in zip(batches, states, strict=True)
                ],
                **segment_json(query),
            }
        )


class BatchServiceStatsView(DeploymentView):
    """All service health metrics over some batches together."""

    roles = {"GET": Role.CONSUMER}

    @describes("Retrieve all service health metrics over batches.", query=BatchStatsQuery, answer=BATCH_SERVICE_STATS)
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(BatchStatsQuery)
        asked = scope(self.deployment, query.model_id, query)
        batches = batches_of(self.deployment, query.batch_ids)
        state = read.service_of_batches(asked, batches)
        return Response(
            {
                "metrics": service.values(state, query.options, service.OF_BATCHES),
                "batches": [shown.batch_brief(batch) for batch in batches],
                **segment_json(query),
            }
        )
