"""Watch health: the watcher speaks of itself — coverage, data age, mail, what waits."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Count, Min, Q
from django.http import HttpResponse
from django.utils import timezone

from dashboard.pages import page, render
from dashboard.reader import PageRequest
from dashboard.views.sources import entries
from monitoring import conf
from monitoring.models import MailState, Message, PendingQuestion, Ping, PollRun, Watched, WorkState

OPEN = (WorkState.PENDING, WorkState.RUNNING)


@page
def show(request: PageRequest) -> HttpResponse:
    """Six queries whatever the size of the fleet."""
    now = timezone.now()
    teams = request.reader.team_ids
    listed = Watched.objects.filter(source__team__in=teams, gone_at__isnull=True)
    ages = listed.aggregate(
        total=Count("pk"),
        oldest=Min("polled_at"),
        stale=Count("pk", filter=Q(polled_at__lt=now - conf.STALE_AFTER) & Q(seen_at__lt=now - conf.STALE_AFTER)),
        never=Count("pk", filter=Q(polled_at__isnull=True)),
    )
    waiting = PendingQuestion.objects.filter(watched__source__team__in=teams, state__in=OPEN).aggregate(
        n=Count("pk"), oldest=Min("asked_at")
    )
    mail = Message.objects.filter(team__in=teams, created_at__gte=now - timedelta(days=7)).values_list("state")
    runs = PollRun.objects.filter(source__team__in=teams).select_related("source").order_by("-started_at")[:40]
    by_state = {MailState(state): n for state, n in mail.annotate(n=Count("pk")).order_by()}
    context = {
        "nav": "watch",
        "now": now,
        "entries": entries(request.reader),
        "ages": ages,
        "waiting": waiting,
        "mail": by_state,
        "mail_total": sum(by_state.values()),
        "runs": runs,
        "deadman": bool(settings.DEADMAN_URL),
        "ping": Ping.objects.first() if settings.DEADMAN_URL else None,
    }
    return render(request, "dashboard/watch.html", context)
