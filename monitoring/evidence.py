"""The few words beside a verdict, from its evidence: on the fleet page, in subjects, in mails. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metrics.wording import drift, score
from monitoring.models import Area


def short(area: Area, evidence: Mapping[str, Any]) -> str:
    """The few words beside a verdict: `2 features above 0.15`, `AUC 0.754`, `3 errors`."""
    if area is Area.DRIFT:
        return drifted_features(evidence)
    if area is Area.ACCURACY:
        value = evidence.get("value")
        return f"{evidence.get('metric', '')} {score(value)}" if isinstance(value, int | float) else ""
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
