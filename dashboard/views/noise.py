"""Noise: what each rule's messages of a month were worth to the people who got them, worst first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.http import Http404, HttpResponse
from django.utils import timezone

from dashboard.pages import page, part, render
from dashboard.reader import PageRequest
from dashboard.views.tuning import offer
from monitoring.configuration.fields import SECTIONS
from monitoring.models import Area
from monitoring.noise import TRIED_DAYS, noise_table


@page
def show(request: PageRequest) -> HttpResponse:
    """One month; by default the present one."""
    start = _month(request.GET.get("month", ""), timezone.now())
    end = _next(start)
    rows = noise_table(request.reader.team_ids, start, end)
    context = {
        "nav": "settings",
        "sub": "noise",
        "rows": rows,
        "start": start,
        "before": f"{start - timedelta(days=1):%Y-%m}",
        "after": f"{end:%Y-%m}" if end <= timezone.now() else "",
        "votes": sum(row.useful + row.noise for row in rows),
        "mails": sum(row.mails for row in rows),
    }
    return render(request, "dashboard/noise.html", context)


@page
def proposal(request: PageRequest, pk: int, area: str) -> HttpResponse:
    """A quieter limit for one rule, tried on its past; fetched by the page, and only when asked for."""
    watched = request.reader.watched_or_404(pk)
    if area not in Area.values:
        raise Http404("There is no such area.")
    section = next((one for one in SECTIONS if one.area == area and one.replayed), None)
    context = {"days": TRIED_DAYS} if section is None else offer(request, watched, section)
    return part(request, "dashboard/_quieter.html", {**context, "clicked": "clicked" in request.GET})


def _month(text: str, now: datetime) -> datetime:
    """The first of the asked month in UTC; of the present one for anything that is none."""
    try:
        return datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC)
    except ValueError:
        return now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _next(start: datetime) -> datetime:
    return (start + timedelta(days=32)).replace(day=1)
