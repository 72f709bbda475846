"""Predictions: what the model says over time, and whether it was right on average."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.utils.safestring import SafeString

from dashboard.charts import words
from dashboard.charts.predicted_actual import PREDICTED_ACTUAL
from dashboard.charts.predictions import PREDICTIONS, PredictionPoints
from dashboard.charts.theme import category
from dashboard.charts.timeline import Series, TimePoints
from dashboard.shelf import Bucket, Values, number, picker, total
from dashboard.tabs.parts import Tab, Tile, switch
from dashboard.tabs.subject import ACCURACY, DRIFT, Subject
from monitoring import questions as q
from monitoring.questions import Question

MOST_CLASSES = 8
MOST_SWITCHED = 4
YES = frozenset({"1", "1.0", "true", "yes", "y"})


@dataclass(frozen=True)
class Pairs:
    """Predicted and actual by bin: means, or for classes the mean probability and how often the class came true."""

    predicted: Values
    actual: Values
    total: Values
    labelled: Values
    unit: str


def over_time_question(subject: Subject) -> Question:
    return q.predictions_over_time(
        subject.window, subject.bucket, model_id=subject.model_id, segment=subject.segment(DRIFT)
    )


def pairs_question(subject: Subject) -> Question:
    segment = subject.segment(ACCURACY)
    return q.predictions_vs_actuals_over_time(
        subject.window, subject.bucket, model_id=subject.model_id, segment=segment
    )


def build(subject: Subject, chosen: str = "") -> Tab:
    """Values over time with rows beneath, then predicted against actual, of the class that was `chosen`."""
    subject.memo["class"] = chosen
    more = urlencode({"class": chosen}) if chosen else ""
    subject.shelf.read([over_time_question(subject), pairs_question(subject)])
    shown = points(subject)
    title = PREDICTIONS.title(shown)
    values = PREDICTIONS.view(
        "predictions-main",
        shown,
        title=title[:1].upper() + title[1:],
        caption=_caption(subject),
        foot="Rows a bin beneath. Dashed: the mean over the holdout data."
        if baseline(subject) is not None
        else "Rows a bin beneath.",
        term="Predictions",
        api_url=subject.api_url(over_time_question(subject)),
        csv_url=subject.csv_url("predictions", "main", more),
    )
    actual = PREDICTED_ACTUAL.view(
        "predictions-actual",
        actual_points(subject),
        caption=f"{pair_caption(subject)}, by {subject.view.bucket_noun}",
        foot="Hollow: labels still arriving.",
        term="Predicted and actual",
        api_url=subject.api_url(pairs_question(subject)),
        csv_url=subject.csv_url("predictions", "actual", more),
    )
    charts = {"main": values, "actual": actual}
    return Tab("dashboard/tab_predictions.html", charts, tiles(subject), {"classes": _class_switch(subject)})


def _class_switch(subject: Subject) -> SafeString | str:
    """Which class is compared with what came true; nothing to choose for a number."""
    names = _pair_classes(subject.shelf.buckets(pairs_question(subject)))
    if not names:
        return ""
    shown, base = positive_class(subject, names), subject.url("predictions")
    links = [(one, f"{base}{'&' if '?' in base else '?'}{urlencode({'class': one})}", one == shown) for one in names]
    return switch("Class", links[:MOST_SWITCHED], links if len(links) > MOST_SWITCHED else ())


def points(subject: Subject) -> PredictionPoints:
    """Mean with its 10–90 % band, or the share of each class."""
    found = subject.shelf.buckets(over_time_question(subject))
    counts = subject.clock.place(found, picker("rowCount"))
    classes = class_names(found)
    series = _class_series(subject, found, classes) if classes else _mean_series(subject, found)
    time = TimePoints(
        subject.clock.start,
        subject.clock.step,
        series,
        unit="%" if classes else "",
        caption="share of predictions" if classes else f"predicted {subject.watched.target_name}",
        baseline=None if len(classes) > 2 else baseline(subject),
        changes=subject.changes(),
        unfinished=subject.running,
        height=220,
        zero=bool(classes),
    )
    return PredictionPoints(time, stacked=len(classes) > 2, counts=counts)


def class_names(buckets: Sequence[Bucket]) -> list[str]:
    """Class names in the order of the answers; empty for a numeric target."""
    for bucket in buckets:
        rows = _rows(bucket.values, "classDistribution")
        if rows:
            return [str(row.get("className")) for row in rows]
    return []


def positive_class(subject: Subject, names: Sequence[str]) -> str:
    """The class that is looked at: the chosen one, the source's, a name that means yes, else the last."""
    if (chosen := subject.memo.get("class")) in names:
        return str(chosen)
    if subject.positive in names:
        return subject.positive
    yes = [name for name in names if name.lower() in YES]
    return yes[0] if yes else names[-1]


