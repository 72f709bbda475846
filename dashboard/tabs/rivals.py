"""The champion and its challengers, each with its numbers over the same windows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from dashboard.charts.theme import CHALLENGERS
from dashboard.shelf import Values, number, picker
from dashboard.tabs.predictions import class_names, positive_class, probability, share
from dashboard.tabs.subject import ACCURACY, DRIFT, Subject
from monitoring import questions as q
from monitoring.clock import DAY, floor_day, parse_duration
from monitoring.questions import Between, Question

MOST_DRAWN = len(CHALLENGERS)
"""Challengers that are compared in numbers and lines: each has a colour."""
CHANGED = 0.005
"""A smaller change is none."""


@dataclass(frozen=True)
class Rival:
    """A model that is compared. `model_id` is "" for the champion."""

    name: str
    model_id: str
    token: str
    dataset: str = ""
    href: str = ""

    @property
    def is_champion(self) -> bool:
        return not self.model_id


@dataclass(frozen=True)
class Score:
    """One metric of a model: its change against the champion's is signed so that more is better."""

    metric: str
    value: float | None
    baseline: float | None = None
    change: float | None = None
    tone: str = ""


@dataclass(frozen=True)
class Row:
    """A model's line in the table. `rows`: labelled ones in the window, None where it is not told."""

    rival: Rival
    scores: tuple[Score, ...]
    rows: float | None
    drift: float | None
    drift_feature: str
    level: float | None


def rivals(subject: Subject) -> list[Rival]:
    """The champion, then the challengers in the source's order."""
    champion = Rival(subject.watched.model_name or "Champion", "", "champion")
    return [champion, *_challengers(subject)][: 1 + MOST_DRAWN]


def listed(subject: Subject) -> list[dict[str, Any]]:
    """Every challenger as the source lists it."""
    return [one for one in subject.shelf.entries(q.challengers()) if _model_id(one)]


def _challengers(subject: Subject) -> Iterator[Rival]:
    for token, one in zip(CHALLENGERS, listed(subject), strict=False):
        model = one["model"]
        yield Rival(
            str(one.get("name") or model.get("name") or "Challenger"),
            _model_id(one),
            token,
            str(model.get("datasetName") or ""),
            subject.url("accuracy", model=_model_id(one)),
        )


def _model_id(one: dict[str, Any]) -> str:
    model = one.get("model")
    found = model.get("id") if isinstance(model, dict) else None
    return found if isinstance(found, str) and found.isalnum() else ""


# --- What is asked of each --------------------------------------------------------------------------------------


def window(subject: Subject) -> Between:
    """The same whole days for every model: as many as are judged, the last one complete in its labels.

    The judged window slides by the hour, so that answers that were asked at different times would not compare.
    """
    end = floor_day(subject.anchor - subject.lag)
    return Between(end - max(DAY, parse_duration(subject.interval)), end)


def summary_question(subject: Subject, rival: Rival) -> Question:
    """The default metrics over the window."""
    return q.accuracy(window(subject), model_id=rival.model_id or None, segment=subject.segment(ACCURACY))


def count_question(subject: Subject, rival: Rival, metric: str) -> Question:
    """The chosen metric over the same window, with the number of labelled rows that it stands on."""
    return q.accuracy_summary(
        metric, window(subject), model_id=rival.model_id or None, segment=subject.segment(ACCURACY)
    )


def series_question(subject: Subject, rival: Rival, metric: str) -> Question:
    return q.accuracy_over_time(
        metric, subject.window, subject.bucket, model_id=rival.model_id or None, segment=subject.segment(ACCURACY)
    )


def drift_question(subject: Subject, rival: Rival) -> Question:
    return q.feature_drift(window(subject), model_id=rival.model_id or None, segment=subject.segment(DRIFT))


def level_question(subject: Subject, rival: Rival) -> Question:
    return q.predictions_over_time(
        subject.window, subject.bucket, model_id=rival.model_id or None, segment=subject.segment(DRIFT)
    )


def questions(subject: Subject, rival: Rival, metric: str) -> list[Question]:
    """All of them: five a model."""
    return [
        summary_question(subject, rival),
        count_question(subject, rival, metric),
        series_question(subject, rival, metric),
        drift_question(subject, rival),
        level_question(subject, rival),
    ]


# --- What is known of each --------------------------------------------------------------------------------------


def table(subject: Subject, found: Sequence[Rival], metrics: Sequence[str], metric: str) -> list[Row]:
    """A row a model; changes are against the first one."""
    values = [_values(subject, rival) for rival in found]
    return [
        Row(
            rival,
            tuple(_score(subject, name, values[0].get(name), mine.get(name), rival) for name in metrics),
            rows_of(subject, rival, metric),
            *_drift(subject, rival),
            level_of(subject, rival),
        )
        for rival, mine in zip(found, values, strict=True)
    ]


def _values(subject: Subject, rival: Rival) -> dict[str, dict[str, Any]]:
    found = subject.shelf.payload(summary_question(subject, rival)).get("metrics")
    return {name: one for name, one in found.items() if isinstance(one, dict)} if isinstance(found, dict) else {}


def _score(subject: Subject, metric: str, champion: Any, mine: Any, rival: Rival) -> Score:
    value = number(mine or {})
    baseline = number(mine or {}, "baselineValue")
    theirs = number(champion or {})
    if rival.is_champion or value is None or not theirs:
        return Score(metric, value, baseline)
    change = subject.better(metric) * (value - theirs) / abs(theirs)
    tone = "" if abs(change) < CHANGED else "passing" if change > 0 else "failing"
    return Score(metric, value, baseline, change, tone)


def rows_of(subject: Subject, rival: Rival, metric: str) -> float | None:
    """Labelled rows in the window."""
    found = subject.shelf.payload(count_question(subject, rival, metric)).get("summary")
    return number(found, "sampleSize") if isinstance(found, dict) else None


def _drift(subject: Subject, rival: Rival) -> tuple[float | None, str]:
    """The feature that drifted most from what this model was trained on."""
    scored = [
        (score, str(row.get("name")))
        for row in subject.shelf.entries(drift_question(subject, rival))
        if (score := number(row, "driftScore")) is not None
    ]
    return max(scored, default=(None, ""), key=lambda pair: pair[0] or 0.0)


def scores(subject: Subject, rival: Rival, metric: str) -> Values:
    """The metric bin by bin."""
    return subject.clock.place(subject.shelf.buckets(series_question(subject, rival, metric)), picker("value"))


def levels(subject: Subject, rival: Rival) -> Values:
    """What it predicts on average: the probability of the positive class (its share of the rows where the source tells
    no probabilities), or a number. Nothing for several classes."""
    buckets = subject.shelf.buckets(level_question(subject, rival))
    names = class_names(buckets)
    if not names:
        return subject.clock.place(buckets, picker("meanPredictedValue"))
    if len(names) > 2:
        return (None,) * subject.clock.n
    positive = positive_class(subject, names)
    means = subject.clock.place(buckets, partial(probability, name=positive))
    if any(value is not None for value in means):
        return means
    return subject.clock.place(buckets, partial(share, name=positive))


def level_of(subject: Subject, rival: Rival) -> float | None:
    """The mean of its bins."""
    known = [value for value in levels(subject, rival) if value is not None]
    return sum(known) / len(known) if known else None
