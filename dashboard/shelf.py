"""What a page asks of the snapshots: many questions at the price of one read, and what was not there.

A page never touches a source. What nobody polled is put into the priority queue by `want_missing`; the page says so
and fills in by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from dashboard.charts.columns import Column
from dashboard.filters import View
from dashboard.reader import Reader
from metrics.buckets import HOUR
from monitoring.clock import parse_time
from monitoring.models import TopicState, Watched
from monitoring.questions import Between, Last, Mature, Question
from monitoring.snapshots import FRESH, Snapshot, read, waiting, want_many

Values = tuple[float | None, ...]
#: An answer that moves with the clock is asked again once it is older than this: what is polled never is, on the
#: default view; other views are polled by nobody.
OLD, OLD_ELSEWHERE = timedelta(minutes=75), timedelta(minutes=10)


#: Answers that labels restate after the end of their window.
LABELLED = frozenset(
    {"accuracy/", "accuracyOverSpace/", "accuracyOverTime/", "predictionResults/", "predictionsVsActualsOverTime/"}
)


@dataclass(frozen=True)
class Clock:
    """The bins of a page: half-open, evenly spaced, the last one perhaps still running."""

    start: datetime
    step: timedelta
    n: int

    @classmethod
    def of(cls, view: View) -> Clock:
        step = view.bucket.hours * HOUR
        return cls(view.start, step, max(1, -((view.start - view.end) // step)))

    def index(self, moment: datetime) -> int:
        """The bin that a moment lies in; negative or ≥ n outside of the range."""
        return (moment - self.start) // self.step

    def at(self, index: int) -> datetime:
        return self.start + self.step * index

    def running(self, moment: datetime) -> frozenset[int]:
        """The bin that is not over at the moment, where the range reaches it."""
        index = self.index(moment)
        return frozenset({index} if 0 <= index < self.n else ())

    def place(self, buckets: Iterable[Bucket], pick: Callable[[dict[str, Any]], float | None]) -> Values:
        """One value a bin; None where there is no bucket or it has no value."""
        values: list[float | None] = [None] * self.n
        known, found = _indexes(self), list(buckets)
        picked = pick.each(found) if isinstance(pick, picker) else [pick(bucket.values) for bucket in found]
        starts = [bucket.start for bucket in found]
        if starts == list(known):
            return Column(picked)
        for start, value in zip(starts, picked, strict=True):
            at = known.get(start)
            at = self.index(start) if at is None else at
            if 0 <= at < self.n:
                values[at] = value
        return Column(values)


@lru_cache(maxsize=64)  # all charts of a page, and those of the next page, stand on the same few clocks
def _indexes(clock: Clock) -> Mapping[datetime, int]:
    """The bin of each moment at which one starts."""
    return {clock.at(i): i for i in range(clock.n)}


class Bucket(Protocol):
    """One bucket as answered, without its period."""

    @property
    def start(self) -> datetime: ...

    @property
    def values(self) -> dict[str, Any]: ...


class _Whole(NamedTuple):
    """A bucket of an answer that is kept whole."""

    start: datetime
    values: dict[str, Any]


@dataclass
class Shelf:
    """Everything that one page has read so far."""

    watched: Watched
    view: View
    anchor: datetime
    asked: dict[str, Question] = field(default_factory=dict)
    snapshots: list[Snapshot] = field(default_factory=list)
    ages: dict[str, timedelta] = field(default_factory=dict)
    _buckets: dict[str, Sequence[Bucket]] = field(default_factory=dict)

    def read(
        self,
        questions: Iterable[Question | None],
        beside: Iterable[Question] = (),
        again: timedelta | None = None,
    ) -> None:
        """Two statements, however many questions; those already read are left out.

        What is only looked for `beside` them is not missed where it is not stored. `again`: these are asked again once
        the answer is that old, since nobody polls them.
        """
        fresh = {_slot(q): q for q in questions if q is not None and _slot(q) not in self.asked}
        if again is not None:
            self.ages |= dict.fromkeys(fresh, again)
        if fresh:
            self.asked |= fresh
            self._buckets.clear()
            found = [*fresh.values(), *beside]
            self.snapshots.append(read(self.watched, found, as_of=self.view.as_of, now=self.anchor))

    def ask_again(self, question: Question, after: timedelta) -> None:
        """Asks again what was read once the answer is older than that: a list that was empty, say."""
        self.ages[_slot(question)] = after

    def peek(self, questions: Iterable[Question]) -> None:
        """As `read`, but what is not stored stays so: nothing of it is asked for."""
        fresh = [q for q in questions if _slot(q) not in self.asked]
        if fresh:
            self._buckets.clear()
            self.snapshots.append(read(self.watched, fresh, as_of=self.view.as_of, now=self.anchor))

    def state(self, question: Question) -> TopicState:
        """How the last attempt to ask it went; NEW if there was none."""
        topics = (topic for s in self.snapshots if (topic := s.topics.get(question.key)) is not None)
        return next((TopicState(topic.state) for topic in topics), TopicState.NEW)

    def payload(self, question: Question) -> dict[str, Any]:
        """The stored answer; {} where there is none."""
        for snapshot in self.snapshots:
            if found := snapshot.payload(question):
                return found
        return {}

    def entries(self, question: Question, name: str = "data") -> list[dict[str, Any]]:
        """The objects of a list in an answer; what is not an object is left out."""
        return objects(self.payload(question).get(name))

    def frame(self, question: Question) -> dict[str, Any]:
        """What stands beside the buckets: baselines, summary, metric."""
        if not question.is_series:
            return self.payload(question)
        found = self._series(question)
        return found.frame if found is not None else {}

    def buckets(self, question: Question) -> Sequence[Bucket]:
        """The buckets of a question over time, whether kept one by one or as a whole answer."""
        slot = _slot(question)
        if slot not in self._buckets:
            self._buckets[slot] = self._read_buckets(question)
        return self._buckets[slot]

    def _read_buckets(self, question: Question) -> Sequence[Bucket]:
        if question.is_series:
            found = self._series(question)
            return found.points if found is not None else ()
        placed = [(_start(one), one) for one in self.entries(question, "buckets")]
        return [_Whole(start, one) for start, one in placed if start is not None]

    def known_at(self) -> datetime | None:
        """When the oldest of the answers on the page was last confirmed by the source."""
        found = [view.checked_at for s in self.snapshots for view in s.answers.values()]
        found += [view.checked_at for s in self.snapshots for view in s.serieses.values() if view.checked_at]
        return min(found, default=None)

    def refused(self) -> list[str]:
        """Paths that were asked for and that the source says are not enabled."""
        keys = {question.key for question in self.asked.values()}
        refused = (topic for s in self.snapshots for topic in s.topics.values() if topic.state == TopicState.REFUSED)
        return sorted({topic.path for topic in refused if topic.key in keys})

    def missing(self) -> list[Question]:
        """What was asked and is not stored, or only in part, or has grown old without being polled."""
        return [question for question in self.asked.values() if self._is_missing(question)]

    def want_missing(self, reader: Reader) -> list[Question]:
        """Puts what is missing into the priority queue; what is on its way now. Nothing is asked about the past."""
        lacking = self.missing() if self.view.as_of is None else []
        if not lacking:
            return []
        coming = waiting(self.watched, lacking)
        role = reader.role_in(self.watched.source.team_id)
        if role is not None and role.may_act and self.watched.source.enabled:
            further = [question for question in lacking if question not in coming]
            for fresh in {self._fresh(question) for question in further}:
                wanted = [question for question in further if self._fresh(question) == fresh]
                coming |= want_many(self.watched, wanted, reader.user, self.anchor, fresh)
        return list(coming)

    def _fresh(self, question: Question) -> timedelta:
        """How old an answer must be to be asked again."""
        return min(FRESH, self.ages.get(_slot(question), FRESH))

    def _series(self, question: Question) -> Any:
        for snapshot in self.snapshots:
            found = snapshot.series(question)
            if found is not None:
                return found
        return None

    def _is_missing(self, question: Question) -> bool:
        states = [topic for s in self.snapshots if (topic := s.topics.get(question.key)) is not None]
        if any(topic.state == TopicState.REFUSED for topic in states):
            return False
        checked = max((topic.checked_at for topic in states if topic.checked_at), default=None)
        if question.is_series:
            found = self._series(question)
            if found is None or found.missing:
                return True
        elif not self.payload(question):
            return True
        if (age := self.ages.get(_slot(question))) is not None:
            return checked is None or self.anchor - checked > age
        limit = OLD if self.view.is_default else OLD_ELSEWHERE
        return self._moves(question, checked) and (checked is None or self.anchor - checked > limit)

    def _moves(self, question: Question, checked: datetime | None) -> bool:
        """Whether an answer of `checked` may differ by now: the window slides, or its labels still came then."""
        if isinstance(question.window, Between):
            late = timedelta(hours=self.watched.label_lag_hours or 0) if question.path in LABELLED else timedelta(0)
            return not question.is_series and (checked is None or checked < question.window.end + late)
        return isinstance(question.window, Last | Mature) or question.path.endswith("OverBatch/")


def number(values: dict[str, Any], name: str = "value") -> float | None:
    """A number of an answer; None for a missing one and for anything that is not a number."""
    value = values.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list in an answer; none where it is anything else."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


class picker:
    """`number` of one name, for `Clock.place`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, values: dict[str, Any]) -> float | None:
        return number(values, self.name)

    def each(self, buckets: Iterable[Bucket]) -> list[float | None]:
        """The same of many buckets: nearly all hold a number, and a page places ten thousand."""
        name = self.name
        raw = [bucket.values.get(name) for bucket in buckets]
        return [v if type(v) is float else float(v) if type(v) is int else None for v in raw]


def total(values: Sequence[float | None]) -> float | None:
    """The sum of what is known; None when nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _start(bucket: dict[str, Any]) -> datetime | None:
    period = bucket.get("period")
    return parse_time(period.get("start")) if isinstance(period, dict) else None


def _slot(question: Question) -> str:
    return f"{question.key}|{question.window}"