def probability(values: dict[str, Any], name: str) -> float | None:
    """The mean probability of a class: what can be compared with how often it came true, whatever the threshold."""
    rows = values.get("meanProbabilities")
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and str(row.get("className")) == name:
            value = row.get("value")
            return value if type(value) is float else number(row)
    return None


def class_words(subject: Subject, name: str) -> str:
    """`share late` for a class that only says yes, `share of Delta` for one with a name."""
    return f"share {subject.watched.target_name}" if name.lower() in YES else f"share of {name}"


def share(values: dict[str, Any], name: str, field: str = "classDistribution") -> float | None:
    """The share (0 to 1) of one class of a bucket; None without rows."""
    whole = mine = 0.0
    rows = values.get(field)
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict):
            continue
        count = row.get("count")
        amount = count if type(count) is int else number(row, "count") or 0.0
        whole += amount
        if str(row.get("className")) == name:
            mine += amount
    return mine / whole if whole else None


def pairs(subject: Subject) -> Pairs:
    """Predicted and actual, both over the rows that have a label where the source says so."""
    if "pairs" not in subject.memo:
        subject.memo["pairs"] = _pairs(subject)
    found: Pairs = subject.memo["pairs"]
    return found


def _pairs(subject: Subject) -> Pairs:
    found = subject.shelf.buckets(pairs_question(subject))
    place = subject.clock.place
    rows, labelled = place(found, picker("rowCountTotal")), place(found, picker("rowCountWithActual"))
    names = _pair_classes(found)
    if not names:
        return Pairs(
            place(found, picker("meanPredictedValue")), place(found, picker("meanActualValue")), rows, labelled, ""
        )
    name = positive_class(subject, names)
    predicted = place(subject.shelf.buckets(over_time_question(subject)), lambda values: probability(values, name))
    if all(value is None for value in predicted):
        predicted = place(found, lambda values: share(values, name, "predictedClassDistribution"))
    return Pairs(
        predicted,
        place(found, lambda values: share(values, name, "actualClassDistribution")),
        rows,
        labelled,
        "%",
    )


def actual_points(subject: Subject) -> TimePoints:
    """Two lines: predicted in the champion's colour, actual in ink."""
    found = pairs(subject)
    late = frozenset(i for i in subject.late if found.actual[i] is not None)
    return TimePoints(
        subject.clock.start,
        subject.clock.step,
        (
            Series("predicted", found.predicted),
            Series("actual", found.actual, token="actual", width=1.25, immature=late, weights=found.labelled),  # noqa: S106 - a colour
        ),
        unit=found.unit,
        caption=pair_words(subject),
        changes=subject.changes(),
        unfinished=subject.running,
        zero=bool(found.unit),
        height=208,
    )


def pair_words(subject: Subject) -> str:
    """What is compared: `share of cancelled`, `mean arrival_delay`."""
    names = _pair_classes(subject.shelf.buckets(pairs_question(subject)))
    return class_words(subject, positive_class(subject, names)) if names else f"mean {subject.watched.target_name}"


def baseline(subject: Subject) -> float | None:
    """The mean over the holdout, or the positive class's share of it."""
    found = subject.shelf.frame(over_time_question(subject)).get("baselines")
    rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
    if not rows:
        return None
    names = [str(row.get("className")) for row in _rows(rows[0], "classDistribution")]
    if names:
        return share(rows[0], positive_class(subject, names)) if len(names) == 2 else None
    return number(rows[0], "meanPredictedValue")


def tiles(subject: Subject) -> tuple[Tile, ...]:
    """Rows, pace, mean or share, warnings."""
    found = subject.shelf.buckets(over_time_question(subject))
    rows = subject.clock.place(found, picker("rowCount"))
    warned = total(subject.clock.place(found, picker("predictionsWarningCount")))
    both = pairs(subject)
    predicted, actual = levels(subject)
    pace, note = a_day(subject, rows)
    return (
        Tile("Predictions", words.compact(total(rows)), note=subject.range_words),
        Tile("A day", words.number(pace, 0), note=note),
        _level("Predicted", predicted, both.unit, pair_words(subject)),
        _level("Actual", actual, both.unit, pair_words(subject)),
        Tile(
            "Outside of the usual",
            words.number(warned, 0),
            note="prediction warnings" if warned is not None else "not tracked",
        ),
    )


