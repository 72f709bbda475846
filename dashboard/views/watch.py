"""Watch health: the watcher speaks of itself — coverage, age of the data, mail, what waits, slow sources."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone

from dashboard import watching
from dashboard.pages import page, render
from dashboard.reader import PageRequest
from dashboard.views.sources import entries
from monitoring.models import PollRun

RUNS = 40


@page
def show(request: PageRequest) -> HttpResponse:
    """Twelve statements whatever the size of the fleet; those who run the installation see all of /metrics as well."""
    now = timezone.now()
    teams = request.reader.team_ids
    runs = PollRun.objects.filter(source__team__in=teams).select_related("source").order_by("-started_at")[:RUNS]
    context = {
        "nav": "watch",
        "now": now,
        "tiles": watching.tiles(teams, now),
        "slowest": watching.slowest(teams, now),
        "entries": entries(request.reader),
        "runs": runs,
        "installation": watching.installation(now) if request.user.is_superuser else [],
        "metrics_on": bool(settings.METRICS_TOKEN or settings.METRICS_NETWORKS),
    }
    return render(request, "dashboard/watch.html", context)
