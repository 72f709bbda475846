"""Questions that pages wait for: claimed, asked, stored, marked. The priority queue behind `snapshots.want`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from monitoring import conf, sources
from monitoring.models import PendingQuestion, PollRun, RunKind, Source, Topic, TopicState, WorkState
from monitoring.poll.fetch import Fetched, Job, Outcome, fetch
from monitoring.poll.plan import Ask, ask_of, without_hole
from monitoring.poll.store import save
from monitoring.questions import Question, from_json
from monitoring.sources import MakeTransport

#: A question that failed this often is given up until somebody asks again.
ATTEMPTS = 3


def sources_with_questions(now: datetime) -> list[int]:
    """Sources that have waiting questions and may be called."""
    waiting = _waiting(now).values("watched__source")
    found: list[int] = list(sources.callable_now(now).filter(pk__in=waiting).values_list("pk", flat=True))
    return found


def answer_pending(
    source: Source, now: datetime, *, limit: int = 50, transport: MakeTransport | None = None
) -> PollRun | None:
    """Answers the oldest waiting questions of one source; None if there are none."""
    rows = _claim(source, now, limit)
    if not rows:
        return None
    run, began = PollRun(source=source, kind=RunKind.QUESTIONS, started_at=now), time.monotonic()
    jobs = {row.pk: _job(row, now) for row in rows}
    with asyncio.Runner() as runner:
        client = sources.client_of(source, transport)
        try:
            fetched = runner.run(fetch(client, list(jobs.values()), seconds=settings.POLL_TIMEOUT * 3))
        finally:
            runner.run(client.close())
    lags = {row.watched_id: _lag(row) for row in rows}
    run.stored = save(fetched.outcomes, now=now, lags=lags).stored
    _mark(rows, jobs, fetched, now)
    if fetched.trouble is not None:
        sources.note_trouble(source, fetched.trouble, now)
    run.deployments = len({row.watched_id for row in rows})
    run.asked, run.answered = client.requests, fetched.count(TopicState.OK)
    run.refused, run.failed = fetched.count(TopicState.REFUSED), fetched.count(TopicState.FAILED, TopicState.MALFORMED)
    run.seconds = time.monotonic() - began
    run.save()
    return run


def _waiting(now: datetime) -> QuerySet[PendingQuestion]:
    """Waiting questions, and claimed ones whose worker has died."""
    lost = Q(state=WorkState.RUNNING, claimed_until__lte=now)
    return PendingQuestion.objects.filter(Q(state=WorkState.PENDING) | lost)


def _claim(source: Source, now: datetime, limit: int) -> list[PendingQuestion]:
    with transaction.atomic():
        free = _waiting(now).filter(watched__source=source).select_for_update(skip_locked=True, of=("self",))
        rows = list(free.select_related("watched").order_by("asked_at", "pk")[:limit])
        PendingQuestion.objects.filter(pk__in=[row.pk for row in rows]).update(
            state=WorkState.RUNNING, claimed_until=now + conf.LEASE
        )
    return rows


def _job(row: PendingQuestion, now: datetime) -> Job:
    question = from_json(row.question)
    return Job(row.watched_id, row.watched.remote_id, _ask(question, row, now))


def _ask(question: Question, row: PendingQuestion, now: datetime) -> Ask:
    period = question.period(now)
    if period is not None and question.is_series:
        topic = Topic.objects.filter(watched=row.watched_id, key=question.key).first()
        if topic is not None:
            period = without_hole(period, topic.open_from, topic.covered_until)
    return ask_of((question,), period)


def _lag(row: PendingQuestion) -> timedelta | None:
    hours = row.watched.label_lag_hours
    return timedelta(hours=hours) if hours is not None else None


def _mark(rows: Sequence[PendingQuestion], jobs: dict[int, Job], fetched: Fetched, now: datetime) -> None:
    by_ask: dict[tuple[int, Ask], Outcome] = {(one.watched_id, one.ask): one for one in fetched.outcomes}
    for row in rows:
        outcome = by_ask.get((row.watched_id, jobs[row.pk].ask))
        row.attempts += 1
        row.state, row.problem = _state(outcome, row.attempts), outcome.problem if outcome is not None else ""
        row.finished_at = None if row.state == WorkState.PENDING else now
        row.claimed_until = None
    fields = ("state", "problem", "finished_at", "claimed_until", "attempts")
    PendingQuestion.objects.bulk_update(rows, fields)


def _state(outcome: Outcome | None, attempts: int) -> WorkState:
    if outcome is None or outcome.state is TopicState.FAILED:
        return WorkState.FAILED if attempts >= ATTEMPTS else WorkState.PENDING
    if outcome.state is TopicState.OK:
        return WorkState.DONE
    return WorkState.REFUSED if outcome.state is TopicState.REFUSED else WorkState.FAILED
