"""The verdict on fairness: how many classes of protected features fall below the threshold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from metrics.fairness import FAIRNESS_THRESHOLD
from metrics.health.status import Status, Verdict
from metrics.wording import plural, score, some_of


@dataclass(frozen=True)
class ClassFairness:
    """One class of a protected feature: its score relative to the most favoured class."""

    feature: str
    name: str
    relative: float | None
    significant: bool = True


@dataclass(frozen=True)
class FairnessRule:
    """The limits of fairness; a count that is `None` switches its level off."""

    threshold: float = FAIRNESS_THRESHOLD
    failing_count: int | None = 2
    warning_count: int | None = 1


def judge_fairness(classes: Sequence[ClassFairness], rule: FairnessRule) -> Verdict:
    """Count the significant classes below the threshold; a limit is reached when the count is at least as large.

    Unknown when no significant class has a score.
    """
    judged = [one for one in classes if one.significant and one.relative is not None and math.isfinite(one.relative)]
    below = sorted((one for one in judged if _value(one) < rule.threshold), key=lambda one: (_value(one), one.name))
    evidence: dict[str, object] = {
        "threshold": rule.threshold,
        "judged": len(judged),
        "below": [{"feature": one.feature, "class": one.name, "value": one.relative} for one in below],
    }
    if not judged:
        return Verdict(Status.UNKNOWN, "No class has enough rows for a fairness score.", evidence)
    named = some_of([f"{one.feature} {one.name} {score(one.relative)}" for one in below])
    for status, limit in ((Status.FAILING, rule.failing_count), (Status.WARNING, rule.warning_count)):
        if limit is not None and len(below) >= limit:
            counted = plural(len(below), "class", "classes")
            return Verdict(status, f"{counted} below {rule.threshold:g}, limit {limit}: {named}.", evidence)
    if below:
        counted = plural(len(below), "class", "classes")
        return Verdict(Status.PASSING, f"{counted} below {rule.threshold:g}, within the limits: {named}.", evidence)
    return Verdict(Status.PASSING, f"No class of {len(judged)} below {rule.threshold:g}.", evidence)


def _value(one: ClassFairness) -> float:
    return math.nan if one.relative is None else one.relative
