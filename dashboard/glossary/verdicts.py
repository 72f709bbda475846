"""Statuses, areas and the words around a verdict."""

from __future__ import annotations

from dashboard.glossary.entry import Entry
from monitoring.models import Area, Status

WORDS, GROUP = "Status words", "Verdicts"


def _status(status: Status, meaning: str, edge: str = "") -> Entry:
    return Entry(status.label, meaning, edge=edge, section=WORDS, group=GROUP, also=(status.value,))


def _area(area: Area, meaning: str, how: str, section: str, edge: str = "") -> Entry:
    name = f"{area.label} status"
    return Entry(name, meaning, how, edge=edge, section=section, group="Areas", also=(area.label, area.value))


ENTRIES = (
    _status(Status.PASSING, "Enough data came, and all of it is within the limits."),
    _status(Status.WARNING, "Beyond the lower limit, not yet beyond the upper one.", "Called warning by the API."),
    _status(Status.FAILING, "Beyond the upper limit: somebody should look at it now."),
    _status(
        Status.UNKNOWN,
        "Events came, but too few in the judged window for a verdict.",
        "Drift and accuracy want 100 rows. Unknown is not passing, and is never counted as such.",
    ),
    _status(Status.NOT_STARTED, "Switched on and set up, but nothing has ever been received."),
    _status(
        Status.UNAVAILABLE,
        "This monitoring is switched off, or something that it needs is missing.",
        "For instance training data for drift, or an association id for accuracy.",
    ),
    _area(
        Area.SERVICE,
        "Whether the prediction server answers.",
        "Over the last 24 hours: one server error is failing, else one user error is at risk, else passing.",
        "Service health",
        "Without any request in the window it is unknown.",
    ),
    _area(
        Area.DRIFT,
        "Whether what comes in and what is predicted still look like training.",
        "Over the judged window: features above the drift limit are counted, important and minor ones apart, and the "
        "counts compared with their limits.",
        "Drift",
        "At least 100 predictions are needed.",
    ),
    _area(
        Area.ACCURACY,
        "Whether the predictions were right, as far as outcomes are known.",
        "One metric over the judged window against its limits: by its value, or by how far it fell from the baseline.",
        "Accuracy status",
        "At least 100 rows with a label are needed; younger bins wait until their labels are complete.",
    ),
    _area(
        Area.FAIRNESS,
        "Whether groups of people are treated alike.",
        "Classes of protected features whose relative score is below the fairness limit (0.8 as a rule) are counted: "
        "one is at risk, two are failing.",
        "Fairness",
        "Only for binary models; classes with few rows are shown, never judged.",
    ),
    _area(
        Area.CUSTOM_METRICS,
        "Whether the numbers that you report yourselves are where they should be.",
        "Any failing condition that holds is failing, else any warning condition that holds is at risk.",
        "Custom metrics",
        "Without a condition or a value in the window it is unknown.",
    ),
    _area(
        Area.PREDICTIONS_TIMELINESS,
        "Whether predictions still come as often as expected.",
        "Passing while the latest prediction is not older than the expected frequency, else failing.",
        "Timeliness",
        "Off unless it was switched on.",
    ),
    _area(
        Area.ACTUALS_TIMELINESS,
        "Whether outcomes still come as often as expected.",
        "Passing while the latest upload of actuals is not older than the expected frequency, else failing.",
        "Timeliness",
        "Off unless it was switched on.",
    ),
    Entry(
        "Judged window",
        "The span of time that a verdict looks at; the charts may show more or less.",
        "Drift: set in the health settings, 7 days as a rule. Accuracy: as long, ending where labels are complete. "
        "Service: 24 hours.",
        section="Accuracy status",
        group=GROUP,
        also=("window",),
    ),
    Entry(
        "Data age",
        "How long ago the source last answered for this deployment.",
        edge="Old data are marked, but never change a status: the verdict stays as last known.",
        section=WORDS,
        group=GROUP,
        also=("last", "last seen", "age"),
    ),
    Entry(
        "Health by day",
        "One bar a day, oldest left; the height says the verdict: the lower, the better.",
        edge="No bar: nothing was judged on that day.",
        section=WORDS,
        group=GROUP,
        also=("strip", "30 d"),
    ),
    Entry(
        "Blind spot",
        "Something that nobody watches here: an area without data, without limits or without anybody who hears of it.",
        edge="A blind spot is no verdict; a deployment with one can still be passing.",
        section=WORDS,
        group=GROUP,
        also=("blind spots",),
    ),
)
