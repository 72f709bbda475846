"""Registering a model in the browser: files, columns, baselines, deployment, the lines that send, the first row."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from dashboard import registering as pages
from dashboard.charts import words
from dashboard.noting import noted
from dashboard.pages import page, part, render
from dashboard.reader import PageRequest
from dashboard.service_half import desk
from monitoring.audit import note
from monitoring.clock import parse_time
from monitoring.models import AuditAction, Importance, Registration, RegistrationStep, Role, Watched
from monitoring.registering import Unreadable, columns_of, keep, release

NAV = {"nav": "settings", "sub": "register"}
WAITS = timedelta(seconds=30)
"""A page that looks for the first row says so this far ahead, every few seconds."""
TOKEN_DAYS = 365
STOP_ASKING = 286
"""The status by which htmx ends a page's asking."""


def _mine(request: PageRequest, pk: int) -> Registration:
    """A registration of a team that the person manages; 404 for others', 403 for a role that may not."""
    row = Registration.objects.select_related("source").filter(pk=pk, source__team__in=request.reader.team_ids).first()
    if row is None:
        raise Http404("There is no such registration.")
    role = request.reader.role_in(row.source.team_id)
    if role is None or not Role(role).may_change:
        raise PermissionDenied("Only owners and managers of a team register models.")
    return row


