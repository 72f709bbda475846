"""`accuracy/`, `accuracyOverTime/` and `accuracyOverBatch/`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from deployments.api import params
from deployments.api.errors import ValidationFailed
from deployments.api.examples import ACCURACY, ACCURACY_OVER_BATCH, ACCURACY_OVER_TIME
from deployments.api.openapi import describes
from deployments.api.scoping import (
    BatchQuery,
    BucketQuery,
    ClassesQuery,
    ModelQuery,
    ModelsQuery,
    PeriodQuery,
    SegmentQuery,
    batches_of,
    classes_of,
    metric_of,
    scope,
    scopes,
    segment_json,
)
from deployments.api.views import DeploymentView
from deployments.models import ModelPackage, MonitoringBatch, Role
from deployments.reports import accuracy
from deployments.reports.numbers import batch_period, period
from deployments.rollups import read
from deployments.rollups.read import Scope
from deployments.rollups.states import AccuracyState
from metrics import ACCURACY_METRICS, ALL_METRICS, DEFAULT_METRICS, JUDGED_METRIC
from metrics.buckets import Bucket

METRICS = tuple(sorted(ACCURACY_METRICS))


@dataclass(frozen=True, kw_only=True)
class AccuracyQuery(PeriodQuery, SegmentQuery, ModelQuery, BatchQuery, ClassesQuery):
    """All default metrics over one period, or over some batches."""


@dataclass(frozen=True, kw_only=True)
class OverTimeQuery(BucketQuery, SegmentQuery, ModelsQuery, ClassesQuery):
    """One metric by time."""

    metric: str | None = params.choice("metric", METRICS, help="LogLoss or RMSE when absent.")


@dataclass(frozen=True, kw_only=True)
class OverBatchQuery(SegmentQuery, ModelQuery, BatchQuery, ClassesQuery):
    """One metric by batch."""

    target_class: tuple[str, ...] = params.ours(params.many("targetClass", at_most=100, split=False))
    target_classes: tuple[str, ...] = params.ours(params.many("targetClasses", at_most=100))

    metric: str | None = params.choice("metric", METRICS, help="LogLoss or RMSE when absent.")


class AccuracyView(DeploymentView):
    """The default metrics of a period against the holdout."""

    roles = {"GET": Role.CONSUMER}

    @describes("Retrieve accuracy metrics for a period.", query=AccuracyQuery, answer=ACCURACY)
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(AccuracyQuery)
        asked = scope(self.deployment, query.model_id, query)
        package = measurable(asked.model.package)
        classes = classes_of(package, query)
        batches = batches_of(self.deployment, query.batch_ids) if query.batch_ids else []
        if query.batch_ids:
            state = read.merged_accuracy(read.accuracy_by_batch(asked, batches), package)
        else:
            state = read.accuracy_over(asked, [query.period])[0]
        return Response(
            {
                "metrics": {name: one(asked, state, name, classes) for name in DEFAULT_METRICS[package.kind]},
                "modelId": asked.model.public_id,
                "period": batch_period(batches) if query.batch_ids else period(query.period),
                "batchIds": [batch.public_id for batch in batches],
                "targetClasses": ",".join(classes) or None,
                **segment_json(query),
            }
        )


class AccuracyOverTimeView(DeploymentView):
    """One metric by time, for one model or several."""

    roles = {"GET": Role.CONSUMER}

    @describes("Retrieve one accuracy metric over time.", query=OverTimeQuery, answer=ACCURACY_OVER_TIME)
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(OverTimeQuery)
        models = scopes(self.deployment, query.model_ids, query)
        package = measurable(models[0].model.package)
        metric = metric_of(package, query.metric, ALL_METRICS[package.kind], JUDGED_METRIC[package.kind])
        classes = classes_of(package, query)
        buckets, rows, whole = query.buckets, [], None
        for asked in models:
            states = read.accuracy_over(asked, buckets)
            whole = whole or read.merged_accuracy(states, asked.model.package)
            rows += over_time(asked.model.package, buckets, states, metric, classes)
        assert whole is not None
        return Response(
            {
                "metric": metric,
                "modelId": models[0].model.public_id,
                "baseline": {**legacy_baseline(models[0], metric, classes), "period": None},
                "baselines": [baseline(asked, metric, classes) for asked in models],
                "buckets": rows,
                "summary": summary(package, whole, metric, query.period, classes),
                **segment_json(query),
            }
        )


class AccuracyOverBatchView(DeploymentView):
    """One metric by batch."""

    roles = {"GET": Role.CONSUMER}

    @describes("Retrieve one accuracy metric over batches.", query=OverBatchQuery, answer=ACCURACY_OVER_BATCH)
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(OverBatchQuery)
        asked = scope(self.deployment, query.model_id, query)
        package = measurable(asked.model.package)
        metric = metric_of(package, query.metric, ALL_METRICS[package.kind], JUDGED_METRIC[package.kind])
        classes = classes_of(package, query)
        batches = batches_of(self.deployment, query.batch_ids)
        states = read.accuracy_by_batch(asked, batches)
        return Response(
            {
                "baselines": [{**baseline(asked, metric, classes), "metric": metric}],
                "buckets": over_batches(package, batches, states, metric, classes),
            }
        )


def measurable(package: ModelPackage) -> ModelPackage:
    """The package; 422 for one whose target no accuracy metric fits."""
    if not ALL_METRICS[package.kind]:
        text = f"No accuracy metric applies to a {package.target_type} target."
        raise ValidationFailed({"modelId": text})
    return package


def one(asked: Scope, state: AccuracyState, metric: str, classes: Sequence[str]) -> dict[str, Any]:
    """One metric of `accuracy/`; with classes it is that of their rows only, and so is its baseline."""
    package = asked.model.package
    before = accuracy.baseline_of(package, metric, asked.segment, classes)
    found = accuracy.measure(package, [state], metric, classes)
    extras = {"errorBound": found.bounds[0]}
    if classes and len(package.class_names) > 2:
        value = accuracy.over_classes(package, state, metric, classes)
        per_class = accuracy.per_class_json(found.by_class[0])
        return {**accuracy.compared(package, metric, value, before), "perClass": per_class, **extras}
    return {**accuracy.compared(package, metric, found.values[0], before), **extras}


def over_time(
    package: ModelPackage,
    buckets: Sequence[Bucket],
    states: Sequence[AccuracyState],
    metric: str,
    classes: Sequence[str],
) -> list[dict[str, Any]]:
    """The buckets of one model."""
    found = accuracy.measure(package, states, metric, classes)
    return [
        {
            "modelId": package.model_id,
            "period": period(bucket),
            "value": found.values[i],
            "sampleSize": int(states[i].n_actual),
            "perClass": accuracy.per_class_json(found.by_class[i]),
            "valuePerClass": found.by_class[i] or None,
            "errorBound": found.bounds[i],
        }
        for i, bucket in enumerate(buckets)
    ]


def over_batches(
    package: ModelPackage,
    batches: Sequence[MonitoringBatch],
    states: Sequence[AccuracyState],
    metric: str,
    classes: Sequence[str],
) -> list[dict[str, Any]]:
    """The batches of one model."""
    found = accuracy.measure(package, states, metric, classes)
    return [
        {
            "metric": metric,
            "modelId": package.model_id,
            "batchId": batch.public_id,
            "batchName": batch.name,
            "period": batch_period([batch]),
            "value": found.values[i],
            "sampleSize": int(states[i].n_actual),
            "perClass": accuracy.per_class_json(found.by_class[i]),
            "errorBound": found.bounds[i],
        }
        for i, batch in enumerate(batches)
    ]


def summary(
    package: ModelPackage, state: AccuracyState, metric: str, over: Bucket, classes: Sequence[str]
) -> dict[str, Any]:
    """The metric over the whole period."""
    found = accuracy.measure(package, [state], metric, classes)
    return {
        "period": period(over),
        "value": found.values[0],
        "sampleSize": int(state.n_actual),
        "valuePerClass": found.by_class[0] or None,
        "errorBound": found.bounds[0],
        "interval": accuracy.interval(package, state, metric),
    }


def baseline(asked: Scope, metric: str, classes: Sequence[str]) -> dict[str, Any]:
    """The metric on the holdout, or on its part with the segment; by class for those that were asked."""
    package = asked.model.package
    return {
        "modelId": package.model_id,
        "value": accuracy.baseline_of(package, metric, asked.segment),
        "sampleSize": accuracy.baseline_rows(package, asked.segment),
        "perClass": accuracy.per_class_json(accuracy.baseline_by_class(package, metric, asked.segment, classes)),
    }


def legacy_baseline(asked: Scope, metric: str, classes: Sequence[str]) -> dict[str, Any]:
    """The same in the shape that older clients read."""
    package = asked.model.package
    return {
        "value": accuracy.baseline_of(package, metric, asked.segment),
        "sampleSize": accuracy.baseline_rows(package, asked.segment),
        "valuePerClass": accuracy.baseline_by_class(package, metric, asked.segment, classes) or None,
    }
