"""What is forgotten and what is thinned, and when."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from monitoring import compaction, conf
from monitoring.commands import files
from monitoring.mail.carriers.sealed import lives
from monitoring.models import (
    Answer,
    Command,
    CommandKind,
    HealthDay,
    Incident,
    Message,
    PendingQuestion,
    PeriodDone,
    PollRun,
    SeriesChunk,
    Topic,
    UsedLink,
    WorkState,
)
from monitoring.questions import ROW_PATHS
from monitoring.registering.files import forget_old

_FINISHED = (WorkState.DONE, WorkState.REFUSED, WorkState.CONFLICT, WorkState.FAILED, WorkState.IN_DOUBT)


def prune(now: datetime) -> dict[str, int]:
    """Deletes what is past its retention, thins what is left, and returns the rows that went away by table.

    The newest answer of every topic stays, however old: it is what is known.
    """
    snapshots = now - timedelta(days=settings.RETENTION_SNAPSHOTS_DAYS)
    mail = now - timedelta(days=settings.RETENTION_MAIL_DAYS)
    newest = Answer.objects.order_by("topic_id", "-known_at", "-pk").distinct("topic_id").values("pk")
    finished = now - conf.KEEP_FINISHED
    deleted = {
        "answers": Answer.objects.filter(known_at__lt=snapshots).exclude(pk__in=newest).delete(),
        "buckets": SeriesChunk.objects.filter(known_at__lt=snapshots).delete(),
        "days": HealthDay.objects.filter(day__lt=snapshots.date()).delete(),
        "incidents": Incident.objects.filter(resolved_at__lt=snapshots).delete(),
        "mail": Message.objects.filter(created_at__lt=mail).delete(),
        "periods": PeriodDone.objects.filter(at__lt=now - conf.KEEP_DONE).delete(),
        "links": UsedLink.objects.filter(at__lt=now - conf.KEEP_DONE).delete(),
        "runs": PollRun.objects.filter(started_at__lt=now - conf.KEEP_RUNS).delete(),
        "questions": PendingQuestion.objects.filter(state__in=_FINISHED, finished_at__lt=finished).delete(),
        "rows": Topic.objects.filter(path__in=ROW_PATHS, checked_at__lt=now - conf.KEEP_ROWS).delete(),
        "commands": _commands(now, snapshots),
        "registrations": forget_old(now - conf.KEEP_DONE),
    }
    files.forget_left_over(now)
    ended = Message.objects.filter(link_encrypted__isnull=False, created_at__lt=now - lives())
    ended.update(link_encrypted=None)
    counts = {name: count for name, (count, _) in deleted.items()}
    return {**counts, "thinned": compaction.compact(now)}


def _commands(now: datetime, kept_since: datetime) -> tuple[int, dict[str, int]]:
    """Connection tests go after a month; what was changed at a source is a record and is kept as long as snapshots."""
    finished = Command.objects.filter(state__in=_FINISHED)
    tests = Q(kind=CommandKind.TEST_SOURCE, finished_at__lt=now - conf.KEEP_RUNS)
    return finished.filter(tests | Q(finished_at__lt=kept_since)).delete()
