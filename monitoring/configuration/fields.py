"""What can be set on a deployment: every field of the reference's settings and health settings, declared once.

Forms, checks, comparisons, YAML documents and the watch of settings are all made from these rows. A path names a field
inside an answer: ("dataDrift", "driftThreshold"). A field whose value is null, or missing, is off.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from metrics.accuracy import ACCURACY_METRICS
from metrics.fairness import FAIRNESS_METRIC_SETS
from monitoring.models import Area, CommandKind, Importance

Path = tuple[str, ...]


class Shape(Enum):
    """How a value is written and checked."""

    NUMBER = "number"
    COUNT = "count"
    CHOICE = "choice"
    SWITCH = "switch"
    NAMES = "names"
    PERCENTILES = "percentiles"
    CONDITIONS = "conditions"
    RANGE = "range"
    DURATION = "duration"
    TEXT = "text"
    LONG_TEXT = "long text"
    SCALAR = "scalar"


@dataclass(frozen=True)
class Field:
    """One setting. `off`: what stops when it is switched off; `known`: where the names to choose from come from."""

    path: Path
    word: str
    shape: Shape
    unit: str = ""
    hint: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[tuple[str, str], ...] = ()
    required: bool = False
    most: int = 0
    known: str = ""
    off: str = ""

    @property
    def name(self) -> str:
        """The path with dots: the name in forms, messages and documents."""
        return ".".join(self.path)


@dataclass(frozen=True)
class Section:
    """Fields that are edited together. `area`: whose verdict they decide; `replayed`: a backtest can tell."""

    slug: str
    word: str
    about: str
    kind: CommandKind
    fields: tuple[Field, ...]
    area: Area | None = None
    replayed: bool = False

    @property
    def groups(self) -> tuple[str, ...]:
        """The first parts of the paths, in order; () for fields that lie at the top."""
        return tuple(dict.fromkeys(field.path[0] for field in self.fields if len(field.path) > 1))


BATCH_COUNTS = tuple((count, count) for count in ("1", "5", "10", "50", "100", "1000", "10000"))
WINDOWS = (
    ("T2H", "2 hours"),
    ("P1D", "1 day"),
    ("P7D", "7 days"),
    ("P30D", "30 days"),
    ("P90D", "90 days"),
    ("P180D", "180 days"),
    ("P365D", "365 days"),
)
OPERATORS = (("lt", "below"), ("lte", "at most"), ("gt", "above"), ("gte", "at least"))
MOST_COUNT = 1_000_000


def _count(path: Path, word: str, hint: str = "") -> Field:
    return Field(path, word, Shape.COUNT, low=1, high=MOST_COUNT, hint=hint)


def _batches(group: str) -> Field:
    hint = "For deployments watched by batch."
    return Field((group, "batchCount"), "Batches looked at", Shape.CHOICE, choices=BATCH_COUNTS, hint=hint)


def _switch(group: str, word: str, off: str, hint: str = "") -> Field:
    return Field((group, "enabled"), word, Shape.SWITCH, off=off, hint=hint)


_DRIFT = Section(
    "drift",
    "Drift health",
    "Judged over the last window, champion only, at least 100 predictions. An empty limit is off.",
    CommandKind.HEALTH_SETTINGS,
    (
        Field(
            ("dataDrift", "driftThreshold"),
            "A feature has drifted above",
            Shape.NUMBER,
            unit="PSI",
            low=0,
            high=1,
            required=True,
        ),
        Field(("dataDrift", "importanceThreshold"), "It is important from", Shape.NUMBER, low=0, high=1, required=True),
        _count(("dataDrift", "highImportanceFailingCount"), "Failing from important features"),
        _count(("dataDrift", "highImportanceWarningCount"), "At risk from important features"),
        _count(("dataDrift", "lowImportanceWarningCount"), "At risk from other features"),
        _count(("dataDrift", "lowImportanceFailingCount"), "Failing from other features"),
        Field(("dataDrift", "excludedFeatures"), "Left out of the verdict", Shape.NAMES, most=1000, known="features"),
        Field(
            ("dataDrift", "starredFeatures"),
            "Starred",
            Shape.NAMES,
            most=1000,
            known="features",
            hint="Followed over time first; they count as important whatever their importance.",
        ),
        Field(("dataDrift", "timeInterval"), "Window", Shape.CHOICE, choices=WINDOWS),
        _batches("dataDrift"),
    ),
    Area.DRIFT,
    replayed=True,
)
_ACCURACY = Section(
    "accuracy",
    "Accuracy health",
    "Judged where labels are complete, over the window of drift, at least 100 labelled rows. An empty limit is off.",
    CommandKind.HEALTH_SETTINGS,
    (
        Field(
            ("accuracy", "metric"),
            "Metric",
            Shape.CHOICE,
            choices=tuple((name, name) for name in ACCURACY_METRICS),
        ),
        Field(
            ("accuracy", "measurement"),
            "Compared as",
            Shape.CHOICE,
            choices=(("percent", "percent worse than the baseline"), ("value", "the value itself")),
        ),
        Field(("accuracy", "warningThreshold"), "At risk from", Shape.NUMBER),
        Field(("accuracy", "failingThreshold"), "Failing from", Shape.NUMBER),
        _batches("accuracy"),
    ),
    Area.ACCURACY,
    replayed=True,
)
_SERVICE = Section(
    "service",
    "Service health",
    "Failing with any server error in the last 24 hours, at risk with any refused request: these limits are fixed.",
    CommandKind.HEALTH_SETTINGS,
    (_batches("service"),),
    Area.SERVICE,
)
_FAIRNESS = Section(
    "fairness",
    "Fairness health",
    "Counts classes of protected features whose score lies below the fairness threshold. An empty limit is off.",
    CommandKind.HEALTH_SETTINGS,
    (
        _count(("fairness", "protectedClassWarningCount"), "At risk from classes below"),
        _count(("fairness", "protectedClassFailingCount"), "Failing from classes below"),
    ),
    Area.FAIRNESS,
    replayed=True,
)
_CUSTOM = Section(
    "custom",
    "Custom metrics",
    "Failing if any failing condition holds, else at risk if any at-risk one does. An empty row is none.",
    CommandKind.HEALTH_SETTINGS,
    (
        Field(("customMetrics", "failingConditions"), "Failing when", Shape.CONDITIONS, most=100),
        Field(("customMetrics", "warningConditions"), "At risk when", Shape.CONDITIONS, most=100),
    ),
    Area.CUSTOM_METRICS,
    replayed=True,
)
_TIMELINESS = Section(
    "timeliness",
    "Timeliness",
    "Failing once nothing came for longer than expected.",
    CommandKind.HEALTH_SETTINGS,
    tuple(
        field
        for group, word in (("predictionsTimeliness", "predictions"), ("actualsTimeliness", "actuals"))
        for field in (
            _switch(group, f"Judge timeliness of {word}", f"Late {word} are no longer noticed."),
            Field(
                (group, "expectedFrequency"),
                f"Expected every ({word})",
                Shape.DURATION,
                hint="A duration such as PT1H, P1D or P7D.",
            ),
        )
    ),
    Area.PREDICTIONS_TIMELINESS,
)
HEALTH_SECTIONS = (_DRIFT, _ACCURACY, _SERVICE, _FAIRNESS, _CUSTOM, _TIMELINESS)

_TRACKING = Section(
    "tracking",
    "Drift tracking",
    "What is compared with the training data.",
    CommandKind.SETTINGS,
    (
        _switch("targetDrift", "Track the target", "Drift of the target, predictions over time and fairness stop."),
        _switch("featureDrift", "Track the features", "Drift of the features stops: what changes there is not seen."),
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
        _switch("automaticActuals", "Take actuals from later requests", "Actuals must be sent.", "Time series only."),
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
        _switch("segmentAnalysis", "Analyse segments", "New rows are no longer kept apart; past ones stay apart."),
        Field(("segmentAnalysis", "attributes"), "Attributes", Shape.NAMES, most=10, known="categorical"),
    ),
)
_MODELS = Section(
    "models",
    "Challengers and humility",
    "What runs beside and after the champion.",
    CommandKind.SETTINGS,
    (
        _switch("challengerModels", "Score challengers", "Challengers are no longer replayed; their past stays."),
        _switch("humility", "Apply humility rules", "Unsure predictions are no longer flagged or overridden."),
    ),
)
_PREDICTIONS = Section(
    "predictions",
    "Predictions",
    "What is kept of predictions and how they are marked.",
    CommandKind.SETTINGS,
    (
        _switch(
            "predictionsDataCollection",
            "Keep the rows of predictions",
            "Rows are no longer stored: no export, no replay, no drill-down for them later.",
        ),
        _switch("predictionWarning", "Warn of unusual predictions", "Warnings stop.", "Regression only."),
        Field(
            ("predictionWarning", "customBoundaries"),
            "Usual between",
            Shape.RANGE,
            hint="Empty: limits from the training data.",
        ),
        _switch("predictionIntervals", "Give prediction intervals", "Intervals are no longer given."),
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
        _switch(
            "predictionsByForecastDate", "Place predictions by their own date", "They are placed by their arrival."
        ),
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
