"""Many deployments at once: chosen on the fleet, confirmed on a page that lists what will happen, then followed."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from dashboard.acting import nonce_of, shown
from dashboard.narrowing import asked
from dashboard.pages import page, part, render
from dashboard.reader import PageRequest, Reader
from dashboard.views.incidents import moment
from monitoring import bulk, commands, marks
from monitoring.bulk import BULKS, BulkAct, TooMany
from monitoring.fleet import left_out, listed, narrow
from monitoring.models import Bulk, Command, Importance, Role, Watched, WorkState

NAMED = 60
LONGEST = timedelta(days=30)


class BulkForm(forms.Form):
    """What an act needs besides its deployments."""

    def __init__(self, data: Any, *, act: BulkAct, reader: Reader, now: datetime) -> None:
        super().__init__(data)
        self.reader, self.now = reader, now
        for name in FIELDS.get(act.slug, ()):
            self.fields[name] = getattr(self, f"_{name}")()

    def _reason(self) -> forms.Field:
        return forms.CharField(max_length=marks.LONGEST_REASON, help_text="The team reads it.")

    def _until(self) -> forms.Field:
        widget = forms.DateTimeInput({"type": "datetime-local"})
        return forms.CharField(widget=widget, help_text=f"{self.reader.zone_words}, at most 30 days ahead.")

    def _importance(self) -> forms.Field:
        return forms.ChoiceField(choices=Importance)

    def _pattern(self) -> forms.Field:
        rows = self.reader.watched().filter(gone_at=None).order_by("label")
        help_text = "Service, drift, accuracy and timeliness are carried over; not what names features or metrics."
        return forms.ModelChoiceField(rows, label="Like", help_text=help_text)

    def clean_until(self) -> datetime:
        found = moment(self.cleaned_data["until"], self.reader)
        if found is None or not self.now < found <= self.now + LONGEST:
            raise forms.ValidationError("Give a day and a time from now on, at most 30 days ahead.")
        return found

    def clean_pattern(self) -> Watched:
        row: Watched = self.cleaned_data["pattern"]
        if not bulk.carried(row):
            raise forms.ValidationError("Its health settings are not known yet.")
        return row


FIELDS = {
    "silence": ("until", "reason"),
    "leave_out": ("reason",),
    "importance": ("importance",),
    "health": ("pattern",),
}


@page
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: PageRequest) -> HttpResponse:
    """What will happen to which deployments; posted, it happens to exactly those."""
    act = BULKS.get(request.GET.get("do", ""))
    if act is None:
        raise Http404("There is no such act.")
    now, reader = timezone.now(), request.reader
    posted = request.method == "POST"
    rows = _picked(reader, request.POST.getlist("picked")) if posted else _chosen(request, now)
    try:
        may, left = bulk.parted(act, rows, {m.team_id: Role(m.role) for m in reader.memberships})
    except TooMany as many:
        return _told(request, act, str(many))
    if not may:
        reasons = ", ".join(sorted({why for _, why in left})) or "none was chosen"
        return _told(request, act, f"There is nothing to do: {reasons}.")
    form = BulkForm(request.POST if posted else None, act=act, reader=reader, now=now)
    if posted and form.is_valid():
        words = act.says.format(n=_count(len(may)))
        row = bulk.run(reader.user, act, may, form.cleaned_data, now, nonce_of(request), words=words[:300], left=left)
        return redirect("bulk-progress", row.pk)
    context = {
        "nav": "fleet",
        "act": act,
        "form": form,
        "rows": may,
        "named": may[:NAMED],
        "more": len(may) - NAMED,
        "left": left,
        "says": act.says.format(n=_count(len(may))),
    }
    return render(request, "dashboard/bulk.html", context, neighbours=False)


@page
def progress(request: PageRequest, pk: int) -> HttpResponse:
    """How far it is: every deployment by itself."""
    row = Bulk.objects.filter(pk=pk, user=request.reader.user).first()
    if row is None:
        raise Http404("There is no such run of yours.")
    now = timezone.now()
    found = Command.objects.filter(group=str(row.pk), source__team__in=request.reader.team_ids)
    asked_for = list(found.select_related("watched__source", "source", "asked_by").order_by("pk"))
    states = Counter(WorkState(one.state) for one in asked_for)
    lines = [(one.watched, shown(one, request.reader, now, may_change=False)) for one in asked_for]
    lines.sort(key=lambda line: _ORDER.index(line[1].state))
    context = {
        "nav": "fleet",
        "bulk": row,
        "act": {**BULKS, bulk.ALIKE.slug: bulk.ALIKE}.get(row.act),
        "lines": lines,
        "total": len(asked_for) or len(row.picked),
        "done": states[WorkState.DONE] if asked_for else len(row.picked),
        "open": sum(states[state] for state in commands.OPEN_STATES),
        "trouble": sum(n for state, n in states.items() if state not in {*commands.OPEN_STATES, WorkState.DONE}),
    }
    if request.htmx:
        return part(request, "dashboard/_bulk_progress.html", context)
    return render(request, "dashboard/bulk_progress.html", context, neighbours=False)


_ORDER = [
    *(WorkState.FAILED, WorkState.REFUSED, WorkState.CONFLICT, WorkState.IN_DOUBT),
    *(WorkState.RUNNING, WorkState.PENDING, WorkState.DONE),
]


@page
@require_POST
def star(request: PageRequest, pk: int) -> HttpResponse:
    """Turns the person's star of one deployment round."""
    watched = request.reader.watched_or_404(pk)
    role = request.reader.role_in(watched.source.team_id)
    if role is None or not role.may_act:
        raise PermissionDenied("Your role is read only: it has no stars.")
    on = not getattr(watched, "is_star", False)
    marks.star(request.reader.user, [pk], on=on)
    if request.htmx:
        return part(request, "dashboard/_toggle.html", {"name": "star", "pk": pk, "label": watched.label, "on": on})
    return redirect("overview", pk)


