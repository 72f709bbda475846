"""The watcher about itself, as tiles: coverage, age of the data, what waits, mail; and the installation behind it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Avg, Count, F, Max, Min, Q, Sum
from django.utils.module_loading import import_string

from dashboard.charts import words
from dashboard.glossary import find
from dashboard.tabs.parts import Tile
from monitoring import conf, gauges
from monitoring.models import (
    Command,
    MailState,
    Message,
    PendingQuestion,
    Ping,
    PollRun,
    RunKind,
    Source,
    Status,
    Watched,
    WorkState,
)

HOUR = timedelta(hours=1)
OPEN = (WorkState.PENDING, WorkState.RUNNING)
SLOW_AGE, SLOW_LAG, LONG_WAIT, LATE_MAIL = 300, 120, 60, 300
"""Seconds from which the age of data, the lag of polls, a wait and a message are called at risk."""
FULL_COVERAGE = 0.99
MOST = 50


def tiles(teams: Sequence[int], now: datetime) -> tuple[Tile, ...]:
    """The figures of some teams, seven statements whatever the size of the fleet."""
    listed = Watched.objects.filter(source__team__in=teams, gone_at__isnull=True)
    return (*_fleet(listed, now), *_polling(teams, now), *_waiting(teams, now), *_mail(teams, now), _ping(now))


def _tone(bad: bool) -> str:
    return Status.WARNING.value if bad else ""


def _fleet(listed: gauges.Listed, now: datetime) -> list[Tile]:
    limit = now - conf.STALE_AFTER
    found = listed.aggregate(
        total=Count("pk"),
        stale=Count("pk", filter=Q(polled_at__lt=limit) & Q(seen_at__lt=limit)),
        never=Count("pk", filter=Q(polled_at__isnull=True)),
        due=Min("due_at"),
        overdue=Count("pk", filter=Q(due_at__lt=now)),
    )
    ages = gauges.ages(listed, now)
    lag = max(0.0, (now - found["due"]).total_seconds()) if found["due"] else 0.0
    never = f"{words.number(found['never'], 0)} not polled yet" if found["never"] else "all polled at least once"
    return [
        Tile("Deployments watched", words.number(found["total"], 0), note=never),
        Tile(
            "Without fresh data",
            words.number(found["stale"], 0),
            note="no answer for 15 min or more",
            status=_tone(found["stale"] > 0),
        ),
        _age(ages),
        Tile(
            "Poll lag",
            *_time(lag),
            f"{words.count(found['overdue'], 'deployment')} due" if found["overdue"] else "nothing is overdue",
            status=_tone(lag > SLOW_LAG),
        ),
    ]


def _age(ages: dict[float, float]) -> Tile:
    if not ages:
        return Tile("Age of the data, 95 %", words.NONE, note="no deployment yet", term="Age of the data")
    note = f"half within {words.duration(ages[0.5])}, oldest {words.duration(ages[1.0])}"
    bad = _tone(ages[0.95] > SLOW_AGE)
    return Tile("Age of the data, 95 %", *_time(ages[0.95]), note, status=bad, term="Age of the data")


def _time(seconds: float) -> tuple[str, str]:
    """`40`, `s`."""
    shown, _, unit = words.duration(seconds).partition(words.THIN)
    return shown, unit


def _polling(teams: Sequence[int], now: datetime) -> list[Tile]:
    runs = PollRun.objects.filter(source__team__in=teams, started_at__gte=now - HOUR).aggregate(
        asked=Sum("asked"),
        answered=Sum("answered"),
        refused=Sum("refused"),
        failed=Sum("failed"),
        stored=Sum("stored"),
        last=Max("started_at"),
    )
    share = gauges.coverage(runs["answered"], runs["refused"], runs["asked"])
    asked = runs["asked"] or 0
    note = f"of {words.compact(asked)} questions, {words.number(runs['failed'] or 0, 0)} failed"
    last = "no run in an hour" if runs["last"] is None else f"last run {words.duration(now - runs['last'])} ago"
    return [
        Tile(
            "Poll coverage, 1 h",
            words.number(100 * share, 1) if asked else words.NONE,
            "%" if asked else "",
            note if asked else "nothing was asked",
            status=_tone(bool(asked) and share < FULL_COVERAGE),
            term="Poll coverage",
        ),
        Tile("New rows, 1 h", words.compact(runs["stored"] or 0), "", last, term="New rows"),
    ]


def _waiting(teams: Sequence[int], now: datetime) -> list[Tile]:
    questions = PendingQuestion.objects.filter(watched__source__team__in=teams, state__in=OPEN)
    commands = Command.objects.filter(source__team__in=teams, state__in=OPEN)
    found = []
    for name, rows in (("Questions waiting", questions), ("Changes waiting", commands)):
        row = rows.aggregate(n=Count("pk"), oldest=Min("asked_at"))
        wait = (now - row["oldest"]).total_seconds() if row["oldest"] else 0.0
        note = f"oldest asked {words.duration(wait)} ago" if row["oldest"] else "the queue is empty"
        found.append(Tile(name, words.number(row["n"], 0), note=note, status=_tone(wait > LONG_WAIT)))
    return found


def _mail(teams: Sequence[int], now: datetime) -> list[Tile]:
    counts, oldest = gauges.mail_states(Message.objects.filter(team__in=teams), now)
    late = (now - oldest).total_seconds() if oldest is not None else 0.0
    shown = [f"{words.number(n, 0)} {MailState(state).label.lower()}" for state, n in sorted(counts.items()) if n]
    lost = counts.get(MailState.FAILED, 0) + counts.get(MailState.BOUNCED, 0)
    doubt = counts.get(MailState.IN_DOUBT, 0)
    return [
        Tile(
            "Messages, last day",
            words.number(sum(counts.values()), 0),
            note=", ".join(shown) or "none was needed",
            status=Status.FAILING.value if lost else _tone(doubt > 0),
            href="/mail/",
        ),
        Tile(
            "Oldest waiting message",
            *(_time(late) if oldest is not None else (words.NONE, "")),
            "overdue" if oldest is not None else "nothing waits",
            status=_tone(late > LATE_MAIL),
        ),
    ]


def _ping(now: datetime) -> Tile:
    name = "Ping to the outside"
    if not settings.DEADMAN_URL:
        return Tile(name, words.NONE, note="not set: nobody notices if Vitals itself falls silent (DEADMAN_URL)")
    ping = Ping.objects.first()
    if ping is None:
        return Tile(name, words.NONE, note="the first goes out within minutes")
    status = Status.FAILING.value if ping.problem else ""
    note = ping.problem or "watching and mail work"
    return Tile(name, *(_time((now - ping.at).total_seconds()) if ping.sent else ("held", "")), note, status=status)


@dataclass(frozen=True)
class Pace:
    """One source of the table: how long its polls take and how much of what was asked it answered, in the last hour."""

    source: Source
    polls: int
    seconds: float | None
    longest: float | None
    share: float | None
    breaker: bool


def slowest(teams: Sequence[int], now: datetime) -> list[Pace]:
    """Sources, the slowest first; one statement."""
    recent = Q(runs__started_at__gte=now - HOUR)
    polls = recent & Q(runs__kind=RunKind.POLL)
    rows = (
        Source.objects.filter(team__in=teams, enabled=True)
        .annotate(
            polls=Count("runs", filter=polls),
            mean=Avg("runs__seconds", filter=polls),
            longest=Max("runs__seconds", filter=polls),
            asked=Sum("runs__asked", filter=recent),
            answered=Sum("runs__answered", filter=recent),
            refused=Sum("runs__refused", filter=recent),
        )
        .order_by(F("mean").desc(nulls_last=True), "name")[:MOST]
    )
    return [
        Pace(
            row,
            row.polls,
            row.mean,
            row.longest,
            gauges.coverage(row.answered, row.refused, row.asked) if row.asked else None,
            row.is_open(now),
        )
        for row in rows
    ]


@dataclass(frozen=True)
class Figure:
    """One figure of the installation: its term, its name in /metrics, and its samples as label and value."""

    term: str
    name: str
    samples: tuple[tuple[str, str], ...]


def installation(now: datetime) -> list[Figure]:
    """What `/metrics` tells, for those who run the installation: figures of every half that is switched on."""
    found = []
    for path in settings.GAUGES:
        for name, _, samples in import_string(path)(now):
            entry = find(name)
            if samples and entry is not None and not name.startswith("vitals_source_"):
                shown = tuple((_labelled(labels), _value(name, value)) for labels, value in samples)
                found.append(Figure(entry.name, name, shown))
    return found


def _labelled(labels: Iterable[tuple[str, str]]) -> str:
    return ", ".join(text.replace("_", " ") for _, text in labels)


def _value(name: str, value: float) -> str:
    if name.endswith("_seconds"):
        return words.duration(value)
    if name.endswith("_bytes"):
        return f"{words.number(value / 1e9, 2)}{words.THIN}GB"
    return words.number(value, 0 if value == int(value) else 2)