def a_day(subject: Subject, rows: Values) -> tuple[float | None, str]:
    """Predictions a day and over what: as the source counts them, or of what is shown where that is not everything."""
    rate, view = subject.watched.predictions_per_day, subject.view
    if rate is not None and not view.segment and not view.model:
        return rate, "mean of the last whole days"
    over = [n or 0.0 for i, n in enumerate(rows) if i not in subject.running]
    days = len(over) * subject.clock.step / timedelta(days=1)
    return (sum(over) / days if any(over) else None), "mean of the range"


def levels(subject: Subject) -> tuple[float | None, float | None]:
    """Mean predicted and mean actual over the mature bins that have both, each row weighing the same."""
    both, late = pairs(subject), subject.late
    rows = zip(both.predicted, both.actual, both.labelled, strict=True)
    known = [(p, a, n) for i, (p, a, n) in enumerate(rows) if p is not None and a is not None and n and i not in late]
    weight = sum(n for _, _, n in known)
    if not weight:
        return None, None
    return sum(p * n for p, _, n in known) / weight, sum(a * n for _, a, n in known) / weight


def difference_words(predicted: float | None, actual: float | None, unit: str) -> str:
    """Whether the model says too little or too much, over the mature bins."""
    if predicted is None or actual is None:
        return "No label has arrived yet."
    gap = abs(predicted - actual)
    told = f"{words.number(100 * gap, 1)} points" if unit == "%" else words.number(gap)
    if gap <= 0.005 * max(abs(actual), abs(predicted)):
        return "Right on average over the mature bins."
    return f"{'Under' if predicted < actual else 'Over'}-predicts by {told} over the mature bins."


def _level(name: str, mean: float | None, unit: str, told: str) -> Tile:
    if mean is None:
        return Tile(name, words.NONE, note="no labelled bin yet")
    if unit == "%":
        return Tile(name, words.number(100 * mean, 1), "%", f"{told}, mature bins")
    return Tile(name, words.number(mean), "", f"{told}, mature bins")


def _mean_series(subject: Subject, found: Sequence[Bucket]) -> tuple[Series, ...]:
    place = subject.clock.place
    low = place(found, lambda values: _percentile(values, 10))
    high = place(found, lambda values: _percentile(values, 90))
    banded = any(value is not None for value in low)
    mean = place(found, picker("meanPredictedValue"))
    return (Series("mean", mean, low=low if banded else (), high=high if banded else ()),)


def _class_series(subject: Subject, found: Sequence[Bucket], names: list[str]) -> tuple[Series, ...]:
    if len(names) == 2:
        name = positive_class(subject, names)
        return (Series(class_words(subject, name), subject.clock.place(found, lambda values: share(values, name))),)
    return tuple(
        Series(name, subject.clock.place(found, lambda values, name=name: share(values, name)), token=category(i))  # type: ignore[misc]
        for i, name in enumerate(names[:MOST_CLASSES])
    )


def _pair_classes(found: Sequence[Bucket]) -> list[str]:
    for bucket in found:
        rows = _rows(bucket.values, "predictedClassDistribution")
        if rows:
            return [str(row.get("className")) for row in rows]
    return []


def _percentile(values: dict[str, Any], percent: float) -> float | None:
    for row in _rows(values, "percentiles"):
        if number(row, "percent") == percent:
            return number(row)
    return None


def _rows(values: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = values.get(name)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def pair_caption(subject: Subject) -> str:
    """What the two lines are."""
    if pairs(subject).unit:
        return "Mean predicted probability and how often it came true"
    return "Mean predicted and mean actual value"


def _caption(subject: Subject) -> str:
    names = class_names(subject.shelf.buckets(over_time_question(subject)))
    if not names:
        return (
            f"Mean predicted {subject.watched.target_name} with the band of 10 to 90 %, by {subject.view.bucket_noun}"
        )
    if len(names) == 2:
        told = class_words(subject, positive_class(subject, names)).capitalize()
        return f"{told} among predictions, by {subject.view.bucket_noun}"
    return f"Share of each class among predictions, by {subject.view.bucket_noun}"
