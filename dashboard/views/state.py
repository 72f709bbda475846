"""The state of the fleet in a few bytes, for the icon and the title of every open page."""

from __future__ import annotations

from django.http import HttpResponse, JsonResponse
from django.utils import timezone

from dashboard.frame import heard
from dashboard.pages import page
from dashboard.reader import PageRequest
from monitoring.fleet import listed, standing
from monitoring.models import Status


@page
def show(request: PageRequest) -> HttpResponse:
    """`{"worst": "failing", "failing": 3, "atRisk": 1, "stale": false}`.

    `worst` is failing, warning or passing; unknown where nothing is watched, or no source has answered for ten minutes.
    """
    sources = [source for source in request.reader.sources() if source.enabled]
    counts = standing(listed(sources)).counts
    _, stale = heard(sources, timezone.now())
    failing, risky = counts.get(Status.FAILING, 0), counts.get(Status.WARNING, 0)
    calm = Status.UNKNOWN if stale or not counts else Status.PASSING
    worst = Status.FAILING if failing else Status.WARNING if risky else calm
    return JsonResponse({"worst": worst.value, "failing": failing, "atRisk": risky, "stale": stale})
