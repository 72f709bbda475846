"""What is known: the newest stored answer to a question, or the newest as of a moment. Never touches HTTP.

`read` takes many questions about one deployment and costs two statements however many there are. `want` puts a
question that nobody polled into the priority queue.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from monitoring import packing
from monitoring.clock import DAY, HOUR
from monitoring.kept_buckets import KNOWN_AT, Chunk, Point, kept_points
from monitoring.models import PendingQuestion, Topic, TopicState, Watched, WorkState
from monitoring.questions import Bucket, Question

#: A page that finds an answer younger than this does not ask for it again.
FRESH = timedelta(minutes=5)
NO_TIME = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class AnswerView:
    """One stored answer. `known_at`: when it was first seen so; `checked_at`: when it was last found unchanged."""

    payload: Any
    known_at: datetime
    checked_at: datetime
    state: str = TopicState.OK
    problem: str = ""
    reconstructed: bool = False

    def age(self, now: datetime) -> timedelta:
        """Time since the source last confirmed this answer."""
        return now - self.checked_at


@dataclass(frozen=True, slots=True)
class SeriesView:
    """Buckets in order of time. `missing` are the parts of the asked period that nobody has fetched yet.

    `frame` is what the answer held beside its buckets (metric, baselines, features …).
    """

    points: tuple[Point, ...]
    frame: dict[str, Any]
    known_at: datetime | None
    checked_at: datetime | None
    missing: tuple[tuple[datetime, datetime], ...]
    state: str = TopicState.OK
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Answers to a set of questions about one deployment."""

    answers: dict[str, AnswerView] = field(default_factory=dict)
    serieses: dict[str, SeriesView] = field(default_factory=dict)
    topics: dict[str, Topic] = field(default_factory=dict)
    now: datetime = NO_TIME

    def answer(self, question: Question) -> AnswerView | None:
        """The stored answer; None if there is none (see `state` for why)."""
        return self.answers.get(question.key)

    def payload(self, question: Question) -> dict[str, Any]:
        """The stored JSON object; {} where there is none."""
        found = self.answers.get(question.key)
        return found.payload if found is not None and isinstance(found.payload, dict) else {}

    def series(self, question: Question) -> SeriesView | None:
        """The stored buckets inside the question's window; None if the series was never answered."""
        return self.serieses.get(_series_slot(question, self.now))

    def state(self, question: Question) -> TopicState:
        """How the last attempt went; NEW if there was none."""
        topic = self.topics.get(question.key)
        return TopicState(topic.state) if topic is not None else TopicState.NEW


def read(
    watched: Watched, questions: Iterable[Question], *, as_of: datetime | None = None, now: datetime | None = None
) -> Snapshot:
    """Everything known of `questions`, in at most two statements. `as_of` hides what was learned later."""
    return read_many({watched.pk: list(questions)}, as_of=as_of, now=now)[watched.pk]


def read_many(
    asked: Mapping[int, Sequence[Question]], *, as_of: datetime | None = None, now: datetime | None = None
) -> dict[int, Snapshot]:
    """The same for many deployments (by id) at once, in the same two statements."""
    moment = now or as_of or timezone.now()
    rows = _topics(list(asked), {question.key for questions in asked.values() for question in questions}, as_of)
    topics = {(topic.watched_id, topic.key): topic for topic, _ in rows}
    by_id = {topic.pk: topic for topic, _ in rows}
    frames = {topic.pk: newest for topic, newest in rows if newest is not None}
    series = [
        (topics[pk, question.key], question)
        for pk, questions in asked.items()
        for question in questions
        if question.is_series and (pk, question.key) in topics
    ]
    chunks = _chunks(series, as_of, moment)
    found: dict[int, Snapshot] = {pk: Snapshot({}, {}, {}, moment) for pk in asked}
    for (pk, key), topic in topics.items():
        found[pk].topics[key] = topic
    for topic, question in series:
        frame = packing.unpack(frames[topic.pk].payload) if topic.pk in frames else {}
        view = _series_view(question, topic, chunks.get(topic.pk, []), frame, moment, as_of)
        found[topic.watched_id].serieses[_series_slot(question, moment)] = view
    in_series = {topic.pk for topic, _ in series}
    for pk, row in frames.items():
        if pk not in in_series:
            topic = by_id[pk]
            found[topic.watched_id].answers[topic.key] = _answer_view(topic, row, as_of)
    return found


