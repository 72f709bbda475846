"""What can be set on a deployment: every field of the reference's settings and health settings, declared once.

Forms, checks, comparisons, YAML documents and the watch of settings are all made from these rows. A path names a field
inside an answer: ("dataDrift", "driftThreshold"). A field whose value is null, or missing, is off.
"""

from __future__ import annotations

from metrics.fairness import FAIRNESS_METRIC_SETS
from monitoring.configuration.field import OPERATORS, Field, Path, Section, Shape, switch
from monitoring.configuration.health_fields import HEALTH_SECTIONS
from monitoring.models import CommandKind, Importance

__all__ = [
    "BY_SLUG",
    "FIELDS",
    "HEALTH_SECTIONS",
    "MONITORING_SECTIONS",
    "OPERATORS",
    "SECTIONS",
    "Field",
    "Path",
    "Section",
    "Shape",
]

_TRACKING = Section(
    "tracking",
    "Drift tracking",
    "What is compared with the training data.",
    CommandKind.SETTINGS,
    (
        switch("targetDrift", "Track the target", "Drift of the target, predictions over time and fairness stop."),
        switch("featureDrift", "Track the features", "Drift of the features stops: what changes there is not seen."),
    ),
)
_ACTUALS = Section(
    "actuals",
    "Association id and actuals",
    "How an actual finds its prediction; without it accuracy cannot be computed.",
    CommandKind.SETTINGS,
    (
        Field(
            ("associationId", "columnNames"),
            "Columns of the association id",
            Shape.NAMES,
            most=10,
            off="Actuals no longer find their predictions: accuracy and timeliness of actuals stop being judged.",
        ),
        Field(
            ("associationId", "requiredInPredictionRequests"),
            "Refuse requests without it",
            Shape.SWITCH,
            off="Predictions without an association id are taken, and never get an actual.",
        ),
        switch("automaticActuals", "Take actuals from later requests", "Actuals must be sent.", "Time series only."),
    ),
)
_BIAS = Section(
    "bias",
    "Bias and fairness",
    "Whose chances are compared, and by which score.",
    CommandKind.SETTINGS,
    (
        Field(
            ("biasAndFairness", "protectedFeatures"),
            "Protected features",
            Shape.NAMES,
            most=10,
            known="categorical",
            off="Fairness stops being computed and judged.",
        ),
        Field(
            ("biasAndFairness", "preferableTargetValue"),
            "Outcome that people want",
            Shape.SCALAR,
        ),
        Field(
            ("biasAndFairness", "fairnessMetricsSet"),
            "Score",
            Shape.CHOICE,
            choices=tuple((name, name) for name in FAIRNESS_METRIC_SETS),
        ),
        Field(("biasAndFairness", "fairnessThreshold"), "A class is below at", Shape.NUMBER, low=0, high=1),
    ),
)
_SEGMENTS = Section(
    "segments",
    "Segment analysis",
    "By which attributes everything can be looked at apart.",
    CommandKind.SETTINGS,
    (
        switch("segmentAnalysis", "Analyse segments", "New rows are no longer kept apart; past ones stay apart."),
        Field(("segmentAnalysis", "attributes"), "Attributes", Shape.NAMES, most=10, known="categorical"),
    ),
)
_MODELS = Section(
    "models",
    "Challengers and humility",
    "What runs beside and after the champion.",
    CommandKind.SETTINGS,
    (
        switch("challengerModels", "Score challengers", "Challengers are no longer replayed; their past stays."),
        switch("humility", "Apply humility rules", "Unsure predictions are no longer flagged or overridden."),
    ),
)
_PREDICTIONS = Section(
    "predictions",
    "Predictions",
    "What is kept of predictions and how they are marked.",
    CommandKind.SETTINGS,
    (
        switch(
            "predictionsDataCollection",
            "Keep the rows of predictions",
            "Rows are no longer stored: no export, no replay, no drill-down for them later.",
        ),
        switch("predictionWarning", "Warn of unusual predictions", "Warnings stop.", "Regression only."),
        Field(
            ("predictionWarning", "customBoundaries"),
            "Usual between",
            Shape.RANGE,
            hint="Empty: limits from the training data.",
        ),
        switch("predictionIntervals", "Give prediction intervals", "Intervals are no longer given."),
        Field(
            ("predictionIntervals", "percentiles"),
            "Percentiles",
            Shape.PERCENTILES,
            most=10,
            hint="1 to 100, parted by commas.",
        ),
        Field(
            ("processingLimits", "interval"),
            "Processing limit counts by",
            Shape.CHOICE,
            choices=(("hour", "hour"), ("day", "day"), ("week", "week")),
        ),
    ),
)
_FORECASTS = Section(
    "dates",
    "Axis of time",
    "By default predictions are placed by when they were made.",
    CommandKind.SETTINGS,
    (
        switch("predictionsByForecastDate", "Place predictions by their own date", "They are placed by their arrival."),
        Field(("predictionsByForecastDate", "columnName"), "Column of the date", Shape.TEXT, most=500),
        Field(("predictionsByForecastDate", "datetimeFormat"), "Format of the date", Shape.TEXT, most=100),
    ),
)
MONITORING_SECTIONS = (_TRACKING, _ACTUALS, _BIAS, _SEGMENTS, _MODELS, _PREDICTIONS, _FORECASTS)
_ABOUT = Section(
    "about",
    "Name and importance",
    "How the deployment is called and how much its trouble weighs.",
    CommandKind.DETAILS,
    (
        Field(("label",), "Name", Shape.TEXT, most=512, required=True),
        Field(("description",), "Description", Shape.LONG_TEXT, most=10_000),
        Field(
            ("importance",),
            "Importance",
            Shape.CHOICE,
            choices=tuple((one.value, one.label) for one in Importance),
            hint="Incidents of important deployments weigh more, and may be heard by other people.",
        ),
    ),
)
SECTIONS = (*HEALTH_SECTIONS, *MONITORING_SECTIONS, _ABOUT)
BY_SLUG = {section.slug: section for section in SECTIONS}
#: Field by (kind, path).
FIELDS = {(section.kind, field.path): field for section in SECTIONS for field in section.fields}
