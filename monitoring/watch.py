"""The watcher about itself: how much of what was planned was answered, how old the data are, whether mail left."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min, Q, Sum

from monitoring import conf
from monitoring.models import MailState, Message, PollRun, RunKind, Source, Watched

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Pulse:
    """Figures of the last hour; `coverage` is answered over asked (1.0 where nothing was asked)."""

    sources: int
    silent: tuple[str, ...]
    deployments: int
    stale: int
    last_list_at: datetime | None
    last_poll_at: datetime | None
    oldest_answer_at: datetime | None
    asked: int
    answered: int
    refused: int
    failed: int
    mail_waiting: int
    mail_failed: int
    last_mail_at: datetime | None
    mail_is_kept: bool

    @property
    def coverage(self) -> float:
        return (self.answered + self.refused) / self.asked if self.asked else 1.0


def pulse(team_ids: Iterable[int], now: datetime) -> Pulse:
    """How the watcher does for these teams: four statements."""
    teams = list(team_ids)
    rows = list(Source.objects.filter(team__in=teams, enabled=True).order_by("name"))
    runs = PollRun.objects.filter(source__in=rows, started_at__gte=now - HOUR).aggregate(
        asked=Sum("asked"),
        answered=Sum("answered"),
        refused=Sum("refused"),
        failed=Sum("failed"),
        last=Max("started_at", filter=Q(kind=RunKind.POLL)),
    )
    limit = now - conf.STALE_AFTER
    watched = Watched.objects.filter(source__in=rows, gone_at=None).aggregate(
        all=Count("pk"), stale=Count("pk", filter=Q(seen_at__lt=limit)), oldest=Min("seen_at"), polled=Max("polled_at")
    )
    mail = Message.objects.filter(team__in=teams).aggregate(
        waiting=Count("pk", filter=Q(state__in=[MailState.PENDING, MailState.SENDING, MailState.IN_DOUBT])),
        failed=Count("pk", filter=Q(state=MailState.FAILED, created_at__gte=now - timedelta(days=1))),
        last=Max("sent_at"),
        kept=Count("pk", filter=Q(state=MailState.KEPT)),
    )
    return Pulse(
        sources=len(rows),
        silent=tuple(row.name for row in rows if row.silent_since is not None),
        deployments=watched["all"],
        stale=watched["stale"],
        last_list_at=max((row.discovered_at for row in rows if row.discovered_at), default=None),
        last_poll_at=runs["last"] or watched["polled"],
        oldest_answer_at=watched["oldest"],
        asked=runs["asked"] or 0,
        answered=runs["answered"] or 0,
        refused=runs["refused"] or 0,
        failed=runs["failed"] or 0,
        mail_waiting=mail["waiting"],
        mail_failed=mail["failed"],
        last_mail_at=mail["last"],
        mail_is_kept=bool(mail["kept"]),
    )
