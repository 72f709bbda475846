"""The list of the command palette."""

from __future__ import annotations

from django.http import HttpResponse

from dashboard import palette
from dashboard.pages import page, part
from dashboard.reader import PageRequest


@page
def show(request: PageRequest) -> HttpResponse:
    """Options for `q`; `at` is the deployment whose page is open."""
    at = request.GET.get("at", "")
    number = int(at) if at.isascii() and at.isdecimal() and len(at) < 10 else None
    found = palette.entries(request.reader, request.GET.get("q", ""), number)
    return part(request, "dashboard/_palette.html", {"entries": found})
