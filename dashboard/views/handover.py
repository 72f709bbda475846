"""Hand-over: the note that the next one gets, by a button now or by a plan at each change of shift."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from dashboard.acting import nonce_of
from dashboard.hours import WEEKDAYS, MembersField
from dashboard.noting import noted
from dashboard.pages import page, render
from dashboard.reader import PageRequest
from dashboard.zones import zone_field
from monitoring.audit import facts
from monitoring.mail import Addressee, bulletin
from monitoring.mail.regular import hand_over
from monitoring.models import AuditAction, Channel, HandoverPlan, Membership, Team

NAV = {"nav": "settings", "sub": "handover"}
TOLD = ("name", "days", "at", "time_zone", "members", "channels")


class _ToForm(forms.Form):
    """Members and channels of one team."""

    members = MembersField(Membership.objects.none(), required=False, widget=forms.CheckboxSelectMultiple)
    channels = forms.ModelMultipleChoiceField(
        Channel.objects.none(), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        members, channels = self.fields["members"], self.fields["channels"]
        assert isinstance(members, forms.ModelMultipleChoiceField)
        assert isinstance(channels, forms.ModelMultipleChoiceField)
        active = Membership.objects.filter(team=team, user__is_active=True).exclude(user__email="")
        members.queryset = active.select_related("user__preference", "team")
        channels.queryset = Channel.objects.filter(team=team, enabled=True).select_related("team")

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        if not found.get("members") and not found.get("channels"):
            self.add_error("members", "Choose at least one member or channel.")
        return found


class NoteForm(_ToForm):
    """A hand-over now."""

    note = forms.CharField(max_length=5000, required=False, widget=forms.Textarea({"rows": 4}))


class PlanForm(_ToForm):
    """A change of shift that comes again."""

    name = forms.CharField(max_length=120)
    days = forms.MultipleChoiceField(choices=WEEKDAYS, required=False, widget=forms.CheckboxSelectMultiple)
    at = forms.TimeField(widget=forms.TimeInput({"type": "time"}))
    time_zone = zone_field()


@page
def show(request: PageRequest, team_pk: int | None = None) -> HttpResponse:
    """What the note would say now, the form to send it, and the plans of the team."""
    if not request.reader.memberships:
        return render(request, "dashboard/handover.html", {**NAV, "team": None})
    team, role = request.reader.team_or_404(team_pk or request.reader.memberships[0].team_id)
    now = timezone.now()
    form = NoteForm(request.POST or None, team=team)
    if request.method == "POST":
        if not role.may_act:
            raise PermissionDenied("Your role in the team lets you read only.")
        if form.is_valid():
            return _send(request, team, form)
    found = bulletin.gather(team.pk, now - timedelta(days=1), now)
    context = {
        "team": team,
        "form": form,
        "may": role.may_act,
        "may_plan": role.may_change,
        "bulletin": found,
        "open": bulletin.open_rows(found, request.reader.zone),
        "silences": [bulletin.silence_words(one, request.reader.zone) for one in found.silences],
        "plans": HandoverPlan.objects.filter(team=team).prefetch_related("members__user", "channels"),
        "weekdays": [name for _, name in WEEKDAYS],
    }
    return render(request, "dashboard/handover.html", {**NAV, **context})


@page
def plan(request: PageRequest, team_pk: int) -> HttpResponse:
    """A new plan of a team."""
    team, role = request.reader.team_or_404(team_pk)
    if not role.may_change:
        raise PermissionDenied("Only owners and managers of the team plan its hand-overs.")
    form = PlanForm(request.POST or None, team=team, initial={"time_zone": request.reader.zone.key, "at": "08:00"})
    if request.method == "POST" and form.is_valid():
        found = form.cleaned_data
        days = sorted(int(one) for one in found["days"])
        row = HandoverPlan(team=team, name=found["name"], days=days, at=found["at"], time_zone=found["time_zone"])
        with transaction.atomic():
            row.save()
            row.members.set(found["members"])
            row.channels.set(found["channels"])
            noted(request, AuditAction.SHIFT_PLANNED, row.name, team=team, after=facts(row, *TOLD))
        messages.success(request, f"{row.name} is planned.", extra_tags="passing")
        return redirect("handover-team", team.pk)
    return render(request, "dashboard/handover_plan.html", {**NAV, "form": form, "team": team})


@page
@require_POST
def remove(request: PageRequest, pk: int) -> HttpResponse:
    row = HandoverPlan.objects.filter(team__in=request.reader.team_ids, pk=pk).select_related("team").first()
    if row is None:
        raise Http404("There is no such plan in your teams.")
    role = request.reader.role_in(row.team_id)
    if role is None or not role.may_change:
        raise PermissionDenied("Only owners and managers of the team plan its hand-overs.")
    with transaction.atomic():
        noted(request, AuditAction.SHIFT_REMOVED, row.name, team=row.team, before=facts(row, *TOLD))
        row.delete()
    messages.success(request, f"{row.name} is removed.", extra_tags="passing")
    return redirect("handover-team", row.team_id)


def _send(request: PageRequest, team: Team, form: NoteForm) -> HttpResponse:
    now = timezone.now()
    to = [Addressee(member=one) for one in form.cleaned_data["members"]]
    to += [Addressee(channel=one) for one in form.cleaned_data["channels"]]
    # The same form sent twice is one hand-over.
    key = f"by.{team.pk}.{nonce_of(request)}"
    note = form.cleaned_data["note"].strip()
    with transaction.atomic():
        sent = hand_over(team.pk, to, now, key=key, since=now - timedelta(days=1), by=request.reader.name, note=note)
        if sent:
            noted(
                request,
                AuditAction.HANDED_OVER,
                team.name,
                team=team,
                told={"to": [one.name for one in to], "note": note},
            )
    messages.success(request, f"Handed over: {sent} of {len(to)} messages written.", extra_tags="passing")
    return redirect("handover-team", team.pk)
