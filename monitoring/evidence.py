"""The few words beside a verdict, from its evidence: on the fleet page, in subjects, in mails. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from metrics.health import OPERATORS
from metrics.wording import drift, duration, plural, score
from monitoring.models import Area

RELATIVE_FAIRNESS = "relative fairness"
"""The number of fairness: the score of the least favoured class against the most favoured one; more is better."""


def short(area: Area, evidence: Mapping[str, Any]) -> str:
    """The few words beside a verdict: `2 features above 0.15`, `AUC 0.754`, `3 errors`."""
    if area is Area.DRIFT:
        return drifted_features(evidence)
    if area is Area.ACCURACY:
        value = evidence.get("value")
        return f"{evidence.get('metric', '')} {score(value)}" if isinstance(value, int | float) else ""
    if area is Area.FAIRNESS:
        return unfavoured_classes(evidence)
    if area is Area.CUSTOM_METRICS:
        return met_condition(evidence)
    if area in (Area.PREDICTIONS_TIMELINESS, Area.ACTUALS_TIMELINESS):
        age = evidence.get("ageSeconds")
        return f"last {duration(timedelta(seconds=age))} ago" if isinstance(age, int) else ""
    counts = [evidence.get(name) for name in ("serverErrors", "userErrors")]
    errors = sum(count for count in counts if isinstance(count, int))
    return f"{errors:,} {'error' if errors == 1 else 'errors'}" if evidence.get("requests") else ""


def drifted_features(evidence: Mapping[str, Any]) -> str:
    """`income 0.31`, or `2 features, income 0.31`; "" where none drifted."""
    drifted = [one for name in ("highImportance", "lowImportance") for one in evidence.get(name) or []]
    if not drifted:
        return ""
    first = f"{drifted[0]['name']} {drift(drifted[0]['score'] or 0.0)}"
    return first if len(drifted) == 1 else f"{len(drifted)} features, {first}"


def unfavoured_classes(evidence: Mapping[str, Any]) -> str:
    """`sex female 0.610`, or `2 classes, sex female 0.610`; "" where none is below the threshold."""
    below = [one for one in evidence.get("below") or [] if isinstance(one, dict)]
    if not below:
        return ""
    first = f"{below[0].get('feature', '')} {below[0].get('class', '')} {score(below[0].get('value'))}"
    return first if len(below) == 1 else f"{plural(len(below), 'class', 'classes')}, {first}"


def met_condition(evidence: Mapping[str, Any]) -> str:
    """`minutes saved 3.200 < 5.000`; "" where no condition is met."""
    met = evidence.get("condition")
    if not isinstance(met, dict) or met.get("operator") not in OPERATORS:
        return ""
    return f"{met.get('name')} {score(met.get('value'))} {OPERATORS[met['operator']][1]} {score(met.get('threshold'))}"
