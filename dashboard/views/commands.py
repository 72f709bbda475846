"""The commands of a deployment on its pages: asked for again while one is open, taken off, or decided again."""

from __future__ import annotations

from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from dashboard.acting import act_on, shown_of
from dashboard.noting import noted
from dashboard.pages import page, part
from dashboard.reader import PageRequest
from monitoring import commands
from monitoring.configuration.edits import rebased
from monitoring.configuration.present import QUESTIONS
from monitoring.models import AuditAction, Command, CommandKind, Watched, WorkState


@page
def listing(request: PageRequest, pk: int) -> HttpResponse:
    """The piece of the page. `open`, `begun`: how many were open and at work at the source when it was last drawn.

    Fewer open or more at work now means that the tab is old.
    """
    watched = request.reader.watched_or_404(pk)
    return _piece(request, watched, request.GET.get("open", "0"), request.GET.get("begun", ""))


@page
@require_POST
def dismiss(request: PageRequest, pk: int, command_pk: int) -> HttpResponse:
    """Takes a finished command off the page, for everybody."""
    watched = request.reader.watched_or_404(pk)
    role = request.reader.role_in(watched.source.team_id)
    if role is not None and role.may_act:
        _dismiss(request, watched, _one(watched, command_pk))
    return _piece(request, watched, "0") if request.htmx else redirect("overview", pk)


@page
@require_POST
def again(request: PageRequest, pk: int, command_pk: int) -> HttpResponse:
    """The same once more, decided on what stands at the source now."""
    watched = request.reader.watched_or_404(pk)
    old = _one(watched, command_pk)
    if old.state in commands.OPEN_STATES or old.state == WorkState.DONE:
        raise Http404("Only what did not come through can be asked for again.")
    present = old.result.get("present") if old.state == WorkState.CONFLICT else None
    body, read = old.body, old.read
    if isinstance(present, dict):
        read = {name: present.get(name) for name in old.read}
        if old.kind in QUESTIONS:
            body, read = rebased(CommandKind(old.kind), old.body, old.read, present)
    once = f"again.{old.pk}"  # in two tabs there are two forms
    act_on(request, watched, old.kind, body or old.body, read, target=old.target, name=old.name, once=once)
    _dismiss(request, watched, old)
    watched.refresh_from_db(fields=["commands_until"])
    return _piece(request, watched, "0") if request.htmx else redirect("overview", pk)


def _piece(request: PageRequest, watched: Watched, before: str, begun: str = "") -> HttpResponse:
    found = shown_of(request.reader, watched, timezone.now())
    left, at_work = sum(one.is_open for one in found), sum(one.at_work for one in found)
    context = {"watched": watched, "commands": found, "open": left, "begun": at_work}
    response = part(request, "dashboard/_commands.html", context)
    if (before.isdecimal() and left < int(before)) or (begun.isdecimal() and at_work > int(begun)):
        response["HX-Trigger"] = "acted"  # the tab below is drawn again
    return response


def _dismiss(request: PageRequest, watched: Watched, command: Command) -> None:
    with transaction.atomic():
        if commands.dismiss(command, timezone.now()):
            told = {"command": command.pk, "state": command.state}
            about = f"“{command.word}” at {watched.label}"
            noted(request, AuditAction.CHANGE_DISMISSED, about, team=watched.source.team, told=told)


def _one(watched: Watched, pk: int) -> Command:
    found = watched.commands.filter(pk=pk).first()
    if found is None:
        raise Http404("There is no such command.")
    return found
