"""The catalogue of accuracy metrics: which target they fit, which way is better, what they say.

`ACCURACY_METRICS` is the one list; `DEFAULT_METRICS` names what is shown when nobody chose, `ALL_METRICS` everything
for a kind of target. `percent_change` compares a value with its baseline so that more is always better.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

_INFINITY = math.inf


class TargetType(StrEnum):
    """The kinds of target, spelled as in the reference."""

    REGRESSION = "Regression"
    BINARY = "Binary"
    MULTICLASS = "Multiclass"
    TEXT_GENERATION = "TextGeneration"


class Direction(StrEnum):
    """Which way a metric improves."""

    HIGHER = "higher"
    LOWER = "lower"

    @property
    def sign(self) -> int:
        """+1 when higher is better, −1 when lower is."""
        return 1 if self is Direction.HIGHER else -1


@dataclass(frozen=True)
class MetricInfo:
    """What there is to know about a metric; `best` is the value of a perfect model."""

    name: str
    targets: frozenset[TargetType]
    direction: Direction
    lowest: float
    highest: float
    best: float
    unit: str
    meaning: str
    ranking: bool = False
    """Whether it needs the counts of scores, not only sums."""


_REGRESSION = frozenset({TargetType.REGRESSION})
_BINARY = frozenset({TargetType.BINARY})
_MULTICLASS = frozenset({TargetType.MULTICLASS})
_CLASSES = _BINARY | _MULTICLASS


def _error(name: str, meaning: str, unit: str = "", targets: frozenset[TargetType] = _REGRESSION) -> MetricInfo:
    return MetricInfo(name, targets, Direction.LOWER, 0.0, _INFINITY, 0.0, unit, meaning)


def _explained(name: str, targets: frozenset[TargetType], meaning: str) -> MetricInfo:
    return MetricInfo(name, targets, Direction.HIGHER, -_INFINITY, 1.0, 1.0, "", meaning)


def _rate(name: str, targets: frozenset[TargetType], meaning: str, *, ranking: bool = False) -> MetricInfo:
    return MetricInfo(name, targets, Direction.HIGHER, 0.0, 1.0, 1.0, "", meaning, ranking)


TARGET_UNIT = "target"
"""The unit of metrics that are measured in the unit of the target itself."""

_METRICS = (
    _error("RMSE", "Typical size of an error, large errors weighing more.", TARGET_UNIT),
    _error("MAE", "Mean size of an error.", TARGET_UNIT),
    _error("MAD", "Mean size of an error (another name of MAE).", TARGET_UNIT),
    _error("MAPE", "Mean error as a percentage of the actual; actuals of zero are left out.", "%"),
    _error("RMSLE", "Typical error of the logarithm: errors count by their ratio."),
    _explained("R Squared", _REGRESSION, "Share of the variance that the model explains; 0 is as good as the mean."),
    _error("Gamma Deviance", "Error of positive, skewed amounts relative to their size."),
    _error("Poisson Deviance", "Error of counts, weighed as counts scatter."),
    _error("Tweedie Deviance", "Error of amounts that are often zero (power 1.5)."),
    _explained("FVE Gamma", _REGRESSION, "Share of the Gamma deviance that the model explains."),
    _explained("FVE Poisson", _REGRESSION, "Share of the Poisson deviance that the model explains."),
    _explained("FVE Tweedie", _REGRESSION, "Share of the Tweedie deviance that the model explains."),
    _error("LogLoss", "How surprised the probabilities were by what happened.", targets=_CLASSES),
    _rate("AUC", _CLASSES, "Chance that a positive case scores above a negative one; 0.5 is guessing.", ranking=True),
    _rate("Kolmogorov-Smirnov", _BINARY, "Largest gap between the scores of the two classes.", ranking=True),
    MetricInfo(
        *("Gini Norm", _BINARY, Direction.HIGHER, -1.0, 1.0, 1.0, ""),
        *("Twice AUC minus one; 0 is guessing.", True),
    ),
    _rate("Rate@Top10%", _BINARY, "Share of positives among the tenth with the highest scores.", ranking=True),
    _rate("Rate@Top5%", _BINARY, "Share of positives among the twentieth with the highest scores.", ranking=True),
    _rate("TPR", _BINARY, "Share of positives that were found."),
    _rate("TNR", _BINARY, "Share of negatives that were left alone."),
    MetricInfo("FPR", _BINARY, Direction.LOWER, 0.0, 1.0, 0.0, "", "Share of negatives taken for positives."),
    _rate("PPV", _BINARY, "Share of positive predictions that were right."),
    _rate("NPV", _BINARY, "Share of negative predictions that were right."),
    _rate("F1", _BINARY, "Balance of TPR and PPV (their harmonic mean)."),
    MetricInfo(
        *("MCC", _BINARY, Direction.HIGHER, -1.0, 1.0, 1.0, ""),
        "Correlation of predicted and actual class at the threshold.",
    ),
    _rate("Accuracy", _CLASSES, "Share of predictions that were right."),
    _rate("Balanced Accuracy", _CLASSES, "Share of right predictions, every class weighing the same."),
    _explained("FVE Binomial", _BINARY, "Share of the LogLoss of the mean that the model removes."),
    _explained("FVE Multinomial", _MULTICLASS, "Share of the LogLoss of the class shares that the model removes."),
)

ACCURACY_METRICS: dict[str, MetricInfo] = {metric.name: metric for metric in _METRICS}

ALL_METRICS: dict[TargetType, tuple[str, ...]] = {
    target: tuple(metric.name for metric in _METRICS if target in metric.targets) for target in TargetType
}

DEFAULT_METRICS: dict[TargetType, tuple[str, ...]] = {
    TargetType.REGRESSION: ("RMSE", "MAE", "Gamma Deviance", "Tweedie Deviance", "R Squared"),
    TargetType.BINARY: ("LogLoss", "AUC", "Kolmogorov-Smirnov", "Gini Norm", "Rate@Top10%"),
    TargetType.MULTICLASS: ("LogLoss", "AUC"),
    TargetType.TEXT_GENERATION: (),
}

JUDGED_METRIC: dict[TargetType, str] = {
    TargetType.REGRESSION: "RMSE",
    TargetType.BINARY: "LogLoss",
    TargetType.MULTICLASS: "LogLoss",
}
"""The metric that accuracy health looks at unless another was chosen; there is none for generated text."""


def percent_change(
    value: float | None, baseline: float | None, direction: Direction, *, digits: int | None = 2
) -> float | None:
    """How much better (positive) or worse (negative) `value` is than `baseline`, in percent of the baseline's size.

    `None` when either is absent or undefined or the baseline is 0. Rounded to `digits` unless that is `None`.

    >>> percent_change(0.8808, 0.4542, Direction.LOWER)
    -93.92
    """
    if value is None or baseline is None or not (math.isfinite(value) and math.isfinite(baseline)) or not baseline:
        return None
    change = 100 * direction.sign * (value - baseline) / abs(baseline)
    return change if digits is None else round(change, digits)
