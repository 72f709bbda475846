"""Humility, custom metrics, space, batches, challengers, retraining and data quality."""

from __future__ import annotations

from dashboard.glossary.entry import Entry
from metrics.custom import CustomKind

KINDS = {
    CustomKind.SUM: "Custom metric: sum",
    CustomKind.AVERAGE: "Custom metric: average",
    CustomKind.GAUGE: "Custom metric: gauge",
    CustomKind.CATEGORICAL: "Custom metric: categories",
}
"""The kinds of custom metrics and the names under which pages explain them."""


def _kind(kind: CustomKind, meaning: str, how: str, edge: str = "") -> Entry:
    own = "as the metric's own direction says"
    return Entry(KINDS[kind], meaning, how, "", "", own, edge, "Custom metrics", "Custom metrics", (kind.value,))


ENTRIES = (
    _kind(CustomKind.SUM, "Reported values, added up.", "Sum of the values of a bucket."),
    _kind(
        CustomKind.AVERAGE,
        "Reported values, averaged by how many samples each stands for.",
        "Σ value × sample size ÷ Σ sample size.",
        "A value without a sample size counts as one sample.",
    ),
    _kind(CustomKind.GAUGE, "The latest reported value.", "Of equally late ones the one that was received last."),
    _kind(
        CustomKind.CATEGORICAL,
        "How often each category was reported.",
        "Samples by category.",
        "There is no single value, so it is not judged. Categories that the metric does not know are counted apart.",
    ),
    Entry(
        "Custom metrics",
        "Numbers that you report yourselves, up to 25 a deployment: money saved, hallucinations, minutes.",
        section="Custom metrics",
        group="Custom metrics",
        also=("custom metric",),
    ),
    Entry(
        "Humility rule",
        "A rule that recognises a prediction one should not trust, when it is made.",
        "Triggers: an uncertain prediction, an input outside its bounds, a value that is not among the known ones. "
        "Actions: override the prediction, refuse it, or only count it.",
        edge="Evaluated once, when the row comes in; a rule made later says nothing about earlier rows.",
        section="Humility and prediction warnings",
        group="Humility",
        also=("humility", "humility rules", "rules", "triggers", "triggered"),
    ),
    Entry(
        "Prediction warning",
        "A regression's prediction outside the bounds that its holdout, or you, have set.",
        "Outside the 0.5 % and 99.5 % quantiles of the holdout's predictions, or outside custom bounds.",
        edge="Kept with the row when it comes in, never worked out later.",
        section="Humility and prediction warnings",
        group="Humility",
        also=("outside of the usual", "prediction warnings", "warnings"),
    ),
    Entry(
        "Segment",
        "The rows that share one value of an attribute, for instance one airport.",
        edge="Followed from the moment an attribute is chosen. Drift compares with the same segment of training.",
        section="Rules for every monitoring question",
        group="Segments and space",
        also=("segments", "segment value", "segment attribute"),
    ),
    Entry(
        "Hexagon",
        "A cell of the H3 grid, into which places are gathered.",
        "The finest size, 5 km² or larger, at which there are not more than 1,000 cells.",
        edge="Drift in a cell compares with the same cell of training; without rows there it has no value.",
        section="Space",
        group="Segments and space",
        also=("cell", "cells", "hexagons"),
    ),
    Entry(
        "Batch",
        "The predictions of one job, judged together instead of by time.",
        edge="Batches and time are never mixed. A locked batch takes no further rows.",
        section="Rules for every monitoring question",
        group="Batches",
        also=("batches",),
    ),
    Entry(
        "Percentile band",
        "The range that holds the middle of the predictions: from the 10th to the 90th percentile.",
        "From mergeable sketches: the rank is right within about 1 %.",
        edge="A band that widens while the mean stays says that the model has become less sure of itself.",
        section="Rules for every monitoring question",
        group="Predictions",
        also=("percentiles", "10th to 90th percentile"),
    ),
    Entry(
        "Champion and challenger",
        "The champion answers; a challenger scores the same stored requests beside it, so that both can be compared.",
        edge="Only requests that were stored can be replayed.",
        section="Challengers",
        group="Challengers and retraining",
        also=("champion", "challenger", "challengers", "replay"),
    ),
    Entry(
        "Retraining policy",
        "When a new model is trained, on what, and what becomes of it.",
        "Triggers: a schedule, drift, accuracy, or by hand. Result: a challenger, a package, or the new champion.",
        section="Retraining",
        group="Challengers and retraining",
        also=("retraining", "retraining run"),
    ),
    Entry(
        "Missing values",
        "Rows in which a feature has no value.",
        "Missing ÷ all rows of the feature.",
        "%",
        "0 to 100",
        "as in training",
        section="Drift",
        group="Data quality",
        also=("missing", "missing rate", "share missing"),
    ),
    Entry(
        "New values",
        "Rows with a category that training never had.",
        "New level ÷ all rows of the feature.",
        "%",
        "0 to 100",
        "lower",
        "A share of 2 % alone already makes a PSI of about 0.1.",
        "Drift",
        "Data quality",
        ("new level", "new levels", "unseen values"),
    ),
    Entry(
        "Runtime parameters",
        "Values that a deployment passes to its model; the model's package says which there are and their defaults.",
        edge="They are set all at once: what is left out goes back to the default. Secrets are never shown.",
        section="What a model runs with",
        group="What a model runs with",
        also=("runtime parameter",),
    ),
    Entry(
        "Secondary datasets",
        "Datasets in which a model looks things up while it predicts; a set names each of them.",
        edge="One set is in use at a time, and another one holds from the next prediction on.",
        section="What a model runs with",
        group="What a model runs with",
        also=("secondary dataset",),
    ),
    Entry(
        "Prediction servers",
        "Where predictions are made, with the batch predictions that run and wait there.",
        section="What a model runs with",
        group="What a model runs with",
        also=("prediction server",),
    ),
    Entry(
        "Scoring code",
        "The model as a program that predicts without a server; built to report, it tells this deployment what it did.",
        section="What a model runs with",
        group="What a model runs with",
    ),
    Entry(
        "Custom metric from a job",
        "A custom metric that is worked out at the source, at most once an hour, instead of being sent.",
        "A built-in recipe over the states of the last whole hour, or an address of one's own that is asked.",
        edge="An hour is filed once; labels that come later do not restate it.",
        section="Custom metrics that work themselves out",
        group="Custom metrics",
        also=("what it measures",),
    ),
    Entry(
        "Rows from a file",
        "Predictions, actuals or values that come as CSV, NDJSON or Parquet instead of one request after another.",
        edge="All rows of a file are taken in, or none, and what is wrong is told by line.",
        section="What a model runs with",
        group="Data",
    ),
    Entry(
        "Association id",
        "The name that a prediction and its later outcome have in common.",
        edge="Without it an outcome cannot be matched, and accuracy stays unavailable.",
        section="Accuracy",
        group="Data",
        also=("association ids",),
    ),
)
