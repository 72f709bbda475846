"""One run: discovery of a source, or a poll of some of its deployments. Everything here may run twice without harm."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from monitoring import conf, days, health, snapshots, sources, verdicts
from monitoring.client import DeploymentsError, SourceError
from monitoring.models import Area, HealthDay, Membership, PollRun, RunKind, Source, Topic, TopicState, Watched
from monitoring.poll import discovery
from monitoring.poll.facts import fact_questions, facts_of
from monitoring.poll.fetch import Fetched, Job, fetch
from monitoring.poll.pace import Pace, pace_of
from monitoring.poll.plan import Stored, asks, due
from monitoring.poll.standing import Facts, Standing, first_questions, standing
from monitoring.poll.store import save
from monitoring.snapshots import Snapshot
from monitoring.sources import MakeTransport

logger = logging.getLogger(__name__)

#: A run stops sending after this long; what is left out stays due.
RUN_SECONDS = 300.0
#: Past days are judged again once old data that changes has settled: an upload comes in many parts.
SETTLE = timedelta(minutes=2)


# --- Discovery ----------------------------------------------------------------------------------------------------


def discover(source: Source, now: datetime, transport: MakeTransport | None = None) -> PollRun | None:
    """Reads the deployment list. None if another worker does so right now.

    1. Claim by a conditional update. 2. One list call. 3. Bring the rows in line. 4. Record, give the claim back.
    """
    free = Q(discovery_claimed_until__isnull=True) | Q(discovery_claimed_until__lte=now)
    if not Source.objects.filter(free, pk=source.pk).update(discovery_claimed_until=now + conf.LEASE):
        return None
    run, began = PollRun(source=source, kind=RunKind.DISCOVERY, started_at=now), time.monotonic()
    try:
        entries, run.asked, version = asyncio.run(_list(source, transport))
        found = discovery.apply(source, entries, now=now, interval=settings.POLL_INTERVAL)
        run.answered, run.deployments, run.skipped = run.asked, found.total, found.total - found.new - found.moved
        Source.objects.filter(pk=source.pk).update(
            discovered_at=now, deployments_count=found.total, api_version=version[:20]
        )
        sources.note_success(source, now)
    except DeploymentsError as error:
        run.failed, run.problem = 1, str(error)[:500]
        sources.note_trouble(source, error if isinstance(error, SourceError) else SourceError(str(error)), now)
    finally:
        Source.objects.filter(pk=source.pk).update(discovery_claimed_until=None)
    run.seconds = time.monotonic() - began
    run.save()
    return run


async def _list(source: Source, transport: MakeTransport | None) -> tuple[list[dict[str, object]], int, str]:
    async with sources.client_of(source, transport) as client:
        version = source.api_version or await client.version()
        return await client.deployments(), client.requests, version


# --- Due ----------------------------------------------------------------------------------------------------------


def claim_due(source: Source, now: datetime, limit: int) -> list[int]:
    """Claims up to `limit` due deployments of the source and returns their ids."""
    ready = Q(due_at__isnull=True) | Q(due_at__lte=now)
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
    with transaction.atomic():
        rows = Watched.objects.select_for_update(skip_locked=True).filter(ready, free, source=source, gone_at=None)
        found = list(rows.order_by("due_at", "pk").values_list("pk", flat=True)[:limit])
        Watched.objects.filter(pk__in=found).update(claimed_until=now + conf.LEASE)
    return found


def give_back(ids: Sequence[int]) -> None:
    """Gives claims back unused."""
    Watched.objects.filter(pk__in=ids).update(claimed_until=None)


# --- Poll ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Work:
    """One deployment in a run."""

    row: Watched
    pace: Pace
    facts: Facts


def poll(source: Source, ids: Sequence[int], now: datetime, transport: MakeTransport | None = None) -> PollRun:
    """Polls the deployments that are still due: ask, store, judge, record."""
    run, began = PollRun(source=source, kind=RunKind.POLL, started_at=now), time.monotonic()
    ready = Q(due_at__isnull=True) | Q(due_at__lte=now)
    rows = list(Watched.objects.filter(ready, pk__in=ids, source=source, gone_at=None).order_by("pk"))
    work = _plan(rows, now)
    fetched = _fetch_all(source, work, now, transport, run)
    _finish(work, fetched, now)
    if fetched.trouble is not None:
        sources.note_trouble(source, fetched.trouble, now)
        run.problem = str(fetched.trouble)[:500]
    elif fetched.outcomes:
        sources.note_success(source, now)
    give_back(ids)
    run.deployments, run.skipped = len(rows), len(ids) - len(work)
    run.answered, run.refused = fetched.count(TopicState.OK), fetched.count(TopicState.REFUSED)
    run.failed = fetched.count(TopicState.FAILED, TopicState.MALFORMED) + fetched.left_out
    run.seconds = time.monotonic() - began
    run.save()
    return run


def _plan(rows: Sequence[Watched], now: datetime) -> list[_Work]:
    facts = _facts(rows, now)
    work = []
    for row in rows:
        pace = pace_of(
            now=now,
            backfilled_at=row.backfilled_at,
            polled_at=row.polled_at,
            slow_polled_at=row.slow_polled_at,
            moved_at=row.moved_at,
            slow=settings.POLL_SLOW_INTERVAL,
        )
        if row.restated_from is not None:
            pace = max(pace or Pace.HOURLY, Pace.HOURLY)
        if pace is not None:
            work.append(_Work(row, pace, facts[row.pk]))
        else:
            Watched.objects.filter(pk=row.pk).update(due_at=now + settings.POLL_SLOW_INTERVAL)
    return work


def _facts(rows: Sequence[Watched], now: datetime) -> dict[int, Facts]:
    if not rows:
        return {}
    known = snapshots.read_many({row.pk: fact_questions(row) for row in rows}, now=now)
    return {row.pk: _facts_of(row, known[row.pk], now) for row in rows}


def _facts_of(row: Watched, known: Snapshot, now: datetime) -> Facts:
    """Answers that break the reading count as not there: one deployment must not stop the others of its source."""
    try:
        return facts_of(row, known, now)
    except Exception:
        logger.exception("the answers about deployment %s cannot be read", row.pk)
        return facts_of(row, Snapshot(now=now), now)


def _fetch_all(
    source: Source, work: Sequence[_Work], now: datetime, transport: MakeTransport | None, run: PollRun
) -> Fetched:
    """First sight needs two rounds: what the rest is planned by, then the rest."""
    with asyncio.Runner() as runner:
        client = sources.client_of(source, transport)
        try:
            fetched = runner.run(fetch(client, _first_jobs(work, now), seconds=RUN_SECONDS))
            run.stored += _save(fetched, work, now)
            _learn([one for one in work if one.pace is Pace.FIRST], now)
            if fetched.trouble is None:
                second = runner.run(fetch(client, _jobs(work, now, fetched), seconds=RUN_SECONDS))
                run.stored += _save(second, work, now)
                fetched.extend(second)
        finally:
            runner.run(client.close())
    run.asked = client.requests
    return fetched


def _first_jobs(work: Sequence[_Work], now: datetime) -> list[Job]:
    return [
        Job(one.row.pk, one.row.remote_id, ask)
        for one in work
        if one.pace is Pace.FIRST
        for ask in asks(first_questions(one.facts), {}, Pace.FIRST, now)
    ]


def _learn(work: Sequence[_Work], now: datetime) -> None:
    facts = _facts([one.row for one in work], now)
    for one in work:
        one.facts = facts[one.row.pk]


def _jobs(work: Sequence[_Work], now: datetime, done: Fetched) -> list[Job]:
    """What is left to ask; nothing of what the first round has just asked."""
    asked = {(outcome.watched_id, question) for outcome in done.outcomes for question in outcome.ask.questions}
    stored = _stored([one.row.pk for one in work])
    jobs = []
    for one in work:
        chosen: list[Standing] = due(standing(one.facts), one.pace)
        chosen = [item for item in chosen if (one.row.pk, item.question) not in asked]
        known = stored.get(one.row.pk, {})
        jobs += [
            Job(one.row.pk, one.row.remote_id, ask) for ask in asks(chosen, known, one.pace, now, one.row.restated_from)
        ]
    return jobs


def _stored(ids: Sequence[int]) -> dict[int, dict[str, Stored]]:
    rows = Topic.objects.filter(watched__in=ids, open_from__isnull=False)
    found: dict[int, dict[str, Stored]] = {}
    for pk, key, open_from, closed in rows.values_list("watched_id", "key", "open_from", "closed_until"):
        found.setdefault(pk, {})[key] = Stored(open_from, closed)
    return found


def _save(fetched: Fetched, work: Sequence[_Work], now: datetime) -> int:
    lags = {one.row.pk: one.facts.label_lag for one in work}
    first = {one.row.pk for one in work if one.pace is Pace.FIRST}
    stored = 0
    for reconstructed in (False, True):
        outcomes = [one for one in fetched.outcomes if (one.watched_id in first) is reconstructed]
        saved = save(outcomes, now=now, lags=lags, reconstructed=reconstructed)
        stored += saved.stored
        for pk, moment in saved.restated.items():
            Watched.objects.filter(pk=pk).update(restated_from=moment, due_at=now, history_due_at=now + SETTLE)
    return stored


def _finish(work: Sequence[_Work], fetched: Fetched, now: datetime) -> None:
    """Judges what was answered, rebuilds strips, and says when each is due again."""
    answered = [one for one in work if one.row.pk in fetched.answered]
    facts = _facts([one.row for one in answered], now)
    judge([one.row for one in answered], facts, now)
    rebuild_days([one.row for one in answered if one.pace >= Pace.HOURLY], facts, now)
    left_out = fetched.trouble is not None or fetched.left_out > 0
    with transaction.atomic():
        ids = [one.row.pk for one in work]
        fresh = {row.pk: row for row in Watched.objects.select_for_update().filter(pk__in=ids).order_by("pk")}
        for one in work:
            _reschedule(fresh[one.row.pk], one, one.row.pk in fetched.answered and not left_out, now)
        Watched.objects.bulk_update(fresh.values(), _SCHEDULE, batch_size=500)


_SCHEDULE = (
    *("attempted_at", "polled_at", "slow_polled_at", "backfilled_at"),
    *("restated_from", "due_at", "history_due_at"),
)


def _reschedule(row: Watched, one: _Work, complete: bool, now: datetime) -> None:
    """A move that was listed while the poll ran, and a bucket that it found restated, stay due."""
    row.attempted_at = now
    if not complete:
        row.due_at = now + settings.POLL_INTERVAL
        return
    row.polled_at = now
    if one.pace >= Pace.QUIET:
        row.slow_polled_at = now
    if row.backfilled_at is None:
        row.backfilled_at, row.history_due_at = now, now
    again = row.moved_at is not None and row.moved_at > now
    if one.pace >= Pace.HOURLY and row.restated_from == one.row.restated_from:
        row.restated_from = None
    again = again or row.restated_from is not None
    row.due_at = now + (settings.POLL_INTERVAL if again else settings.POLL_SLOW_INTERVAL)


# --- Judging ------------------------------------------------------------------------------------------------------


def judge(rows: Sequence[Watched], facts: Mapping[int, Facts], now: datetime) -> None:
    """Verdicts from what is stored, for many deployments in a bounded number of statements."""
    if not rows:
        return
    wanted = {row.pk: [*health.judged_questions(facts[row.pk]), *health.BLIND_SPOT_QUESTIONS] for row in rows}
    known = snapshots.read_many(wanted, now=now)
    readers = _readers(rows)
    rulings = [
        verdicts.Ruling(
            watched_id=row.pk,
            areas=health.judge(row, known[row.pk], facts[row.pk]),
            blind_spots=health.blind_spots(known[row.pk], facts[row.pk], readers=readers.get(row.source_id, 0)),
            coverage=health.coverage(known[row.pk], facts[row.pk], readers=readers.get(row.source_id, 0)),
            label_lag=facts[row.pk].label_lag,
            interval=facts[row.pk].interval,
        )
        for row in rows
    ]
    verdicts.apply(rulings, now)


def _readers(rows: Sequence[Watched]) -> Mapping[int, int]:
    """Members who want mail, by source."""
    source_ids = {row.source_id for row in rows}
    found = Membership.objects.filter(team__sources__in=source_ids, wants_mail=True, user__is_active=True)
    counts: dict[int, int] = {}
    for source_id in found.values_list("team__sources", flat=True):
        counts[source_id] = counts.get(source_id, 0) + 1
    return counts


def rebuild_days(rows: Sequence[Watched], facts: Mapping[int, Facts], now: datetime) -> None:
    """Strips of the days that nobody judged live, from stored day buckets."""
    if not rows:
        return
    known = snapshots.read_many({row.pk: days.day_questions(facts[row.pk]) for row in rows}, now=now)
    today = now.date()
    live = HealthDay.objects.filter(watched__in=rows, reconstructed=False, day__gte=today - timedelta(days=60))
    said: dict[int, list[tuple[str, object]]] = {}
    for pk, area, day in live.values_list("watched_id", "area", "day"):
        said.setdefault(pk, []).append((area, day))
    fresh = []
    for row in rows:
        areas = days.EVERYTHING if row.history_at is None else {Area.SERVICE}  # history judged the others better
        rebuilt = days.rebuild(row, known[row.pk], facts[row.pk], today, now, areas)
        fresh += days.only_gaps(rebuilt, said.get(row.pk, []))
    verdicts.save_days(fresh)
