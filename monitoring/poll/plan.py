"""How to ask: standing questions and what is stored in, requests out. Pure.

Of a series only what may still change is asked: buckets after `closed_until`, and all from `restated_from` on when the
cheap series of row counts showed that an older bucket has changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitoring.clock import DAY, HOUR, floor_day, floor_hour, format_time
from monitoring.poll.pace import Pace
from monitoring.poll.standing import Standing
from monitoring.questions import Bucket, Question

#: A bucket counts as closed this long after its end: the source may still be rolling up.
GRACE = timedelta(minutes=15)
#: How long labels are awaited while nothing is learned yet.
UNKNOWN_LAG = timedelta(days=3)
_LABELLED = ("accuracyOverTime/", "predictionsVsActualsOverTime/")
_PAIRED = "featureDriftOverTime/"
Period = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored of a series: asked from `open_from` on, final before `closed_until`."""

    open_from: datetime | None = None
    closed_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: a path with its query, and the questions that its answer answers."""

    questions: tuple[Question, ...]
    query: tuple[tuple[str, str], ...]
    period: Period | None = None

    @property
    def path(self) -> str:
        return self.questions[0].path

    @property
    def paged(self) -> bool:
        return self.questions[0].paged


def due(standing: Iterable[Standing], pace: Pace) -> list[Standing]:
    """The standing questions that a poll of this pace asks."""
    return [one for one in standing if one.pace <= pace or pace is Pace.FIRST]


def asks(
    chosen: Sequence[Standing],
    stored: Mapping[str, Stored],
    pace: Pace,
    now: datetime,
    restated_from: datetime | None = None,
) -> list[Ask]:
    """One request for each question, two features sharing one; series cut to what may have changed."""
    found: list[Ask] = []
    features: dict[tuple[tuple[tuple[str, str], ...], str | None, Period | None], list[Question]] = {}
    for one in chosen:
        period = _period(one, stored.get(one.question.key, Stored()), pace, now, restated_from)
        if one.question.path == _PAIRED:
            others = tuple(pair for pair in one.question.params if pair[0] != "featureNames")
            features.setdefault((others, one.question.bucket, period), []).append(one.question)
        else:
            found.append(ask_of((one.question,), period))
    for (_, _, period), questions in features.items():
        found += [ask_of(tuple(questions[i : i + 2]), period) for i in range(0, len(questions), 2)]
    return found


def ask_of(questions: tuple[Question, ...], period: Period | None) -> Ask:
    """The request that answers the questions over the period; several differ in `featureNames` only."""
    period = long_enough(period, questions[0].bucket)
    query = list(questions[0].params)
    query += [pair for question in questions[1:] for pair in question.params if pair[0] == "featureNames"]
    if questions[0].bucket:
        query.append(("bucketSize", questions[0].bucket))
    if period is not None:
        query += [("start", format_time(period[0])), ("end", format_time(period[1]))]
    return Ask(questions, tuple(query), period)


def _period(one: Standing, stored: Stored, pace: Pace, now: datetime, restated_from: datetime | None) -> Period | None:
    period = one.question.period(now)
    if period is None or not one.question.is_series or one.whole or pace >= Pace.DAILY:
        return period
    start, end = period
    if stored.closed_until is None or stored.open_from is None or stored.open_from > start:
        return period
    begin = stored.closed_until if restated_from is None else min(stored.closed_until, restated_from)
    return max(start, floor_bucket(min(begin, end - HOUR), one.question.bucket)), end


def long_enough(period: Period | None, bucket: str | None) -> Period | None:
    """The period, begun a day earlier where it is shorter than a day bucket: sources refuse such a question."""
    if period is None or bucket != Bucket.DAY or period[1] - period[0] >= DAY:
        return period
    return floor_day(period[1] - DAY), period[1]


def without_hole(period: Period, open_from: datetime | None, covered_until: datetime | None) -> Period:
    """The period, widened to touch what is stored, so that what is covered stays one piece."""
    if open_from is None or covered_until is None:
        return period
    return min(period[0], covered_until), max(period[1], open_from)


def floor_bucket(moment: datetime, bucket: str | None) -> datetime:
    """The start of the hour or UTC day that `moment` lies in."""
    return floor_day(moment) if bucket == Bucket.DAY else floor_hour(moment)


def closed_until(question: Question, asked_at: datetime, label_lag: timedelta | None) -> datetime:
    """Buckets before this moment are final as of `asked_at`; those that await labels close later."""
    wait = GRACE
    if question.path in _LABELLED:
        wait += label_lag if label_lag is not None else UNKNOWN_LAG
    return floor_bucket(asked_at - wait, question.bucket)
