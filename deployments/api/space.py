"""`predictionsOverSpace/`, `predictionsVsActualsOverSpace/`, `accuracyOverSpace/` and `featureDriftOverSpace/`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from deployments.api import params
from deployments.api.accuracy import METRICS as ACCURACY_METRICS
from deployments.api.errors import ValidationFailed
from deployments.api.examples_areas import (
    ACCURACY_OVER_SPACE,
    DRIFT_OVER_SPACE,
    PREDICTIONS_OVER_SPACE,
    VERSUS_OVER_SPACE,
)
from deployments.api.openapi import describes
from deployments.api.predictions import shown_classes
from deployments.api.scoping import ClassQuery, ModelQuery, PeriodQuery, metric_of, scope
from deployments.api.views import DeploymentView
from deployments.models import Role, SegmentAttribute
from deployments.reports import space
from deployments.reports.numbers import period
from deployments.rollups.read import Scope
from metrics import ALL_METRICS, JUDGED_METRIC

DRIFT_METRICS = {
    "psi": "psi",
    "klDivergence": "kl_divergence",
    "dissimilarity": "dissimilarity",
    "hellinger": "hellinger",
    "jsDivergence": "js_divergence",
}
"""The spellings of these operations, and those of the others."""


@dataclass(frozen=True, kw_only=True)
class SpaceQuery(PeriodQuery, ModelQuery):
    """A period and a geospatial feature."""

    place: str | None = params.text("geoFeatureName", help="Segmented analysis must follow it; by default the first.")


@dataclass(frozen=True, kw_only=True)
class PredictionsQuery(SpaceQuery, ClassQuery):
    """Predictions by cell."""


@dataclass(frozen=True, kw_only=True)
class AccuracyQuery(SpaceQuery):
    """One accuracy metric by cell."""

    metric: str | None = params.choice("metric", ACCURACY_METRICS, help="LogLoss or RMSE when absent.")


@dataclass(frozen=True, kw_only=True)
class DriftQuery(SpaceQuery):
    """The drift of one feature by cell."""

    feature: str | None = params.text("featureName", help="The target, or one of the ten most important features.")
    metric: str = params.choice("metric", tuple(DRIFT_METRICS), default="psi")


class PredictionsOverSpaceView(DeploymentView):
    """Counts, means and classes of predictions by cell."""

    roles = {"GET": Role.CONSUMER}

    @describes("Retrieve statistics of predictions over space.", query=PredictionsQuery, answer=PREDICTIONS_OVER_SPACE)
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(PredictionsQuery)
        asked = scope(self.deployment, query.model_id)
        package, place = asked.model.package, place_of(asked, query)
        classes = shown_classes(package, query)
        sides = space.predicted(asked, place, query.period)
        return Response(
            {
                "baselines": space.prediction_rows(package, sides.baseline, classes),
                "buckets": space.prediction_rows(package, sides.live, classes),
                **common(asked, place, query),
            }
        )


class VersusOverSpaceView(DeploymentView):
    """Predicted and actual means and classes by cell."""

    roles = {"GET": Role.CONSUMER}

    @describes("Retrieve predictions against actuals over space.", query=PredictionsQuery, answer=VERSUS_OVER_SPACE)
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(PredictionsQuery)
        asked = scope(self.deployment, query.model_id)
        package, place = asked.model.package, place_of(asked, query)
        classes = shown_classes(package, query)
        sides = space.scored(asked, place, query.period)
        rows = space.versus_rows(package, sides.live, classes)
        counted = ("rowCountTotal", "rowCountWithActual")
        return Response(
            {
                "baselines": space.versus_rows(package, sides.baseline, classes),
                "buckets": rows,
                "summary": {name: sum(row[name] for row in rows) for name in counted},
                **common(asked, place, query),
            }
        )


class AccuracyOverSpaceView(DeploymentView):
    """One accuracy metric by cell."""

    roles = {"GET": Role.CONSUMER}

    @describes("Retrieve one accuracy metric over space.", query=AccuracyQuery, answer=ACCURACY_OVER_SPACE)
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(AccuracyQuery)
        asked = scope(self.deployment, query.model_id)
        package, place = asked.model.package, place_of(asked, query)
        metric = metric_of(package, query.metric, ALL_METRICS[package.kind], JUDGED_METRIC[package.kind])
        sides = space.scored(asked, place, query.period)
        return Response(
            {
                "metric": metric,
                "baselines": space.accuracy_rows(package, sides.baseline, metric),
                "buckets": space.accuracy_rows(package, sides.live, metric),
                **common(asked, place, query),
            }
        )


class DriftOverSpaceView(DeploymentView):
    """The drift of one feature, or of the target, by cell."""

    roles = {"GET": Role.CONSUMER}

    @describes("Retrieve the drift of one feature over space.", query=DriftQuery, answer=DRIFT_OVER_SPACE)
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(DriftQuery)
        asked = scope(self.deployment, query.model_id)
        package, place = asked.model.package, place_of(asked, query)
        known = space.trackable(package)
        name = next(iter(known)) if query.feature is None else query.feature
        if name not in known:
            raise ValidationFailed({"featureName": f"Not counted by place: {name}; known: {', '.join(known)}."})
        sides = space.drifted(asked, place, query.period, known[name])
        return Response(
            {
                "data": space.drift_rows(package, sides, known[name], DRIFT_METRICS[query.metric]),
                "featureName": name,
                **common(asked, place, query),
            }
        )


def place_of(asked: Scope, query: SpaceQuery) -> SegmentAttribute:
    """The geospatial feature that was asked for, by default the first that is followed; 422 if there is none."""
    known = {row.name: row for row in space.places(asked)}
    if query.place is not None and query.place not in known:
        raise ValidationFailed({"geoFeatureName": f"{query.place} is not a followed geospatial feature here."})
    if not known:
        raise ValidationFailed({"geoFeatureName": "No geospatial feature is followed: see settings, segmentAnalysis."})
    return next(iter(known.values())) if query.place is None else known[query.place]


def common(asked: Scope, place: SegmentAttribute, query: SpaceQuery) -> dict[str, Any]:
    """What all answers repeat of the question."""
    return {"geoFeatureName": place.name, "modelId": asked.model.public_id, "period": period(query.period)}
