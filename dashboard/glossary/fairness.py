"""Fairness: the single metrics, and what they are compared with."""

from __future__ import annotations

from dashboard.glossary.entry import Entry
from metrics.fairness import FairnessMetric

SECTION, GROUP = "Fairness", "Fairness"

NAMES = {
    FairnessMetric.PROPORTIONAL_PARITY: "Proportional parity",
    FairnessMetric.EQUAL_PARITY: "Equal parity",
    FairnessMetric.FAVORABLE_CLASS_BALANCE: "Favourable class balance",
    FairnessMetric.UNFAVORABLE_CLASS_BALANCE: "Unfavourable class balance",
    FairnessMetric.TRUE_FAVORABLE_RATE_PARITY: "True favourable rate parity",
    FairnessMetric.TRUE_UNFAVORABLE_RATE_PARITY: "True unfavourable rate parity",
    FairnessMetric.FAVORABLE_PREDICTIVE_VALUE_PARITY: "Favourable predictive value parity",
    FairnessMetric.UNFAVORABLE_PREDICTIVE_VALUE_PARITY: "Unfavourable predictive value parity",
}
"""The metrics of the reference and the names under which pages explain them."""

_LABELS = "Needs actuals: only rows whose outcome is known count."


def _of(metric: FairnessMetric, meaning: str, how: str, edge: str = "", unit: str = "", span: str = "0 to 1") -> Entry:
    better = "classes alike: relative to the best class 1, and not below the limit"
    also = (metric.value, NAMES[metric].replace("avour", "avor"))
    return Entry(NAMES[metric], meaning, how, unit, span, better, edge, SECTION, GROUP, also)


ENTRIES = (
    _of(
        FairnessMetric.PROPORTIONAL_PARITY,
        "How often a class is given the favourable prediction.",
        "Rows predicted favourable ÷ rows of the class.",
        "Asks for equal shares, whatever the outcomes were.",
    ),
    _of(
        FairnessMetric.EQUAL_PARITY,
        "How many favourable predictions a class is given.",
        "Rows predicted favourable, counted.",
        "A class that is small in itself has a low score.",
        "rows",
        "0 to no upper end",
    ),
    _of(
        FairnessMetric.FAVORABLE_CLASS_BALANCE,
        "How sure the model is of those who did have the favourable outcome.",
        "Mean probability of the favourable outcome, over rows where it came true.",
        _LABELS,
    ),
    _of(
        FairnessMetric.UNFAVORABLE_CLASS_BALANCE,
        "How much hope the model gives to those who did not have the favourable outcome.",
        "Mean probability of the favourable outcome, over rows where it did not come true.",
        _LABELS,
    ),
    _of(
        FairnessMetric.TRUE_FAVORABLE_RATE_PARITY,
        "How many of those with the favourable outcome the model found.",
        "Predicted favourable ÷ all whose outcome was favourable.",
        _LABELS,
    ),
    _of(
        FairnessMetric.TRUE_UNFAVORABLE_RATE_PARITY,
        "How many of those with the unfavourable outcome the model found.",
        "Predicted unfavourable ÷ all whose outcome was unfavourable.",
        _LABELS,
    ),
    _of(
        FairnessMetric.FAVORABLE_PREDICTIVE_VALUE_PARITY,
        "How often a favourable prediction comes true.",
        "Favourable outcomes ÷ favourable predictions.",
        _LABELS,
    ),
    _of(
        FairnessMetric.UNFAVORABLE_PREDICTIVE_VALUE_PARITY,
        "How often an unfavourable prediction comes true.",
        "Unfavourable outcomes ÷ unfavourable predictions.",
        _LABELS,
    ),
    Entry(
        "Relative fairness score",
        "The score of a class beside that of the most favoured class.",
        "Score of the class ÷ highest score of any class with enough rows.",
        "",
        "0 to 1",
        "higher; below the limit (0.8 as a rule, the four-fifths rule) the class counts as treated worse",
        "No value where all scores are 0.",
        SECTION,
        GROUP,
        ("relative score", "fairness score", "lowest relative score", "worst relative score"),
    ),
    Entry(
        "Protected feature",
        "A feature by which people must not be treated differently, chosen in the settings.",
        edge="Followed from the moment it is chosen, never before.",
        section=SECTION,
        group=GROUP,
        also=("protected features", "protected class"),
    ),
    Entry(
        "Classes below the limit",
        "Classes with enough rows whose relative score is below the fairness limit.",
        better="lower: from one on at risk, from two on failing, unless set otherwise",
        section=SECTION,
        group=GROUP,
        also=("classes below", "below the limit", "unfair classes"),
    ),
    Entry(
        "Enough rows",
        "Whether a class has rows enough to be judged.",
        "At least 100, and up to 1,000 rows at least a tenth of the largest class.",
        edge="Classes with fewer are shown in grey, never judged, and never the most favoured.",
        section=SECTION,
        group=GROUP,
        also=("significant", "statistically significant", "not significant"),
    ),
)
