"""`featureDrift/`, `targetDrift/`, `featureDriftOverTime/`, `featureDriftOverBatch/`; and `featureDistributions/`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from deployments.api import params, shown
from deployments.api.errors import ValidationFailed
from deployments.api.examples import (
    DISTRIBUTIONS,
    DRIFT_OVER_BATCH,
    DRIFT_OVER_TIME,
    FEATURE_DRIFT,
    TARGET_DRIFT,
)
from deployments.api.openapi import describes
from deployments.api.pagination import Window, page_of_list
from deployments.api.scoping import (
    BatchQuery,
    BucketQuery,
    ModelQuery,
    PeriodQuery,
    SegmentQuery,
    batches_of,
    scope,
    segment_json,
)
from deployments.api.views import DeploymentView
from deployments.models import ModelPackage, MonitoringBatch, Role
from deployments.reports import drift
from deployments.reports.drift import Tracked
from deployments.reports.numbers import batch_period, period
from deployments.rollups import read
from deployments.rollups.read import Scope, Segment
from deployments.rollups.states import PredictionState
from metrics import DRIFT_METRICS

METRICS = tuple(DRIFT_METRICS)
DEFAULT_METRIC = "psi"
MOST_FEATURES = 2
MOST_DISTRIBUTIONS = 10


@dataclass(frozen=True, kw_only=True)
class ScoreQuery(PeriodQuery, SegmentQuery, ModelQuery, BatchQuery):
    """Drift over one period, or over some batches."""

    metric: str = params.choice("metric", METRICS, default=DEFAULT_METRIC)


@dataclass(frozen=True, kw_only=True)
class FeatureDriftQuery(ScoreQuery):
    """The drift of every feature, a page at a time."""

    offset: int = params.whole("offset", default=0, help="Features to skip.")
    limit: int = params.whole("limit", default=25, minimum=1, maximum=300, help="Features to return.")


@dataclass(frozen=True, kw_only=True)
class FeaturesQuery(params.Query):
    """One or two features."""

    feature_names: tuple[str, ...] = params.many(
        "featureNames", at_most=MOST_FEATURES, required=True, help="One or two features, or the target."
    )


@dataclass(frozen=True, kw_only=True)
class OverTimeQuery(BucketQuery, SegmentQuery, ModelQuery, FeaturesQuery):
    """One or two features by time."""

    metric: str = params.choice("metric", METRICS, default=DEFAULT_METRIC)


@dataclass(frozen=True, kw_only=True)
class OverBatchQuery(SegmentQuery, ModelQuery, BatchQuery, FeaturesQuery):
    """One or two features by batch."""

    metric: str = params.choice("driftMetric", METRICS, default=DEFAULT_METRIC)


@dataclass(frozen=True, kw_only=True)
class DistributionsQuery(BucketQuery, SegmentQuery, ModelQuery, BatchQuery):
    """How some features were distributed."""

    feature_names: tuple[str, ...] = params.many(
        "featureNames", at_most=MOST_DISTRIBUTIONS, required=True, help="Features, or the target."
    )


class FeatureDriftView(DeploymentView):
    """The drift of every feature over a period, most important first."""

    roles = {"GET": Role.CONSUMER}

    @describes("Retrieve drift of all features over a period.", query=FeatureDriftQuery, answer=FEATURE_DRIFT)
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(FeatureDriftQuery)
        asked = scope(self.deployment, query.model_id, query)
        state, batches = one_state(asked, query)
        features = drift.tracked_features(asked.model.package, asked.segment)
        found = page_of_list(request, features, Window(query.offset, query.limit))
        found["data"] = [drift.row(feature, state, query.metric) for feature in found["data"]]
        return Response(found | common(query, asked, batches))


class TargetDriftView(DeploymentView):
    """The drift of the predictions over a period."""

    roles = {"GET": Role.CONSUMER}

    @describes("Retrieve drift of the target over a period.", query=ScoreQuery, answer=TARGET_DRIFT)
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(ScoreQuery)
        asked = scope(self.deployment, query.model_id, query)
        state, batches = one_state(asked, query)
        target = drift.tracked_target(asked.model.package, asked.segment)
        found = drift.row(target, state, query.metric)
        return Response(
            {
                "targetName": found["name"],
                "type": found["type"],
                "driftScore": found["driftScore"],
                "sampleSize": found["sampleSize"],
                "baselineSampleSize": found["baselineSampleSize"],
                **common(query, asked, batches),
            }
        )


class FeatureDriftOverTimeView(DeploymentView):
    """The drift of one or two features by time."""

    roles = {"GET": Role.CONSUMER}

    @describes("Retrieve drift of up to two features over time.", query=OverTimeQuery, answer=DRIFT_OVER_TIME)
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(OverTimeQuery)
        asked = scope(self.deployment, query.model_id, query)
        features = chosen(asked.model.package, asked.segment, query.feature_names)
        buckets = query.buckets
        states = read.predictions_over(asked, buckets)
        rows: list[dict[str, Any]] = []
        for feature in features:
            series = drift.series(feature, states, query.metric)
            rows += [{**row, "period": period(bucket)} for row, bucket in zip(series, buckets, strict=True)]
        return Response(
            {
                "metric": query.metric,
                "buckets": rows,
                "features": [{"featureName": one.name, "featureType": one.type} for one in features],
                "summaries": [{"featureName": one.name, "featureImpact": one.impact} for one in features],
            }
        )


class FeatureDriftOverBatchView(DeploymentView):
    """The drift of one or two features by batch."""

    roles = {"GET": Role.CONSUMER}

    @describes("Retrieve drift of up to two features over batches.", query=OverBatchQuery, answer=DRIFT_OVER_BATCH)
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(OverBatchQuery)
        asked = scope(self.deployment, query.model_id, query)
        features = chosen(asked.model.package, asked.segment, query.feature_names)
        batches = batches_of(self.deployment, query.batch_ids)
        states = read.predictions_by_batch(asked, batches)
        rows: list[dict[str, Any]] = []
        for feature in features:
            series = drift.series(feature, states, query.metric)
            rows += [{**row, "batch": shown.batch_brief(one)} for row, one in zip(series, batches, strict=True)]
        return Response({"driftMetric": query.metric, "buckets": rows})


class FeatureDistributionsView(DeploymentView):
    """The bins of some features, baseline and live side by side, and the live counts by time."""

    roles = {"GET": Role.CONSUMER}

    @describes(
        "Retrieve the distributions behind the drift of features.",
        query=DistributionsQuery,
        answer=DISTRIBUTIONS,
        extension=True,
    )
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(DistributionsQuery)
        asked = scope(self.deployment, query.model_id, query)
        features = chosen(asked.model.package, asked.segment, query.feature_names)
        batches = batches_of(self.deployment, query.batch_ids) if query.batch_ids else []
        buckets = [] if query.batch_ids else query.buckets
        if query.batch_ids:
            states = read.predictions_by_batch(asked, batches)
        else:
            states = read.predictions_over(asked, buckets)
        whole = read.merged_predictions(states, asked.model)
        data = []
        for feature in features:
            found = drift.distribution(feature, whole)
            counts = drift.live_counts(feature, states).tolist() if feature.bins is not None and states else []
            found["buckets"] = [
                {"period": period(bucket), "counts": row} for bucket, row in zip(buckets, counts, strict=False)
            ]
            data.append(found)
        over = batch_period(batches) if query.batch_ids else period(query.period)
        return Response({"period": over, "modelId": asked.model.public_id, "data": data, **segment_json(query)})


def one_state(asked: Scope, query: ScoreQuery) -> tuple[PredictionState, list[MonitoringBatch]]:
    """Everything in the period, or in the batches if any were named."""
    if not query.batch_ids:
        return read.predictions_over(asked, [query.period])[0], []
    batches = batches_of(asked.deployment, query.batch_ids)
    return read.merged_predictions(read.predictions_by_batch(asked, batches), asked.model), batches


def common(query: ScoreQuery, asked: Scope, batches: Sequence[MonitoringBatch]) -> dict[str, Any]:
    """What both answers over one period repeat of the question."""
    return {
        "metric": query.metric,
        "modelId": asked.model.public_id,
        "period": batch_period(batches) if query.batch_ids else period(query.period),
        "batchId": [batch.public_id for batch in batches],
        **segment_json(query),
    }


def chosen(package: ModelPackage, segment: Segment | None, names: Sequence[str]) -> list[Tracked]:
    """The features with these names, the target among them; 422 for one that the model does not have."""
    known = dict(drift.by_name([drift.tracked_target(package, segment), *drift.tracked_features(package, segment)]))
    strange = [name for name in names if name not in known]
    if strange:
        raise ValidationFailed({"featureNames": f"The model has no feature called {strange[0]}."})
    return [known[name] for name in names]
