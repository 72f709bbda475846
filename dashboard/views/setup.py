"""The first run: the first person, the team, the first source, and whether it answers."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.shortcuts import render as bare
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from dashboard import limits
from dashboard.first_run import WORDS, FarForm, PersonForm, Step, TeamForm, own_team, step_of, trial_of
from dashboard.noting import noted
from dashboard.pages import page
from dashboard.reader import PageRequest
from dashboard.service_half import desk
from dashboard.sign_on.entering import enter
from dashboard.views.own_source import own_service
from dashboard.views.sources import ask_test, removed
from monitoring import setup, sources
from monitoring.audit import note
from monitoring.client import AddressRefused
from monitoring.models import AuditAction, Source, UserPreference


@require_http_methods(["GET", "POST"])
def show(request: HttpRequest) -> HttpResponse:
    """The step that is due: nobody needs to log in while nobody has an account, later everybody does."""
    if not request.user.is_authenticated and setup.is_empty():
        return _person(request)
    response: HttpResponse = _later(request)
    return response


@page
def trial(request: PageRequest) -> HttpResponse:
    """The state of the connection test, asked for again while it runs; a POST tests once more."""
    found = trial_of(request.reader, timezone.now())
    if found is None:
        raise Http404("There is no source to test yet.")
    if request.method == "POST":
        with transaction.atomic():
            ask_test(found.source, request.reader)
            noted(request, AuditAction.SOURCE_TESTED, found.source.name, team=found.source.team)
        return redirect("setup")
    context = {"trial": found, "theme": request.reader.theme.value}
    return bare(request, "setup/_test.html", context)


def _person(request: HttpRequest) -> HttpResponse:
    form = PersonForm(request.POST or None, initial={"time_zone": "UTC"})
    status = 200
    if request.method == "POST" and form.is_valid():
        counters = limits.keys("setup", request)
        if limits.too_many(counters, settings.RATE_LIMIT_LOGIN):
            form.add_error(None, limits.TOO_MANY)
            status = 429
        else:
            limits.count(counters)
            user = _claimed(request, form)
            if user is not None:
                return enter(request, user, "/setup/")
    return _shown(request, Step.PERSON, {"form": form}, status=status)


def _claimed(request: HttpRequest, form: PersonForm) -> Any:
    """The account that was made; None and the reason in the form where it was not."""
    given = form.cleaned_data
    try:
        with transaction.atomic():
            user = setup.claim(
                given["code"],
                username=given["username"],
                email=given["email"],
                password=given["password"],
                request=request,
            )
            UserPreference.objects.create(user=user, time_zone=given["time_zone"])
    except setup.SetupRefused as error:
        form.add_error("code", str(error))
        return None
    return user


@page
def _later(request: PageRequest) -> HttpResponse:
    step = step_of(request.reader)
    if step is Step.TEST and "change" in request.GET:
        step = Step.SOURCE
    if step is Step.DONE:
        return redirect("fleet")
    return {Step.TEAM: _team, Step.SOURCE: _source, Step.TEST: _test}[step](request)


def _team(request: PageRequest) -> HttpResponse:
    form = TeamForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                setup.found_team(request.reader.user, form.cleaned_data["name"], request=request)
            return redirect("setup")
        except IntegrityError:
            form.add_error("name", "There is a team of this name already.")
    return _shown(request, Step.TEAM, {"form": form})


def _source(request: PageRequest) -> HttpResponse:
    """The service of this installation, or another server. One that never answered is replaced, not added to."""
    existing = request.reader.changeable_sources().filter(last_ok_at=None).first()
    far = existing if existing is not None and not existing.built_in else None
    own = request.POST.get("kind") == "own"
    start = {"name": far.name, "base_url": far.base_url} if far is not None else None
    form = FarForm(request.POST if request.method == "POST" and not own else None, reader=request.reader, initial=start)
    problem = ""
    if request.method == "POST" and (own or form.is_valid()):
        problem = _stored(request, form, existing, own=own)
        if not problem:
            return redirect("setup")
    context = {"form": form, "has_service": desk() is not None, "service_url": settings.SERVICE_URL}
    return _shown(request, Step.SOURCE, context | {"far": far, "problem": problem, "changing": existing is not None})


def _stored(request: PageRequest, form: FarForm, existing: Source | None, *, own: bool) -> str:
    """The source and its test, both or neither; what went wrong, "" if nothing."""
    try:
        with transaction.atomic():
            if existing is not None:
                removed(existing, request)
            source = own_service(request, own_team(request.reader)) if own else _far(request, form)
            ask_test(source, request.reader)
    except AddressRefused as error:
        return str(error)
    except IntegrityError:
        return "The team already has a source of this name."
    return ""


def _far(request: PageRequest, form: FarForm) -> Source:
    given, user = form.cleaned_data, request.reader.user
    source = sources.add(
        own_team(request.reader), name=given["name"], base_url=given["base_url"], token=given["token"], user=user
    )
    note(AuditAction.SOURCE_ADDED, user, team=source.team, about=source.name, request=request)
    return source


def _test(request: PageRequest) -> HttpResponse:
    return _shown(request, Step.TEST, {"trial": trial_of(request.reader, timezone.now())})


def _shown(request: HttpRequest, step: Step, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    order = list(WORDS)
    steps = [(WORDS[one], order.index(one) < order.index(step), one is step) for one in order]
    base = {"step": step.value, "steps": steps, "number": order.index(step) + 1, "theme": "system"}
    response = bare(request, "setup/setup.html", base | context, status=status)
    response["Cache-Control"] = "no-store, private"
    return response
