"""Saved views: keep the present address of the fleet under a name, for oneself or for a team."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from dashboard.narrowing import canonical
from dashboard.noting import Facts, noted
from dashboard.pages import page, render
from dashboard.reader import PageRequest, Reader
from dashboard.saved import MOST, of_reader
from monitoring.audit import facts
from monitoring.models import AuditAction, DefaultView, SavedView

NAME = 60
TOLD = ("name", "query", "user")


@page
def listing(request: PageRequest) -> HttpResponse:
    """Every view of the person and of the teams, to rename, to open with, to delete."""
    reader = request.reader
    default = DefaultView.objects.filter(user=reader.user).values_list("view", flat=True).first()
    rows = [(view, _may_change(reader, view), view.pk == default) for view in of_reader(reader)]
    context = {
        "nav": "fleet",
        "own": [row for row in rows if row[0].team_id is None],
        "teams": [(team, [row for row in rows if row[0].team_id == team.pk]) for team in reader.teams],
    }
    return render(request, "dashboard/saved_views.html", context)


@page
@require_POST
def add(request: PageRequest) -> HttpResponse:
    """Keeps an address of the fleet; where the owner has that name already, it is said and nothing is lost."""
    reader = request.reader
    query = canonical(QueryDict(request.POST.get("query", "")[:4000]))
    back = redirect(f"/?{query}" if query else "/?view=all")
    name = _name(request)
    view = SavedView(name=name, query=query, created_by=reader.user, created_at=timezone.now())
    _own(request, view)
    problem = _problem(reader, view)
    if problem:
        messages.error(request, problem, extra_tags="failing")
        return back
    if not _saved(request, view):
        messages.error(request, f"There is already a view “{name}”: choose another name.", extra_tags="failing")
        return back
    if "default" in request.POST:
        _open_with(reader, view)
    messages.success(request, f"Saved as “{name}”.", extra_tags="passing")
    return back


@page
@require_POST
def change(request: PageRequest, pk: int) -> HttpResponse:
    """Another name, or whether the fleet opens with it; the latter is everybody's own affair."""
    view = _view_or_404(request.reader, pk)
    if "default" in request.POST:
        DefaultView.objects.filter(user=request.reader.user).delete()
        if request.POST["default"] == "yes":
            _open_with(request.reader, view)
        return redirect("views")
    _changeable(request.reader, view)
    before = facts(view, *TOLD)
    view.name = _name(request)
    if not view.name:
        messages.error(request, "A view needs a name.", extra_tags="failing")
    elif not _saved(request, view, before):
        messages.error(request, f"There is already a view “{view.name}”.", extra_tags="failing")
    else:
        messages.success(request, f"Renamed to “{view.name}”.", extra_tags="passing")
    return redirect("views")


@page
@require_POST
def remove(request: PageRequest, pk: int) -> HttpResponse:
    """Forgets a view; who opened the fleet with it sees everything again."""
    view = _view_or_404(request.reader, pk)
    _changeable(request.reader, view)
    with transaction.atomic():
        noted(request, AuditAction.VIEW_REMOVED, view.name, team=view.team, before=facts(view, *TOLD))
        view.delete()
    messages.success(request, f"“{view.name}” is deleted.", extra_tags="passing")
    return redirect("views")


def _name(request: PageRequest) -> str:
    return " ".join(request.POST.get("name", "").replace("\x00", "").split())[:NAME]


def _own(request: PageRequest, view: SavedView) -> None:
    """Whose view it is to be: `me`, or a team in which the person may act."""
    chosen = request.POST.get("owner", "me")
    if chosen == "me":
        view.user = request.reader.user
        return
    team, role = request.reader.team_or_404(int(chosen) if chosen.isdecimal() and len(chosen) < 10 else 0)
    if not role.may_act:
        raise PermissionDenied("Your role is read only: you may keep views for yourself, not for the team.")
    view.team = team


def _problem(reader: Reader, view: SavedView) -> str:
    if not view.name:
        return "A view needs a name."
    if len(view.query) > 1000:
        return "That is too much for one view: choose fewer filters."
    if SavedView.objects.filter(user=view.user, team=view.team).count() >= MOST:
        return f"There are {MOST} views already: delete one first."
    return ""


def _saved(request: PageRequest, view: SavedView, before: Facts | None = None) -> bool:
    action = AuditAction.VIEW_SAVED if before is None else AuditAction.VIEW_RENAMED
    try:
        with transaction.atomic():
            view.save()
            noted(request, action, view.name, team=view.team, before=before, after=facts(view, *TOLD))
    except IntegrityError:
        return False
    return True


def _open_with(reader: Reader, view: SavedView) -> None:
    DefaultView.objects.update_or_create(user=reader.user, defaults={"view": view})


def _view_or_404(reader: Reader, pk: int) -> SavedView:
    view = of_reader(reader).filter(pk=pk).first()
    if view is None:
        raise Http404("There is no such view of yours or of your teams.")
    return view


def _may_change(reader: Reader, view: SavedView) -> bool:
    if view.team_id is None:
        return True
    role = reader.role_in(view.team_id)
    return role is not None and role.may_act


def _changeable(reader: Reader, view: SavedView) -> None:
    if not _may_change(reader, view):
        raise PermissionDenied("Your role is read only: this view belongs to the team.")
