"""Statuses, verdicts, and the verdict for too little data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from metrics.wording import plural

MINIMUM_ROWS = 100
"""Fewer predictions (drift) or scored rows (accuracy) than this give no verdict."""


class Status(StrEnum):
    """The statuses of the reference, worst first."""

    FAILING = "failing"
    WARNING = "warning"
    UNAVAILABLE = "unavailable"
    UNKNOWN = "unknown"
    NOT_STARTED = "not_started"
    PASSING = "passing"

    @property
    def severity(self) -> int:
        """5 for failing down to 0 for passing; grey never hides red."""
        return len(Status) - 1 - list(Status).index(self)

    @property
    def label(self) -> str:
        """The word that people read."""
        return "At risk" if self is Status.WARNING else self.value.replace("_", " ").capitalize()

    @property
    def is_verdict(self) -> bool:
        """Whether data decided it: failing, warning or passing."""
        return self in (Status.FAILING, Status.WARNING, Status.PASSING)


@dataclass(frozen=True)
class Verdict:
    """A status, why, and the numbers behind it (plain JSON)."""

    status: Status
    reason: str
    evidence: Mapping[str, object] = field(default_factory=dict)


def worst(statuses: Iterable[Status]) -> Status:
    """The worst of the areas that are switched on; unavailable when there is none."""
    return max(statuses, key=lambda status: status.severity, default=Status.UNAVAILABLE)


def too_few(
    rows: int,
    noun: str,
    window: str,
    *,
    ever: bool,
    evidence: Mapping[str, object] | None = None,
    least: int = MINIMUM_ROWS,
) -> Verdict | None:
    """The verdict for too little data, or `None` when there is enough."""
    facts = evidence or {"rows": rows}
    if rows >= least:
        return None
    if not rows and not ever:
        return Verdict(Status.NOT_STARTED, f"No {noun} yet.", facts)
    return Verdict(Status.UNKNOWN, f"{plural(rows, noun)} in {window}; a verdict needs {least}.", facts)
