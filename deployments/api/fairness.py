"""`fairnessScoresOverTime/`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from deployments.api import params
from deployments.api.errors import ValidationFailed
from deployments.api.examples_areas import FAIRNESS_OVER_TIME
from deployments.api.openapi import describes
from deployments.api.scoping import ModelQuery, NamedBucketQuery, scope
from deployments.api.views import DeploymentView
from deployments.models import Role
from deployments.reports import fairness
from deployments.reports.fairness import FeatureScores
from deployments.reports.numbers import period
from deployments.rollups.fairness import protected
from deployments.settings_schema import Settings, parse
from metrics import FairnessMetric

ORDERS = ("absoluteFairnessScore", "relativeFairnessScore", "-absoluteFairnessScore", "-relativeFairnessScore")
FIELDS = {"absoluteFairnessScore": "absoluteValue", "relativeFairnessScore": "value"}

Scores = list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class OverTimeQuery(NamedBucketQuery, ModelQuery):
    """One fairness metric by time: of all protected features, or of the classes of one."""

    metric: str | None = params.choice(
        "fairnessMetric", tuple(FairnessMetric), help="The first one of the settings when absent."
    )
    feature: str | None = params.text("protectedFeature", help="Show this feature's classes one by one.")
    order_by: str | None = params.choice("orderBy", ORDERS, help="Order by the score over the whole period.")
    privileged: bool = params.flag("includePrivilegedClass", help="Show the most favoured class in any case.")
    only_significant: bool = params.flag("onlyStatisticallySignificant", help="Only what has enough rows.")
    offset: int = params.whole("offset", default=0, help="Features (or classes) to skip.")
    limit: int = params.whole("limit", default=100, minimum=1, maximum=1000, help="Features (or classes) to return.")


class FairnessOverTimeView(DeploymentView):
    """Fairness by time; what is shown, and its order, are decided by the whole period and then kept in every bucket."""

    roles = {"GET": Role.CONSUMER}

    @describes("Retrieve fairness scores over time.", query=OverTimeQuery, answer=FAIRNESS_OVER_TIME)
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(OverTimeQuery)
        asked, settings = scope(self.deployment, query.model_id), parse(Settings, self.deployment.settings)
        features, rule = protected(asked), settings.bias_and_fairness
        if query.feature is not None and query.feature not in features:
            raise ValidationFailed({"protectedFeature": f"{query.feature} is not a protected feature here."})
        chosen = features if query.feature is None else [query.feature]
        metric = query.metric or fairness.metrics_of(settings)[0]
        buckets = query.buckets
        parts, whole = fairness.measure(asked, settings, chosen, metric, buckets)
        labels = shown_labels(whole, query)
        return Response(
            {
                "buckets": [
                    answer(metric, period(bucket), part, labels, query)
                    for bucket, part in zip(buckets, parts, strict=True)
                ],
                "summary": answer(metric, period(query.period), whole, labels, query),
                "fairnessThreshold": rule.fairness_threshold,
                "favorableTargetOutcome": rule.preferable_target_value,
                "modelId": asked.model.public_id,
                "modelPackageId": asked.model.package.public_id,
                "protectedFeature": query.feature,
            }
        )


def scores(found: Sequence[FeatureScores], query: OverTimeQuery) -> Scores:
    """All scores: of features, or of the classes of the one that was asked for."""
    if query.feature is None:
        return [fairness.feature_json(one) for one in found]
    return [fairness.class_json(one, own) for one in found for own in one.classes]


def shown_labels(whole: Sequence[FeatureScores], query: OverTimeQuery) -> list[str]:
    """Which features or classes are shown, in which order."""
    rows = scores(whole, query)
    if query.only_significant:
        rows = [row for row in rows if row["isStatisticallySignificant"]]
    rows = ordered(rows, query.order_by)
    labels = [row["label"] for row in rows[query.offset : query.offset + query.limit]]
    favoured = whole[0].privileged if whole and query.feature is not None and query.privileged else None
    return labels if favoured is None or favoured.name in labels else [*labels, favoured.name]


def ordered(rows: Scores, order: str | None) -> Scores:
    """By score; what has none comes last either way."""
    if order is None:
        return rows
    name, sign = FIELDS[order.removeprefix("-")], -1 if order.startswith("-") else 1
    return sorted(rows, key=lambda row: (row[name] is None, sign * (row[name] or 0.0), row["label"]))


def answer(
    metric: str, over: dict[str, Any], found: Sequence[FeatureScores], labels: Sequence[str], query: OverTimeQuery
) -> dict[str, Any]:
    """The scores of one bucket; a class without rows, or without a defined score, is not there."""
    rows = fairness.by_label(scores(found, query))
    shown = [rows[label] for label in labels if label in rows]
    if query.only_significant:
        shown = [row for row in shown if row["isStatisticallySignificant"]]
    message = found[0].message if found and query.feature is not None else None if found else fairness.OFF
    return {"metricName": metric, "period": over, "scores": shown, "message": message}
