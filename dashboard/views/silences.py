"""Silences and maintenance windows: what holds, what comes, who made it and why; making and cancelling them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from dashboard.incidents import area_words, person
from dashboard.noting import noted
from dashboard.pages import page, render
from dashboard.reader import PageRequest, Reader
from dashboard.views.incidents import moment
from monitoring.audit import facts
from monitoring.incidents import silences
from monitoring.incidents.silences import BadSilence, Span
from monitoring.models import Area, AuditAction, Incident, Silence, SilenceKind, Team, Watched

PAST = timedelta(days=30)
AHEAD = timedelta(days=60)
DAYS = (("MO", "Mon"), ("TU", "Tue"), ("WE", "Wed"), ("TH", "Thu"), ("FR", "Fri"), ("SA", "Sat"), ("SU", "Sun"))
REPEATS = (("", "Once"), ("DAILY", "Every day"), ("WEEKLY", "Every week"), ("MONTHLY", "Every month"))


@dataclass(frozen=True)
class Row:
    """One silence ready to show."""

    silence: Silence
    scope: str
    repeats: str
    holds_until: datetime | None
    next: Span | None
    owner: str
    may_cancel: bool

    @property
    def state(self) -> str:
        if self.silence.cancelled_at is not None:
            return "cancelled"
        return "holds" if self.holds_until is not None else "comes" if self.next is not None else "over"


@page
def listing(request: PageRequest) -> HttpResponse:
    """What holds now, what comes, what is over; and the snoozes of single incidents."""
    now, reader = timezone.now(), request.reader
    found = Silence.objects.filter(team__in=reader.team_ids, ends_at__gte=now - PAST)
    rows = [row_of(one, reader, now) for one in found.select_related("watched", "source", "owner", "team")]
    snoozed = Incident.objects.open().filter(team__in=reader.team_ids, snoozed_until__gt=now)
    context = {
        "nav": "incidents",
        "now": now,
        "holding": [row for row in rows if row.state == "holds"],
        "coming": sorted((row for row in rows if row.state == "comes"), key=lambda row: row.next.start),  # type: ignore[union-attr]
        "over": [row for row in reversed(rows) if row.state in {"over", "cancelled"}],
        "snoozed": snoozed.select_related("watched", "snoozed_by").order_by("snoozed_until"),
        "may_act": any(m.role != "readonly" for m in reader.memberships),
    }
    return render(request, "dashboard/silences.html", context)


def row_of(one: Silence, reader: Reader, now: datetime) -> Row:
    ahead = silences.spans(one, now, now + AHEAD) if one.cancelled_at is None else []
    until = silences.holds_until(one, now)
    role = reader.role_in(one.team_id)
    return Row(
        silence=one,
        scope=scope_words(one),
        repeats=rule_words(one),
        holds_until=until,
        next=next((span for span in ahead if span.start > now), None),
        owner=person(one.owner),
        may_cancel=role is not None and role.may_act and one.cancelled_at is None and one.ends_at > now,
    )


def scope_words(one: Silence) -> str:
    """`Flight delayed, data drift`, `everything of Flight ops`."""
    named = []
    if one.watched is not None:
        named.append(one.watched.label)
    if one.tag:
        named.append(f"tagged {one.tag}")
    if one.source is not None and one.watched is None:
        named.append(f"source {one.source.name}")
    if one.area:
        named.append(area_words(one.area))
    return ", ".join(named) or f"everything of {one.team.name}"


def rule_words(one: Silence) -> str:
    """`Every week on Sun and Mon for 2 h`; empty for one-off ones."""
    if not one.rule:
        return ""
    parts = dict(part.partition("=")[::2] for part in one.rule.upper().split(";"))
    often = {"DAILY": "Every day", "WEEKLY": "Every week", "MONTHLY": "Every month", "YEARLY": "Every year"}
    names = dict(DAYS)
    days = [names.get(day, day) for day in parts.get("BYDAY", "").split(",") if day]
    hours, minutes = divmod(one.minutes, 60)
    length = f"{hours}\u202fh" if not minutes else f"{one.minutes}\u202fmin"
    on = f" on {' and '.join(days)}" if days else ""
    return f"{often.get(parts.get('FREQ', ''), one.rule)}{on} for {length}"


class SilenceForm(forms.Form):
    """What is silenced, from when to when, whether it repeats, and why."""

    kind = forms.ChoiceField(choices=SilenceKind.choices)
    reason = forms.CharField(max_length=300)
    tag = forms.CharField(max_length=200, required=False)
    area = forms.ChoiceField(choices=[("", "Every area"), *Area.choices], required=False)
    starts_at = forms.CharField()
    ends_at = forms.CharField()
    repeats = forms.ChoiceField(choices=REPEATS, required=False)
    days = forms.MultipleChoiceField(choices=DAYS, required=False)
    minutes = forms.IntegerField(min_value=1, max_value=7 * 24 * 60, required=False)

    def __init__(self, *args: Any, reader: Reader, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        teams = [m.team_id for m in reader.memberships if m.role != "readonly"]
        self.reader = reader
        self.fields["team"] = forms.ModelChoiceField(Team.objects.filter(pk__in=teams), empty_label=None)
        watched = Watched.objects.filter(source__team__in=teams, gone_at__isnull=True).order_by("label")
        self.fields["watched"] = forms.ModelChoiceField(watched, required=False, empty_label="Every deployment")

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        for name in ("starts_at", "ends_at"):
            if name in cleaned:
                cleaned[name] = moment(cleaned[name], self.reader)
                if cleaned[name] is None:
                    self.add_error(name, "Give a day and a time.")
        watched, team = cleaned.get("watched"), cleaned.get("team")
        if watched is not None and team is not None and watched.source.team_id != team.pk:
            self.add_error("watched", "This deployment belongs to another team.")
        if not self.errors:
            self._check(cleaned)
        return cleaned

    def _check(self, cleaned: dict[str, Any]) -> None:
        try:
            silences.check(self.made(cleaned, timezone.now()))
        except BadSilence as bad:
            self.add_error(bad.field if bad.field in self.fields else None, str(bad))

    def made(self, cleaned: dict[str, Any], now: datetime) -> Silence:
        """The row that the form asks for, not saved."""
        return Silence(
            team=cleaned["team"],
            kind=cleaned["kind"],
            watched=cleaned.get("watched"),
            tag=cleaned["tag"].strip(),
            area=cleaned["area"],
            reason=cleaned["reason"].strip(),
            owner=self.reader.user,
            starts_at=cleaned["starts_at"],
            ends_at=cleaned["ends_at"],
            rule=rule_of(cleaned["repeats"], cleaned["days"]),
            minutes=(cleaned["minutes"] or 0) if cleaned["repeats"] else 0,
            time_zone=self.reader.zone.key,
            created_at=now,
        )


def rule_of(repeats: str, days: Sequence[str]) -> str:
    """The recurrence rule of what was chosen; empty for once."""
    if not repeats:
        return ""
    return f"FREQ={repeats};BYDAY={','.join(days)}" if days and repeats == "WEEKLY" else f"FREQ={repeats}"


@page
@require_http_methods(["GET", "POST"])
def add(request: PageRequest) -> HttpResponse:
    """A new silence or maintenance window."""
    reader = request.reader
    if not any(m.role != "readonly" for m in reader.memberships):
        raise PermissionDenied("Your role is read only: somebody else has to silence alerts.")
    now = timezone.now().astimezone(reader.zone)
    form = SilenceForm(request.POST or None, reader=reader, initial=_initial(request, now))
    if request.method == "POST" and form.is_valid():
        made = form.made(form.cleaned_data, timezone.now())
        with transaction.atomic():
            made.save()
            noted(request, AuditAction.SILENCED, scope_words(made), team=made.team, after=facts(made, *silences.TOLD))
        begun = not made.rule and made.starts_at <= now
        said = "Alerts are silenced" if begun else "Planned: alerts are held back then"
        messages.success(request, f"{said}. Polling and judging go on.", extra_tags="passing")
        return redirect("silences")
    return render(request, "dashboard/silence_form.html", {"nav": "incidents", "form": form, "days": DAYS})


def _initial(request: PageRequest, now: datetime) -> dict[str, Any]:
    kind = request.GET.get("kind", "")
    return {
        "kind": kind if kind in SilenceKind.values else SilenceKind.SILENCE,
        "watched": request.GET.get("deployment", ""),
        "starts_at": now.strftime("%Y-%m-%dT%H:%M"),
        "ends_at": (now + timedelta(hours=4)).strftime("%Y-%m-%dT%H:%M"),
    }


@page
@require_POST
def cancel(request: PageRequest, pk: int) -> HttpResponse:
    """Ends a silence now."""
    mine = Silence.objects.filter(team__in=request.reader.team_ids, pk=pk)
    found = mine.select_related("team", "watched", "source").first()
    if found is None:
        raise Http404("There is no such silence, or none of your teams.")
    role = request.reader.role_in(found.team_id)
    if role is None or not role.may_act:
        raise PermissionDenied("Your role is read only.")
    now = timezone.now()
    held = row_of(found, request.reader, now).state == "holds"
    with transaction.atomic():
        ended = silences.cancel(found, request.reader.user, now)
        if ended:
            told = {"reason": found.reason, "would_have_ended": found.ends_at.isoformat()}
            noted(request, AuditAction.SILENCE_ENDED, scope_words(found), team=found.team, told=told)
    if ended:
        said = "Ended. What is in trouble is told from now on." if held else "Cancelled: nothing will be held back."
        messages.success(request, said, extra_tags="passing")
    return redirect("silences")
