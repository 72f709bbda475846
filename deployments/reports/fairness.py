"""Fairness: each class of a protected feature against the most favoured one, in buckets and over a whole period.

The score of a feature is that of its worst class. Only classes with enough rows are judged or can be the privileged
one; a class whose score is undefined is left out, and the message says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deployments import settings_schema as schema
from deployments.ingest.shape import shape_of
from deployments.reports.numbers import finite
from deployments.rollups import fairness
from deployments.rollups.fairness import Classes
from deployments.rollups.read import Scope
from deployments.settings_rules import favourable
from deployments.settings_schema import Settings
from metrics import (
    FAIRNESS_METRIC_SETS,
    ClassFairness,
    FairnessMetric,
    FairnessRule,
    Status,
    Verdict,
    absolute_scores,
    judge_fairness,
    relative_scores,
    rows_used,
    significant_classes,
    turned,
)
from metrics.arrays import FloatArray
from metrics.buckets import Bucket

MISSING = "(missing)"
DEFAULT_SET = "proportionalParity"
OFF = "No protected features are chosen in the settings."


@dataclass(frozen=True)
class ClassScore:
    """One class: its own score, its score against the most favoured class, and the rows that both rest on."""

    name: str
    absolute: float
    relative: float | None
    rows: int
    significant: bool


@dataclass(frozen=True)
class FeatureScores:
    """The classes of a protected feature, with what was left out of them."""

    feature: str
    classes: Sequence[ClassScore]
    undefined: Sequence[str]
    others: int
    threshold: float

    @property
    def judged(self) -> list[ClassScore]:
        """The classes that a verdict can rest on."""
        return [one for one in self.classes if one.significant and one.relative is not None]

    @property
    def privileged(self) -> ClassScore | None:
        """The most favoured class among those with enough rows."""
        return max(self.judged, key=lambda one: one.absolute, default=None)

    @property
    def worst(self) -> ClassScore | None:
        """The least favoured class among those with enough rows."""
        return min(self.judged, key=lambda one: (one.relative or 0.0, one.name), default=None)

    @property
    def healthy(self) -> list[ClassScore]:
        """The judged classes that are not below the threshold."""
        return [one for one in self.judged if self.is_healthy(one)]

    def is_healthy(self, one: ClassScore) -> bool:
        """Whether a class is not below the threshold."""
        return one.relative is not None and one.relative >= self.threshold

    @property
    def message(self) -> str | None:
        """What the scores leave out, in a sentence; None when that is nothing."""
        few = [one.name for one in self.classes if not one.significant]
        parts = [
            f"Too few rows: {', '.join(few)}." if few else "",
            f"Undefined: {', '.join(self.undefined)}." if self.undefined else "",
            f"{self.others} rows of further values are in no class." if self.others else "",
        ]
        return " ".join(part for part in parts if part) or None


def metrics_of(settings: Settings) -> tuple[FairnessMetric, ...]:
    """The metrics that the settings watch."""
    chosen = settings.bias_and_fairness.fairness_metrics_set
    return FAIRNESS_METRIC_SETS[DEFAULT_SET if chosen is None else chosen.value]


def measure(
    scope: Scope, settings: Settings, features: Sequence[str], metric: str, buckets: Sequence[Bucket]
) -> tuple[list[list[FeatureScores]], list[FeatureScores]]:
    """The features' scores in each bucket, and over all buckets together."""
    found = fairness.over(scope, features, buckets)
    wanted = favourable(settings, shape_of(scope.model).target) or ""
    threshold = settings.bias_and_fairness.fairness_threshold
    sides = {name: _preferred(scope, classes, wanted) for name, classes in found.items()}
    by_bucket = [
        [_scores(name, found[name], sums[place], metric, threshold) for name, sums in sides.items()]
        for place in range(len(buckets))
    ]
    whole = [_scores(name, found[name], sums.sum(axis=0), metric, threshold) for name, sums in sides.items()]
    return by_bucket, whole


