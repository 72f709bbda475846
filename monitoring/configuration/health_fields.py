"""The health settings: what each verdict goes by."""

from __future__ import annotations

from metrics.accuracy import ACCURACY_METRICS
from monitoring.configuration.field import Field, Path, Section, Shape, switch
from monitoring.models import Area, CommandKind

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
MOST_COUNT = 1_000_000


def _count(path: Path, word: str, hint: str = "") -> Field:
    return Field(path, word, Shape.COUNT, low=1, high=MOST_COUNT, hint=hint)


def _batches(group: str) -> Field:
    hint = "For deployments watched by batch."
    return Field((group, "batchCount"), "Batches looked at", Shape.CHOICE, choices=BATCH_COUNTS, hint=hint)


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
            switch(group, f"Judge timeliness of {word}", f"Late {word} are no longer noticed."),
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
