"""Accuracy metrics: direction and range come from the catalogue of `metrics`, the rest is said here."""

from __future__ import annotations

import math

from dashboard.glossary.entry import Entry
from metrics import ACCURACY_METRICS
from metrics.accuracy import TARGET_UNIT, Direction

SECTION, GROUP = "Accuracy", "Accuracy"

#: Name: (how it is worked out, when it has no value or surprises).
_TOLD: dict[str, tuple[str, str]] = {
    "RMSE": ("Square root of the mean squared error.", "A few large errors can carry the whole value."),
    "MAE": ("Mean of |actual − predicted|.", ""),
    "MAD": ("The same number as MAE, under the name that was asked for.", ""),
    "MAPE": (
        "100 × mean of |actual − predicted| ÷ |actual|.",
        "Rows whose actual is 0 are left out; without others there is no value.",
    ),
    "RMSLE": (
        "Root of the mean squared difference of ln(1 + predicted) and ln(1 + actual).",
        "Values below 0 count as 0.",
    ),
    "R Squared": (
        "1 − squared errors ÷ squared distances of the actuals from the training mean.",
        "Below 0 when a constant would have done better; no value where all actuals are equal.",
    ),
    "Gamma Deviance": ("Twice the mean of −ln(y ÷ ŷ) + (y − ŷ) ÷ ŷ.", "Actual and predicted are at least 1e-8 here."),
    "Poisson Deviance": (
        "Twice the mean of y·ln(y ÷ ŷ) − (y − ŷ).",
        "A prediction counts as at least 1e-8, an actual as at least 0.",
    ),
    "Tweedie Deviance": ("The Tweedie deviance with power 1.5.", "Meant for amounts that are 0 or positive."),
    "FVE Gamma": ("1 − Gamma deviance ÷ that of always predicting the mean.", "Below 0 when worse than the mean."),
    "FVE Poisson": ("1 − Poisson deviance ÷ that of always predicting the mean.", "Below 0 when worse than the mean."),
    "FVE Tweedie": ("1 − Tweedie deviance ÷ that of always predicting the mean.", "Below 0 when worse than the mean."),
    "LogLoss": (
        "Mean of −ln of the probability that the actual class was given.",
        "Probabilities are kept within 1e-15 of 0 and 1, so that one sure mistake costs about 34.5, not infinity.",
    ),
    "AUC": (
        "Share of pairs (a positive, a negative) that are ranked rightly; ties count half. With several classes: one "
        "against the rest, weighed by how frequent each class is.",
        "No value when only one class has come. From score histograms; the error is below 0.001 in practice.",
    ),
    "Kolmogorov-Smirnov": (
        "The largest distance between the two classes' cumulative shares of scores.",
        "No value when only one class has come.",
    ),
    "Gini Norm": ("2 × AUC − 1.", "No value when only one class has come."),
    "Rate@Top10%": (
        "Positives among the 10 % of rows with the highest scores, rounded up to at least one row.",
        "Rows that tie at the cut count in part. Never above what the share of positives allows.",
    ),
    "Rate@Top5%": (
        "Positives among the 5 % of rows with the highest scores, rounded up to at least one row.",
        "Rows that tie at the cut count in part. Never above what the share of positives allows.",
    ),
    "TPR": ("TP ÷ (TP + FN); also called recall or sensitivity.", "No value without a positive."),
    "TNR": ("TN ÷ (TN + FP); also called specificity.", "No value without a negative."),
    "FPR": ("FP ÷ (FP + TN).", "No value without a negative."),
    "PPV": ("TP ÷ (TP + FP); also called precision.", "No value while nothing was predicted positive."),
    "NPV": ("TN ÷ (TN + FN).", "No value while nothing was predicted negative."),
    "F1": ("2·TP ÷ (2·TP + FP + FN).", "True negatives do not enter. No value without positives on either side."),
    "MCC": (
        "Correlation between the actual and the predicted class, from all four counts.",
        "0 where one of the four sums is 0.",
    ),
    "Accuracy": (
        "Right predictions ÷ all scored predictions.",
        "High for a rare class even when the model never finds it: look at Balanced Accuracy beside it.",
    ),
    "Balanced Accuracy": ("Mean of the recall of each class.", "Classes that did not occur are left out."),
    "FVE Binomial": (
        "1 − LogLoss ÷ the LogLoss of always giving the share of positives.",
        "Below 0 when worse than that constant; no value when only one class has come.",
    ),
    "FVE Multinomial": (
        "1 − LogLoss ÷ the LogLoss of always giving the shares of the classes.",
        "Below 0 when worse than those constants; no value when only one class has come.",
    ),
}


def _span(lowest: float, highest: float) -> str:
    low = "no lower end" if lowest == -math.inf else f"{lowest:g}"
    high = "no upper end" if highest == math.inf else f"{highest:g}"
    return f"{low} to {high}"


def _entry(name: str) -> Entry:
    info = ACCURACY_METRICS[name]
    how, edge = _TOLD[name]
    at_threshold = name in {"TPR", "TNR", "FPR", "PPV", "NPV", "F1", "MCC"}
    unit = {TARGET_UNIT: "that of the target"}.get(info.unit, info.unit)
    return Entry(
        name,
        info.meaning,
        how + (" Positive means a score above the prediction threshold." if at_threshold else ""),
        unit,
        _span(info.lowest, info.highest),
        f"{'higher' if info.direction is Direction.HIGHER else 'lower'}; a perfect model has {info.best:g}",
        edge,
        SECTION,
        GROUP,
    )


ENTRIES = (
    *(_entry(name) for name in ACCURACY_METRICS),
    Entry(
        "Change against the baseline",
        "How much better or worse a metric is than on the holdout of the model.",
        "Difference ÷ size of the baseline, signed by the direction of the metric.",
        "%",
        better="positive is better, for every metric",
        edge="No value without a baseline or where the baseline is 0.",
        section=SECTION,
        group=GROUP,
    ),
    Entry(
        "Baseline",
        "The score of the model on its holdout: rows that it was not trained on, before it went to work.",
        edge="A model that was registered without a holdout has none; then only limits by value can be judged.",
        section=SECTION,
        group=GROUP,
        also=("holdout baseline",),
    ),
    Entry(
        "Labelled, mature bins",
        "The share of predictions whose true outcome is known, in bins old enough that labels should be complete.",
        "Rows with an actual ÷ all rows, over bins older than the label lag.",
        "%",
        "0 to 100",
        "higher: what has no label cannot be judged",
        section=SECTION,
        group=GROUP,
        also=("labelled", "labels", "label share", "label coverage"),
    ),
    Entry(
        "Label lag, learned",
        "How long after a prediction its true outcome usually arrives, learned from what came before.",
        unit="hours or days",
        edge="Bins younger than this are drawn hollow and are never judged.",
        section=SECTION,
        group=GROUP,
        also=("label lag",),
    ),
    Entry(
        "Predicted and actual",
        "What the model foretold beside what happened, in the same rows.",
        "Means of the bin; for classes the share of each. Rows without an actual are left out on both sides.",
        edge="A gap that stays means that the level is off, even where the ranking is still right.",
        section=SECTION,
        group=GROUP,
        also=("predicted", "actual", "predictions against actuals"),
    ),
)
