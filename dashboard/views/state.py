"""The state of the fleet in a few bytes, for the icon and the title of every open page."""

from __future__ import annotations

from django.db.models import Count
from django.http import HttpResponse, JsonResponse
from django.utils import timezone

from dashboard.frame import STALE_AFTER
from dashboard.pages import page
from dashboard.reader import PageRequest
from monitoring.fleet import listed
from monitoring.models import Status


@page
def show(request: PageRequest) -> HttpResponse:
    """`{"worst": "failing", "failing": 3, "atRisk": 1, "stale": false}`.

    `worst` is failing, warning or passing; unknown where nothing is watched, or no source has answered for ten minutes.
    """
    sources = [source for source in request.reader.sources() if source.enabled]
    counts = dict(listed(sources).values_list("worst").annotate(n=Count("pk")).order_by())
    newest = max((source.last_ok_at for source in sources if source.last_ok_at), default=None)
    stale = newest is None or timezone.now() - newest > STALE_AFTER
    failing, risky = counts.get(Status.FAILING, 0), counts.get(Status.WARNING, 0)
    calm = Status.UNKNOWN if stale or not counts else Status.PASSING
    worst = Status.FAILING if failing else Status.WARNING if risky else calm
    return JsonResponse({"worst": worst.value, "failing": failing, "atRisk": risky, "stale": stale})
