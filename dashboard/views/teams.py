"""Teams: who is in them, in which role, and who gets mail."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from dashboard.pages import page, render
from dashboard.reader import PageRequest
from monitoring.models import Membership, Role


@page
def listing(request: PageRequest) -> HttpResponse:
    """Every team of the reader with all its members."""
    members = Membership.objects.filter(team__in=request.reader.team_ids).select_related("user", "team")
    teams = [
        (membership.team, Role(membership.role), [m for m in members if m.team_id == membership.team_id])
        for membership in request.reader.memberships
    ]
    return render(
        request, "dashboard/teams.html", {"nav": "settings", "sub": "teams", "teams": teams, "roles": Role.choices}
    )


@page
@require_POST
def change(request: PageRequest, pk: int) -> HttpResponse:
    """Role and mail of one member. Owners change roles; everybody their own mail; a team keeps an owner."""
    member = get_object_or_404(Membership.objects.filter(team__in=request.reader.team_ids), pk=pk)
    own = request.reader.role_in(member.team_id)
    role = request.POST.get("role", member.role)
    if own is not Role.OWNER and (role != member.role or member.user_id != request.reader.user.pk):
        raise PermissionDenied("Only owners change the role or the mail of others.")
    if role not in Role.values:
        messages.error(request, "There is no such role.", extra_tags="failing")
        return redirect("teams")
    owners = Membership.objects.filter(team=member.team_id, role=Role.OWNER).exclude(pk=member.pk)
    if member.role == Role.OWNER and role != Role.OWNER and not owners.exists():
        messages.error(request, "A team keeps at least one owner: name another one first.", extra_tags="failing")
        return redirect("teams")
    Membership.objects.filter(pk=member.pk).update(role=role, wants_mail="wants_mail" in request.POST)
    messages.success(request, f"Saved for {member.user}.", extra_tags="passing")
    return redirect("teams")
