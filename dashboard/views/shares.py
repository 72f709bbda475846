"""Share links and badges of the teams: made, listed with when they were last opened, revoked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from dashboard.narrowing import canonical
from dashboard.pages import page, render
from dashboard.reader import PageRequest, Reader
from dashboard.sharing.pages import SHAREABLE
from dashboard.tabs.registry import KEPT, TABS
from monitoring import shares
from monitoring.models import Incident, Role, ShareKind, ShareLink, Team, Watched

NAV = {"nav": "settings", "sub": "shares"}
DAYS = {"1": 1, "7": 7, "30": 30, "90": 90, "366": 366}
VIEW = ("model", "segment", "start", "end", "range", "bin", "batches", "as_of")
MOST = 200


class ShareForm(forms.Form):
    """For whom, how long, and whether with files. What is shown comes from the page that it was opened from."""

    name = forms.CharField(max_length=80)
    days = forms.TypedChoiceField(coerce=int, choices=[], initial="7")
    with_csv = forms.BooleanField(required=False)

    def __init__(self, *args: Any, kind: ShareKind, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        longest = shares.longest(kind).days
        choices = [(name, f"{n} day{'' if n == 1 else 's'}") for name, n in DAYS.items() if n <= longest]
        field = self.fields["days"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = choices
        if kind != ShareKind.DEPLOYMENT:
            del self.fields["with_csv"]


@page
def listing(request: PageRequest) -> HttpResponse:
    """Every link of the teams, newest first; who may share may revoke."""
    now = timezone.now()
    rows = ShareLink.objects.filter(team__in=request.reader.team_ids).select_related(
        "team", "watched", "incident", "created_by", "revoked_by"
    )[:MOST]
    may = {m.team_id: m.may_change for m in request.reader.memberships}
    context = {
        "links": [(row, row.is_live(now), may.get(row.team_id, False) and row.is_live(now)) for row in rows],
        "teams": [m.team for m in request.reader.memberships if m.may_change],
        "now": now,
    }
    return render(request, "dashboard/shares.html", {**NAV, **context})


@page
def add(request: PageRequest) -> HttpResponse:
    """A new link. Its address is shown once, on the answer to this form."""
    link = _asked(request)
    role = request.reader.role_in(link.team_id)
    if role is None or not role.may_change:
        raise PermissionDenied("Owners and managers of the team share its pages: ask one of them.")
    form = ShareForm(request.POST or None, kind=ShareKind(link.kind))
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        link.name, link.with_csv = form.cleaned_data["name"], bool(form.cleaned_data.get("with_csv"))
        link.expires_at = now + timedelta(days=form.cleaned_data["days"])
        try:
            token = shares.make(link, request.reader.user, now, request)
        except shares.ShareRefused as refused:
            form.add_error({"expires": "days"}.get(refused.field, refused.field), str(refused))
        else:
            return render(request, "dashboard/share_made.html", {**NAV, "link": link, **addresses(link, token)})
    context = {"form": form, "link": link, "what": what(link), "asked": _kept(request)}
    return render(request, "dashboard/share_form.html", {**NAV, **context})


@page
@require_POST
def revoke(request: PageRequest, pk: int) -> HttpResponse:
    """Ends a link at once."""
    link = ShareLink.objects.filter(team__in=request.reader.team_ids, pk=pk).select_related("team", "watched").first()
    if link is None:
        raise Http404("There is no such link of your teams.")
    role = request.reader.role_in(link.team_id)
    if role is None or not role.may_change:
        raise PermissionDenied("Owners and managers of the team revoke its links.")
    if shares.revoke(link, request.reader.user, timezone.now(), request):
        messages.success(request, f"Revoked: the link for {link.name} no longer opens.", extra_tags="passing")
    return redirect("shares")


def addresses(link: ShareLink, token: str) -> dict[str, str]:
    """Where the link opens; a badge has two addresses."""
    if link.kind == ShareKind.BADGE:
        picture, data = (settings.PUBLIC_URL + reverse(f"badge-{kind}", args=[token]) for kind in ("svg", "json"))
        return {"picture": picture, "data": data, "markdown": f"![Vitals]({picture})"}
    return {"address": settings.PUBLIC_URL + reverse("shared", args=[token])}


def what(link: ShareLink) -> str:
    """`The tab Drift of Flight delayed, as it is shown now`."""
    if link.kind == ShareKind.DEPLOYMENT and link.watched is not None:
        return f"The tab {TABS[link.tab].word} of {link.watched.label}"
    if link.kind == ShareKind.INCIDENT:
        return f"Incident {link.incident_id}: what happened and when, without names and notes"
    if link.kind == ShareKind.BADGE:
        return f"A badge with the state of {link.watched.label if link.watched else f'all deployments of {link.team}'}"
    where = f", narrowed to {link.query}" if link.query else ""
    return f"The {'wall screen' if link.kind == ShareKind.WALL else 'fleet'} of {link.team}{where}"


def _kept(request: PageRequest) -> list[tuple[str, str]]:
    return [(name, value) for name, value in _source(request).items() if name in _NAMES and isinstance(value, str)]


_NAMES = frozenset({"kind", "deployment", "incident", "team", "tab", "query"})


def _source(request: PageRequest) -> QueryDict:
    return request.POST if request.method == "POST" else request.GET


def _asked(request: PageRequest) -> ShareLink:
    """What is to be shared, checked against what the person may see; 404 for anything else."""
    query, reader = _source(request), request.reader
    kind = query.get("kind", "")
    if kind not in ShareKind.values:
        raise Http404("There is nothing of that kind to share.")
    link = ShareLink(kind=kind, time_zone=reader.zone.key, expires_at=datetime.min.replace(tzinfo=UTC))
    view = QueryDict(query.get("query", "")[:1000].lstrip("?"))
    if kind == ShareKind.INCIDENT:
        link.incident = _incident(reader, _number(query, "incident"))
        link.team = link.incident.team
    elif kind == ShareKind.DEPLOYMENT or (kind == ShareKind.BADGE and query.get("deployment")):
        link.watched = _watched(reader, _number(query, "deployment"))
        link.team = link.watched.source.team
    else:
        link.team, link.query = _team(reader, query), canonical(view)
    if kind == ShareKind.DEPLOYMENT:
        link.tab = query.get("tab", "overview")
        if link.tab not in SHAREABLE or link.tab not in TABS:
            raise Http404("This tab is not shared: it shows rows, people or settings.")
        names = (*VIEW, *sorted(KEPT))
        link.query = "&".join(f"{name}={_quoted(view[name])}" for name in names if view.get(name))[:1000]
    return link


def _quoted(text: str) -> str:
    return quote(text, safe=":")


def _number(query: QueryDict, name: str) -> int:
    text = query.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 19 else 0


def _watched(reader: Reader, pk: int) -> Watched:
    return reader.watched_or_404(pk)


def _incident(reader: Reader, pk: int) -> Incident:
    found = Incident.objects.filter(team__in=reader.team_ids, pk=pk).select_related("team").first()
    if found is None:
        raise Http404("There is no such incident of your teams.")
    return found


def _team(reader: Reader, query: QueryDict) -> Team:
    """The named team, or the first in which the person may share."""
    if query.get("team"):
        return reader.team_or_404(_number(query, "team"))[0]
    own = next((m.team for m in reader.memberships if Role(m.role).may_change), None)
    found = own or next(iter(reader.teams), None)
    if found is None:
        raise Http404("You are in no team whose fleet could be shared.")
    return found
