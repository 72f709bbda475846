"""The values of custom metrics: summaries of one or all, over time and over batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models.functions import Coalesce
from rest_framework.request import Request
from rest_framework.response import Response

from deployments.api import params
from deployments.api.custom_metrics import metric_of
from deployments.api.examples import (
    CUSTOM_BATCH_SUMMARY,
    CUSTOM_OVER_BATCH,
    CUSTOM_OVER_TIME,
    CUSTOM_SUMMARIES,
    CUSTOM_SUMMARY,
)
from deployments.api.openapi import describes
from deployments.api.scoping import (
    BatchQuery,
    BucketQuery,
    ModelQuery,
    PeriodQuery,
    SegmentQuery,
    batches_of,
    model_or_package,
    segment_of,
)
from deployments.api.views import DeploymentView
from deployments.custom_metrics import reading
from deployments.custom_metrics.reading import Question
from deployments.models import CustomMetric, Deployment, MonitoringBatch, Role
from deployments.reports import custom
from deployments.reports.numbers import batch_period, period
from metrics import WEEKLY, CustomState, hour_start, merge_custom, split
from metrics.buckets import Bucket


@dataclass(frozen=True, kw_only=True)
class OfModelQuery(ModelQuery, SegmentQuery):
    """The values of one model, perhaps in one segment."""

    model_package_id: str | None = params.text("modelPackageId", help="The model by its package.")
    segment_attribute: str | None = params.text("segmentAttribute", help="An attribute to segment by.", extension=True)
    segment_value: str | None = params.text("segmentValue", help="The value of the attribute.", extension=True)


@dataclass(frozen=True, kw_only=True)
class SummaryQuery(PeriodQuery, OfModelQuery, BatchQuery):
    """The values of a period, or of some batches."""


@dataclass(frozen=True, kw_only=True)
class OverTimeQuery(BucketQuery, OfModelQuery):
    """The values by time; a week a bucket unless another size is asked for."""

    @property
    def buckets(self) -> list[Bucket]:
        start, end = self.period
        return split(start, end, self.bucket_size or WEEKLY)


@dataclass(frozen=True, kw_only=True)
class OverBatchQuery(OfModelQuery, BatchQuery):
    """The values by batch."""


class CustomValuesView(DeploymentView):
    """What all reads of values have in common."""

    roles = {"GET": Role.CONSUMER}

    def question(self, metrics: Sequence[CustomMetric], query: OfModelQuery) -> Question:
        """Which values are meant; 422 for a model or an attribute that is not there."""
        model = model_or_package(self.deployment, query.model_id, query.model_package_id)
        return Question(metrics, model, segment_of(self.deployment, query))

    def all_metrics(self) -> list[CustomMetric]:
        return list(CustomMetric.objects.filter(deployment=self.deployment).order_by("pk"))


class CustomSummaryView(CustomValuesView):
    """One metric over a period, or over the batches that are named."""

    @describes("Retrieve the summary of deployment custom metric.", query=SummaryQuery, answer=CUSTOM_SUMMARY)
    def get(self, request: Request, deployment_id: str, custom_metric_id: str) -> Response:
        metric = metric_of(self.deployment, custom_metric_id)
        query = self.read(SummaryQuery)
        found, over = summed(self.question([metric], query), query)
        return Response({"metric": custom.summary(metric, found[metric.pk]), "period": over})


class CustomSummariesView(CustomValuesView):
    """All metrics over a period, or over the batches that are named; and from when to when there are values."""

    @describes("Retrieve the bulk summary of deployment custom metrics.", query=SummaryQuery, answer=CUSTOM_SUMMARIES)
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(SummaryQuery)
        question = self.question(self.all_metrics(), query)
        found, over = summed(question, query)
        hours = reading.hours_with_values(question)
        first, last = (None, None) if hours is None else (hour_start(hours[0]), hour_start(hours[1]))
        return Response(
            {
                "metrics": [custom.summary(metric, found[metric.pk]) for metric in question.metrics],
                "details": {"earliestDate": first, "latestDate": last},
                "period": over,
            }
        )


class CustomBatchSummaryView(CustomValuesView):
    """One metric over some batches."""

    @describes(
        "Retrieve the summary of deployment batch custom metric.", query=SummaryQuery, answer=CUSTOM_BATCH_SUMMARY
    )
    def get(self, request: Request, deployment_id: str, custom_metric_id: str) -> Response:
        metric = metric_of(self.deployment, custom_metric_id)
        query = self.read(SummaryQuery)
        found = over_batches(self.question([metric], query), batches_within(self.deployment, query))
        return Response({"metric": custom.summary(metric, found[metric.pk])})


class CustomBatchSummariesView(CustomValuesView):
    """All metrics over some batches."""

    @describes(
        "Retrieve the bulk summary of deployment batch custom metrics.",
        query=SummaryQuery,
        answer={"metrics": [CUSTOM_BATCH_SUMMARY["metric"]]},
    )
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(SummaryQuery)
        question = self.question(self.all_metrics(), query)
        found = over_batches(question, batches_within(self.deployment, query))
        return Response({"metrics": [custom.summary(metric, found[metric.pk]) for metric in question.metrics]})


class CustomOverTimeView(CustomValuesView):
    """One metric by time."""

    @describes("Retrieve custom metric values over time.", query=OverTimeQuery, answer=CUSTOM_OVER_TIME)
    def get(self, request: Request, deployment_id: str, custom_metric_id: str) -> Response:
        metric = metric_of(self.deployment, custom_metric_id)
        query = self.read(OverTimeQuery)
        buckets = query.buckets
        states = reading.over(self.question([metric], query), buckets)[metric.pk]
        return Response(
            {
                "metric": custom.definition(metric),
                "buckets": [
                    {"period": period(bucket), **custom.values(metric, state)}
                    for bucket, state in zip(buckets, states, strict=True)
                ],
                "summary": period(query.period),
            }
        )


class CustomOverBatchView(CustomValuesView):
    """One metric by batch, oldest first."""

    @describes("Retrieve custom metric values over batch.", query=OverBatchQuery, answer=CUSTOM_OVER_BATCH)
    def get(self, request: Request, deployment_id: str, custom_metric_id: str) -> Response:
        metric = metric_of(self.deployment, custom_metric_id)
        query = self.read(OverBatchQuery)
        batches = batches_of(self.deployment, query.batch_ids)
        states = reading.by_batch(self.question([metric], query), batches)[metric.pk]
        return Response(
            {
                "metric": custom.definition(metric),
                "buckets": [
                    {"batch": batch_of(batch), **custom.values(metric, state)}
                    for batch, state in zip(batches, states, strict=True)
                ],
            }
        )


def summed(question: Question, query: SummaryQuery) -> tuple[dict[int, CustomState], dict[str, Any]]:
    """One state a metric and the period that they are of."""
    if query.batch_ids:
        batches = batches_within(question.model.deployment, query)
        return over_batches(question, batches), batch_period(batches)
    states = reading.over(question, [query.period])
    return {metric: of_period[0] for metric, of_period in states.items()}, period(query.period)


def over_batches(question: Question, batches: Sequence[MonitoringBatch]) -> dict[int, CustomState]:
    """All batches as one state a metric."""
    return {metric: merge_custom(states) for metric, states in reading.by_batch(question, batches).items()}


def batches_within(deployment: Deployment, query: SummaryQuery) -> list[MonitoringBatch]:
    """The named batches, and of those (or of all) the ones of the period; named ones need no period.

    A batch lies where its predictions lie, one without predictions where it was made.
    """
    rows = MonitoringBatch.objects.filter(deployment=deployment)
    if query.batch_ids:
        rows = rows.filter(public_id__in=query.batch_ids)
    if not query.batch_ids or query.start is not None or query.end is not None:
        start, end = query.period
        rows = rows.annotate(
            first=Coalesce("earliest_prediction_at", "created_at"), last=Coalesce("latest_prediction_at", "created_at")
        ).filter(first__lt=end, last__gte=start)
    return list(rows.order_by("created_at", "pk"))


def batch_of(batch: MonitoringBatch) -> dict[str, Any]:
    """A batch inside the answer."""
    return {
        "id": batch.public_id,
        "name": batch.name,
        "createdAt": batch.created_at,
        "lastPredictionTimestamp": batch.latest_prediction_at,
    }
