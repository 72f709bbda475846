"""Predictions, and predictions beside actuals, each over time and over batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from deployments.api import params, shown
from deployments.api.examples import (
    PREDICTIONS_OVER_BATCH,
    PREDICTIONS_OVER_TIME,
    VERSUS_OVER_BATCH,
    VERSUS_OVER_TIME,
)
from deployments.api.openapi import describes
from deployments.api.scoping import (
    BatchQuery,
    ClassQuery,
    ModelQuery,
    ModelsQuery,
    NamedBucketQuery,
    SegmentQuery,
    batches_of,
    classes_of,
    scope,
    scopes,
    segment_json,
)
from deployments.api.views import DeploymentView
from deployments.models import ModelPackage, Role
from deployments.reports import predictions
from deployments.reports.numbers import batch_period, period
from deployments.rollups import read


@dataclass(frozen=True, kw_only=True)
class OverTimeQuery(NamedBucketQuery, SegmentQuery, ModelsQuery, ClassQuery):
    """Predictions by time."""

    percentiles: bool = params.flag("includePercentiles", help="Also the 10th, 50th and 90th percentile.")


@dataclass(frozen=True, kw_only=True)
class OverBatchQuery(SegmentQuery, ModelsQuery, BatchQuery):
    """Predictions by batch."""

    percentiles: bool = params.flag("includePercentiles", help="Also the 10th, 50th and 90th percentile.")


@dataclass(frozen=True, kw_only=True)
class VersusOverTimeQuery(NamedBucketQuery, SegmentQuery, ModelsQuery, ClassQuery):
    """Predictions beside actuals by time."""


@dataclass(frozen=True, kw_only=True)
class VersusOverBatchQuery(SegmentQuery, ModelQuery, BatchQuery, ClassQuery):
    """Predictions beside actuals by batch."""


class PredictionsOverTimeView(DeploymentView):
    """Counts, means, classes and percentiles of predictions by time, for one model or several."""

    roles = {"GET": Role.CONSUMER}

    @describes("Retrieve statistics of predictions over time.", query=OverTimeQuery, answer=PREDICTIONS_OVER_TIME)
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(OverTimeQuery)
        buckets, rows, baselines = query.buckets, [], []
        for asked in scopes(self.deployment, query.model_ids, query):
            package = asked.model.package
            classes = shown_classes(package, query)
            states = read.predictions_over(asked, buckets)
            baselines.append(predictions.baseline(package, classes, query.percentiles, asked.segment))
            rows += [
                {
                    **predictions.bucket(package, state, classes, query.percentiles),
                    "modelId": package.model_id,
                    "period": period(bucket),
                }
                for bucket, state in zip(buckets, states, strict=True)
            ]
        return Response({"baselines": baselines, "buckets": rows, **segment_json(query)})


class PredictionsOverBatchView(DeploymentView):
    """The same by batch."""

    roles = {"GET": Role.CONSUMER}

    @describes("Retrieve statistics of predictions over batches.", query=OverBatchQuery, answer=PREDICTIONS_OVER_BATCH)
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(OverBatchQuery)
        batches = batches_of(self.deployment, query.batch_ids)
        rows: list[dict[str, Any]] = []
        baselines = []
        for asked in scopes(self.deployment, query.model_ids, query):
            package = asked.model.package
            states = read.predictions_by_batch(asked, batches)
            baselines.append(predictions.baseline(package, package.class_names, query.percentiles, asked.segment))
            rows += [
                {
                    **predictions.bucket(package, state, package.class_names, query.percentiles),
                    "batch": shown.batch_brief(batch),
                }
                for batch, state in zip(batches, states, strict=True)
            ]
        return Response({"baselines": baselines, "buckets": rows, **segment_json(query)})


class VersusOverTimeView(DeploymentView):
    """Predicted beside actual means and classes by time."""

    roles = {"GET": Role.CONSUMER}

    @describes("Retrieve predictions against actuals over time.", query=VersusOverTimeQuery, answer=VERSUS_OVER_TIME)
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(VersusOverTimeQuery)
        buckets, rows, baselines = query.buckets, [], []
        total = known = 0
        for asked in scopes(self.deployment, query.model_ids, query):
            package = asked.model.package
            classes = shown_classes(package, query)
            states = read.accuracy_over(asked, buckets)
            baselines.append(predictions.versus_baseline(package, classes, asked.segment))
            rows += [
                {
                    **predictions.versus(package, state, classes),
                    "modelId": package.model_id,
                    "period": period(bucket),
                }
                for bucket, state in zip(buckets, states, strict=True)
            ]
            total += sum(int(state.n_total) for state in states)
            known += sum(int(state.n_actual) for state in states)
        return Response(
            {
                "baselines": baselines,
                "buckets": rows,
                "summary": {"rowCountTotal": total, "rowCountWithActual": known},
                **segment_json(query),
            }
        )


class VersusOverBatchView(DeploymentView):
    """The same by batch."""

    roles = {"GET": Role.CONSUMER}

    @describes(
        "Retrieve predictions against actuals over batches.", query=VersusOverBatchQuery, answer=VERSUS_OVER_BATCH
    )
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(VersusOverBatchQuery)
        asked = scope(self.deployment, query.model_id, query)
        package = asked.model.package
        classes = shown_classes(package, query)
        batches = batches_of(self.deployment, query.batch_ids)
        states = read.accuracy_by_batch(asked, batches)
        return Response(
            {
                "baselines": [predictions.versus_baseline(package, classes, asked.segment)],
                "buckets": [
                    {
                        **predictions.versus(package, state, classes),
                        "modelId": package.model_id,
                        "batchId": batch.public_id,
                        "batchName": batch.name,
                        "period": batch_period([batch]),
                    }
                    for batch, state in zip(batches, states, strict=True)
                ],
                **segment_json(query),
            }
        )


def shown_classes(package: ModelPackage, query: ClassQuery) -> Sequence[str]:
    """The classes that were asked for, else all."""
    return classes_of(package, query) or package.class_names
