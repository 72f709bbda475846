"""Writes what was answered: in one transaction, only what changed, safe to run twice and beside itself.

The watched rows are locked in order first, so that two polls of one deployment follow each other. An answer equal to
the newest stored one only moves `checked_at`; of a series only new and restated buckets are written. What was known
when is kept to the hour: within one hour the newest version replaces the one before (`monitoring.compaction` thins
older hours to days).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from monitoring import packing
from monitoring.client import Malformed
from monitoring.clock import floor_hour
from monitoring.configuration import changes
from monitoring.models import Answer, SeriesChunk, Topic, TopicState, Watched
from monitoring.packing import Bucket, KnownBucket
from monitoring.poll.buckets import changed, split
from monitoring.poll.fetch import Outcome
from monitoring.poll.plan import closed_until
from monitoring.questions import Question

Key = tuple[int, str]
Known = dict[datetime, tuple[datetime, dict[str, Any]]]
#: Parts of an answer that move with the clock and make no new answer of it.
_SLIDING = frozenset({"period"})


@dataclass(slots=True)
class _Row:
    """A topic as it will be written, with the answer and the buckets to add."""

    watched_id: int
    question: Question
    state: TopicState
    problem: str = ""
    digest: str = ""
    known_at: datetime | None = None
    checked_at: datetime | None = None
    closed_until: datetime | None = None
    open_from: datetime | None = None
    covered_until: datetime | None = None
    frame: bytes | None = None
    buckets: list[Bucket] = field(default_factory=list)

    @property
    def key(self) -> Key:
        return self.watched_id, self.question.key


@dataclass(frozen=True, slots=True)
class Saved:
    """`stored`: answers and chunks written. `restated`: watched id -> start of the oldest closed bucket changed."""

    stored: int
    restated: Mapping[int, datetime]


def save(
    outcomes: Sequence[Outcome], *, now: datetime, lags: Mapping[int, timedelta | None], reconstructed: bool = False
) -> Saved:
    """Stores the outcomes as known at `now`. `lags`: learned label lag by watched id."""
    if not outcomes:
        return Saved(0, {})
    with transaction.atomic():
        ids = sorted({outcome.watched_id for outcome in outcomes})
        list(Watched.objects.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk", flat=True))
        keys = {question.key for outcome in outcomes for question in outcome.ask.questions}
        topics = {(row.watched_id, row.key): row for row in Topic.objects.filter(watched__in=ids, key__in=keys)}
        known = _known(outcomes, topics)
        rows: dict[Key, _Row] = {}
        restated: dict[int, datetime] = {}
        for outcome in outcomes:
            for row in _rows(outcome, topics, known, now, lags.get(outcome.watched_id)):
                rows[row.key] = row
                if (first := _restated(row, topics.get(row.key))) is not None:
                    restated[row.watched_id] = min(first, restated.get(row.watched_id, first))
        changes.note(_turns(rows.values(), topics), now)
        return Saved(_write(list(rows.values()), now, reconstructed), restated)


def _turns(rows: Iterable[_Row], topics: Mapping[Key, Topic]) -> list[changes.Turn]:
    """Settings that differ from those stored before: no statement where none do."""
    fresh = [row for row in rows if row.frame is not None and row.question.path in changes.KINDS and row.key in topics]
    old = Answer.objects.filter(topic__in=[topics[row.key].pk for row in fresh]) if fresh else Answer.objects.none()
    newest = old.order_by("topic_id", "-known_at", "-pk").distinct("topic_id")
    before = dict(newest.values_list("topic_id", "payload")) if fresh else {}
    return [
        changes.Turn(
            row.watched_id,
            changes.KINDS[row.question.path],
            packing.unpack(before[topics[row.key].pk]),
            packing.unpack(row.frame),
            topics[row.key].checked_at,
        )
        for row in fresh
        if topics[row.key].pk in before and row.frame is not None
    ]


def _rows(
    outcome: Outcome, topics: Mapping[Key, Topic], known: Mapping[int, Known], now: datetime, lag: timedelta | None
) -> Iterable[_Row]:
    questions = outcome.ask.questions
    if outcome.state is not TopicState.OK:
        yield from (
            _failed(outcome.watched_id, question, outcome.state, outcome.problem, topics) for question in questions
        )
        return
    if not questions[0].is_series:
        yield _answered(outcome.watched_id, questions[0], outcome.payload, topics, now)
        return
    try:
        parts = split(questions, outcome.payload)
    except Malformed as error:
        for question in questions:
            yield _failed(outcome.watched_id, question, TopicState.MALFORMED, str(error), topics)
        return
    for question, (buckets, frame) in parts.items():
        row = _answered(outcome.watched_id, question, frame, topics, now)
        topic = topics.get(row.key)
        row.buckets = changed(buckets, known.get(topic.pk, {}) if topic is not None else {})
        _cover(row, topic, outcome.ask.period, closed_until(question, now, lag))
        yield row


def _cover(row: _Row, topic: Topic | None, period: tuple[datetime, datetime] | None, closed: datetime) -> None:
    """Widens what is covered by the asked period; requests are made so that coverage has no hole."""
    if period is None:
        return
    start, end = period
    row.open_from = min(start, topic.open_from) if topic is not None and topic.open_from else start
    row.covered_until = max(end, topic.covered_until) if topic is not None and topic.covered_until else end
    row.closed_until = max(min(closed, row.covered_until), start)


def _failed(watched_id: int, question: Question, state: TopicState, problem: str, topics: Mapping[Key, Topic]) -> _Row:
    """What is known stays known; only the state and the problem change."""
    topic = topics.get((watched_id, question.key))
    if topic is None:
        return _Row(watched_id, question, state, problem)
    kept = (topic.digest, topic.known_at, topic.checked_at, topic.closed_until, topic.open_from, topic.covered_until)
    return _Row(watched_id, question, state, problem, *kept)


def _answered(watched_id: int, question: Question, payload: Any, topics: Mapping[Key, Topic], now: datetime) -> _Row:
    topic = topics.get((watched_id, question.key))
    digest = packing.digest({name: value for name, value in payload.items() if name not in _SLIDING})
    same = topic is not None and topic.digest == digest
    return _Row(
        watched_id,
        question,
        TopicState.OK,
        digest=digest,
        known_at=topic.known_at if same and topic is not None else now,
        checked_at=now,
        frame=None if same else packing.pack(payload),
    )


def _restated(row: _Row, topic: Topic | None) -> datetime | None:
    """The start of the oldest bucket that had counted as closed and yet changed."""
    if topic is None or topic.closed_until is None or topic.open_from is None:
        return None
    closed = [start for start, _, _ in row.buckets if topic.open_from <= start < topic.closed_until]
    return min(closed, default=None)


def _known(outcomes: Iterable[Outcome], topics: Mapping[Key, Topic]) -> dict[int, Known]:
    """The newest stored value of every bucket in the asked ranges, by topic."""
    asked: dict[int, tuple[datetime, datetime]] = {}
    for outcome in outcomes:
        for question in outcome.ask.questions:
            topic = topics.get((outcome.watched_id, question.key))
            if topic is not None and question.is_series and outcome.ask.period is not None:
                asked[topic.pk] = outcome.ask.period
    if not asked:
        return {}
    chunks = SeriesChunk.objects.filter(topic__in=asked, last__gte=min(start for start, _ in asked.values()))
    found: dict[int, Known] = {}
    for chunk in chunks.order_by("known_at", "pk"):
        known = found.setdefault(chunk.topic_id, {})
        for start, end, values, _ in packing.unpack_buckets(chunk.payload):
            known[start] = (end, values)
    return found


_UPSERT = """
    INSERT INTO monitoring_topic AS topic
        (watched_id, key, path, state, problem, digest, known_at, checked_at, closed_until, open_from,
         covered_until)
    SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
        %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[])
    ON CONFLICT (watched_id, key) DO UPDATE SET
        state = excluded.state, problem = excluded.problem, digest = excluded.digest, known_at = excluded.known_at,
        checked_at = excluded.checked_at, closed_until = excluded.closed_until, open_from = excluded.open_from,
        covered_until = excluded.covered_until
    RETURNING topic.id, topic.watched_id, topic.key
