"""The wall screen for somebody who is logged in; a share link of kind wall shows the same without."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils import timezone

from dashboard.pages import page
from dashboard.reader import PageRequest
from dashboard.sharing.wall import wall


@page
def show(request: PageRequest) -> HttpResponse:
    """The fleet of all teams, or what the address narrows it to."""
    reader = request.reader
    name = reader.teams[0].name if len(reader.teams) == 1 else "All teams"
    return wall(request, reader.team_ids, request.GET.urlencode(), name, reader.zone.key, timezone.now())
