"""One deployment, tab by tab. Every tab has the same head and the same bar; its state is the address."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.core.cache import cache
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from dashboard.acting import shown_of
from dashboard.bar import bar
from dashboard.charts import words
from dashboard.filters import View
from dashboard.incidents import open_by_deployment
from dashboard.pages import page, part, render
from dashboard.phrases import since_text, trouble_since
from dashboard.reader import PageRequest, Reader
from dashboard.sharing.pages import SHAREABLE
from dashboard.tabs.parts import Tab
from dashboard.tabs.registry import KEPT, ROWS, TABS, leads_to
from dashboard.tabs.subject import Subject
from dashboard.why import Why, why
from monitoring import conf
from monitoring.fleet import cells
from monitoring.models import Area, Status, Watched
from monitoring.reviews import meeting


def tab_page(slug: str) -> Callable[..., HttpResponse]:
    """The page of one tab."""

    def show(request: PageRequest, pk: int) -> HttpResponse:
        return _show(request, pk, slug)

    show.__name__ = slug
    return page(show)


@page
@require_POST
def refresh(request: PageRequest, pk: int) -> HttpResponse:
    """Makes the deployment due now; the watcher polls it within seconds."""
    watched = request.reader.watched_or_404(pk)
    role = request.reader.role_in(watched.source.team_id)
    if role is not None and role.may_act:
        Watched.objects.filter(pk=pk).update(due_at=None)
    back = request.POST.get("tab", "overview")
    tab = back if back in TABS else "overview"
    return redirect(subject_of(request, watched, QueryDict(request.POST.get("query", "").lstrip("?"))).url(tab))


def note_visit(request: PageRequest, pk: int, now: datetime) -> None:
    """That the person has looked, at most once an hour: reviews ask what nobody looks at."""
    if cache.add(f"visit:{request.reader.user.pk}:{pk}", 1, meeting.VISIT_EVERY.total_seconds()):
        meeting.visit(request.reader.user.pk, pk, now)


def load(request: PageRequest, watched: Watched, name: str) -> tuple[Subject, Tab]:
    """The tab with everything it read; charts as files use it too."""
    subject = subject_of(request, watched, request.GET)
    return subject, TABS[name].build(subject, request.GET)


def subject_of(request: PageRequest, watched: Watched, query: QueryDict | None = None) -> Subject:
    """The deployment as the address, or `query`, wants it seen."""
    query = request.GET if query is None else query
    now = timezone.now()
    view = View.parse({key: query.get(key, "") for key in query}, now, request.reader.zone)
    return Subject.load(request.reader, watched, view, now)


def _show(request: PageRequest, pk: int, name: str) -> HttpResponse:
    watched = request.reader.watched_or_404(pk)
    if watched.batch_monitoring and not TABS[name].by_batch:
        return redirect(subject_of(request, watched, request.GET).url(leads_to("", batch=True)))
    subject, tab = load(request, watched, name)
    note_visit(request, pk, subject.now)
    return shown(request, subject, name, tab)


def shown(request: PageRequest, subject: Subject, name: str, tab: Tab, *, status: int = 200) -> HttpResponse:
    """The page of a tab that is built; what it lacks is asked for."""
    pk = subject.watched.pk
    coming = subject.shelf.want_missing(request.reader)
    clauses = why(subject)
    asked = [] if request.htmx else shown_of(request.reader, subject.watched, subject.now)
    context = {
        "nav": "deployment",
        "watched": subject.watched,
        "subject": subject,
        "view": subject.view,
        "now": subject.now,
        "tab": name,
        "tabs": tabs(subject, name),
        "bar": bar(subject, name, {key: request.GET.get(key, "") for key in request.GET if key in KEPT}),
        "why": clauses,
        "since": since_words(subject, request.reader, clauses),
        "incidents": open_by_deployment([pk], request.reader.zone, subject.anchor, subject.view.as_of).get(pk, []),
        "content": tab,
        "commands": asked,
        "open": sum(one.is_open for one in asked),
        "begun": sum(one.at_work for one in asked),
        "charts": tab.charts,
        "tiles": tab.tiles,
        "coming": coming,
        "share_href": share_href(subject, name, request.GET),
        "notes": notes(subject, coming),
        "stale": stale(subject),
        **tab.more,
    }
    if request.htmx:
        return part(request, "dashboard/_tab.html", context)
    return render(request, "dashboard/deployment.html", context, status=status, around=pk)


def share_href(subject: Subject, tab: str, query: QueryDict) -> str:
    """Where this view can be shared; "" where the person may not, or the tab is not for strangers."""
    role = subject.reader.role_in(subject.watched.source.team_id)
    if role is None or not role.may_change or tab not in SHAREABLE:
        return ""
    asked = {"kind": "deployment", "deployment": subject.watched.pk, "tab": tab, "query": query.urlencode()}
    return f"{reverse('share-add')}?{urlencode(asked)}"


def tabs(subject: Subject, current: str) -> list[tuple[str, str, str, bool, bool]]:
    """(word, address, status to show, chosen, off): an icon only on tabs that are not passing.

    A deployment watched by batch has no time axis: its main tab comes first.
    """
    shown = []
    rows = sorted(ROWS, key=lambda row: row.by_time) if subject.watched.batch_monitoring else ROWS
    for row in rows:
        if not row.shown_for(subject):
            continue
        worst = max((subject.status(area) for area in row.areas), key=lambda one: one.severity, default=Status.PASSING)
        loud = worst in (Status.FAILING, Status.WARNING)
        off = not row.is_on(subject)
        shown.append((row.word, subject.url(row.slug), worst.value if loud else "", row.slug == current, off))
    return shown


def since_words(subject: Subject, reader: Reader, clauses: Sequence[Why]) -> str:
    """`Failing since Tue 2 Jul 11:00 (23 d). Service health passing.`"""
    watched = subject.watched
    worst = Status(watched.worst)
    parts = []
    known = cells(watched, subject.strips(subject.anchor.date()))
    worst_cells = [cell for cell in known if cell.status == worst and cell.since]
    lead = min(
        worst_cells, key=lambda cell: trouble_since(cell, watched.first_seen_at)[0] or subject.anchor, default=None
    )
    if lead is not None and worst is not Status.PASSING:
        parts.append(f"{worst.label} {since_text(lead, watched.first_seen_at, reader.zone, subject.anchor)}.")
    named = {one.area for one in clauses}
    calm = [
        area.label
        for area in subject.watched.shown_areas
        if area.label not in named and subject.status(area) is Status.PASSING
    ]
    if calm:
        parts.append(f"{words.listed(calm)} passing.")
    parts += disagreements(subject)
    if watched.blind_spots:
        parts.append(f"Blind spots: {'; '.join(str(spot) for spot in watched.blind_spots[:3])}.")
    return " ".join(parts)


def disagreements(subject: Subject) -> list[str]:
    """`The source itself calls data drift and accuracy passing.`: one sentence a status."""
    said: dict[str, list[str]] = {}
    for area, row in subject.areas.items():
        if row.disagrees:
            said.setdefault(row.get_source_status_display().lower(), []).append(Area(area).label.lower())
    return [f"The source itself calls {words.listed(areas)} {status}." for status, areas in said.items()]


def notes(subject: Subject, coming: list[Any]) -> list[str]:
    """What the reader should know about this view: snapped ranges, segments that do not apply, what is on its way."""
    found = [note[:1].upper() + note[1:] + "." for note in subject.view.notes]
    chosen = subject.view.segment
    if chosen is not None:
        without = [
            word
            for word, kind in (("Service health", "serviceHealth"), ("Drift", "dataDrift"), ("Accuracy", "accuracy"))
            if chosen.attribute not in subject.attributes(kind)
        ]
        if without:
            verb = "is" if len(without) == 1 else "are"
            found.append(f"{words.listed(without)} {verb} not kept by {chosen.attribute}: the whole is shown there.")
    if coming:
        found.append(f"{words.count(len(coming), 'answer')} on the way from the source; the page fills in by itself.")
    elif subject.shelf.missing() and subject.view.as_of is None:
        found.append(_not_coming(subject))
    refused = subject.shelf.refused()
    if refused:
        found.append(f"Not enabled at the source: {words.listed([path.strip('/') for path in refused])}.")
    return found


def _not_coming(subject: Subject) -> str:
    role = subject.reader.role_in(subject.watched.source.team_id)
    if role is None or not role.may_act:
        return "Part of this view was never asked of the source, and your role is read only."
    return "Part of this view could not be had from the source; it is asked again in a few minutes."


@dataclass(frozen=True)
class Stale:
    """The line under the bar of a deployment whose source is silent."""

    source: str
    since: datetime
    shown: datetime | None
    error: str


def stale(subject: Subject) -> Stale | None:
    """None while answers come. Staleness is this line alone; the statuses stay as last known."""
    watched, source = subject.watched, subject.watched.source
    if source.silent_since is not None:
        return Stale(source.name, source.silent_since, watched.polled_at or source.last_ok_at, source.last_error)
    if watched.polled_at is not None and watched.is_stale(subject.now, conf.STALE_AFTER):
        return Stale(source.name, watched.polled_at, watched.polled_at, watched.problem)
    return None
