"""Teams: who is in them and in which role, what they are called, who founds, leaves and deletes them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from dashboard.first_run import TeamForm
from dashboard.noting import noted
from dashboard.pages import page, render
from dashboard.reader import PageRequest, Reader
from dashboard.views.sources import withdraw_token
from monitoring import audit, setup, teams
from monitoring.models import AuditAction, Invitation, Membership, Role, Source, Team

NAV = {"nav": "settings", "sub": "teams"}


class InviteForm(forms.Form):
    """Whom to invite, and as what."""

    email = forms.EmailField(label="E-mail", max_length=254)
    role = forms.ChoiceField(choices=Role, initial=Role.MEMBER)


class TeamSettings(forms.Form):
    """The name, and whether a second factor is asked of every member."""

    name = forms.CharField(max_length=120)
    two_factor = forms.BooleanField(required=False)


def may_found(reader: Reader) -> bool:
    """Administrators, and whoever owns a team already."""
    return reader.user.is_superuser or any(m.role == Role.OWNER for m in reader.memberships)


@page
def listing(request: PageRequest) -> HttpResponse:
    """Every team of the reader with all its members and its open invitations."""
    return shown(request)


def shown(request: PageRequest, **more: Any) -> HttpResponse:
    """The page; `more` holds a form that was not accepted, or a link to be shown once."""
    now = timezone.now()
    members = list(
        Membership.objects.filter(team__in=request.reader.team_ids).select_related("user", "team").order_by("pk")
    )
    owned = [m.team_id for m in request.reader.memberships if m.role == Role.OWNER]
    waiting = list(
        Invitation.objects.filter(team__in=owned, accepted_at=None, revoked_at=None).select_related("invited_by")
    )
    entries = [
        {
            "team": membership.team,
            "own": membership,
            "role": Role(membership.role),
            "members": [m for m in members if m.team_id == membership.team_id],
            "invitations": [(one, one.is_open(now)) for one in waiting if one.team_id == membership.team_id],
        }
        for membership in request.reader.memberships
    ]
    base = {**NAV, "teams": entries, "roles": Role.choices, "may_found": may_found(request.reader), "now": now}
    return render(request, "dashboard/teams.html", base | more)


@page
@require_POST
def add(request: PageRequest) -> HttpResponse:
    """A new team, owned by who founds it."""
    if not may_found(request.reader):
        raise PermissionDenied("Administrators and owners of a team found teams.")
    form = TeamForm(request.POST)
    if not form.is_valid():
        return shown(request, team_form=form)
    try:
        with transaction.atomic():
            team = setup.found_team(request.reader.user, form.cleaned_data["name"], request=request)
    except IntegrityError:
        form.add_error("name", "There is a team of this name already.")
        return shown(request, team_form=form)
    messages.success(request, f"{team.name} is founded; you own it.", extra_tags="passing")
    return redirect("teams")


@page
@require_POST
def settings(request: PageRequest, pk: int) -> HttpResponse:
    """Another name, or the demand for a second factor."""
    team = owned_or_refused(request.reader, pk)
    form = TeamSettings(request.POST)
    name = request.POST.get("name", "").strip()
    taken = f"There is a team called {name} already."
    if not form.is_valid():
        messages.error(request, "A team has a name of at most 120 characters.", extra_tags="failing")
    elif Team.objects.filter(name__iexact=name).exclude(pk=team.pk).exists():
        messages.error(request, taken, extra_tags="failing")
    else:
        two_factor = form.cleaned_data["two_factor"]
        try:
            teams.change(team, request.reader.user, name=name, two_factor=two_factor, request=request)
        except IntegrityError:  # somebody took the name since
            messages.error(request, taken, extra_tags="failing")
        else:
            messages.success(request, f"Saved for {name}.", extra_tags="passing")
    return redirect("teams")


@page
def remove(request: PageRequest, pk: int) -> HttpResponse:
    """Says what goes with the team; deletes it once its name was typed."""
    team = owned_or_refused(request.reader, pk)
    typed = request.POST.get("name", "")
    if request.method == "POST" and typed.strip() == team.name:
        with transaction.atomic():
            for source in Source.objects.filter(team=team, built_in=True).select_related("team"):
                withdraw_token(source, request)
            teams.delete(team, request.reader.user, request=request)
        messages.success(request, f"{team.name} is deleted.", extra_tags="passing")
        return redirect("teams")
    context = {**NAV, "team": team, "goes": teams.what_goes(team), "wrong": request.method == "POST"}
    return render(request, "dashboard/team_remove.html", context)


@page
@require_POST
def change(request: PageRequest, pk: int) -> HttpResponse:
    """Role and mail of one member. Owners change roles; everybody their own mail; a team keeps an owner."""
    member = _member(request.reader, pk)
    own = request.reader.role_in(member.team_id)
    role = request.POST.get("role", member.role)
    if own is not Role.OWNER and (role != member.role or member.user_id != request.reader.user.pk):
        raise PermissionDenied("Only owners change the role or the mail of others.")
    if role not in Role.values:
        messages.error(request, "There is no such role.", extra_tags="failing")
        return redirect("teams")
    try:
        teams.change_role(member, Role(role), request.reader.user, request=request)
    except teams.LastOwner as error:
        messages.error(request, str(error), extra_tags="failing")
        return redirect("teams")
    wants = "wants_mail" in request.POST
    with transaction.atomic():
        if Membership.objects.filter(pk=member.pk).exclude(wants_mail=wants).update(wants_mail=wants):
            about, was = f"{audit.name_of(member.user)} of {member.team}", {"mail": not wants}
            noted(request, AuditAction.HEARING_CHANGED, about, team=member.team, before=was, after={"mail": wants})
    messages.success(request, f"Saved for {member.user}.", extra_tags="passing")
    return redirect("teams")


@page
@require_POST
def part_with(request: PageRequest, pk: int) -> HttpResponse:
    """An owner takes a member out; a member leaves. Never the last owner."""
    member = _member(request.reader, pk)
    own = member.user_id == request.reader.user.pk
    if not own and request.reader.role_in(member.team_id) is not Role.OWNER:
        raise PermissionDenied("Only owners take members out of a team.")
    try:
        teams.remove_member(member, request.reader.user, request=request)
    except teams.LastOwner as error:
        messages.error(request, str(error), extra_tags="failing")
    else:
        said = f"You have left {member.team.name}." if own else f"{member.user} is out of {member.team.name}."
        messages.success(request, said, extra_tags="passing")
    return redirect("teams")


def owned_or_refused(reader: Reader, pk: int) -> Team:
    """The team for its owners; 404 for outsiders, 403 for other members."""
    team, role = reader.team_or_404(pk)
    if role is not Role.OWNER:
        raise PermissionDenied("Only owners of the team do this.")
    return team


def _member(reader: Reader, pk: int) -> Membership:
    rows = Membership.objects.filter(team__in=reader.team_ids).select_related("team", "user")
    return get_object_or_404(rows, pk=pk)
