"""Segments: by which attributes a deployment's monitoring can be cut, and which values came in.

Service events carry three fixed attributes. Predictions carry the consumer and those categorical columns that the
settings name; they are followed from the moment they are switched on, never retroactively.
"""

from __future__ import annotations

from enum import StrEnum

from django.db.models import Q, QuerySet

from deployments.models import Deployment, Grain, SegmentAttribute, SegmentValue, State
from deployments.segments import automatic
from deployments.settings_schema import Settings, parse
from metrics import cover
from metrics.buckets import Bucket

CONSUMER = "DataRobot-Consumer"
SERVICE_ATTRIBUTES = frozenset({CONSUMER, "DataRobot-Remote-IP", "DataRobot-Host-IP"})
SERVICE_ORDER = (CONSUMER, "DataRobot-Remote-IP", "DataRobot-Host-IP")


class Monitoring(StrEnum):
    """Kinds of monitoring that can be segmented."""

    SERVICE = "serviceHealth"
    DRIFT = "dataDrift"
    ACCURACY = "accuracy"
    HUMILITY = "humility"
    CUSTOM = "customMetrics"


def attributes(deployment: Deployment, kind: str) -> list[str]:
    """The attributes for a kind of monitoring; without segment analysis only the protected features of fairness."""
    settings = parse(Settings, deployment.settings)
    analysis, protected = settings.segment_analysis, settings.bias_and_fairness.protected_features
    if kind in (Monitoring.SERVICE, Monitoring.HUMILITY):
        return list(SERVICE_ORDER) if analysis.enabled else []
    places = SegmentAttribute.objects.filter(deployment=deployment, is_place=True).values_list("name", flat=True)
    fixed = {*SERVICE_ATTRIBUTES, *places}
    own = () if deployment.champion is None else automatic(deployment.champion.package)
    named = dict.fromkeys((*own, *(name for name in analysis.attributes if name not in fixed)))
    chosen = [CONSUMER, *named] if analysis.enabled else []
    return [*chosen, *(name for name in protected if name not in chosen)]


def is_known(deployment: Deployment, attribute: str) -> bool:
    """Whether the attribute is, or was, followed for this deployment."""
    return (
        attribute in SERVICE_ATTRIBUTES
        or SegmentAttribute.objects.filter(deployment=deployment, name=attribute, is_place=False).exists()
    )


def values(
    deployment: Deployment, attribute: str | None, search: str | None, within: Bucket | None = None
) -> list[tuple[str, str]]:
    """(attribute, value) of the values that came in, in alphabetical order; "" stands for a missing value.

    `within`: only those that some row of that time has, `[start, end)` on whole hours.
    """
    rows = SegmentValue.objects.filter(deployment=deployment)
    if within is not None:
        rows = rows.filter(pk__in=_seen(deployment, within))
    if attribute is not None:
        rows = rows.filter(attribute__name=attribute)
    if search:
        rows = rows.filter(text__icontains=search)
    return list(rows.order_by("attribute__name", "text").values_list("attribute__name", "text"))


def _seen(deployment: Deployment, within: Bucket) -> QuerySet[State, int]:
    """The keys of the values that have a state in that time: days as a whole, hours at the edges."""
    covered = cover(*within)
    days = Q(grain=Grain.DAY, bucket__in=list(covered.days))
    edges = Q(grain=Grain.HOUR, bucket__in=list(covered.hours))
    states = State.objects.filter(days | edges, deployment_id=deployment.pk, attribute_id__gt=0)
    return states.values_list("value_id", flat=True).distinct()
