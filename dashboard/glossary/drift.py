"""Drift: the measures, importance, and how many features decide the verdict."""

from __future__ import annotations

from dashboard.glossary.entry import Entry
from metrics.drift import DriftMetric

SECTION, GROUP = "Drift", "Drift"

NAMES = {
    DriftMetric.PSI: "PSI",
    DriftMetric.KL_DIVERGENCE: "KL divergence",
    DriftMetric.DISSIMILARITY: "Dissimilarity",
    DriftMetric.HELLINGER: "Hellinger distance",
    DriftMetric.JS_DIVERGENCE: "JS divergence",
}
"""The measures of the reference and the names under which pages explain them."""

_CLOSER = "lower; 0 means the same distribution"


def _measure(kind: DriftMetric, meaning: str, how: str, span: str, edge: str = "") -> Entry:
    return Entry(NAMES[kind], meaning, how, "", span, _CLOSER, edge, SECTION, GROUP, (kind.value,))


ENTRIES = (
    _measure(
        DriftMetric.PSI,
        "How far the values that come in have moved from those of training, bin by bin.",
        "Sum over bins of (live − training) × ln(live ÷ training), with shares that are smoothed a little.",
        "0 to no upper end",
        "With few rows it is above 0 by chance alone: only what exceeds that noise counts in the verdict. "
        "0.15 is the usual limit.",
    ),
    _measure(
        DriftMetric.KL_DIVERGENCE,
        "How surprising the live values are to somebody who knows the training values only.",
        "Sum over bins of live × ln(live ÷ training).",
        "0 to no upper end",
        "Not symmetric: values that training never had weigh most.",
    ),
    _measure(
        DriftMetric.DISSIMILARITY,
        "The share of rows that would have to move to another bin to make both distributions equal.",
        "1 − sum over bins of the smaller of the two shares.",
        "0 to 1",
    ),
    _measure(
        DriftMetric.HELLINGER,
        "A distance between the two distributions that gives rare values a say.",
        "Root of half the summed squared differences of the roots of the shares.",
        "0 to 1",
    ),
    _measure(
        DriftMetric.JS_DIVERGENCE,
        "How far both distributions are from their middle; symmetric and bounded.",
        "Mean of the two KL divergences from the middle, in base 2; not its root.",
        "0 to 1",
    ),
    Entry(
        "Importance",
        "How much a feature matters to the model: the most important one has 1.",
        "Permutation importance, divided by that of the top feature.",
        span="0 to 1",
        edge="A feature without a known importance counts as a minor one. The target stands at 1.",
        section=SECTION,
        group=GROUP,
        also=("feature importance", "feature impact"),
    ),
    Entry(
        "High-importance features above the limit",
        "Drifted features that matter to the model: they decide between passing and failing.",
        "Importance at or above the importance limit, or starred; drift above the drift limit and above its noise.",
        better="lower",
        edge="Excluded features are shown but never counted.",
        section=SECTION,
        group=GROUP,
        also=("high importance", "high-importance drifted", "important features drifted", "drifted and important"),
    ),
    Entry(
        "Low-importance features above the limit",
        "Drifted features that hardly matter to the model: they put the deployment at risk.",
        "Drift above the limit and above its noise, importance below the importance limit.",
        better="lower",
        section=SECTION,
        group=GROUP,
        also=("low importance", "low-importance drifted", "minor features drifted", "drifted and minor"),
    ),
    Entry(
        "Smallest PSI that counts",
        "The PSI that so few rows reach by chance alone, one time in a hundred.",
        "99th percentile of chi-squared for the number of bins × (1 ÷ live rows + 1 ÷ training rows).",
        "PSI",
        "0 to no upper end",
        edge="Falls as rows come in; above a few hundred rows the limit itself decides.",
        section=SECTION,
        group=GROUP,
        also=("noise floor",),
    ),
    Entry(
        "Compared",
        "How many predictions of the judged window were compared, and with how many rows of training.",
        unit="rows",
        edge="Under 100 predictions there is no verdict.",
        section=SECTION,
        group=GROUP,
    ),
    Entry(
        "Target drift",
        "Drift of what the model predicts, against its predictions on the holdout.",
        edge="Needs no actuals: it moves before accuracy can be known.",
        section=SECTION,
        group=GROUP,
        also=("predictions against holdout", "drift of the target", "target"),
    ),
    Entry(
        "Distribution",
        "The share of rows in each bin: training as an area, live as a line.",
        "Ten bins from the deciles of training, one below, one above, one for missing values; for words and classes "
        "the most frequent ones, the others together, and what training never had.",
        "%",
        section=SECTION,
        group=GROUP,
    ),
)
