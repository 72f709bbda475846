"""The alert policy of a team: how patient its incidents are, each time with what it means, tried on the past."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from dashboard.area_policies import AreaForms, sentences
from dashboard.charts import words
from dashboard.minutes import Minutes, in_words
from dashboard.noting import noted
from dashboard.pages import page, part, render
from dashboard.reader import PageRequest
from monitoring import backtest
from monitoring.audit import facts
from monitoring.incidents.policy import areas_of, policy_of
from monitoring.models import AlertPolicy, AuditAction, Role, Status, Team, Watched
from monitoring.noise import TRIED_DAYS

NAV = {"nav": "settings", "sub": "policies"}
#: The past of so many deployments, the worst ones, is replayed under a changed policy.
TRIED = 5


class PolicyForm(forms.Form):
    """One field a column of the policy; the help says what follows from it."""

    opens_at = forms.ChoiceField(
        label="Trouble is",
        choices=((Status.WARNING, "at risk or failing"), (Status.FAILING, "failing only")),
        help_text="Failing only: what is at risk turns pages amber, and opens nothing and tells nobody.",
    )
    pending_minutes = Minutes(
        label="An incident opens after",
        least=0,
        help_text="Shorter trouble is recorded and told to nobody. Longer: fewer false alarms, later true ones.",
    )
    recovery_minutes = Minutes(
        label="It closes after all was well for",
        least=0,
        help_text="Shorter: it closes sooner, and opens again more often.",
    )
    reopen_minutes = Minutes(
        label="Trouble that returns within",
        least=0,
        help_text="joins the incident that was closed, with its notes and people; later it is a new one.",
    )
    flap_turns = forms.IntegerField(
        label="Flapping from",
        min_value=2,
        max_value=50,
        widget=forms.NumberInput({"class": "input-short"}),
        help_text="turns from well to trouble: told once, then quiet until it is calm. Fewer: quieter sooner.",
    )
    flap_minutes = Minutes(label="within", least=1, help_text="Longer: slow flapping counts, too.")
    calm_minutes = Minutes(
        label="Flapping ends after",
        least=1,
        help_text="without a turn. Until then nothing is told about it.",
    )
    remind_minutes = Minutes(
        label="First reminder after",
        least=0,
        help_text="Then after 2, 4 and every 7 times as long. 0: nobody is ever reminded of an open incident.",
    )
    escalate_minutes = Minutes(
        label="Escalate after",
        least=0,
        help_text="when nobody acknowledged an incident of high or critical severity. 0: nobody is called.",
    )
    source_grace_minutes = Minutes(
        label="A source is missed after",
        least=1,
        help_text="without an answer: an incident of the source. Its deployments keep their last verdicts meanwhile.",
    )
    fleet_size = forms.IntegerField(
        label="One incident for",
        min_value=2,
        max_value=10_000,
        widget=forms.NumberInput({"class": "input-short"}),
        help_text="deployments or more that share a cause: one message in place of many.",
    )
    fleet_minutes = Minutes(label="whose trouble began within", least=1, help_text="Longer: more is taken together.")
    tell_loosened = forms.BooleanField(
        label="Tell of settings that were loosened",
        required=False,
        help_text="A limit raised, a feature left out, an area switched off. Off: they stand in the history only.",
    )
    tell_own_changes = forms.BooleanField(
        label="also to whoever did it here",
        required=False,
        help_text="On: the person hears of the own change like everybody else.",
    )

    def put(self, policy: AlertPolicy) -> AlertPolicy:
        """The policy with the form's values, not saved."""
        for name, value in self.cleaned_data.items():
            setattr(policy, name, value)
        return policy


#: All that a policy holds.
TOLD = (*PolicyForm.base_fields, "areas")


def initial(policy: AlertPolicy) -> dict[str, Any]:
    """The policy as the form shows it."""
    found = {name: getattr(policy, name) for name in PolicyForm.base_fields}
    return {name: in_words(value) if name.endswith("_minutes") else value for name, value in found.items()}


