"""Settings of a deployment that are changed on its page: asked for, tried on the past, and carried out by a worker."""

from __future__ import annotations

from dataclasses import replace

import msgspec
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from dashboard import seen
from dashboard.acting import act_on
from dashboard.controls import history
from dashboard.controls.form import SectionForm, form_with, section_form
from dashboard.controls.replay import replay as replayed
from dashboard.pages import page, part
from dashboard.reader import PageRequest
from dashboard.tabs import settings as tabs
from dashboard.tabs.subject import Subject
from dashboard.views import deployment
from monitoring import backtest
from monitoring.client import HealthSettings
from monitoring.configuration.edits import Payload, applied, patch
from monitoring.configuration.fields import BY_SLUG, Section
from monitoring.configuration.loosening import loosenings
from monitoring.configuration.values import plain, same, value_at
from monitoring.incidents.policy import Policy, policy_of
from monitoring.models import AlertPolicy, Command, SettingsChange, Watched
from monitoring.noise import TRIED_DAYS, quieter
from monitoring.poll.facts import shaped


@page
@require_POST
def save(request: PageRequest, pk: int, section: str) -> HttpResponse:
    """Asks for the change; or shows the form again with what is wrong, what moved meanwhile, or what it loosens."""
    found = _section(section)
    subject = deployment.subject_of(request, request.reader.watched_or_404(pk))
    if not tabs.may_change(subject):
        raise PermissionDenied("Only owners and managers of the team change settings at its sources.")
    present, known = tabs.load(subject, found), tabs.known(subject)
    anew = section_form(found, present, known, request.POST)  # saving it once more is a decision about the present
    if not anew.edits and not anew.problems:
        messages.info(request, "Nothing was changed.")
        return redirect(tabs.address(subject, found.slug))
    try:
        shown = seen.opened(request.POST.get(seen.NAME, ""), *tabs.about(subject, found))
    except seen.NotSeen as told:
        return _again(request, subject, anew, tabs.Asking(unseen=str(told)))
    form = replace(anew, seen=shown)
    if form.problems:
        return _again(request, subject, form)
    if form.moved:
        return _again(request, subject, anew, tabs.Asking(moved=form.moved), status=409)
    loosens = loosenings(found.kind, form.present, form.edits)
    if loosens and "confirmed" not in request.POST:
        return _again(request, subject, form, tabs.Asking(loosens=loosens))
    command = _ask(request, subject.watched, form)
    if "alike" in (request.POST.get("alike"), request.POST.get("confirmed")):
        return redirect("settings-alike", pk, command.pk)
    return redirect(tabs.address(subject, found.slug))


def _again(
    request: PageRequest, subject: Subject, form: SectionForm, asking: tabs.Asking | None = None, status: int = 422
) -> HttpResponse:
    return deployment.shown(request, subject, "settings", tabs.tab(subject, form, asking), status=status)


def _ask(request: PageRequest, watched: Watched, form: SectionForm) -> Command:
    body, read = patch(form.section.kind, form.present, form.edits)
    return act_on(request, watched, form.section.kind, body, read, name=watched.label)


def _section(slug: str) -> Section:
    if slug not in BY_SLUG:
        raise Http404("There are no such settings.")
    return BY_SLUG[slug]


@page
@require_POST
def restore(request: PageRequest, pk: int, change_pk: int) -> HttpResponse:
    """Asks for the former value of a changed setting; what would loosen the watch is asked about first."""
    subject = deployment.subject_of(request, request.reader.watched_or_404(pk))
    if not tabs.may_change(subject):
        raise PermissionDenied("Only owners and managers of the team change settings at its sources.")
    change = SettingsChange.objects.filter(watched=pk, pk=change_pk).first()
    section = history.section_of(change) if change is not None else None
    if change is None or section is None:
        raise Http404("There is no such change.")
    wanted = {tuple(change.path.split(".")): change.before}
    form = form_with(section, tabs.load(subject, section), tabs.known(subject), wanted)
    if not form.edits:
        return redirect(tabs.address(subject, section.slug))
    try:
        shown = seen.opened(request.POST.get(seen.NAME, ""), *history.about(change))
    except seen.NotSeen as told:
        return _again(request, subject, form, tabs.Asking(unseen=str(told)))
    moved = tuple(replace(one, before=shown, after=one.before) for one in form.edits if not same(one.before, shown))
    if moved:
        return _again(request, subject, form, tabs.Asking(moved=moved), status=409)
    loosens = loosenings(section.kind, form.present, form.edits)
    if loosens:
        return _again(request, subject, form, tabs.Asking(loosens=loosens))
    _ask(request, subject.watched, form)
    return redirect(tabs.address(subject, section.slug))


@page
@require_POST
def tried(request: PageRequest, pk: int, section: str) -> HttpResponse:
    """What the posted values would have made of the past; asked by the form while it is edited. Changes nothing."""
    found, watched = _section(section), request.reader.watched_or_404(pk)
    now = timezone.now()
    past = backtest.past_of(watched, now, length=TRIED_DAYS)
    subject = deployment.subject_of(request, watched)
    form = section_form(found, tabs.load(subject, found), tabs.known(subject), request.POST)
    wanted = shaped(HealthSettings, applied(form.present, () if form.problems else form.edits))
    compared = backtest.compare(past, wanted, policy=_policy(watched))
    context = {
        "watched": watched,
        "section": found,
        "form": form,
        "replay": replayed(past, compared, found, form.edits),
        "loosens": loosenings(found.kind, form.present, form.edits),
        "days": TRIED_DAYS,
    }
    return part(request, "dashboard/_replay.html", context)


def _policy(watched: Watched) -> Policy:
    return policy_of(AlertPolicy.objects.filter(team=watched.source.team_id).first())


@page
def proposal(request: PageRequest, pk: int, section: str) -> HttpResponse:
    """A quieter limit that keeps what somebody called useful, as a link that fills the form in."""
    found, watched = _section(section), request.reader.watched_or_404(pk)
    return part(request, "dashboard/_proposal.html", offer(request, watched, found))


def offer(request: PageRequest, watched: Watched, found: Section) -> dict[str, object]:
    """What is quieter, in words, and the `address` of the form with it filled in; only `days` where nothing is."""
    context: dict[str, object] = {"days": TRIED_DAYS}
    made = quieter(watched, found.area, timezone.now()) if found.area is not None and found.replayed else None
    if made is not None:
        subject = deployment.subject_of(request, watched)
        now = tabs.load(subject, found)
        values = _proposed(found, now, msgspec.to_builtins(made.settings))
        data = QueryDict(mutable=True)
        data.update(values)
        if not section_form(found, now, tabs.known(subject), data).problems:  # else the source would not take it
            sentence = backtest.Comparison(made.before, made.after).sentence(TRIED_DAYS)
            context |= {"found": made, "sentence": sentence, "address": tabs.address(subject, found.slug, **values)}
    return context


def _proposed(section: Section, now: Payload, wanted: object) -> dict[str, str]:
    """The fields of the section that the proposal changes, as an address names them."""
    if not isinstance(wanted, dict):
        return {}
    values = {field.name: (value_at(now, field.path), value_at(wanted, field.path)) for field in section.fields}
    return {
        name: plain(after)
        for name, (before, after) in values.items()
        if isinstance(after, int | float) and not same(before, after)
    }
