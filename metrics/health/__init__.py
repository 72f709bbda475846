"""Health: facts and limits in, a verdict with its reason out.

Every `judge_*` is pure: it may be asked about now, about a past day, or about limits that somebody only proposes.
The reason is a sentence with the arithmetic in it; the evidence holds the same numbers as plain JSON. Missing data
is never healthy: `not_started` means that nothing relevant ever came, `unknown` that too little came in the window
or that there is nothing to compare with, `unavailable` that this monitoring cannot work.
"""

from metrics.health.accuracy import AccuracyRule, Measurement, judge_accuracy
from metrics.health.custom import OPERATORS, CustomCondition, judge_custom_metrics
from metrics.health.drift import (
    USUAL_BINS,
    DriftRule,
    FeatureDrift,
    FeatureStatus,
    feature_noise,
    feature_status,
    is_important,
    judge_drift,
)
from metrics.health.fairness import ClassFairness, FairnessRule, judge_fairness
from metrics.health.service import ServiceFacts, judge_service
from metrics.health.status import MINIMUM_ROWS, Status, Verdict, too_few, worst
from metrics.health.timeliness import judge_timeliness

__all__ = [
    "MINIMUM_ROWS",
    "OPERATORS",
    "USUAL_BINS",
    "AccuracyRule",
    "ClassFairness",
    "CustomCondition",
    "DriftRule",
    "FairnessRule",
    "FeatureDrift",
    "FeatureStatus",
    "Measurement",
    "ServiceFacts",
    "Status",
    "Verdict",
    "feature_noise",
    "feature_status",
    "is_important",
    "judge_accuracy",
    "judge_custom_metrics",
    "judge_drift",
    "judge_fairness",
    "judge_service",
    "judge_timeliness",
    "too_few",
    "worst",
]
