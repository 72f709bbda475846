"""The watcher's figures for the whole installation, from the database and Redis alone: any process answers alike."""

from __future__ import annotations

from datetime import datetime, timedelta

import redis
from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Avg, BooleanField, Count, ExpressionWrapper, F, Max, Min, Q, QuerySet, Sum
from django.db.models.functions import Greatest

from monitoring import conf
from monitoring.mail.outbox import gap
from monitoring.models import Command, MailState, Message, PendingQuestion, PollRun, RunKind, Source, Watched, WorkState

Labels = tuple[tuple[str, str], ...]
Gauge = tuple[str, str, list[tuple[Labels, float]]]
"""Name, what it is, and its samples: labels and value. The other half tells its own in the same shape."""

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OPEN = (WorkState.PENDING, WorkState.RUNNING)
WAITING = (MailState.PENDING, MailState.SENDING, MailState.IN_DOUBT)
MOST_SOURCES = 100
"""Sources with samples of their own: the silent and the slowest ones first."""
QUANTILES = (0.5, 0.95, 0.99, 1.0)
QUEUES = ("ingest", "rollup", "poll", "mail", "jobs")
Listed = QuerySet[Watched]
"""Deployments that some figures are about."""


def read(now: datetime) -> list[Gauge]:
    """Everything, in about ten statements whatever the size of the fleet."""
    return [*_sources(now), *_polling(now), *_ages(now), *_waiting(now), *_mail(now), *_stores()]


def _age(now: datetime, moment: datetime | None) -> float:
    """Seconds since then; 0 where nothing waits."""
    return max(0.0, (now - moment).total_seconds()) if moment is not None else 0.0


def _one(name: str, meaning: str, value: float) -> Gauge:
    return name, meaning, [((), float(value))]


def _sources(now: datetime) -> list[Gauge]:
    runs = Q(runs__started_at__gte=now - HOUR)
    polls = runs & Q(runs__kind=RunKind.POLL)
    rows = (
        Source.objects.filter(enabled=True)
        .annotate(
            asked=Sum("runs__asked", filter=runs),
            answered=Sum("runs__answered", filter=runs),
            refused=Sum("runs__refused", filter=runs),
            seconds=Avg("runs__seconds", filter=polls),
        )
        .select_related("team")
        .order_by("silent_since", F("seconds").desc(nulls_last=True))
    )
    known = [(_source(row), row) for row in rows[:MOST_SOURCES]]
    return [
        (
            "vitals_source_up",
            "1 while the source answers, 0 since its first failure after the last answer.",
            [(labels, float(row.silent_since is None)) for labels, row in known],
        ),
        (
            "vitals_source_silent_seconds",
            "How long the source has not answered.",
            [(labels, _age(now, row.silent_since)) for labels, row in known],
        ),
        (
            "vitals_source_breaker_open",
            "1 while nobody calls the source because it failed too often.",
            [(labels, float(row.is_open(now))) for labels, row in known],
        ),
        (
            "vitals_source_poll_coverage_ratio",
            "Answered of asked questions in the last hour; refusals are answers.",
            [(labels, coverage(row.answered, row.refused, row.asked)) for labels, row in known],
        ),
        (
            "vitals_source_poll_seconds",
            "Mean duration of a poll in the last hour.",
            [(labels, row.seconds) for labels, row in known if row.seconds is not None],
        ),
    ]


def _source(row: Source) -> Labels:
    return (("source", row.name), ("team", row.team.name))


def coverage(answered: int | None, refused: int | None, asked: int | None) -> float:
    """The share of questions that got an answer; a refusal is one. 1 where nothing was asked."""
    return ((answered or 0) + (refused or 0)) / asked if asked else 1.0


def _polling(now: datetime) -> list[Gauge]:
    found = PollRun.objects.filter(started_at__gte=now - HOUR).aggregate(
        answered=Sum("answered"), refused=Sum("refused"), failed=Sum("failed"), stored=Sum("stored")
    )
    last = PollRun.objects.filter(started_at__gte=now - DAY).aggregate(
        list=Max("started_at", filter=Q(kind=RunKind.DISCOVERY)), poll=Max("started_at", filter=Q(kind=RunKind.POLL))
    )
    outcomes = ("answered", "refused", "failed")
    return [
        (
            "vitals_poll_questions",
            "Questions of the last hour by what became of them.",
            [((("outcome", name),), float(found[name] or 0)) for name in outcomes],
        ),
        _one("vitals_poll_rows", "Snapshots stored in the last hour.", found["stored"] or 0),
        (
            "vitals_last_run_age_seconds",
            "Since the last run of each kind; no sample where none ran in a day.",
            [((("kind", kind),), _age(now, at)) for kind, at in last.items() if at is not None],
        ),
    ]


