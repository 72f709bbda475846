"""`humilityStats/` and `humilityStatsOverTime/`."""

from __future__ import annotations

from dataclasses import dataclass

from rest_framework.request import Request
from rest_framework.response import Response

from deployments.api.examples_areas import HUMILITY, HUMILITY_OVER_TIME
from deployments.api.openapi import describes
from deployments.api.scoping import BucketQuery, ModelQuery, ServiceSegmentQuery, scope, segment_json
from deployments.api.views import DeploymentView
from deployments.models import Role
from deployments.reports import humility
from deployments.reports.numbers import period
from deployments.rollups.humility import merge, over


@dataclass(frozen=True, kw_only=True)
class StatsQuery(BucketQuery, ModelQuery, ServiceSegmentQuery):
    """A period, which `bucketSize` must fit into."""


class HumilityStatsView(DeploymentView):
    """How often each rule applied in a period."""

    roles = {"GET": Role.CONSUMER}

    @describes("Retrieve how often humility rules applied.", query=StatsQuery, answer=HUMILITY)
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(StatsQuery)
        asked = scope(self.deployment, query.model_id, query)
        counts = over(asked, [query.period])[0]
        return Response(
            {
                "data": humility.values(humility.shown(self.deployment, counts), counts),
                "modelId": asked.model.public_id,
                "period": period(query.period),
                **segment_json(query),
            }
        )


class HumilityStatsOverTimeView(DeploymentView):
    """How often each rule applied in each bucket; every bucket lists the same rules."""

    roles = {"GET": Role.CONSUMER}

    @describes("Retrieve how often humility rules applied over time.", query=StatsQuery, answer=HUMILITY_OVER_TIME)
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(StatsQuery)
        asked, buckets = scope(self.deployment, query.model_id, query), query.buckets
        found = over(asked, buckets)
        whole = merge(found)
        rules = humility.shown(self.deployment, whole)
        return Response(
            {
                "buckets": [
                    {"period": period(bucket), "values": humility.values(rules, counts)}
                    for bucket, counts in zip(buckets, found, strict=True)
                ],
                "summary": {"period": period(query.period), "values": humility.values(rules, whole)},
                "modelId": asked.model.public_id,
                **segment_json(query),
            }
        )
