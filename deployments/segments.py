"""Which attributes a deployment's rows are split by."""

from __future__ import annotations

from datetime import datetime

from deployments.ingest.shape import CONSUMER, DISTANCE, HOST_IP, REMOTE_IP, SERIES
from deployments.models import Deployment, FeatureType, ModelPackage, SegmentAttribute
from deployments.settings_schema import Settings, parse

SERVICE_ATTRIBUTES = (CONSUMER, REMOTE_IP, HOST_IP)
"""Service events always carry these, so they are followed as soon as segments are switched on."""


def sync(deployment: Deployment, now: datetime) -> None:
    """Follow the attributes that the settings switch on, from now on; stop following the others, keep their history.

    Protected features are followed like any other attribute, and their fairness is counted from now on too.
    """
    settings = parse(Settings, deployment.settings)
    analysis, protected = settings.segment_analysis, set(settings.bias_and_fairness.protected_features)
    wanted = {*SERVICE_ATTRIBUTES, *analysis.attributes} if analysis.enabled else set()
    wanted |= protected
    if analysis.enabled and deployment.champion is not None:
        wanted |= set(automatic(deployment.champion.package))
    places = _places(deployment)
    known = {row.name: row for row in SegmentAttribute.objects.filter(deployment=deployment)}
    for name in wanted - known.keys():
        since = now if name in protected else None
        SegmentAttribute.objects.create(
            deployment=deployment, name=name, since=now, protected_since=since, is_place=name in places
        )
    for name, row in known.items():
        before = (row.active, row.protected_since)
        if row.active != (name in wanted):
            row.active = name in wanted
            row.since = now if row.active else row.since
        if (row.protected_since is not None) != (name in protected):
            row.protected_since = now if name in protected else None
        if before != (row.active, row.protected_since):
            row.save(update_fields=["active", "since", "protected_since"])


def automatic(package: ModelPackage) -> tuple[str, ...]:
    """The attributes that a model is split by without being told: distance and series of time series."""
    if not package.time_series:
        return ()
    return (DISTANCE, SERIES) if package.time_series["seriesIdColumns"] else (DISTANCE,)


def _places(deployment: Deployment) -> set[str]:
    """The geospatial features of the champion."""
    if deployment.champion is None:
        return set()
    found = deployment.champion.package.features.filter(kind=FeatureType.GEOSPATIAL)
    return set(found.values_list("name", flat=True))
