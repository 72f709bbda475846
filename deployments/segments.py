"""Which attributes a deployment's rows are split by."""

from __future__ import annotations

from datetime import datetime

from deployments.ingest.shape import CONSUMER, HOST_IP, REMOTE_IP
from deployments.models import Deployment, SegmentAttribute
from deployments.settings_schema import Settings, parse

SERVICE_ATTRIBUTES = (CONSUMER, REMOTE_IP, HOST_IP)
"""Service events always carry these, so they are followed as soon as segments are switched on."""


def sync(deployment: Deployment, now: datetime) -> None:
    """Follow the attributes that the settings switch on, from now on; stop following the others, keep their history."""
    analysis = parse(Settings, deployment.settings).segment_analysis
    wanted = {*SERVICE_ATTRIBUTES, *analysis.attributes} if analysis.enabled else set()
    known = {row.name: row for row in SegmentAttribute.objects.filter(deployment=deployment)}
    for name in wanted - known.keys():
        SegmentAttribute.objects.create(deployment=deployment, name=name, since=now)
    for name, row in known.items():
        if row.active != (name in wanted):
            row.active = name in wanted
            row.since = now if row.active else row.since
            row.save(update_fields=["active", "since"])