@page
def start(request: PageRequest) -> HttpResponse:
    """The files, and what is on its way already."""
    known = pages.sources_of(request.reader)
    if not known and request.reader.team_ids and not request.reader.may_add:
        raise PermissionDenied("Only owners and managers of a team register models.")
    form = pages.FilesForm(request.reader, request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        row = _begun(request, form)
        if row is not None:
            return redirect("registration", row.pk)
    under_way = Registration.objects.filter(source__in=known).select_related("source").order_by("-asked_at")[:20]
    return render(request, "dashboard/register.html", {**NAV, "form": form, "known": known, "under_way": under_way})


def _begun(request: PageRequest, form: pages.FilesForm) -> Registration | None:
    """The row with its files; None with the form's errors where a file cannot be read."""
    given = form.cleaned_data
    row = Registration(source=given["source"], name=given["name"], asked_by=request.reader.user)
    row.asked_at = timezone.now()
    role = "training"
    try:
        row.columns = columns_of(given["training"].name, given["training"])
        for role in ("training", "holdout", "artifact"):
            if given.get(role) is not None:
                given[role].seek(0)
                if role == "holdout":
                    columns_of(given[role].name, given[role])
                    given[role].seek(0)
                keep(row, role, given[role])
    except Unreadable as error:
        form.add_error(role, str(error))
        release(row)
        return None
    row.spec = pages.guessed(row)
    with transaction.atomic():
        row.save()
        files = {name: one["name"] for name, one in row.files.items()}
        noted(
            request,
            AuditAction.MODEL_BEGUN,
            row.name,
            team=row.source.team,
            told={"source": row.source.name, "files": files},
        )
    return row


@page
def show(request: PageRequest, pk: int) -> HttpResponse:
    """The registration at its step."""
    row = _mine(request, pk)
    return render(request, "dashboard/registration.html", {**NAV, **_context(request, row)})


@page
def state(request: PageRequest, pk: int) -> HttpResponse:
    """What moved meanwhile; the page asks while a worker is at it or the first row is waited for."""
    row = _mine(request, pk)
    if row.step == RegistrationStep.DONE and row.first_row_at is None:
        Registration.objects.filter(pk=pk).update(watched_until=timezone.now() + WAITS)
    answer = part(request, "dashboard/_registration.html", _context(request, row))
    if row.first_row_at is not None:
        answer.status_code = STOP_ASKING
    return answer


def _context(request: PageRequest, row: Registration, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"row": row, "step": row.step, "steps": RegistrationStep, **more}
    if row.step == RegistrationStep.DRAFT:
        found |= {
            "spec": row.spec,
            "classes": ", ".join(row.spec["target"].get("classNames", [])),
            "predictions": "\n".join(f"{a} = {b}" for a, b in row.spec.get("predictionColumns", {}).items()),
            "columns": pages.columns(row, row.spec),
            "kinds": pages.FEATURE_KINDS,
            "target_types": pages.TARGET_TYPES,
            "elsewhere": pages.elsewhere(row),
        }
    elif row.step in (RegistrationStep.READY, RegistrationStep.DEPLOYING):
        found |= {"metrics": _metrics(row), "importances": pages.importances(), "drawings": _drawings(row)}
    elif row.step == RegistrationStep.DONE:
        found |= {
            "lines": pages.lines(row, more.get("token", "")),
            "first": [one | {"when": parse_time(one.get("timestamp"))} for one in row.rows],
            "waits": row.first_row_at is None,
        }
        found["watched"] = Watched.objects.filter(source=row.source, remote_id=row.results["deploymentId"]).first()
        found["tokens"] = row.source.built_in and desk() is not None
    return found


def _metrics(row: Registration) -> list[tuple[str, str]]:
    known = row.results.get("accuracy") or {}
    return [(name, words.metric_value(value, name)) for name, value in known.items() if value is not None]


def _drawings(row: Registration) -> list[dict[str, Any]]:
    """Bars with their widths in percent of the largest."""
    shown = []
    for one in row.results.get("baselines", []):
        most = max((share for _, share in one["bars"]), default=0.0) or 1.0
        bars = [(label, share, round(100 * share / most, 1)) for label, share in one["bars"]]
        shown.append({**one, "bars": bars})
    return shown


@page
@require_POST
def describe(request: PageRequest, pk: int) -> HttpResponse:
    """What the columns are; then a worker registers the model."""
    with transaction.atomic():
        row = _locked(request, pk, RegistrationStep.DRAFT)
        if row is not None:
            row.spec, row.errors = pages.described(row, {key: request.POST.get(key, "") for key in request.POST})
            row.results["associationId"] = request.POST.get("association_id", "").strip()[:300]
            row.problem = ""
            row.step = RegistrationStep.DRAFT if row.errors else RegistrationStep.PREPARING
            row.attempts, row.claimed_until = 0, None
            row.save()
            told = {"registration": row.pk, "target": row.spec.get("target"), "refused": row.errors}
            noted(request, AuditAction.MODEL_DESCRIBED, row.name, team=row.source.team, told=told)
    return redirect("registration", pk)


@page
@require_POST
def deploy(request: PageRequest, pk: int) -> HttpResponse:
    """Makes the deployment; a second press finds it under way already."""
    with transaction.atomic():
        row = _locked(request, pk, RegistrationStep.READY)
        if row is not None:
            wanted = request.POST.get("importance", "")
            row.results["importance"] = wanted if wanted in Importance.values else ""
            row.name = request.POST.get("label", "").strip()[:300] or row.name
            row.step, row.problem, row.attempts, row.claimed_until = RegistrationStep.DEPLOYING, "", 0, None
            row.save()
            told = {"registration": row.pk, "importance": row.results["importance"]}
            noted(request, AuditAction.MODEL_DEPLOYED, row.name, team=row.source.team, told=told)
    return redirect("registration", pk)


def _locked(request: PageRequest, pk: int, step: RegistrationStep) -> Registration | None:
    """The row for a change, if it still is at that step: a form sent twice changes nothing the second time."""
    _mine(request, pk)
    return Registration.objects.select_for_update(of=("self",)).filter(pk=pk, step=step).first()


@page
@require_POST
def token(request: PageRequest, pk: int) -> HttpResponse:
    """A token of the person's own that may write, shown in this answer and never again."""
    row, counter = _mine(request, pk), desk()
    if row.step != RegistrationStep.DONE or not row.source.built_in or counter is None:
        raise Http404("Tokens are made where the source is.")
    name, ends = f"Sends to {row.name}"[:100], timezone.now() + timedelta(days=TOKEN_DAYS)
    detail = {"scope": "write", "expires": ends.isoformat()}
    with transaction.atomic():
        text = counter.issue_token(request.reader.user, name, "write", ends)
        note(AuditAction.TOKEN_CREATED, request.reader.user, about=name, detail=detail, request=request)
    return render(request, "dashboard/registration.html", {**NAV, **_context(request, row, token=text)})


@page
@require_POST
def forget(request: PageRequest, pk: int) -> HttpResponse:
    """Drops a registration with its files; what the source has already stays there."""
    row = _mine(request, pk)
    release(row)
    with transaction.atomic():
        told = {"registration": row.pk, "step": row.step}
        noted(request, AuditAction.MODEL_DROPPED, row.name, team=row.source.team, told=told)
        row.delete()
    messages.success(request, f"{row.name} is dropped. What the source has of it stays there.", extra_tags="passing")
    return redirect("register")