def ages(watched: Listed, now: datetime) -> dict[float, float]:
    """Seconds since the last answer about each deployment, as quantiles over the fleet; empty without one.

    An answer is the list that names the deployment, or a poll of its own.
    """
    inner = watched.order_by().annotate(seen=Greatest("seen_at", "polled_at")).values("seen")
    try:
        sql, params = inner.query.sql_with_params()
    except EmptyResultSet:  # of no team at all
        return {}
    wanted = ", ".join(f"percentile_disc({1 - quantile}) WITHIN GROUP (ORDER BY seen)" for quantile in QUANTILES)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {wanted} FROM ({sql}) one", params)  # noqa: S608 - our own numbers and Django's SQL
        row = cursor.fetchone()
    return {q: _age(now, moment) for q, moment in zip(QUANTILES, row, strict=True) if moment is not None}


def _ages(now: datetime) -> list[Gauge]:
    listed = Watched.objects.filter(gone_at__isnull=True, source__enabled=True)
    limit = now - conf.STALE_AFTER
    found = listed.aggregate(
        all=Count("pk"),
        stale=Count("pk", filter=Q(seen_at__lt=limit) & (Q(polled_at__lt=limit) | Q(polled_at=None))),
        overdue=Count("pk", filter=Q(due_at__lt=now)),
        due=Min("due_at"),
    )
    return [
        _one("vitals_deployments_watched", "Deployments that the sources list.", found["all"]),
        _one("vitals_deployments_stale", "Deployments without any answer for 15 minutes.", found["stale"]),
        (
            "vitals_data_age_seconds",
            "Since the last answer about a deployment, as quantiles over the fleet.",
            [((("quantile", f"{q:g}"),), age) for q, age in ages(listed, now).items()],
        ),
        _one("vitals_polls_overdue", "Deployments whose next poll is due and has not begun.", found["overdue"]),
        _one("vitals_poll_lag_seconds", "How long the most overdue poll waits.", _age(now, found["due"])),
    ]


def _waiting(now: datetime) -> list[Gauge]:
    questions = PendingQuestion.objects.filter(state__in=OPEN).aggregate(n=Count("pk"), oldest=Min("asked_at"))
    commands = Command.objects.filter(state__in=OPEN).aggregate(n=Count("pk"), oldest=Min("asked_at"))
    return [
        _one("vitals_questions_waiting", "Questions that pages asked for and no source has answered.", questions["n"]),
        _one("vitals_questions_oldest_seconds", "How long the oldest of them waits.", _age(now, questions["oldest"])),
        _one("vitals_commands_waiting", "Changes at sources that were asked for and not carried out.", commands["n"]),
        _one("vitals_commands_oldest_seconds", "How long the oldest of them waits.", _age(now, commands["oldest"])),
    ]


def mail_states(messages: QuerySet[Message], now: datetime) -> tuple[dict[str, int], datetime | None]:
    """Messages of the last day by state, those that wait whatever their age, and since when the oldest is overdue.

    What could not be sent is overdue since its first attempt, however far ahead the next one lies.
    """
    found = messages.filter(Q(created_at__gte=now - DAY) | Q(state__in=WAITING))
    counts = dict(found.order_by().values_list("state").annotate(n=Count("pk")))
    failed = Q(attempts__gt=0) & ~Q(state=MailState.SENDING)
    overdue = messages.filter(Q(not_before__lte=now) | failed, state__in=WAITING).order_by()
    tried = ExpressionWrapper(failed, output_field=BooleanField())
    rows = overdue.annotate(tried=tried).values_list("attempts", "tried").annotate(at=Min("not_before"))
    since = [at - sum(map(gap, range(1, n + 1)), timedelta(0)) if waits else at for n, waits, at in rows]
    return counts, min(since, default=None)


def _mail(now: datetime) -> list[Gauge]:
    counts, oldest = mail_states(Message.objects.all(), now)
    return [
        (
            "vitals_messages",
            "Messages of the last day by state, and all that wait.",
            [((("state", state),), float(counts.get(state, 0))) for state in MailState.values],
        ),
        _one("vitals_messages_oldest_waiting_seconds", "How long the oldest message is overdue.", _age(now, oldest)),
    ]


def database_bytes() -> int:
    """Size of the whole database on disk."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


def queue_lengths() -> dict[str, int]:
    """Tasks that wait in each queue of the broker; no queue at all while Redis does not answer."""
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
    try:
        with client.pipeline(transaction=False) as pipe:
            for name in QUEUES:
                pipe.llen(name)
            return dict(zip(QUEUES, pipe.execute(), strict=True))
    except redis.RedisError:
        return {}
    finally:
        client.close()


def _stores() -> list[Gauge]:
    return [
        _one("vitals_database_bytes", "Size of the database on disk.", database_bytes()),
        (
            "vitals_queue_length",
            "Tasks that wait in a queue; no sample while Redis does not answer.",
            [((("queue", name),), float(length)) for name, length in queue_lengths().items()],
        ),
    ]
