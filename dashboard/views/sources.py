"""Sources: the addresses that are watched, how they answer, and how much of each is covered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Count, Min, Q, Sum
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from dashboard.pages import page, part, render
from dashboard.reader import PageRequest, Reader
from dashboard.service_half import desk
from dashboard.source_trouble import Trouble, trouble_of, what_goes
from monitoring.audit import note
from monitoring.client import AddressRefused, check_url
from monitoring.models import AuditAction, Command, CommandKind, PollRun, Role, Source, Team, WorkState
from monitoring.sources import policy_of

RECENT = timedelta(hours=24)
WATCHER = "Watcher of "
"""So begin the names of tokens that are made for the watcher, not for a person."""


@dataclass(frozen=True)
class Coverage:
    """What became of a source's planned questions in the last day."""

    asked: int = 0
    answered: int = 0
    refused: int = 0
    failed: int = 0
    skipped: int = 0

    @property
    def share(self) -> float | None:
        """Answered of asked; a refusal ("not enabled") is an answer. None when nothing was asked."""
        return (self.answered + self.refused) / self.asked if self.asked else None


@dataclass(frozen=True)
class Entry:
    """One source with all that its row shows."""

    source: Source
    coverage: Coverage
    watched: int
    test: Command | None
    may_change: bool
    now: datetime
    trouble: Trouble = field(default_factory=Trouble)

    @property
    def oldest(self) -> datetime | None:
        """When the deployment that was polled the longest ago was polled; None before the first."""
        found: datetime | None = getattr(self.source, "oldest", None)
        return found

    @property
    def next_poll(self) -> datetime | None:
        """When something is asked next: not before the breaker lets it through; None while paused."""
        if not self.source.enabled:
            return None
        listed = (self.source.discovered_at or self.now) + settings.POLL_INTERVAL
        due: datetime | None = getattr(self.source, "due", None)
        return max(self.now, self.source.open_until or self.now, min(listed, due or listed))

    @property
    def status(self) -> str:
        """Silence is drawn as unavailable; a source never asked has not started."""
        if not self.source.enabled:
            return "not_started"
        if self.source.silent_since:
            return "unavailable"
        return "passing" if self.source.last_ok_at else "not_started"

    @property
    def testing(self) -> bool:
        return self.test is not None and self.test.state in (WorkState.PENDING, WorkState.RUNNING)


