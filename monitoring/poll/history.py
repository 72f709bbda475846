"""Past days, judged as they would have been: the source is asked for the window that ended on each of them.

Days that the watcher judged itself are never touched; all others are marked as reconstructed, as are the transitions
between them, and nobody is written to. What is asked is bounded: two requests a day and deployment, for sources of a
size that can afford it; larger ones keep the verdicts made from single days.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from metrics.wording import duration
from monitoring import client, days, health, snapshots, sources, verdicts
from monitoring import questions as q
from monitoring.clock import DAY, floor_day, parse_duration
from monitoring.incidents import rebuilt
from monitoring.models import Area, HealthDay, PollRun, RunKind, Source, Status, TopicState, Transition, Watched
from monitoring.poll import past
from monitoring.poll.facts import fact_questions, facts_of, shaped
from monitoring.poll.fetch import Fetched, Job, Outcome, fetch
from monitoring.poll.plan import ask_of
from monitoring.poll.standing import DAYS, Facts
from monitoring.questions import Between, Question
from monitoring.snapshots import Snapshot
from monitoring.sources import MakeTransport
from monitoring.verdicts import Day

#: Sources with more deployments than this keep the verdicts made from single days.
LARGEST_SOURCE = 200
#: Deployments a run, and how long it may take.
BATCH, RUN_SECONDS = 4, 240.0
_TROUBLE = frozenset({Status.WARNING, Status.FAILING})


def claim(source: Source, now: datetime) -> list[int]:
    """Takes a few deployments whose past is due: the due mark is moved ahead, so that a lost run comes again."""
    if source.deployments_count > LARGEST_SOURCE:
        return []
    ready = Q(history_due_at__lte=now, backfilled_at__isnull=False, gone_at=None)
    with transaction.atomic():
        rows = Watched.objects.select_for_update(skip_locked=True).filter(ready, source=source)
        found = list(rows.order_by("history_due_at", "pk").values_list("pk", flat=True)[:BATCH])
        Watched.objects.filter(pk__in=found).update(history_due_at=now + timedelta(minutes=15))
    return found


def rebuild(source: Source, ids: Sequence[int], now: datetime, transport: MakeTransport | None = None) -> PollRun:
    """Asks for the windows of the past days, judges them, and writes days and transitions."""
    run, began = PollRun(source=source, kind=RunKind.POLL, started_at=now), time.monotonic()
    rows = [row for row in Watched.objects.filter(pk__in=ids, source=source).order_by("pk") if not row.batch_monitoring]
    known = snapshots.read_many({row.pk: fact_questions(row) for row in rows}, now=now)
    facts = {row.pk: facts_of(row, known[row.pk], now) for row in rows}
    windows = {row.pk: _windows(facts[row.pk], now) for row in rows}
    jobs = [
        Job(row.pk, row.remote_id, ask_of((question,), (window.start, window.end)))
        for row in rows
        for window in windows[row.pk]
        for question in _questions(facts[row.pk], window)
    ]
    fetched = _fetch(source, jobs, transport, run)
    for row in rows:
        answers = {
            (one.ask.path, one.ask.period[1]): one
            for one in fetched.outcomes
            if one.watched_id == row.pk and one.state is TopicState.OK and one.ask.period is not None
        }
        wanted = [*days.day_questions(facts[row.pk]), q.predictions_vs_actuals_over_time(DAYS)]
        series = snapshots.read(row, wanted, now=now)
        for path in (past.DRIFT, past.ACCURACY):
            past.keep(row, path, {end: one.payload for (of, end), one in answers.items() if of == path}, now)
        _write(row, _days(row, facts[row.pk], windows[row.pk], answers, series, now), now)
        rebuilt.rebuild(row, now)
    if fetched.trouble is not None:
        sources.note_trouble(source, fetched.trouble, now)
    else:
        done = Watched.objects.filter(pk__in=ids)
        done.update(history_due_at=None, history_at=now)
    run.deployments, run.answered = len(rows), fetched.count(TopicState.OK)
    run.failed = fetched.count(TopicState.FAILED, TopicState.MALFORMED) + fetched.left_out
    run.refused, run.seconds = fetched.count(TopicState.REFUSED), time.monotonic() - began
    run.save()
    return run


def _fetch(source: Source, jobs: Sequence[Job], transport: MakeTransport | None, run: PollRun) -> Fetched:
    with asyncio.Runner() as runner:
        asking = sources.client_of(source, transport)
        try:
            return runner.run(fetch(asking, jobs, seconds=RUN_SECONDS))
        finally:
            runner.run(asking.close())
            run.asked = asking.requests


def _windows(facts: Facts, now: datetime) -> list[Between]:
    """One window for each whole day before today: of the source's own length, ending with that day."""
    today, length = floor_day(now), parse_duration(facts.interval)
    return [Between(today - back * DAY - length, today - back * DAY) for back in range(settings.BACKFILL_DAYS - 1)]


