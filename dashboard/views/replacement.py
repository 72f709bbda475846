"""The champion's successor: what the check of it said, and then the replacement itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from dashboard import seen
from dashboard.acting import act_on
from dashboard.acts import forms
from dashboard.pages import page, part, render
from dashboard.reader import PageRequest
from dashboard.views.acts import ASKED, allowed, case_of
from monitoring import commands
from monitoring import questions as q
from monitoring.commands import KINDS
from monitoring.models import Command, CommandKind, Watched, WorkState

#: A check of a replacement is good for this long: the champion or its settings may have changed since.
CHECK_HOLDS = timedelta(hours=1)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: PageRequest, pk: int, command_pk: int) -> HttpResponse:
    """What the check of a replacement said; then the replacement itself."""
    watched = request.reader.watched_or_404(pk)
    check = watched.commands.filter(pk=command_pk, kind=CommandKind.MODEL_CHECK).first()
    if check is None:
        raise Http404("There is no such check.")
    case = case_of(request, watched, (q.champion_package(), q.model_packages(), q.details()))
    allowed(case, KINDS[CommandKind.MODEL_REPLACE.value])
    read, refused = _champion_seen(request, watched, check)
    form = forms.ReplaceForm(request.POST if request.method == "POST" and not refused else None, case=case)
    passed = check.state == WorkState.DONE and check.result.get("status") in {"passing", "warning"}
    fresh = check.finished_at is not None and case.now - check.finished_at < CHECK_HOLDS
    if request.method == "POST" and passed and fresh and form.is_valid():
        body = form.body() | {"modelPackageId": check.body.get("modelPackageId")}
        act_on(request, watched, CommandKind.MODEL_REPLACE, body, read, name=check.name)
        return redirect(reverse("manage", args=[pk]) + ASKED)
    context = {
        "nav": "deployment",
        "watched": watched,
        "check": check,
        "checks": _checks(check),
        "waits": check.state in commands.OPEN_STATES,
        "passed": passed,
        "fresh": fresh,
        "form": form,
        "seen": seen.sealed(read, CommandKind.MODEL_REPLACE.value, check.pk),
        "refused": refused,
    }
    if request.htmx:
        return part(request, "dashboard/_act_checks.html", context)
    return render(request, "dashboard/act_replace.html", context, around=pk, status=422 if refused else 200)


def _champion_seen(request: PageRequest, watched: Watched, check: Command) -> tuple[dict[str, Any], str]:
    """The champion as the page showed it, and why it cannot be told of a form that came back; "" if it can."""
    present = {"model": {"id": watched.model_id}} if watched.model_id else {}
    if request.method != "POST":
        return present, ""
    try:
        return seen.opened(request.POST.get(seen.NAME, ""), CommandKind.MODEL_REPLACE.value, check.pk), ""
    except seen.NotSeen as told:
        return present, str(told)


def _checks(check: Command) -> list[tuple[str, str, str]]:
    """(name in words, status, message) of each check, worst first."""
    found = check.result.get("checks")
    order = {"failing": 0, "warning": 1, "passing": 2}
    rows = [
        (_words(name), str(one.get("status")), str(one.get("message") or ""))
        for name, one in (found.items() if isinstance(found, dict) else ())
        if isinstance(one, dict)
    ]
    return sorted(rows, key=lambda row: (order.get(row[1], 3), row[0]))


def _words(name: str) -> str:
    """`notCurrentModel` as `Not current model`."""
    text = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return text[:1].upper() + text[1:]