class SourceForm(forms.Form):
    """Name, address and token. The token is never shown again; left empty on a change it stays."""

    team = forms.ModelChoiceField(Team.objects.none(), empty_label=None)
    name = forms.CharField(max_length=120)
    base_url = forms.URLField(
        label="Address",
        max_length=400,
        assume_scheme="https",
        widget=forms.URLInput({"placeholder": "https://host/api/v2"}),
    )
    token = forms.CharField(max_length=2000, widget=forms.PasswordInput({"autocomplete": "new-password"}))

    def __init__(self, *args: Any, reader: Reader, existing: Source | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.built_in = existing is not None and existing.built_in
        allowed = [m.team_id for m in reader.memberships if Role(m.role).may_change]
        team = self.fields["team"]
        assert isinstance(team, forms.ModelChoiceField)
        team.queryset = Team.objects.filter(pk__in=allowed)
        if existing is not None:
            del self.fields["team"]
            self.fields["token"].required = False
        if self.built_in:
            # It follows this installation by itself; its address is exempt from the rules, so nobody writes it.
            del self.fields["base_url"]

    def clean_base_url(self) -> str:
        address = str(self.cleaned_data["base_url"]).rstrip("/")
        if not address.startswith(("https://", "http://")):
            raise forms.ValidationError("The address begins with https:// or http://.")
        if "?" in address or "#" in address or "@" in address.split("/")[2]:
            raise forms.ValidationError("The address has no query, fragment or password in it.")
        try:
            check_url(address, policy_of(built_in=False))
        except AddressRefused as error:
            raise forms.ValidationError(str(error)) from None
        return address


@page
def listing(request: PageRequest) -> HttpResponse:
    """All sources of the reader's teams."""
    context = {
        "nav": "settings",
        "sub": "sources",
        "entries": entries(request.reader, with_trouble=True),
        "may_add": request.reader.may_add,
    }
    return render(request, "dashboard/sources.html", context)


@page
def row(request: PageRequest, pk: int) -> HttpResponse:
    """One row, asked for again while a test is running."""
    found = [entry for entry in entries(request.reader, pk, with_trouble=True) if entry.source.pk == pk]
    if not found:
        raise Http404("There is no such source in your teams.")
    return part(request, "dashboard/_source.html", {"entry": found[0]})


@page
def add(request: PageRequest) -> HttpResponse:
    """A new source; it is tested at once by a worker."""
    if not request.reader.may_add:
        raise PermissionDenied("Only owners and managers of a team add sources.")
    form = SourceForm(request.POST or None, reader=request.reader)
    if request.method == "POST" and form.is_valid():
        source = Source(
            team=form.cleaned_data["team"],
            name=form.cleaned_data["name"],
            base_url=form.cleaned_data["base_url"],
            created_by=request.reader.user,
        )
        source.token = form.cleaned_data["token"]
        if _added(source, form, request):
            messages.success(request, f"{source.name} is added; its connection is being tested.", extra_tags="passing")
            return redirect("sources")
    context = {"nav": "settings", "sub": "sources", "form": form, "source": None, "own": bool(settings.SERVICE_DESK)}
    return render(request, "dashboard/source_form.html", context)


@page
def change(request: PageRequest, pk: int) -> HttpResponse:
    """Name, address, token; or switch the source off and on."""
    source = _changeable(request.reader, pk)
    start = {"name": source.name, "base_url": source.base_url}
    form = SourceForm(request.POST or None, initial=start, reader=request.reader, existing=source)
    if request.method == "POST" and form.is_valid():
        address = form.cleaned_data.get("base_url", source.base_url)
        if address != source.base_url and not form.cleaned_data["token"]:
            form.add_error("token", "A new address needs its token again: a token is never sent to another host.")
        else:
            source.name, source.base_url = form.cleaned_data["name"], address
            if form.cleaned_data["token"]:
                source.token = form.cleaned_data["token"]
            source.enabled = "paused" not in request.POST
            source.failures, source.open_until = 0, None
            if _changed(source, form, request, start):
                return redirect("sources")
    context = {"nav": "settings", "sub": "sources", "form": form, "source": source}
    return render(request, "dashboard/source_form.html", context)


@page
def remove(request: PageRequest, pk: int) -> HttpResponse:
    """Says what goes with the source; removes it once its name was typed."""
    source = _changeable(request.reader, pk)
    goes = what_goes(source)
    if request.method == "POST" and request.POST.get("name", "").strip() == source.name:
        removed(source, request, goes)
        messages.success(request, f"{source.name} is removed.", extra_tags="passing")
        return redirect("sources")
    context = {"nav": "settings", "sub": "sources", "source": source, "goes": goes, "wrong": request.method == "POST"}
    return render(request, "dashboard/source_remove.html", context)


@page
@require_POST
def test(request: PageRequest, pk: int) -> HttpResponse:
    """Puts a connection test into a worker's queue; the row fills in when it is done."""
    source = _changeable(request.reader, pk)
    with transaction.atomic():
        ask_test(source, request.reader)
        note(AuditAction.SOURCE_TESTED, request.reader.user, team=source.team, about=source.name, request=request)
    return row(request, pk) if request.htmx else redirect("sources")


def ask_test(source: Source, reader: Reader) -> Command:
    """One waiting test a source is enough."""
    waiting = source.commands.filter(kind=CommandKind.TEST_SOURCE, state=WorkState.PENDING).first()
    return waiting or Command.objects.create(
        source=source, kind=CommandKind.TEST_SOURCE, asked_by=reader.user, asked_at=timezone.now()
    )


def entries(reader: Reader, only: int | None = None, *, with_trouble: bool = False) -> list[Entry]:
    """Three queries however many sources there are, five with what went wrong."""
    now = timezone.now()
    there = Q(watched__gone_at__isnull=True)
    sources = reader.sources().annotate(
        n=Count("watched", filter=there),
        oldest=Min("watched__polled_at", filter=there),
        due=Min("watched__due_at", filter=there),
    )
    if only is not None:
        sources = sources.filter(pk=only)
    found = list(sources)
    covered = coverage([source.pk for source in found], now)
    trouble = trouble_of([source.pk for source in found], now) if with_trouble else {}
    tests = Command.objects.filter(source__in=found, kind=CommandKind.TEST_SOURCE)
    newest = {test.source_id: test for test in tests.order_by("source_id", "-asked_at", "-pk").distinct("source_id")}
    return [
        Entry(
            source=source,
            coverage=covered.get(source.pk, Coverage()),
            watched=source.n,
            test=newest.get(source.pk),
            may_change=_may(reader, source),
            now=now,
            trouble=trouble.get(source.pk, Trouble()),
        )
        for source in found
    ]


def coverage(sources: list[int], now: datetime) -> dict[int, Coverage]:
    """Sums over the runs of the last day, by source."""
    runs = PollRun.objects.filter(source__in=sources, started_at__gte=now - RECENT).values_list("source").order_by()
    sums = runs.annotate(*(Sum(name) for name in ("asked", "answered", "refused", "failed", "skipped")))
    return {pk: Coverage(*(int(value or 0) for value in counts)) for pk, *counts in sums}


def removed(source: Source, request: PageRequest, goes: Mapping[str, int] | None = None) -> None:
    """Deletes the source. The token that this installation made for its own service goes with it."""
    user = request.reader.user
    detail = {"address": source.base_url, **(what_goes(source) if goes is None else goes)}
    with transaction.atomic():
        note(AuditAction.SOURCE_REMOVED, user, team=source.team, about=source.name, detail=detail, request=request)
        withdraw_token(source, request)
        source.delete()


def withdraw_token(source: Source, request: PageRequest) -> None:
    """The token that the watcher of this installation's own service asks with is taken no more."""
    user, counter = request.reader.user, desk()
    token = counter.withdraw_token(user, source.token, WATCHER) if source.built_in and counter is not None else None
    if token is not None:
        note(AuditAction.TOKEN_REVOKED, user, team=source.team, about=token, request=request)


def _added(source: Source, form: SourceForm, request: PageRequest) -> bool:
    with transaction.atomic():
        if not _saved(source, form):
            return False
        note(AuditAction.SOURCE_ADDED, request.reader.user, team=source.team, about=source.name, request=request)
        ask_test(source, request.reader)
    return True


def _changed(source: Source, form: SourceForm, request: PageRequest, before: dict[str, str]) -> bool:
    with transaction.atomic():
        if not _saved(source, form):
            return False
        _note_change(source, request, before)
        ask_test(source, request.reader)
    return True


def _saved(source: Source, form: SourceForm) -> bool:
    try:
        with transaction.atomic():
            source.save()
    except IntegrityError:
        form.add_error("name", "The team already has a source of this name.")
        return False
    return True


def _note_change(source: Source, request: PageRequest, before: dict[str, str]) -> None:
    """The token is never written down, only that there is a new one."""
    after = {"name": source.name, "base_url": source.base_url}
    detail = {"before": before, "after": after, "enabled": source.enabled, "new_token": bool(request.POST.get("token"))}
    user = request.reader.user
    note(AuditAction.SOURCE_CHANGED, user, team=source.team, about=source.name, detail=detail, request=request)


def _may(reader: Reader, source: Source) -> bool:
    role = reader.role_in(source.team_id)
    return role is not None and role.may_change


def _changeable(reader: Reader, pk: int) -> Source:
    source = reader.sources().filter(pk=pk).first()
    if source is None:
        raise Http404("There is no such source in your teams.")
    if not _may(reader, source):
        raise PermissionDenied("Only owners and managers of the team change or test its sources.")
    return source
