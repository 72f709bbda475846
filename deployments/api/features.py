"""`features/`, `segmentAttributes/` and `segmentValues/`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from deployments.api import params
from deployments.api.errors import ValidationFailed
from deployments.api.examples import FEATURE, SEGMENT_ATTRIBUTES, SEGMENT_VALUE, page_of
from deployments.api.openapi import describes
from deployments.api.pagination import Window, page_of_list
from deployments.api.scoping import DEFAULT_PERIOD
from deployments.api.views import DeploymentView
from deployments.models import Deployment, FeatureType, Role
from deployments.reports import segments
from metrics.buckets import Bucket, top_of_next_hour


class FeatureOrder(StrEnum):
    """Orders of the list of features."""

    NAME = "name"
    NAME_DOWN = "-name"
    IMPORTANCE = "importance"
    IMPORTANCE_DOWN = "-importance"


@dataclass(frozen=True, kw_only=True)
class FeaturesQuery(params.Query):
    """Which features, in which order; a limit of 0 means all."""

    offset: int = params.whole("offset", default=0, help="Features to skip.")
    limit: int = params.whole("limit", default=0, maximum=10_000, help="Features to return; 0 means all.")
    others: bool = params.flag("includeNonPredictionFeatures", help="Also columns that the model does not use.")
    for_segments: bool = params.flag("forSegmentedAnalysis", help="Only those whose values can make segments.")
    search: str | None = params.text("search", help="Part of the name, in any case.")
    order_by: str | None = params.choice("orderBy", tuple(FeatureOrder))


@dataclass(frozen=True, kw_only=True)
class AttributesQuery(params.Query):
    """For which kind of monitoring the attributes are wanted."""

    kind: str = params.choice("monitoringType", tuple(segments.Monitoring), default=segments.Monitoring.SERVICE)


@dataclass(frozen=True, kw_only=True)
class ValuesQuery(params.Query):
    """Which attribute, and which of its values."""

    offset: int = params.whole("offset", default=0, help="Values to skip.")
    limit: int = params.whole("limit", default=100, minimum=1, maximum=1000, help="Values to return.")
    attribute: str | None = params.text("segmentAttribute", help="The attribute; all when absent.")
    search: str | None = params.text("search", help="Part of the value, in any case.")
    start: datetime | None = params.ours(params.moment("start", whole_hour=True, help="Only values seen from then on."))
    end: datetime | None = params.ours(params.moment("end", whole_hour=True, help="Only values seen before then."))

    @property
    def within(self) -> Bucket | None:
        """The time in which the values must have been seen; None if none was asked."""
        if self.start is None and self.end is None:
            return None
        end = self.end or top_of_next_hour(self.now)
        return self.start or end - DEFAULT_PERIOD, end

    def problems(self) -> dict[str, str]:
        within = self.within
        if within is not None and within[0] >= within[1]:
            return {"start": "Must lie before the end of the period."}
        return {}


class FeaturesView(DeploymentView):
    """The features of the champion."""

    roles = {"GET": Role.CONSUMER}

    @describes("Retrieve the deployment's features.", query=FeaturesQuery, answer=page_of(FEATURE))
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(FeaturesQuery)
        rows = [row for row in features(self.deployment, query.others) if fits(row, query)]
        return Response(page_of_list(request, ordered(rows, query.order_by), Window(query.offset, query.limit or None)))


class SegmentAttributesView(DeploymentView):
    """By what the monitoring of the deployment can be segmented."""

    roles = {"GET": Role.CONSUMER}

    @describes("Retrieve deployment segment attributes.", query=AttributesQuery, answer=SEGMENT_ATTRIBUTES)
    def get(self, request: Request, deployment_id: str) -> Response:
        kind = self.read(AttributesQuery).kind
        return Response({"data": segments.attributes(self.deployment, kind), "monitoringType": kind})


class SegmentValuesView(DeploymentView):
    """The values that came in so far, or within a time."""

    roles = {"GET": Role.CONSUMER}

    @describes("Retrieve deployment segment values.", query=ValuesQuery, answer=page_of(SEGMENT_VALUE))
    def get(self, request: Request, deployment_id: str) -> Response:
        query = self.read(ValuesQuery)
        if query.attribute is not None and not segments.is_known(self.deployment, query.attribute):
            raise ValidationFailed({"segmentAttribute": f"{query.attribute} is not a segment attribute here."})
        found = segments.values(self.deployment, query.attribute, query.search, query.within)
        rows = [{"segmentAttribute": attribute, "value": value} for attribute, value in found]
        return Response(page_of_list(request, rows, Window(query.offset, query.limit)))


def features(deployment: Deployment, others: bool) -> list[dict[str, Any]]:
    """The champion's features as JSON; with `others` also the segment attributes that are no features."""
    if deployment.champion is None:
        return []
    package = deployment.champion.package
    found = [shown(row.name, row.kind, row.importance) for row in package.features.all()]
    known = {row["name"] for row in found}
    extra = [name for name in package.segment_attributes if name not in known] if others else []
    return found + [shown(name, FeatureType.CATEGORICAL, None) for name in extra]


def shown(name: str, kind: str, importance: float | None) -> dict[str, Any]:
    """A feature as JSON."""
    return {
        "name": name,
        "featureType": kind,
        "importance": importance,
        "dateFormat": None,
        "knownInAdvance": False,
    }


def fits(row: dict[str, Any], query: FeaturesQuery) -> bool:
    if query.for_segments and row["featureType"] != FeatureType.CATEGORICAL:
        return False
    return query.search is None or query.search.casefold() in row["name"].casefold()


def ordered(rows: list[dict[str, Any]], order: str | None) -> list[dict[str, Any]]:
    """Sorted; a feature without importance comes last either way."""
    if order is None:
        return rows
    down = order.startswith("-")
    if order.removeprefix("-") == FeatureOrder.NAME:
        return sorted(rows, key=lambda row: row["name"].casefold(), reverse=down)
    sign = -1 if down else 1
    return sorted(rows, key=lambda row: (row["importance"] is None, sign * (row["importance"] or 0), row["name"]))
