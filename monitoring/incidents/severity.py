"""How much an incident matters. Pure; the table is in its test."""

from __future__ import annotations

from monitoring.models import Importance, Severity, Status

_OF_FAILING = {
    Importance.CRITICAL: Severity.CRITICAL,
    Importance.HIGH: Severity.HIGH,
    Importance.MODERATE: Severity.MODERATE,
    Importance.LOW: Severity.LOW,
}


def severity_of(status: Status, importance: str, step: int = 0) -> Severity:
    """Failing weighs as much as the deployment is important, at risk one step less; `step` more or less by its area.

    A deployment without a set importance counts as of high importance: nobody said that it may wait.
    """
    failing = _OF_FAILING[Importance(importance)] if importance else Severity.HIGH
    found = (failing if status == Status.FAILING else failing - 1) + step
    return Severity(min(max(found, Severity.LOW), Severity.CRITICAL))
