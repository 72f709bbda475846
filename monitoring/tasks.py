"""Celery's doors into the watcher. Tasks hold no logic: they fetch, call one function, and may run twice."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from monitoring import commands, deadman, mail, registering, retention, sources
from monitoring.incidents import due
from monitoring.mail import regular
from monitoring.models import Source
from monitoring.poll import cycle, history, pending
from monitoring.reviews import mails


@shared_task
def discover_sources() -> None:
    """One list call for every source that may be called."""
    for pk in sources.callable_now(timezone.now()).values_list("pk", flat=True):
        discover_source.delay(pk)


@shared_task
def discover_source(source_id: int) -> None:
    """Reads the list, then hands out at once what moved."""
    now = timezone.now()
    source = sources.callable_now(now).filter(pk=source_id).first()
    if source is not None and cycle.discover(source, now) is not None:
        dispatch_source_polls(source)


@shared_task
def dispatch_due_polls() -> None:
    """Hands out what is due, in batches. A source that was just added is read at once: somebody waits for it."""
    for source in sources.callable_now(timezone.now()):
        if source.discovered_at is None:
            discover_source.delay(source.pk)
        else:
            dispatch_source_polls(source)


def dispatch_source_polls(source: Source) -> None:
    """Claims the due deployments of one source and enqueues them in batches; then pasts that are due."""
    while ids := cycle.claim_due(source, timezone.now(), settings.POLL_BATCH):
        poll_batch.delay(source.pk, ids)
    if past := history.claim(source, timezone.now()):
        rebuild_history.delay(source.pk, past)


@shared_task
def poll_batch(source_id: int, watched_ids: list[int]) -> None:
    """Polls a batch, unless the source has been switched off or left alone meanwhile."""
    now = timezone.now()
    source = sources.callable_now(now).filter(pk=source_id).first()
    if source is None:
        cycle.give_back(watched_ids)
    else:
        cycle.poll(source, watched_ids, now)


@shared_task
def rebuild_history(source_id: int, watched_ids: list[int]) -> None:
    """Judges past days of a few deployments."""
    now = timezone.now()
    source = sources.callable_now(now).filter(pk=source_id).first()
    if source is not None:
        history.rebuild(source, watched_ids, now)


@shared_task
def dispatch_questions() -> None:
    """Hands out the sources that pages wait for."""
    for pk in pending.sources_with_questions(timezone.now()):
        answer_questions.delay(pk)


@shared_task
def answer_questions(source_id: int) -> None:
    """Answers what pages wait for at one source."""
    now = timezone.now()
    source = sources.callable_now(now).filter(pk=source_id).first()
    if source is not None:
        pending.answer_pending(source, now)


@shared_task
def run_incidents() -> None:
    """Opens, closes and decides what falls due though nobody wrote a verdict."""
    due.run_due(timezone.now())


@shared_task
def send_mail() -> None:
    """Turns new notices, and settings that were loosened, into messages; then sends what is due."""
    now = timezone.now()
    mail.decide(now)
    mail.tell_loosened(now)
    mail.send_due(now)


@shared_task
def run_regular() -> None:
    """Writes what comes by the clock: digests, silences about to end, hand-overs."""
    regular.run_regular(timezone.now())


@shared_task
def ping_outside() -> None:
    """Tells the outside that we are alive, if we are."""
    deadman.ping(timezone.now())


@shared_task
def run_commands() -> None:
    """Carries out what people asked for."""
    commands.run_due(timezone.now())


@shared_task
def run_registrations() -> None:
    """Carries on the registrations of models, and looks for the first rows that people wait for."""
    registering.run_due(timezone.now())


@shared_task
def prune() -> None:
    """Forgets what is past its retention."""
    retention.prune(timezone.now())


@shared_task
def remind_reviews() -> None:
    """Reviews that come, and promises that are late: once each."""
    mails.remind(timezone.now())
