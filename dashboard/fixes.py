"""How a blind spot is mended: the form that does it, and the request that does the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from dashboard import examples
from dashboard.addresses import address
from dashboard.examples import Example
from dashboard.tabs.registry import TABS
from monitoring.health.coverage import CODES, HEARD, HUMILITY
from monitoring.models import Area, Watched

#: What a column is called.
WORDS: Mapping[str, str] = {area.value: str(area.label) for area in Area} | {HUMILITY: "Humility", HEARD: "Mail"}
_DAILY = {"enabled": True, "expectedFrequency": "P1D"}
_HEALTH: Mapping[str, tuple[str, dict[str, Any]]] = {
    Area.DRIFT: ("dataDrift", {"highImportanceFailingCount": 1, "lowImportanceWarningCount": 1}),
    Area.ACCURACY: ("accuracy", {"measurement": "percent", "warningThreshold": 5, "failingThreshold": 10}),
    Area.FAIRNESS: ("fairness", {"protectedClassFailingCount": 2, "protectedClassWarningCount": 1}),
    Area.CUSTOM_METRICS: (
        "customMetrics",
        {"failingConditions": [{"metricId": "METRIC_ID", "compareOperator": "lt", "threshold": 0}]},
    ),
    Area.PREDICTIONS_TIMELINESS: ("predictionsTimeliness", _DAILY),
    Area.ACTUALS_TIMELINESS: ("actualsTimeliness", _DAILY),
}
#: The section of the settings that holds the limits of a column.
_LIMITS = {
    Area.DRIFT: "drift",
    Area.ACCURACY: "accuracy",
    Area.FAIRNESS: "fairness",
    Area.CUSTOM_METRICS: "custom",
    Area.PREDICTIONS_TIMELINESS: "timeliness",
    Area.ACTUALS_TIMELINESS: "timeliness",
}


@dataclass(frozen=True)
class Fix:
    """`href` is the form (or "" where only a request helps), `example` the request; both may be missing."""

    word: str
    advice: str
    href: str = ""
    example: Example | None = None


Make = Callable[[Watched, str], Fix]


def fix_of(watched: Watched, column: str, code: str) -> Fix | None:
    """None where nothing is to be mended or nobody could."""
    if not CODES[code].blind and code not in ("none", "unused"):
        return None
    make = _FIXES.get((column, code)) or _FIXES.get(("", code))
    return make(watched, column) if make is not None else None


def settings_url(watched: Watched, section: str) -> str:
    """The section of the settings tab; "" while there is no such tab."""
    return f"{address('settings', watched.pk)}?section={section}" if "settings" in TABS else ""


def _limit(watched: Watched, column: str) -> Fix:
    name, body = _HEALTH[column]
    example = examples.call(watched, "PATCH", "healthSettings/", f"Set limits of {WORDS[column].lower()}", {name: body})
    advice = "Set a limit: without one the numbers are drawn, and nobody is ever told."
    return Fix("Set a limit", advice, settings_url(watched, _LIMITS[Area(column)]), example)


def _switch(word: str, advice: str, section: str, **changes: Any) -> Make:
    def make(watched: Watched, column: str) -> Fix:
        return Fix(word, advice, settings_url(watched, section), examples.settings(watched, word, **changes))

    return make


def _actuals(watched: Watched, column: str) -> Fix:
    advice = "Send what became true, by the association id of each prediction; accuracy starts with the first labels."
    return Fix("Send actuals", advice, "", examples.actuals(watched))


def _custom(watched: Watched, column: str) -> Fix:
    body = {
        "name": "Minutes saved",
        "type": "average",
        "units": "min",
        "directionality": "higherIsBetter",
        "isModelSpecific": True,
        "timeStep": "hour",
        "baselineValues": [{"value": 5.0}],
    }
    example = examples.call(watched, "POST", "customMetrics/", "Define a custom metric", body)
    return Fix(
        "Define one",
        "Whatever the business counts can be watched here: define a metric, then report values.",
        "",
        example,
    )


def _heard(watched: Watched, column: str) -> Fix:
    return Fix("Choose who hears", "No member of the team wants mail: nobody would be told at night.", reverse("teams"))


def _training(watched: Watched, column: str) -> Fix:
    advice = "The model was registered without training data: register it again with a dataset, then replace it."
    return Fix("Add training data", advice)


_FIXES: Mapping[tuple[str, str], Make] = {
    ("", "no_limit"): _limit,
    ("", "no_condition"): _limit,
    (Area.DRIFT, "off"): _switch(
        *("Switch drift tracking on", "Predictions are then compared with the training data.", "tracking"),
        featureDrift={"enabled": True},
        targetDrift={"enabled": True},
    ),
    (Area.PREDICTIONS_TIMELINESS, "off"): _limit,
    (Area.ACTUALS_TIMELINESS, "off"): _limit,
    ("", "no_association"): _switch(
        *(
            "Set an association id",
            "Actuals find their predictions by it; it must be sent with each prediction.",
            "actuals",
        ),
        associationId={"columnNames": ["id"], "requiredInPredictionRequests": False},
    ),
    ("", "no_actuals"): _actuals,
    ("", "no_protected"): _switch(
        *("Choose protected features", "Fairness compares the classes of a feature of the model.", "bias"),
        biasAndFairness={
            "protectedFeatures": ["FEATURE"],
            "preferableTargetValue": "yes",
            "fairnessMetricsSet": "proportionalParity",
            "fairnessThreshold": 0.8,
        },
    ),
    ("", "no_training"): _training,
    (Area.CUSTOM_METRICS, "none"): _custom,
    (HUMILITY, "unused"): _switch(
        *("Switch humility on", "Rules then say what is done with predictions that are not to be trusted.", "models"),
        humility={"enabled": True},
    ),
    (HEARD, "nobody"): _heard,
}
