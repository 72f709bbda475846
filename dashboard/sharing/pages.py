"""The shared pages themselves: a tab, the fleet, an incident. They are made by the code of the app, then purified."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, QueryDict
from django.template.loader import render_to_string
from django.urls import reverse

from dashboard import incidents as told
from dashboard.filters import View
from dashboard.fleet import HEADS, rows
from dashboard.narrowing import asked
from dashboard.reviews.charts import about
from dashboard.sentences import fleet_headline
from dashboard.sharing.guest import guest
from dashboard.sharing.purify import purify
from dashboard.tabs.parts import Tab
from dashboard.tabs.registry import TABS
from dashboard.tabs.subject import Subject
from dashboard.why import why
from monitoring.fleet import Filters, fleet
from monitoring.models import CORE_AREAS, IncidentEvent, ShareKind, ShareLink, Source

#: Tabs that show figures only: no rows of data, no people, nothing to be set.
SHAREABLE = (
    *("overview", "service", "drift", "accuracy", "predictions", "fairness", "humility", "custom", "batches"),
    *("segments", "map"),
)
ROWS = 50


def page_of(request: HttpRequest, link: ShareLink, token: str, now: datetime) -> str:
    """The whole page as text."""
    make = {ShareKind.DEPLOYMENT: _deployment, ShareKind.FLEET: _fleet, ShareKind.INCIDENT: _incident}
    template, context = make[ShareKind(link.kind)](request, link, now)
    html = render_to_string(template, {"link": link, "now": now, "theme": "system", **context}, request)
    return purify(html, secrets_of(link), _csv(token) if link.with_csv and link.kind == ShareKind.DEPLOYMENT else None)


def tab_of(link: ShareLink, now: datetime) -> tuple[Subject, Tab]:
    """The tab that a link shows; its view is the link's, whatever the address says."""
    watched = link.watched
    if watched is None or link.tab not in TABS or link.tab not in SHAREABLE:
        raise Http404("There is no such tab.")
    reader, query = guest(link), QueryDict(link.query)
    # Marks on charts tell of notes and people: they stay inside.
    view = View.parse({**{key: query.get(key, "") for key in query}, "marks": "off"}, now, reader.zone)
    subject = Subject.load(reader, watched, view, now)
    return subject, TABS[link.tab].build(subject, query)


def secrets_of(link: ShareLink) -> list[str]:
    """What must not be read on the page: addresses and ids at the source."""
    source = (
        link.watched.source if link.watched is not None else link.incident.source if link.incident is not None else None
    )
    sources = [source] if source is not None else list(Source.objects.filter(team=link.team_id))
    found = [
        word
        for one in sources
        for word in (one.base_url, one.base_url.rstrip("/"), one.base_url.split("//")[-1].split("/")[0])
    ]
    return found + ([link.watched.remote_id] if link.watched is not None else [])


def _csv(token: str) -> Callable[[str], str]:
    def rewrite(href: str) -> str:
        name = href.split("?")[0].rsplit("/", 1)[-1].removesuffix(".csv")
        return reverse("shared-csv", args=[token, name])

    return rewrite


def _deployment(request: HttpRequest, link: ShareLink, now: datetime) -> tuple[str, dict[str, Any]]:
    subject, tab = tab_of(link, now)
    return "shared/deployment.html", {
        "watched": subject.watched,
        "subject": subject,
        "view": subject.view,
        "why": why(subject),
        "word": TABS[link.tab].word,
        "content": tab,
        "charts": tab.charts,
        "tiles": tab.tiles,
        "stale": subject.watched.source.silent_since,
        "coming": [],
        **tab.more,
    }


def _fleet(request: HttpRequest, link: ShareLink, now: datetime) -> tuple[str, dict[str, Any]]:
    reader = guest(link)
    by = asked(QueryDict(link.query), now, reader.zone)
    number = request.GET.get("page", "1")
    at = int(number) if number.isdecimal() and len(number) < 6 else 1
    found = fleet([link.team_id], by.filters, by.order, at, now=now, size=ROWS)
    return "shared/fleet.html", {
        "page": found,
        "rows": rows(found, reader.zone, now),
        "heads": [HEADS[area] for area in CORE_AREAS],
        "headline": fleet_headline(
            found.counts, found.all_count, narrowed=by.filters != Filters(statuses=by.filters.statuses)
        ),
        "more": found.total - len(found.rows),
        "pages": range(1, found.pages + 1) if found.pages > 1 else [],
    }


def _incident(request: HttpRequest, link: ShareLink, now: datetime) -> tuple[str, dict[str, Any]]:
    """What happened and when, without who: notes, names and mails stay inside."""
    row = link.incident
    if row is None:
        raise Http404("There is no such incident.")
    reader = guest(link)
    events = IncidentEvent.objects.filter(incident=row).exclude(kind__in=_PERSONAL).order_by("-at", "-pk")
    chart = about(reader, row.watched, row.area, row.began_at, now) if row.watched is not None else None
    return "shared/incident.html", {
        "incident": row,
        "line": told.line(row, reader.zone, now),
        "steps": [told.step(event, row) for event in events],
        "chart": chart,
    }


_PERSONAL = ("note", "assigned", "told", "escalated", "silenced", "snoozed", "unsnoozed")