def _questions(facts: Facts, window: Between) -> list[Question]:
    asked = [q.feature_drift(window)] if facts.drift_on is not False else []
    return asked + ([q.accuracy(window)] if facts.has_association is not False and facts.judged_metric else [])


@dataclass(frozen=True, slots=True)
class _Judge:
    """What every day of one deployment is judged with."""

    row: Watched
    facts: Facts
    series: Snapshot
    now: datetime

    def drift(self, outcome: Outcome) -> health.Judged:
        rule = health.drift_rule(shaped(client.HealthSettings, self.series.payload(q.health_settings())))
        features = health.features_of(shaped(client.Drift, outcome.payload), None)
        window = duration(parse_duration(self.facts.interval))
        return health.judge_drift_features(features, rule, window=window, ever=any(one.rows for one in features))

    def accuracy(self, outcome: Outcome) -> health.Judged:
        return health.judge_accuracy_of(shaped(client.Accuracy, outcome.payload), self.series, self.facts)


def _days(
    row: Watched,
    facts: Facts,
    windows: Sequence[Between],
    answers: Mapping[tuple[str, datetime], Outcome],
    series: Snapshot,
    now: datetime,
) -> list[Day]:
    judge, found = _Judge(row, facts, series, now), days.rebuild(row, series, facts, now.date(), now, {Area.SERVICE})
    lag = facts.label_lag or timedelta(0)
    for window in windows:
        day = (window.end - DAY).date()
        if (drift := answers.get((past.DRIFT, window.end))) is not None:
            found.append(days.day_of(row, Area.DRIFT, day, judge.drift(drift)))
        if (accuracy := answers.get((past.ACCURACY, window.end))) is not None:
            judged = days.IMMATURE if window.end + lag > now else judge.accuracy(accuracy)
            found.append(days.day_of(row, Area.ACCURACY, day, judged))
    return found


def _write(row: Watched, found: Sequence[Day], now: datetime) -> None:
    """Replaces reconstructed days and transitions; what was judged live stays as it was said."""
    with transaction.atomic():
        Watched.objects.select_for_update().get(pk=row.pk)
        live = row.health_days.filter(reconstructed=False)
        verdicts.save_days(days.only_gaps(found, list(live.values_list("area", "day"))))
        row.transitions.filter(reconstructed=True).delete()
        rebuilt = row.health_days.filter(reconstructed=True).order_by("area", "day")
        Transition.objects.bulk_create(_transitions(row, list(rebuilt), now))


def _transitions(row: Watched, ordered: Sequence[HealthDay], now: datetime) -> list[Transition]:
    """A transition where the verdict of a day differs from the one before; greys between equal verdicts say nothing."""
    found: list[Transition] = []
    last: dict[str, HealthDay] = {}
    began: dict[str, datetime] = {}
    for day in ordered:
        at = floor_day(now).replace(year=day.day.year, month=day.day.month, day=day.day.day) + DAY
        before = last.get(day.area)
        if not Status(day.status).is_verdict:
            continue
        if before is not None and before.status != day.status:
            if before.status not in _TROUBLE:
                began[day.area] = at
            found.append(
                Transition(
                    watched=row,
                    area=day.area,
                    old=before.status,
                    new=day.status,
                    reason=day.reason,
                    evidence={"shown": day.value},
                    at=at,
                    trouble_since=began.get(day.area),
                    reconstructed=True,
                )
            )
        elif before is None and day.status in _TROUBLE:
            began[day.area] = at
        last[day.area] = day
    return found