def answer(watched: Watched, question: Question, as_of: datetime | None = None) -> AnswerView | None:
    """The newest stored answer to one question."""
    return read(watched, [question], as_of=as_of).answer(question)


def answers(
    watched: Watched, questions: Sequence[Question], as_of: datetime | None = None
) -> dict[Question, AnswerView | None]:
    """The newest stored answers, None where there is none."""
    found = read(watched, questions, as_of=as_of)
    return {question: found.answer(question) for question in questions}


def series(
    watched: Watched, question: Question, as_of: datetime | None = None, now: datetime | None = None
) -> SeriesView | None:
    """The stored buckets of one series inside its window."""
    return read(watched, [question], as_of=as_of, now=now).series(question)


def many_series(
    watched: Watched, questions: Sequence[Question], as_of: datetime | None = None, now: datetime | None = None
) -> dict[Question, SeriesView | None]:
    """Several series at the price of one."""
    found = read(watched, questions, as_of=as_of, now=now)
    return {question: found.series(question) for question in questions}


def want(watched: Watched, question: Question, user: Any = None, now: datetime | None = None) -> bool:
    """Puts the question into the priority queue; True if it now waits there.

    Asked by ten people it is one row. A question answered or refused within `FRESH` is not asked again.
    """
    moment = now or timezone.now()
    row, created = PendingQuestion.objects.get_or_create(
        watched=watched,
        key=_pending_key(question),
        defaults={"question": question.to_json(), "asked_by": user, "asked_at": moment},
    )
    if created or row.state in {WorkState.PENDING, WorkState.RUNNING}:
        return True
    if row.finished_at is not None and moment - row.finished_at < FRESH:
        return False
    again = PendingQuestion.objects.filter(pk=row.pk, state=row.state)
    fields = {"state": WorkState.PENDING, "asked_at": moment, "asked_by": user, "attempts": 0, "problem": ""}
    return again.update(question=question.to_json(), finished_at=None, **fields) == 1


def want_many(
    watched: Watched,
    questions: Iterable[Question],
    user: Any = None,
    now: datetime | None = None,
    fresh: timedelta = FRESH,
) -> set[Question]:
    """`want` for many questions in three statements; those of them that now wait. `fresh`: in the place of `FRESH`."""
    moment = now or timezone.now()
    by_key = {_pending_key(question): question for question in questions}
    rows = [
        PendingQuestion(watched=watched, key=key, question=question.to_json(), asked_by=user, asked_at=moment)
        for key, question in by_key.items()
    ]
    PendingQuestion.objects.bulk_create(rows, ignore_conflicts=True)
    over = watched.pending_questions.filter(key__in=by_key, finished_at__lte=moment - fresh)
    fields = {"state": WorkState.PENDING, "asked_at": moment, "asked_by": user, "attempts": 0, "problem": ""}
    over.exclude(state__in=[WorkState.PENDING, WorkState.RUNNING]).update(finished_at=None, **fields)
    return waiting(watched, by_key.values())


def waiting(watched: Watched, questions: Iterable[Question]) -> set[Question]:
    """Those of `questions` that are in the queue now: the page says that they are on their way."""
    by_key = {_pending_key(question): question for question in questions}
    states = [WorkState.PENDING, WorkState.RUNNING]
    found = watched.pending_questions.filter(key__in=by_key, state__in=states).values_list("key", flat=True)
    return {by_key[key] for key in found}


def _pending_key(question: Question) -> str:
    """Unlike stored buckets, pending questions about other windows are different questions."""
    if question.window is None or not question.is_series:
        return question.key
    window = question.to_json()["window"]
    return f"{question.key}&window={'/'.join(window) if isinstance(window, list) else window}"


def _series_slot(question: Question, now: datetime) -> str:
    return f"{question.key}|{question.period(now)}"