"""
_ANSWERS = "COPY monitoring_answer (topic_id, known_at, payload, reconstructed) FROM STDIN (FORMAT BINARY)"
_CHUNKS = (
    "COPY monitoring_serieschunk (topic_id, known_at, first, last, payload, reconstructed) FROM STDIN (FORMAT BINARY)"
)


def _write(rows: Sequence[_Row], now: datetime, reconstructed: bool) -> int:
    columns: list[Any] = [
        [row.watched_id for row in rows],
        [row.question.key for row in rows],
        [row.question.path for row in rows],
        [row.state.value for row in rows],
        [row.problem[:500] for row in rows],
        [row.digest for row in rows],
        [row.known_at for row in rows],
        [row.checked_at for row in rows],
        [row.closed_until for row in rows],
        [row.open_from for row in rows],
        [row.covered_until for row in rows],
    ]
    answers = [row for row in rows if row.frame is not None]
    series = [row for row in rows if row.buckets]
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, columns)
        ids = {(watched, key): pk for pk, watched, key in cursor.fetchall()}
        chunks = _with_this_hour([(ids[row.key], row.buckets) for row in series], now, reconstructed)
        _replace_this_hour([ids[row.key] for row in answers], now, reconstructed)
        with cursor.copy(_ANSWERS) as copy:
            copy.set_types(["int8", "timestamptz", "bytea", "bool"])
            for row in answers:
                copy.write_row((ids[row.key], now, row.frame, reconstructed))
        with cursor.copy(_CHUNKS) as copy:
            copy.set_types(["int8", "timestamptz", "timestamptz", "timestamptz", "bytea", "bool"])
            for pk, buckets in chunks:
                since, first, last = min(one[3] for one in buckets), buckets[0][0], buckets[-1][0]
                copy.write_row((pk, since, first, last, packing.pack_known_buckets(buckets), reconstructed))
    return len(answers) + len(series)


def _with_this_hour(
    fresh: Sequence[tuple[int, list[Bucket]]], now: datetime, reconstructed: bool
) -> list[tuple[int, list[KnownBucket]]]:
    """The buckets to write by topic, together with those already written in this hour, whose rows are removed."""
    found: dict[int, dict[datetime, KnownBucket]] = {pk: {} for pk, _ in fresh}
    rows = SeriesChunk.objects.filter(topic__in=found, known_at__gte=floor_hour(now), reconstructed=reconstructed)
    earlier = list(rows.order_by("known_at", "pk"))
    for row in earlier:
        for bucket in packing.unpack_buckets(row.payload):
            found[row.topic_id][bucket[0]] = bucket
    SeriesChunk.objects.filter(pk__in=[row.pk for row in earlier]).delete()
    written = []
    for pk, buckets in fresh:
        known: list[KnownBucket] = [(start, end, values, now) for start, end, values in buckets]
        if before := found[pk]:
            before.update({bucket[0]: bucket for bucket in known})
            known = [before[start] for start in sorted(before)]
        written.append((pk, known))
    return written


def _replace_this_hour(topics: Sequence[int], now: datetime, reconstructed: bool) -> None:
    """Makes room for answers that are newer than others of this hour."""
    rows = Answer.objects.filter(topic__in=topics, known_at__gte=floor_hour(now), reconstructed=reconstructed)
    rows.delete()
