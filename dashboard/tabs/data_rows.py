"""Stored rows of a stretch of time, or of a batch: fetched when somebody looks, bounded, forgotten after a day.

The source gives rows in the order of time and no count. So a stretch is chosen that should hold about as many rows as
a page shows, and it ends with the newest prediction; a stretch with more rows than were asked for gives way to a
shorter one, unless the reader chose it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from dashboard.charts import words
from dashboard.charts.chart import ChartView
from dashboard.shelf import number, objects
from dashboard.tabs.subject import Subject
from monitoring import questions as q
from monitoring.clock import DAY, HOUR, parse_time
from monitoring.questions import Between, Question

Json = dict[str, Any]
MOST = 200
"""Rows that are asked for at a time."""
WANTED = 60
"""About how many rows a stretch should hold."""
STRETCHES: dict[str, timedelta] = {
    "1m": timedelta(minutes=1),
    "5m": timedelta(minutes=5),
    "15m": timedelta(minutes=15),
    "1h": HOUR,
    "6h": 6 * HOUR,
    "1d": DAY,
    "7d": 7 * DAY,
    "30d": 30 * DAY,
}
LABELS = {"": None, "with": True, "without": False}
EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
AGAIN = timedelta(minutes=10)


@dataclass(frozen=True)
class Row:
    """One stored prediction."""

    at: datetime | None
    id: str
    predicted: str
    chance: str
    actual: str
    error: str
    wrong: bool
    model: str
    distance: str


@dataclass(frozen=True)
class Stretch:
    """Which rows are shown. `chosen`: by the reader, so that it is kept however many rows it has."""

    key: str
    end: datetime
    labelled: str
    batch: str
    chosen: bool

    @property
    def length(self) -> timedelta:
        return STRETCHES[self.key]

    @property
    def window(self) -> Between:
        return Between(self.end - self.length, self.end)


def stretch_of(subject: Subject, query: QueryDict) -> Stretch:
    """What the address asks for, else the stretch that ends with the newest prediction."""
    key, labelled = query.get("stretch", ""), query.get("labels", "")
    key = key if key in STRETCHES else _usual(subject)
    until = parse_time(query.get("until", "")) if query.get("until") else None
    newest = subject.view.as_of or subject.watched.last_prediction_at or subject.now
    end = _ceiling(until or newest + timedelta(microseconds=1), STRETCHES[key])
    chosen = query.get("stretch", "") in STRETCHES
    return Stretch(key, end, labelled if labelled in LABELS else "", query.get("batch", "")[:64], chosen)


def _usual(subject: Subject) -> str:
    """The shortest stretch in which about WANTED rows should have come."""
    rate = subject.watched.predictions_per_day or 0.0
    expected = {key: rate * (length / DAY) for key, length in STRETCHES.items()}
    return next((key for key, rows in expected.items() if rows >= WANTED), "30d")


def _ceiling(moment: datetime, step: timedelta) -> datetime:
    """The first end of a stretch at or after a moment: stretches of a length always end at the same moments."""
    return EPOCH - (EPOCH - moment) // step * step


def shorter(stretch: Stretch, newest: datetime) -> Stretch | None:
    """The next shorter stretch with the newest prediction; None where there is none."""
    keys = list(STRETCHES)
    at = keys.index(stretch.key)
    if not at:
        return None
    key = keys[at - 1]
    end = _ceiling(min(newest + timedelta(microseconds=1), stretch.end), STRETCHES[key])
    return Stretch(key, end, stretch.labelled, stretch.batch, stretch.chosen)


def question_of(subject: Subject, stretch: Stretch) -> Question:
    window = None if stretch.batch else stretch.window
    labelled, model = LABELS[stretch.labelled], subject.model_id
    return q.prediction_results(window, limit=MOST, batch_id=stretch.batch, model_id=model, labelled=labelled)


def settle(subject: Subject, stretch: Stretch) -> Stretch:
    """Reads the rows; a stretch that nobody chose and that holds too many gives way to a shorter one."""
    newest = subject.watched.last_prediction_at or subject.now
    while True:
        subject.shelf.read([question_of(subject, stretch)], again=AGAIN if stretch.batch else None)
        if stretch.chosen or stretch.batch or not is_cut(subject, stretch):
            return stretch
        less = shorter(stretch, newest)
        if less is None:
            return stretch
        stretch = less


def is_cut(subject: Subject, stretch: Stretch) -> bool:
    """Whether the stretch holds more rows than were asked for."""
    return bool(subject.shelf.payload(question_of(subject, stretch)).get("next"))


def rows(subject: Subject, stretch: Stretch) -> list[Row]:
    """Newest first."""
    found = subject.shelf.entries(question_of(subject, stretch))
    return [_row(subject, one) for one in reversed(found)]


def _row(subject: Subject, one: Json) -> Row:
    predicted, actual = one.get("predicted"), one.get("actual")
    error = None
    if _is_number(predicted) and _is_number(actual):
        error = float(predicted) - float(actual)  # type: ignore[arg-type]
    classes = not _is_number(predicted)
    model = str(one.get("modelId") or "")
    distance = one.get("forecastDistance")
    return Row(
        parse_time(one.get("timestamp")),
        str(one.get("associationId") or ""),
        _text(predicted),
        _chance(one, predicted),
        _text(actual),
        words.number(error, sign=True) if error is not None else "",
        classes and actual is not None and str(actual) != str(predicted),
        subject.model_name(model) if model else "",
        "" if distance is None else str(distance),
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return words.number(float(value)) if _is_number(value) else str(value)


def _chance(one: Json, predicted: Any) -> str:
    """The probability of the predicted class."""
    for share in objects(one.get("classProbabilities")):
        if str(share.get("className")) == str(predicted):
            return words.percent(number(share))
    return ""


def file_of(subject: Subject, stretch: Stretch, found: list[Row]) -> ChartView:
    """The rows as a file; nothing is drawn."""
    heads = (
        "Time (UTC)",
        "Association id",
        "Predicted",
        "Probability",
        "Actual",
        "Error",
        "Model",
        "Forecast distance",
    )
    table = [
        (
            f"{one.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if one.at else "",
            *(one.id, one.predicted, one.chance, one.actual, one.error, one.model, one.distance),
        )
        for one in found
    ]
    return ChartView("data-rows", "", "", "", "", {"data": [], "layout": {}}, heads, table)


def pairs(shown: Stretch, **changes: str) -> str:
    """The query of a stretch."""
    found = {
        "until": shown.end.strftime("%Y-%m-%dT%H:%MZ"),
        "stretch": shown.key,
        "labels": shown.labelled,
        "batch": shown.batch,
    } | changes
    return urlencode({name: value for name, value in found.items() if value})


def address(subject: Subject, shown: Stretch, **changes: str) -> str:
    """The tab with another stretch."""
    return f"{subject.url('data')}{'&' if subject.query else '?'}{pairs(shown, **changes)}"


def moved(stretch: Stretch, steps: int) -> str:
    """The end of the stretch so many steps later, as an address has it."""
    return (stretch.end + steps * stretch.length).strftime("%Y-%m-%dT%H:%MZ")


def stretch_words(key: str) -> str:
    """`15 minutes`, `1 day`."""
    unit = {"m": "minute", "h": "hour", "d": "day"}[key[-1]]
    return words.count(int(key[:-1]), unit)