@page
def listing(request: PageRequest) -> HttpResponse:
    """The policy of each team in a sentence."""
    rows = {row.team_id: row for row in AlertPolicy.objects.filter(team__in=request.reader.team_ids)}
    teams = [
        (
            m.team,
            Role(m.role).may_change,
            initial(rows.get(m.team_id) or AlertPolicy()),
            m.team_id in rows,
            sentences(areas_of(rows.get(m.team_id))),
        )
        for m in request.reader.memberships
    ]
    return render(request, "dashboard/policies.html", {**NAV, "teams": teams})


@page
def change(request: PageRequest, team_pk: int) -> HttpResponse:
    """All of a team's policy; `default` puts it back."""
    team = _changeable(request, team_pk)
    row = AlertPolicy.objects.filter(team=team).first() or AlertPolicy(team=team)
    form, areas = PolicyForm(request.POST or None, initial=initial(row)), AreaForms(request.POST or None, areas_of(row))
    if "default" in request.POST:
        _kept(request, AlertPolicy(team=team), row)
        messages.success(request, f"{team.name} has the default policy again.", extra_tags="passing")
        return redirect("policies")
    if request.method == "POST" and form.is_valid() and areas.is_valid():
        _kept(request, form.put(AlertPolicy(team=team, areas=areas.stored())), row)
        messages.success(request, f"Saved the policy of {team.name}; it holds from now on.", extra_tags="passing")
        return redirect("policies")
    default = initial(AlertPolicy())
    entries = [(field, default[field.name]) for field in form]
    context = {
        **NAV,
        "team": team,
        "form": form,
        "entries": entries,
        "areas": areas,
        "kept": row.pk is not None,
        "tried": TRIED,
    }
    return render(request, "dashboard/policy_form.html", context, status=422 if form.is_bound else 200)


def _kept(request: PageRequest, wanted: AlertPolicy, row: AlertPolicy) -> None:
    """Stores the wanted policy in place of `row`, or no row where it is the default; the audit list tells of both."""
    before, after = facts(row, *TOLD), facts(wanted, *TOLD)
    with transaction.atomic():
        if "default" in request.POST:
            AlertPolicy.objects.filter(team=wanted.team).delete()
        else:
            AlertPolicy.objects.update_or_create(
                team=wanted.team, defaults={name: getattr(wanted, name) for name in TOLD}
            )
        noted(request, AuditAction.POLICY_CHANGED, wanted.team.name, team=wanted.team, before=before, after=after)


@dataclass(frozen=True)
class Tried:
    """One deployment's past under both policies."""

    watched: Watched
    incidents: tuple[int, int]
    mails: tuple[int, int]


@page
@require_POST
def tried(request: PageRequest, team_pk: int) -> HttpResponse:
    """What the posted policy would have made of the past of the worst deployments. Changes nothing."""
    team = _changeable(request, team_pk)
    row = AlertPolicy.objects.filter(team=team).first()
    form, areas = PolicyForm(request.POST), AreaForms(request.POST, {})
    if not form.is_valid() or not areas.is_valid():
        return part(request, "dashboard/_policy_tried.html", {"wrong": True})
    now, proposed = timezone.now(), policy_of(form.put(AlertPolicy(team=team, areas=areas.stored())))
    listed = Watched.objects.filter(source__team=team, gone_at=None).select_related("source")
    rows = []
    for watched in listed.order_by("-severity", "importance_rank", "pk")[:TRIED]:
        past = backtest.past_of(watched, now, length=TRIED_DAYS)
        found = backtest.compare(past, past.settings, policy=policy_of(row), proposed_policy=proposed)
        pairs = (found.current.incidents, found.proposed.incidents), (found.current.notices, found.proposed.notices)
        rows.append(Tried(watched, *pairs))
    mails = [sum(one.mails[side] for one in rows) for side in (0, 1)]
    written = words.count(mails[1], "mail")
    finding = f"{written} as now" if mails[0] == mails[1] else f"{written} instead of {mails[0]}"
    context = {"rows": rows, "finding": finding, "days": TRIED_DAYS}
    return part(request, "dashboard/_policy_tried.html", context)


def _changeable(request: PageRequest, team_pk: int) -> Team:
    team, role = request.reader.team_or_404(team_pk)
    if not role.may_change:
        raise PermissionDenied("Only owners and managers of the team change its alert policy.")
    return team
