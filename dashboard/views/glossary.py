"""The glossary: all terms on one page, and one term as the card that opens where it stands."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from dashboard.glossary import by_group, find
from dashboard.pages import page, part, render
from dashboard.reader import PageRequest

KEPT_FOR = "private, max-age=3600"


@page
def listing(request: PageRequest) -> HttpResponse:
    """Every term under its heading."""
    return render(request, "dashboard/glossary.html", {"nav": "glossary", "groups": by_group()})


@page
def term(request: PageRequest, slug: str) -> HttpResponse:
    """One term: the card for the page that asks from within, else its place in the list."""
    entry = find(slug)
    if entry is None or entry.slug != slug:
        raise Http404("The glossary has no such term.")
    if not request.htmx:
        return redirect(f"{reverse('glossary')}#{slug}")
    card = part(request, "dashboard/_term.html", {"entry": entry, "card": True})
    card.headers["Cache-Control"] = KEPT_FOR
    card.headers["Vary"] = "HX-Request, Cookie"
    return card
