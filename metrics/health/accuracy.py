"""The verdict on accuracy: one metric against its limits, itself or by its change from the baseline."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from metrics.accuracy import ACCURACY_METRICS, Direction, percent_change
from metrics.health.status import MINIMUM_ROWS, Status, Verdict, too_few
from metrics.wording import percent, score, whole

_ROUNDING = 1e-9
"""A change that is at its limit but for the last digits of its division is still within."""


class Measurement(StrEnum):
    """What an accuracy limit is held against: the metric itself, or its change from the baseline in percent."""

    VALUE = "value"
    PERCENT = "percent"


@dataclass(frozen=True)
class AccuracyRule:
    """The limits of accuracy; a limit that is `None` switches that level off. Percent limits are magnitudes."""

    metric: str
    measurement: Measurement = Measurement.PERCENT
    warning_threshold: float | None = 5.0
    failing_threshold: float | None = 10.0


def judge_accuracy(
    value: float | None,
    baseline: float | None,
    rule: AccuracyRule,
    *,
    rows: int,
    window: str = "7\u202fd",
    ever: bool = True,
    least: int = MINIMUM_ROWS,
) -> Verdict:
    """Hold a metric, or how much worse than its baseline it is, against the limits; equal is still within.

    `rows` are those with a prediction and an actual; below `least` there is no verdict (time series need but one).
    Raises KeyError for a metric that the catalogue lacks.
    """
    direction = ACCURACY_METRICS[rule.metric].direction
    change = percent_change(value, baseline, direction, digits=None)
    evidence: dict[str, object] = {
        "metric": rule.metric,
        "value": value,
        "baseline": baseline,
        "percentChange": None if change is None else round(change, 2),
        "measurement": rule.measurement.value,
        "warningThreshold": rule.warning_threshold,
        "failingThreshold": rule.failing_threshold,
        "rows": rows,
    }
    missing = too_few(rows, "scored row", window, ever=ever, evidence=evidence, least=least)
    if missing is not None:
        return missing
    if value is None or not math.isfinite(value):
        return Verdict(Status.UNKNOWN, f"{rule.metric} is undefined for the {whole(rows)} rows in {window}.", evidence)
    if rule.warning_threshold is None and rule.failing_threshold is None:
        return Verdict(Status.UNKNOWN, f"{rule.metric} {score(value)}; no limit is set.", evidence)
    if rule.measurement is Measurement.PERCENT and change is None:
        reason = f"{rule.metric} {score(value)}; no baseline to compare it with in percent."
        return Verdict(Status.UNKNOWN, reason, evidence)
    return _judge_against_limits(value, baseline, change, rule, direction, evidence)


def _judge_against_limits(
    value: float,
    baseline: float | None,
    change: float | None,
    rule: AccuracyRule,
    direction: Direction,
    evidence: Mapping[str, object],
) -> Verdict:
    in_percent = rule.measurement is Measurement.PERCENT
    badness = -(change or 0.0) if in_percent else -direction.sign * value
    measured = _measured(value, baseline, rule.metric)
    for status, limit in ((Status.FAILING, rule.failing_threshold), (Status.WARNING, rule.warning_threshold)):
        if limit is None:
            continue
        bar = abs(limit) if in_percent else -direction.sign * limit
        if badness > bar + _ROUNDING * max(1.0, abs(bar)):
            shown = percent(abs(limit)) if in_percent else score(limit)
            return Verdict(status, f"{measured}; limit {shown}.", evidence)
    return Verdict(Status.PASSING, f"{measured}; within limits.", evidence)


def _measured(value: float, baseline: float | None, metric: str) -> str:
    if not baseline or not math.isfinite(baseline):
        return f"{metric} {score(value)}"
    away = 100 * (value - baseline) / abs(baseline)
    side = "above" if away >= 0 else "below"
    return f"{metric} {score(value)}, {percent(abs(away))} {side} baseline {score(baseline)}"
