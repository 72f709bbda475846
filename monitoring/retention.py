"""What is forgotten and what is thinned, and when. Every table that grows by itself has its line here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from importlib import import_module

from django.apps import apps
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from monitoring import compaction, conf
from monitoring.commands import files
from monitoring.mail.carriers.sealed import LIVES
from monitoring.models import (
    Answer,
    AuditEntry,
    Bulk,
    Command,
    CommandKind,
    HealthDay,
    Incident,
    Invitation,
    Message,
    PendingQuestion,
    PeriodDone,
    PollRun,
    Review,
    ReviewState,
    SeriesChunk,
    SettingsChange,
    ShareLink,
    Silence,
    Topic,
    Transition,
    UsedLink,
    WorkState,
)
from monitoring.questions import ROW_PATHS
from monitoring.registering.files import forget_old

#: Rows deleted in one transaction: a large backlog goes in steps, and a run that is cut off has done those before.
CHUNK = 2000
_FINISHED = (WorkState.DONE, WorkState.REFUSED, WorkState.CONFLICT, WorkState.FAILED, WorkState.IN_DOUBT)


def prune(now: datetime) -> dict[str, int]:
    """Deletes what is past its retention, thins what is left, and returns the rows that went away by table.

    The newest answer of every topic stays, however old, as long as it is asked again: it is what is known.
    """
    counts = {name: _forget(rows) for name, rows in _old(now).items()}
    counts["registrations"] = forget_old(now - conf.KEEP_DONE)[0]
    counts["sessions"] = _sessions(now)
    files.forget_left_over(now)
    for why, lives in LIVES.items():
        ended = Message.objects.filter(why=why, link_encrypted__isnull=False, created_at__lt=now - lives())
        ended.update(link_encrypted=None)
    return {**counts, "thinned": compaction.compact(now)}


def _old(now: datetime) -> dict[str, QuerySet[Model]]:
    """What goes, by name."""
    snapshots = now - timedelta(days=settings.RETENTION_SNAPSHOTS_DAYS)
    mail = now - timedelta(days=settings.RETENTION_MAIL_DAYS)
    done = now - conf.KEEP_DONE
    newest = Answer.objects.order_by("topic_id", "-known_at", "-pk").distinct("topic_id").values("pk")
    found: dict[str, QuerySet[Model]] = {
        "answers": Answer.objects.filter(known_at__lt=snapshots).exclude(pk__in=newest),
        "buckets": SeriesChunk.objects.filter(known_at__lt=snapshots),
        "topics": _abandoned(snapshots),
        "days": HealthDay.objects.filter(day__lt=snapshots.date()),
        "transitions": Transition.objects.filter(at__lt=snapshots),
        "changes": SettingsChange.objects.filter(seen_at__lt=snapshots, handled_at__isnull=False),
        "incidents": Incident.objects.filter(resolved_at__lt=snapshots),
        "silences": Silence.objects.filter(Q(ends_at__lt=snapshots) | Q(cancelled_at__lt=snapshots)),
        "mail": Message.objects.filter(created_at__lt=mail),
        "periods": PeriodDone.objects.filter(at__lt=done),
        "links": UsedLink.objects.filter(at__lt=done),
        "invitations": Invitation.objects.filter(
            Q(expires_at__lt=done) | Q(accepted_at__lt=done) | Q(revoked_at__lt=done)
        ),
        "shares": ShareLink.objects.filter(Q(expires_at__lt=snapshots) | Q(revoked_at__lt=snapshots)),
        "runs": PollRun.objects.filter(started_at__lt=now - conf.KEEP_RUNS),
        "questions": PendingQuestion.objects.filter(state__in=_FINISHED, finished_at__lt=now - conf.KEEP_FINISHED),
        "rows": Topic.objects.filter(path__in=ROW_PATHS, checked_at__lt=now - conf.KEEP_ROWS),
        "commands": _commands(now, snapshots),
        "bulks": Bulk.objects.filter(at__lt=snapshots),
        "audit": _audit(now - timedelta(days=settings.RETENTION_AUDIT_DAYS)),
    }
    return found


def _forget(rows: QuerySet[Model]) -> int:
    """Deletes them in steps, each a transaction of its own; returns how many rows went, those that hung on them too."""
    gone = 0
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        with transaction.atomic():
            gone += rows.model._default_manager.filter(pk__in=keys).delete()[0]
    return gone


def _abandoned(limit: datetime) -> QuerySet[Topic]:
    """Questions that nobody has asked again, of deployments that are watched all the time: somebody's odd range."""
    answering = Topic.objects.filter(watched__gone_at=None, watched__source__last_ok_at__gte=limit)
    return answering.filter(checked_at__lt=limit)


def _commands(now: datetime, kept_since: datetime) -> QuerySet[Command]:
    """Connection tests go after a month; what was changed at a source is a record and is kept as long as snapshots."""
    finished = Command.objects.filter(state__in=_FINISHED)
    tests = Q(kind=CommandKind.TEST_SOURCE, finished_at__lt=now - conf.KEEP_RUNS)
    return finished.filter(tests | Q(finished_at__lt=kept_since))


def _audit(limit: datetime) -> QuerySet[AuditEntry]:
    """Who did what. A signed record holds all it needs in itself; what a team did in the time that an open review, or
    the newest signed one of a plan, looks back on stays beside it.
    """
    rows = AuditEntry.objects.filter(at__lt=limit)
    for team, since, until in _looked_back_on():
        rows = rows.exclude(team=team, at__gte=since, at__lte=until)
    return rows


def _looked_back_on() -> Iterable[tuple[int, datetime, datetime]]:
    """(team, start, end) of the reviews that somebody may still lay beside the audit."""
    later = Review.objects.filter(plan=OuterRef("plan"), state=ReviewState.SIGNED, number__gt=OuterRef("number"))
    newest = Review.objects.filter(~Exists(later) | Q(state=ReviewState.OPEN))
    for team, since, known, signed in newest.values_list("plan__team", "since", "known_at", "signed_at"):
        yield team, since, signed or known


def _sessions(now: datetime) -> int:
    """Log-ins that have ended, and what was noted about their browsers."""
    gone: int = Session.objects.filter(expire_date__lt=now).count()
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    if apps.is_installed("allauth.usersessions"):
        seen = apps.get_model("usersessions", "UserSession")._default_manager
        ended = seen.filter(last_seen_at__lt=now - timedelta(seconds=settings.SESSION_COOKIE_AGE))
        ended.exclude(session_key__in=Session.objects.filter(expire_date__gte=now).values("session_key")).delete()
    return gone
