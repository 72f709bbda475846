"""Sentences and figures of messages: times in the reader's zone, values with their limits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from metrics.health import Measurement
from metrics.wording import duration, percent, score, share
from monitoring.evidence import drifted_features, met_condition, short, unfavoured_classes
from monitoring.models import Area, Incident, Status, Watched

_TABS = {
    Area.SERVICE: "service/",
    Area.DRIFT: "drift/",
    Area.ACCURACY: "accuracy/",
    Area.FAIRNESS: "fairness/",
    Area.CUSTOM_METRICS: "custom/",
    Area.PREDICTIONS_TIMELINESS: "predictions/",
    Area.ACTUALS_TIMELINESS: "predictions/",
}


def when(moment: datetime, zone: ZoneInfo) -> str:
    """`Tue 2 Jul 14:00` in the reader's zone."""
    local = moment.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %H:%M}"


def day(moment: datetime, zone: ZoneInfo) -> str:
    """`Tue 2 Jul` in the reader's zone."""
    local = moment.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b}"


def one_line(text: str, longest: int = 120) -> str:
    """What a user typed, fit for a subject: one line, not too long."""
    return " ".join(text.split())[:longest]


def area_words(area: str) -> str:
    """`data drift`; "" for none."""
    return Area(area).label.lower() if area in Area.values else area.replace("_", " ")


def deployment_url(watched: Watched, area: str = "") -> str:
    """The page of a deployment, on the tab of the area where there is one."""
    tab = _TABS[Area(area)] if area in Area.values and Area(area) in _TABS else ""
    return f"{settings.PUBLIC_URL}/deployments/{watched.pk}/{tab}"


def incident_url(incident: Incident) -> str:
    return f"{settings.PUBLIC_URL}/incidents/{incident.pk}/"


def value_and_limit(area: str, evidence: Mapping[str, Any]) -> str:
    """The judged value beside its limits; "" where the evidence has none."""
    if area == Area.ACCURACY:
        return _accuracy(evidence)
    if area == Area.DRIFT:
        return _drift(evidence)
    if area == Area.SERVICE:
        return _service(evidence)
    if area == Area.FAIRNESS:
        below = unfavoured_classes(evidence) or "no class"
        return f"{below} below {evidence.get('threshold', '?')}" if evidence.get("judged") else ""
    return met_condition(evidence) if area == Area.CUSTOM_METRICS else _silence(area, evidence)


def _drift(evidence: Mapping[str, Any]) -> str:
    threshold = evidence.get("driftThreshold")
    if threshold is None:  # days that were reconstructed keep their sentence alone
        return ""
    limit = evidence.get("limit")
    counted = f", limit {limit} such feature{'s' if limit != 1 else ''}" if isinstance(limit, int) else ""
    drifted = drifted_features(evidence) or "no drifted feature"
    return f"{drifted}; drifted above PSI {threshold}{counted}"


def _silence(area: str, evidence: Mapping[str, Any]) -> str:
    expected = evidence.get("expectedSeconds")
    if not isinstance(expected, int) or area not in Area.values:
        return ""
    return f"{short(Area(area), evidence) or 'none yet'}, expected every {duration(timedelta(seconds=expected))}"


def _service(evidence: Mapping[str, Any]) -> str:
    requests = evidence.get("requests")
    if not requests:
        return ""
    server, user = evidence.get("serverErrors") or 0, evidence.get("userErrors") or 0
    return f"{server:,} server and {user:,} user errors, {share((server + user) / requests)} of {requests:,}; limit 1"


def _accuracy(evidence: Mapping[str, Any]) -> str:
    value, baseline = evidence.get("value"), evidence.get("baseline")
    if not isinstance(value, int | float):
        return ""
    text = f"{evidence.get('metric', '')} {score(value)}"
    form = percent if evidence.get("measurement") == Measurement.PERCENT else score
    limits = ((Status.WARNING, "warningThreshold"), (Status.FAILING, "failingThreshold"))
    known = [(status, limit) for status, name in limits if (limit := evidence.get(name)) is not None]
    shown = [f"{status.label.lower()} from {form(limit)}" for status, limit in known]
    if isinstance(baseline, int | float):
        text += f", baseline {score(baseline)}"
    return f"{text}; {', '.join(shown)}" if shown else text