def judge(scope: Scope, settings: Settings, limits: schema.FairnessRule, period: Bucket) -> Verdict:
    """The verdict over a period: how many classes fare worse than the threshold allows."""
    rule = settings.bias_and_fairness
    if not rule.protected_features:
        return Verdict(Status.UNAVAILABLE, OFF)
    if scope.deployment.first_prediction_at is None:
        return Verdict(Status.NOT_STARTED, "No predictions yet.")
    failing, warning = limits.protected_class_failing_count, limits.protected_class_warning_count
    return judge_fairness(
        judged_classes(scope, settings, period), FairnessRule(rule.fairness_threshold, failing, warning)
    )


def judged_classes(scope: Scope, settings: Settings, period: Bucket) -> list[ClassFairness]:
    """Every class of every protected feature by its worst score among the watched metrics."""
    worst: dict[tuple[str, str], ClassFairness] = {}
    for metric in metrics_of(settings):
        _, whole = measure(scope, settings, fairness.protected(scope), metric, [period])
        for feature in whole:
            for one in feature.classes:
                found = ClassFairness(feature.feature, one.name, one.relative, one.significant)
                before = worst.get((feature.feature, one.name))
                if before is None or _rank(found) < _rank(before):
                    worst[feature.feature, one.name] = found
    return list(worst.values())


def _rank(one: ClassFairness) -> float:
    return math.inf if one.relative is None or not one.significant else one.relative


def _preferred(scope: Scope, classes: Classes, wanted: str) -> FloatArray:
    """The sums with the wanted outcome as the favourable one."""
    labels = shape_of(scope.model).target.classes
    return classes.sums if not labels or wanted == labels[-1] else turned(classes.sums)


def _scores(feature: str, classes: Classes, sums: FloatArray, metric: str, threshold: float) -> FeatureScores:
    rows, absolute = rows_used(metric, sums), absolute_scores(metric, sums)
    significant = significant_classes(rows)
    relative = relative_scores(absolute, significant)
    shown = [place for place in range(len(classes.names)) if sums[place, 0]]
    known = [place for place in shown if np.isfinite(absolute[place])]
    found = [
        ClassScore(
            classes.names[place] or MISSING,
            float(absolute[place]),
            finite(relative[place]),
            int(rows[place]),
            bool(significant[place]),
        )
        for place in known
    ]
    undefined = [classes.names[place] or MISSING for place in shown if place not in known]
    return FeatureScores(feature, found, undefined, classes.others, threshold)


def feature_json(scores: FeatureScores) -> dict[str, Any]:
    """A protected feature: the score of its worst class, and how many classes are healthy."""
    worst, privileged = scores.worst, scores.privileged
    counts = {"classesCount": len(scores.classes), "healthyClassesCount": len(scores.healthy)}
    return {
        "label": scores.feature,
        "value": None if worst is None else worst.relative,
        "absoluteValue": None if worst is None else worst.absolute,
        "privilegedClass": None if privileged is None else privileged.name,
        "isStatisticallySignificant": worst is not None,
        "sampleSize": sum(one.rows for one in scores.classes),
        **counts,
        "totalCount": counts["classesCount"],
        "healthyCount": counts["healthyClassesCount"],
        "message": scores.message,
    }


def class_json(scores: FeatureScores, one: ClassScore) -> dict[str, Any]:
    """One class of a protected feature."""
    privileged = scores.privileged
    healthy = int(scores.is_healthy(one))
    few = f"{one.rows} rows are too few for a verdict."
    return {
        "label": one.name,
        "value": one.relative,
        "absoluteValue": one.absolute,
        "privilegedClass": None if privileged is None else privileged.name,
        "isStatisticallySignificant": one.significant,
        "sampleSize": one.rows,
        "classesCount": 1,
        "healthyClassesCount": healthy,
        "totalCount": 1,
        "healthyCount": healthy,
        "message": None if one.significant else few,
    }


def by_label(rows: Sequence[dict[str, Any]]) -> Mapping[str, dict[str, Any]]:
    """Scores by what they are scores of."""
    return {row["label"]: row for row in rows}