@page
@require_POST
def watching(request: PageRequest, pk: int) -> HttpResponse:
    """Leaves one deployment unwatched for the team, with a reason, or watches it again."""
    watched = request.reader.watched_or_404(pk)
    role = request.reader.role_in(watched.source.team_id)
    if role is None or not role.may_change:
        raise PermissionDenied("Only owners and managers of the team decide what is watched.")
    now, reason = timezone.now(), request.POST.get("reason", "").replace("\x00", "").strip()
    if watched.left_out_at is not None:
        marks.watch_again(request.reader.user, [pk], now)
    elif reason:
        marks.leave_out(request.reader.user, [pk], reason, now)
    return redirect("manage", pk)


def _chosen(request: PageRequest, now: datetime) -> list[Watched]:
    """What was ticked, or all that the filters of the address leave; one more than is taken on, to tell that."""
    if request.GET.get("all") != "1":
        return _picked(request.reader, request.GET.getlist("pk"))
    by = asked(request.GET, now, request.reader.zone, request.reader.user.pk)
    sources = list(request.reader.sources())
    rows = narrow(left_out(sources) if by.filters.left_out else listed(sources), by.filters)
    if by.filters.statuses:
        rows = rows.filter(worst__in=by.filters.statuses)
    return list(rows.select_related("source__team").order_by("label", "pk")[: bulk.MOST + 1])


def _picked(reader: Reader, keys: list[str]) -> list[Watched]:
    """Those of the keys that the reader may see."""
    wanted = [int(key) for key in keys[: bulk.MOST + 1] if key.isdecimal() and len(key) < 10]
    return list(reader.watched().filter(pk__in=wanted).order_by("label", "pk"))


def _told(request: PageRequest, act: BulkAct, text: str) -> HttpResponse:
    return render(request, "dashboard/bulk.html", {"nav": "fleet", "act": act, "told": text}, neighbours=False)


def _count(n: int) -> str:
    return "1 deployment" if n == 1 else f"{n} deployments"
