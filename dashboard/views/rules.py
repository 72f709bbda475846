"""Rules: who of a team hears what, when, and by which way. Without any the default holds, which the page states."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from dashboard.hours import HoursForm, MembersField, initial_hours
from dashboard.noting import Facts, noted
from dashboard.pages import page, render
from dashboard.reader import PageRequest, Reader
from dashboard.zones import zone_field
from monitoring.audit import facts
from monitoring.models import (
    Area,
    AuditAction,
    Channel,
    Delivery,
    Importance,
    Membership,
    NotificationRule,
    Role,
    Team,
)

NAV = {"nav": "settings", "sub": "rules"}
EVERYBODY, SOME = "everybody", "some"
OWN = ("name", "position", "importances", "areas", "only_failing", "escalation", "delivery", "enabled")
TOLD = (*OWN, "tags", "days", "from_time", "to_time", "time_zone", "everybody", "members", "channels")


class RuleForm(HoursForm):
    """Conditions, whom it names, and how it delivers."""

    name = forms.CharField(max_length=120)
    position = forms.IntegerField(min_value=0, max_value=1000, initial=10)
    importances = forms.MultipleChoiceField(choices=Importance, required=False, widget=forms.CheckboxSelectMultiple)
    areas = forms.MultipleChoiceField(choices=Area, required=False, widget=forms.CheckboxSelectMultiple)
    tags = forms.CharField(max_length=1000, required=False)
    only_failing = forms.BooleanField(required=False)
    escalation = forms.BooleanField(required=False)
    delivery = forms.ChoiceField(choices=Delivery, initial=Delivery.NOW)
    who = forms.ChoiceField(choices=[(EVERYBODY, "Every member and channel"), (SOME, "Only those chosen")])
    members = MembersField(Membership.objects.none(), required=False, widget=forms.CheckboxSelectMultiple)
    channels = forms.ModelMultipleChoiceField(
        Channel.objects.none(), required=False, widget=forms.CheckboxSelectMultiple
    )
    time_zone = zone_field()
    enabled = forms.BooleanField(required=False, initial=True)

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        members, channels = self.fields["members"], self.fields["channels"]
        assert isinstance(members, forms.ModelMultipleChoiceField)
        assert isinstance(channels, forms.ModelMultipleChoiceField)
        members.queryset = Membership.objects.filter(team=team).select_related("user", "team")
        channels.queryset = Channel.objects.filter(team=team)

    def clean(self) -> dict[str, Any]:
        found = super().clean()
        if found.get("who") == SOME and not found.get("members") and not found.get("channels"):
            self.add_error("who", "Choose at least one member or channel.")
        if found.get("escalation") and found.get("delivery") not in (None, Delivery.NOW):
            self.add_error("delivery", "Who is called when nobody answers is called at once.")
        return found

    def put(self, rule: NotificationRule) -> None:
        """Stores the form in the rule."""
        found = self.cleaned_data
        for name in OWN:
            setattr(rule, name, found[name])
        rule.time_zone, rule.everybody = found["time_zone"], found["who"] == EVERYBODY
        rule.tags = [tag.strip() for tag in found["tags"].split(",") if tag.strip()]
        self.put_hours(rule)
        rule.save()
        rule.members.set([] if rule.everybody else found["members"])
        rule.channels.set([] if rule.everybody else found["channels"])


@page
def listing(request: PageRequest) -> HttpResponse:
    """The rules of each team in their order."""
    rows = NotificationRule.objects.filter(team__in=request.reader.team_ids).prefetch_related(
        "members__user", "channels"
    )
    by_team: dict[int, list[NotificationRule]] = {}
    for row in rows.order_by("position", "pk"):
        by_team.setdefault(row.team_id, []).append(row)
    teams = [(m.team, Role(m.role).may_change, by_team.get(m.team_id, [])) for m in request.reader.memberships]
    return render(request, "dashboard/rules.html", {**NAV, "teams": teams})


@page
def add(request: PageRequest, team_pk: int) -> HttpResponse:
    """A new rule of a team."""
    team, role = request.reader.team_or_404(team_pk)
    if not role.may_change:
        raise PermissionDenied("Only owners and managers of the team change its rules.")
    start = {"time_zone": request.reader.zone.key, "who": EVERYBODY}
    form = RuleForm(request.POST or None, team=team, initial=start)
    return _edit(request, form, NotificationRule(team=team), None)


@page
def change(request: PageRequest, pk: int) -> HttpResponse:
    """Everything of a rule."""
    rule = _changeable(request.reader, pk)
    start = {name: getattr(rule, name) for name in (*OWN, "time_zone")}
    start |= {"tags": ", ".join(rule.tags), "who": EVERYBODY if rule.everybody else SOME, **initial_hours(rule)}
    start |= {"members": rule.members.all(), "channels": rule.channels.all()}
    return _edit(request, RuleForm(request.POST or None, team=rule.team, initial=start), rule, facts(rule, *TOLD))


@page
@require_POST
def remove(request: PageRequest, pk: int) -> HttpResponse:
    rule = _changeable(request.reader, pk)
    with transaction.atomic():
        noted(request, AuditAction.RULE_REMOVED, rule.name, team=rule.team, before=facts(rule, *TOLD))
        rule.delete()
    messages.success(request, f"{rule.name} is removed.", extra_tags="passing")
    return redirect("rules")


def _edit(request: PageRequest, form: RuleForm, rule: NotificationRule, before: Facts | None) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        action = AuditAction.RULE_ADDED if before is None else AuditAction.RULE_CHANGED
        with transaction.atomic():
            form.put(rule)
            noted(request, action, rule.name, team=rule.team, before=before, after=facts(rule, *TOLD))
        messages.success(request, f"Saved {rule.name}.", extra_tags="passing")
        return redirect("rules")
    return render(request, "dashboard/rule_form.html", {**NAV, "form": form, "rule": rule})


def _changeable(reader: Reader, pk: int) -> NotificationRule:
    rule = NotificationRule.objects.filter(team__in=reader.team_ids, pk=pk).select_related("team").first()
    if rule is None:
        raise Http404("There is no such rule in your teams.")
    role = reader.role_in(rule.team_id)
    if role is None or not role.may_change:
        raise PermissionDenied("Only owners and managers of the team change its rules.")
    return rule
