"""Jobs of every deployment that the reader may see."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils import timezone

from dashboard.jobs import CHOICES, MOST_DEPLOYMENTS, MOST_JOBS, of_fleet
from dashboard.pages import page, part, render
from dashboard.reader import PageRequest


@page
def listing(request: PageRequest) -> HttpResponse:
    """Those at work first; from what is stored, and renewed while one is at work."""
    now = timezone.now()
    asked = request.GET.get("state", "")
    state = asked if asked in dict(CHOICES) else ""
    found = of_fleet(request.reader, state, now)
    context = {
        "nav": "watch",
        "now": now,
        "fleet": found,
        "jobs": found.jobs,
        "state": state,
        "choices": [(word, f"?state={name}" if name else "?", name == state) for name, word in CHOICES],
        "at_work": any(one.is_open for one in found.jobs),
        "most_jobs": MOST_JOBS,
        "most_deployments": MOST_DEPLOYMENTS,
    }
    if request.htmx:
        return part(request, "dashboard/_jobs_fleet.html", context)
    return render(request, "dashboard/jobs.html", context)
