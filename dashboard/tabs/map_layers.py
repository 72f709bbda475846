"""What a map can be coloured by, how to ask for it by cell, and the value of all rows beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from dashboard.charts import words
from dashboard.shelf import number, objects
from dashboard.tabs import accuracy, measures
from dashboard.tabs.measures import Reading
from dashboard.tabs.predictions import positive_class, probability, share
from dashboard.tabs.subject import Subject
from monitoring import questions as q
from monitoring.questions import Question, Window

Json = dict[str, Any]
COUNT, MEAN = "predictions", "mean"
DRIFT, FEATURE = "drift", "drift:"
MOST_FEATURES = 10
"""The source counts its most important features by place; these many are offered."""


@dataclass(frozen=True)
class Layer:
    """What a map is coloured by. `read`: the value of a cell and how many rows it is of; `rows`: their word."""

    key: str
    word: str
    ask: Callable[[Window, str], Question]
    read: Callable[[Json], tuple[float | None, int | None]]
    text: Callable[[float | None], str]
    metric: str = ""
    unit: str = ""
    better: int = 0
    rows: str = "row"
    term: str = ""

    @property
    def is_drift(self) -> bool:
        return self.key.startswith(DRIFT)

    @property
    def is_score(self) -> bool:
        return bool(self.better) and not self.is_drift


@dataclass(frozen=True)
class Choice:
    """What the address asks for: which feature holds the places, what colours them, which cell is open."""

    place: str
    layer: Layer
    cell: str


def counted(subject: Subject, chosen: Choice) -> Question:
    """Rows, means and classes by cell: what every map needs."""
    return q.predictions_over_space(subject.window, chosen.place, model_id=subject.model_id)


def layers(subject: Subject) -> dict[str, Layer]:
    """Everything that a map can be coloured by, by key."""
    found = [count_layer(subject), mean_layer(subject)]
    found += [score_layer(subject, name) for name in _metrics(subject)]
    found += [drift_layer(subject, name) for name in ("", *_features(subject))]
    return {one.key: one for one in found}


def _metrics(subject: Subject) -> list[str]:
    return sorted(accuracy.offered(subject), key=lambda name: name != subject.metric)


def _features(subject: Subject) -> list[str]:
    """The most important features, without the places themselves."""
    rows = subject.shelf.entries(q.feature_drift(subject.judged, model_id=subject.model_id))
    named = [row for row in rows if isinstance(row.get("name"), str)]
    ordered = sorted(named, key=lambda row: -(number(row, "featureImpact") or 0.0))
    return [str(row["name"]) for row in ordered if str(row.get("type")).lower() != "text"][:MOST_FEATURES]


def count_layer(subject: Subject) -> Layer:
    """How many predictions."""

    def ask(window: Window, place: str) -> Question:
        return q.predictions_over_space(window, place, model_id=subject.model_id)

    def read(row: Json) -> tuple[float | None, int | None]:
        rows = number(row, "rowCount")
        return rows, None if rows is None else round(rows)

    return Layer(COUNT, "Predictions", ask, read, lambda value: words.number(value, 0))


def mean_layer(subject: Subject) -> Layer:
    """The mean prediction, or the mean probability of the positive class."""
    classes = subject.watched.target_type in ("Binary", "Multiclass")

    def ask(window: Window, place: str) -> Question:
        return q.predictions_over_space(window, place, model_id=subject.model_id)

    def read(row: Json) -> tuple[float | None, int | None]:
        rows = number(row, "rowCount")
        value = _share(subject, row) if classes else number(row, "meanPredictedValue")
        return value, None if rows is None else round(rows)

    word = f"Mean {subject.watched.target_name}" if not classes else f"Predicted {subject.watched.target_name}"
    return Layer(MEAN, word, ask, read, words.percent if classes else words.number, unit="%" if classes else "")


def _share(subject: Subject, row: Json) -> float | None:
    names = [str(one.get("className")) for one in objects(row.get("classDistribution"))]
    if not names:
        return None
    name = positive_class(subject, names)
    likely = probability(row, name)
    return share(row, name) if likely is None else likely


def score_layer(subject: Subject, name: str) -> Layer:
    """One accuracy metric."""

    def ask(window: Window, place: str) -> Question:
        return q.accuracy_over_space(window, place, name, model_id=subject.model_id)

    def read(row: Json) -> tuple[float | None, int | None]:
        rows = number(row, "sampleSize")
        return number(row), None if rows is None else round(rows)

    text: Callable[[float | None], str] = lambda value: words.metric_value(value, name)  # noqa: E731
    return Layer(name, name, ask, read, text, name, better=subject.better(name), rows="labelled row", term=name)


def drift_layer(subject: Subject, name: str) -> Layer:
    """The drift of a feature, or of the predictions ("")."""

    def ask(window: Window, place: str) -> Question:
        target = name or subject.watched.target_name
        return q.feature_drift_over_space(window, place, target, "psi", model_id=subject.model_id)

    def read(row: Json) -> tuple[float | None, int | None]:
        rows = number(row, "sampleSize")
        return number(row, "driftScore"), None if rows is None else round(rows)

    text: Callable[[float | None], str] = lambda value: words.metric_value(value, "PSI")  # noqa: E731
    word = f"PSI of {name or measures.TARGET}"
    return Layer(FEATURE + name if name else DRIFT, word, ask, read, text, "PSI", better=-1, term="PSI")


def whole_question(subject: Subject, layer: Layer) -> Question | None:
    """What tells the value of all rows, where cells do not add up to it."""
    measure = measure_of(subject, layer)
    return measure.question(subject, None) if measure else None


def measure_of(subject: Subject, layer: Layer) -> measures.Measure | None:
    """The same measure over all rows."""
    if layer.is_score:
        return measures.scored(subject, layer.key)
    if layer.is_drift:
        name = layer.key.removeprefix(FEATURE) if layer.key != DRIFT else ""
        return measures.of_feature(name) if name else measures.of_target()
    return None


def whole(subject: Subject, chosen: Choice) -> Reading:
    """The value of all rows: told by the source, or added up from the cells."""
    measure = measure_of(subject, chosen.layer)
    if measure is not None:
        return measure.reading(subject, None) or Reading()
    found = [chosen.layer.read(row) for row in rows_of(subject, counted(subject, chosen))]
    n = sum(rows or 0 for _, rows in found)
    if chosen.layer.key == COUNT:
        return Reading(float(n) if found else None, n)
    known = [(value, rows or 0) for value, rows in found if value is not None]
    weight = sum(rows for _, rows in known)
    return Reading(sum(value * rows for value, rows in known) / weight if weight else None, n)


def rows_of(subject: Subject, question: Question) -> list[Json]:
    """The cells of an answer."""
    found = subject.shelf.payload(question)
    listed = found.get("buckets", found.get("data"))
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def pairs(chosen: Choice, **changes: str) -> str:
    found = {"by": chosen.layer.key, "place": chosen.place, "cell": chosen.cell} | changes
    return urlencode({name: value for name, value in found.items() if value})


def address(subject: Subject, chosen: Choice, **changes: str) -> str:
    """The tab with another choice."""
    return f"{subject.url('map')}{'&' if subject.query else '?'}{pairs(chosen, **changes)}"
