"""Settings of the whole fleet as one document: downloaded, looked at as a plan, and asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.http import require_POST

from dashboard.acting import nonce_of
from dashboard.pages import page, render
from dashboard.reader import PageRequest
from monitoring.configuration.document import LONGEST, Document, Problem, read, written
from monitoring.configuration.plan import Fate, Plan, plan
from monitoring.configuration.plan import apply as ask_for
from monitoring.configuration.present import fleet, payloads
from monitoring.configuration.values import words
from monitoring.models import Command, Watched, WorkState

#: What the group of commands that came from a document begins with.
GROUP = "yaml-"
NAV = {"nav": "settings", "sub": "configuration"}


@page
def show(request: PageRequest) -> HttpResponse:
    """Downloads, the door for a document, and how the last ones of this person are getting on."""
    return render(request, "dashboard/configuration.html", {**NAV, "batches": _asked(request), "longest": LONGEST})


@page
def of_team(request: PageRequest, team_pk: int) -> HttpResponse:
    """All settings of a team's deployments."""
    team, _ = request.reader.team_or_404(team_pk)
    return _file(fleet([team.pk]), f"{slugify(team.name) or 'team'}-settings.yaml")


@page
def of_deployment(request: PageRequest, pk: int) -> HttpResponse:
    """All settings of one deployment."""
    watched = request.reader.watched_or_404(pk)
    return _file([watched], f"{slugify(watched.label) or 'deployment'}-settings.yaml")


def _file(watched: Iterable[Watched], name: str) -> HttpResponse:
    text = written(payloads(watched, timezone.now()))
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(text, content_type="application/yaml; charset=utf-8", headers=headers)


@page
@require_POST
def propose(request: PageRequest) -> HttpResponse:
    """What a document would change, where, and what of it cannot be; nothing is asked for."""
    _only_those_who_may(request)
    text, document = _document(request)
    return _plan_page(request, text, document, plan(document, request.reader.user, timezone.now()))


@page
@require_POST
def apply(request: PageRequest) -> HttpResponse:
    """Asks for what the person saw. If the plan is another one by now, it is shown again."""
    _only_those_who_may(request)
    if not request.POST.get("text"):
        return redirect("configuration")
    group = f"{GROUP}{nonce_of(request).rpartition('.')[2]}"
    text, document = _document(request)
    now = timezone.now()
    made = plan(document, request.reader.user, now)
    if document.problems or made.digest != request.POST.get("digest"):
        return _plan_page(request, text, document, made, moved=True)
    asked = ask_for(made, request.reader.user, now, group=group)
    word = "change is" if len(asked) == 1 else "changes are"
    messages.success(request, f"{len(asked)} {word} asked for.", extra_tags="passing")
    return redirect("configuration")


def _only_those_who_may(request: PageRequest) -> None:
    if not request.reader.may_add:
        raise PermissionDenied("Only owners and managers of a team change settings at its sources.")


def _document(request: PageRequest) -> tuple[str, Document]:
    """The text of the file or of the form, and what it says."""
    file = request.FILES.get("file")
    if file is not None and not isinstance(file, list):
        if file.size and file.size > 4 * LONGEST:
            return "", Document(problems=(Problem(1, "The file is too long."),))
        try:
            text = file.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            return "", Document(problems=(Problem(1, "The file is no text in UTF-8."),))
    else:
        text = str(request.POST.get("text", ""))
    return text, read(text)


def _plan_page(request: PageRequest, text: str, document: Document, made: Plan, *, moved: bool = False) -> HttpResponse:
    context: dict[str, Any] = {
        **NAV,
        "text": text,
        "problems": document.problems,
        "plan": made,
        "moved": moved,
        "rows": [(item, _lines(item)) for item in made.of(Fate.CHANGE)],
        "others": [*made.of(Fate.UNKNOWN), *made.of(Fate.REFUSED)],
        "same": len(made.of(Fate.SAME)),
    }
    return render(request, "dashboard/configuration_plan.html", context)


def _lines(item: Any) -> list[tuple[str, int, str, str, str]]:
    """(setting, line, before, after, what it loosens) of one deployment."""
    found = []
    for step in item.steps:
        loose = {one.path: one.words for one in step.loosens}
        for edit in step.edits:
            line = item.wanted.lines.get((step.kind, edit.field.path), item.wanted.line)
            before, after = words(edit.field, edit.before), words(edit.field, edit.after)
            found.append((edit.field.name, line, before, after, loose.get(edit.field.path, "")))
    return found


def _asked(request: PageRequest) -> list[tuple[Any, tuple[tuple[str, int], ...], list[Command]]]:
    """This person's last documents: when, how many changes are in which state, and those that did not come through."""
    rows = Command.objects.filter(asked_by=request.reader.user, source__team__in=request.reader.team_ids)
    rows = rows.filter(group__startswith=GROUP).select_related("watched").order_by("-asked_at", "pk")[:500]
    groups: dict[str, list[Command]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    open_or_done = {WorkState.PENDING, WorkState.RUNNING, WorkState.DONE}
    return [
        (
            found[0].asked_at,
            tuple(Counter(WorkState(one.state).label for one in found).items()),
            [one for one in found if one.state not in open_or_done],
        )
        for found in list(groups.values())[:5]
    ]