@dataclass(frozen=True, slots=True)
class _Newest:
    """The newest answer of a topic, packed."""

    known_at: datetime
    payload: bytes
    reconstructed: bool


# Every page asks these two, some several times: written out, they cost a third of what composing them does.
_TOPIC_FIELDS = tuple(field.attname for field in Topic._meta.concrete_fields)
_TOPICS = f"""
    SELECT {", ".join(f"topic.{name}" for name in _TOPIC_FIELDS)}, newest.known_at, newest.payload, newest.reconstructed
    FROM monitoring_topic topic LEFT JOIN LATERAL (
        SELECT known_at, payload, reconstructed FROM monitoring_answer
        WHERE topic_id = topic.id AND known_at <= coalesce(%s, 'infinity'::timestamptz)
        ORDER BY known_at DESC, id DESC LIMIT 1
    ) newest ON true
    WHERE topic.watched_id = ANY(%s) AND topic.key = ANY(%s)
"""  # noqa: S608  names of columns
_BUCKETS = """
    SELECT topic_id, payload, reconstructed FROM monitoring_serieschunk
    WHERE topic_id = ANY(%s) AND last >= %s AND first < %s AND known_at <= coalesce(%s, 'infinity'::timestamptz)
    ORDER BY known_at, id
"""


def _topics(watched: list[int], keys: set[str], as_of: datetime | None) -> list[tuple[Topic, _Newest | None]]:
    """The topics with the newest answer of each that was known at `as_of`."""
    with connection.cursor() as cursor:
        cursor.execute(_TOPICS, [as_of, watched, list(keys)])
        rows = cursor.fetchall()
    size = len(_TOPIC_FIELDS)
    return [
        (
            Topic.from_db("default", _TOPIC_FIELDS, row[:size]),
            _Newest(*row[size:]) if row[size] is not None else None,
        )
        for row in rows
    ]


def _answer_view(topic: Topic, row: _Newest, as_of: datetime | None) -> AnswerView:
    checked = topic.checked_at or row.known_at
    return AnswerView(
        payload=packing.unpack(row.payload),
        known_at=row.known_at,
        checked_at=checked if as_of is None else max(row.known_at, min(checked, as_of)),
        state=topic.state,
        problem=topic.problem,
        reconstructed=row.reconstructed,
    )


def _chunks(series: Sequence[tuple[Topic, Question]], as_of: datetime | None, now: datetime) -> dict[int, list[Chunk]]:
    periods = [period for _, question in series if (period := question.period(now)) is not None]
    if not periods:
        return {}
    first, last = min(start for start, _ in periods), max(end for _, end in periods)
    found: dict[int, list[Chunk]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_BUCKETS, [list({topic.pk for topic, _ in series}), first, last, as_of])
        for topic_id, payload, reconstructed in cursor.fetchall():
            found.setdefault(topic_id, []).append(Chunk(payload, reconstructed))
    return found


def _series_view(
    question: Question,
    topic: Topic,
    chunks: Sequence[Chunk],
    frame: Any,
    now: datetime,
    as_of: datetime | None,
) -> SeriesView:
    period = question.period(now)
    if period is None:
        raise ValueError("A series needs a window.")
    start, end = period
    ordered = tuple(kept_points(chunks, start, end, as_of))
    return SeriesView(
        points=ordered,
        frame=frame if isinstance(frame, dict) else {},
        known_at=max(map(KNOWN_AT, ordered), default=None),
        checked_at=topic.checked_at,
        missing=_missing(question, topic, start, end),
        state=topic.state,
        problem=topic.problem,
    )


def _missing(question: Question, topic: Topic, start: datetime, end: datetime) -> tuple[tuple[datetime, datetime], ...]:
    """The parts of [start, end) that were not fetched; the newest bucket may still be on its way."""
    if topic.open_from is None or topic.covered_until is None:
        return ((start, end),)
    size = HOUR if question.bucket == Bucket.HOUR else DAY
    gaps = []
    if start < topic.open_from:
        gaps.append((start, min(end, topic.open_from)))
    if topic.covered_until + size < end:
        gaps.append((max(start, topic.covered_until), end))
    return tuple(gaps)
