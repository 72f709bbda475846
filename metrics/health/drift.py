"""The verdict on data drift: how many features drifted, and how important they are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from metrics.binning import CATEGORIES, NUMERIC_BINS, WORDS, BinKind
from metrics.drift import noise_floor
from metrics.health.status import Status, Verdict, too_few
from metrics.wording import drift, plural, some_of

USUAL_BINS = {BinKind.NUMERIC: NUMERIC_BINS + 3, BinKind.CATEGORICAL: CATEGORIES + 3, BinKind.TEXT: WORDS}
"""The number of bins to assume for a feature when a server does not say."""

TARGET_IMPORTANCE = 1.0


@dataclass(frozen=True)
class FeatureDrift:
    """The drift of one feature, or of the target, in the window.

    `score` is the PSI, absent where it is undefined. With `rows`, `baseline_rows` and `bins` all given, a score
    that sampling alone explains does not count as drift; for text, rows are incidences of words.
    """

    name: str
    score: float | None
    importance: float | None = None
    rows: int | None = None
    baseline_rows: int | None = None
    bins: int | None = None
    is_target: bool = False


@dataclass(frozen=True)
class DriftRule:
    """The limits of data drift; a count that is `None` switches its rule off."""

    drift_threshold: float = 0.15
    importance_threshold: float = 0.5
    high_importance_failing_count: int | None = 1
    high_importance_warning_count: int | None = None
    low_importance_failing_count: int | None = None
    low_importance_warning_count: int | None = 1
    excluded_features: frozenset[str] = frozenset()
    starred_features: frozenset[str] = frozenset()


class FeatureStatus(StrEnum):
    """How one feature stands."""

    PASSING = "passing"
    NOISE = "noise"
    WARNING = "warning"
    FAILING = "failing"
    EXCLUDED = "excluded"
    UNKNOWN = "unknown"


def feature_status(feature: FeatureDrift, rule: DriftRule) -> FeatureStatus:
    """Drifted and important (by impact or star) is failing, drifted otherwise a warning.

    `noise` is above the threshold but below what sampling alone explains; `unknown` has no score.
    """
    if feature.name in rule.excluded_features:
        return FeatureStatus.EXCLUDED
    if feature.score is None or not math.isfinite(feature.score):
        return FeatureStatus.UNKNOWN
    if feature.score <= rule.drift_threshold:
        return FeatureStatus.PASSING
    if feature.score <= feature_noise(feature):
        return FeatureStatus.NOISE
    return FeatureStatus.FAILING if is_important(feature, rule) else FeatureStatus.WARNING


def is_important(feature: FeatureDrift, rule: DriftRule) -> bool:
    """Whether a feature counts as of high importance; an unknown importance is low, the target's is highest."""
    importance = TARGET_IMPORTANCE if feature.is_target else feature.importance
    return feature.name in rule.starred_features or (importance is not None and importance >= rule.importance_threshold)


def feature_noise(feature: FeatureDrift) -> float:
    """The PSI that sampling alone would stay below; 0 when sizes or bins are unknown."""
    if not (feature.rows and feature.baseline_rows and feature.bins):
        return 0.0
    return _floor(feature.bins, feature.rows, feature.baseline_rows)


@lru_cache(maxsize=4096)  # the features of a deployment share their sizes
def _floor(bins: int, rows: int, baseline_rows: int) -> float:
    return float(noise_floor(bins, rows, baseline_rows))


def judge_drift(
    features: Sequence[FeatureDrift],
    rule: DriftRule,
    *,
    predictions: int,
    window: str = "7\u202fd",
    ever: bool = True,
) -> Verdict:
    """Count the drifted features of high and of low importance and hold the counts against their limits.

    A limit is reached when the count is *at least* as large. Fewer than MINIMUM_ROWS predictions: unknown.
    """
    missing = too_few(predictions, "prediction", window, ever=ever)
    if missing is not None:
        return missing
    by_status: dict[FeatureStatus, list[FeatureDrift]] = {status: [] for status in FeatureStatus}
    for feature in sorted(features, key=lambda one: (-_sortable(one.score), one.name)):
        by_status[feature_status(feature, rule)].append(feature)
    high, low = by_status[FeatureStatus.FAILING], by_status[FeatureStatus.WARNING]
    evidence = _drift_evidence(by_status, rule, predictions)
    scored = [*high, *low, *by_status[FeatureStatus.NOISE], *by_status[FeatureStatus.PASSING]]
    if not scored:
        return Verdict(Status.UNKNOWN, f"No drift score in {window}: nothing to compare.", evidence)
    for status, found, limit, words in (
        (Status.FAILING, high, rule.high_importance_failing_count, "high-importance"),
        (Status.FAILING, low, rule.low_importance_failing_count, "low-importance"),
        (Status.WARNING, high, rule.high_importance_warning_count, "high-importance"),
        (Status.WARNING, low, rule.low_importance_warning_count, "low-importance"),
    ):
        if limit is not None and len(found) >= limit:
            return Verdict(status, _drift_reason(found, limit, words, rule), {**evidence, "limit": limit})
    return Verdict(Status.PASSING, _calm_reason(scored, high + low, by_status[FeatureStatus.NOISE], rule), evidence)


def _sortable(number: float | None) -> float:
    return number if number is not None and math.isfinite(number) else -math.inf


def _named(features: Sequence[FeatureDrift]) -> list[str]:
    return [f"{feature.name} {drift(feature.score or 0.0)}" for feature in features]


def _drift_reason(found: Sequence[FeatureDrift], limit: int, words: str, rule: DriftRule) -> str:
    counted = plural(len(found), f"{words} feature")
    return f"{counted} above PSI {rule.drift_threshold:g}, limit {limit}: {some_of(_named(found))}."


def _calm_reason(
    scored: Sequence[FeatureDrift], drifted: Sequence[FeatureDrift], noise: Sequence[FeatureDrift], rule: DriftRule
) -> str:
    limit = f"{rule.drift_threshold:g}"
    if drifted:
        return f"{plural(len(drifted), 'feature')} above PSI {limit}, within the limits: {some_of(_named(drifted))}."
    if noise:
        names = some_of([f"{one.name} {drift(one.score or 0.0)} < {drift(feature_noise(one))}" for one in noise])
        return f"{plural(len(noise), 'feature')} above PSI {limit}, within sampling noise: {names}."
    return f"No feature above PSI {limit}; highest {_named(scored)[0]}."


def _drift_evidence(
    by_status: Mapping[FeatureStatus, Sequence[FeatureDrift]], rule: DriftRule, predictions: int
) -> dict[str, object]:
    def listed(status: FeatureStatus) -> list[dict[str, object]]:
        return [{"name": one.name, "score": one.score} for one in by_status[status]]

    return {
        "driftThreshold": rule.drift_threshold,
        "predictions": predictions,
        "highImportance": listed(FeatureStatus.FAILING),
        "lowImportance": listed(FeatureStatus.WARNING),
        "noise": listed(FeatureStatus.NOISE),
        "excluded": [one.name for one in by_status[FeatureStatus.EXCLUDED]],
        "undefined": [one.name for one in by_status[FeatureStatus.UNKNOWN]],
    }
