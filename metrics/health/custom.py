"""The verdict on custom metrics: conditions that must not come true."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from metrics.health.status import Status, Verdict
from metrics.wording import score, some_of

OPERATORS: Mapping[str, tuple[Callable[[float, float], bool], str]] = {
    "lt": (operator.lt, "<"),
    "lte": (operator.le, "≤"),
    "gt": (operator.gt, ">"),
    "gte": (operator.ge, "≥"),
}
"""How a value may be compared with a threshold, spelled as in the reference, and the sign for people."""


@dataclass(frozen=True)
class CustomCondition:
    """True when the metric's value stands in this relation to the threshold; it is bad when it is true."""

    metric: str
    operator: str
    threshold: float


def judge_custom_metrics(
    values: Mapping[str, float | None],
    *,
    warning: Sequence[CustomCondition],
    failing: Sequence[CustomCondition],
    window: str = "7\u202fd",
    ever: bool = True,
) -> Verdict:
    """Any failing condition that is true is failing, else any warning condition a warning, else passing.

    `values` by the metric's name in its conditions; None or `nan` where there is none. Conditions on metrics without a
    value say nothing; unknown when that leaves none, or when no condition is set.
    """
    evidence: dict[str, object] = {"values": {name: _plain(value) for name, value in values.items()}}
    conditions = [*failing, *warning]
    if not conditions:
        return Verdict(Status.UNKNOWN, "No condition is set on a custom metric.", evidence)
    known = [one for one in conditions if _plain(values.get(one.metric)) is not None]
    if not known:
        if not ever:
            return Verdict(Status.NOT_STARTED, "No value of a custom metric received yet.", evidence)
        return Verdict(Status.UNKNOWN, f"No value of the judged custom metrics in {window}.", evidence)
    for status, rules in ((Status.FAILING, failing), (Status.WARNING, warning)):
        true = [one for one in rules if one in known and _holds(one, values)]
        if true:
            named = some_of([_sentence(one, values) for one in dict.fromkeys(true)])
            return Verdict(status, f"{named} in {window}.", evidence)
    named = some_of([f"{name} {score(value)}" for name, value in _judged(known, values).items()])
    return Verdict(Status.PASSING, f"{named} in {window}; no condition is met.", evidence)


def _judged(known: Sequence[CustomCondition], values: Mapping[str, float | None]) -> dict[str, float | None]:
    return {one.metric: values[one.metric] for one in known}


def _holds(condition: CustomCondition, values: Mapping[str, float | None]) -> bool:
    value = values[condition.metric]
    assert value is not None
    return OPERATORS[condition.operator][0](value, condition.threshold)


def _sentence(condition: CustomCondition, values: Mapping[str, float | None]) -> str:
    sign = OPERATORS[condition.operator][1]
    return f"{condition.metric} {score(values[condition.metric])} {sign} {score(condition.threshold)}"


def _plain(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
