"""What people promised in reviews: open, overdue and done, by team."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from dashboard.noting import noted
from dashboard.pages import page, render
from dashboard.reader import PageRequest
from dashboard.reviews.forms import today
from monitoring.models import ActionItem, ActionState, AuditAction
from monitoring.reviews import meeting

SHOWN = 100
WAYS = {"open": "Open", "overdue": "Overdue", "mine": "Mine", "done": "Done", "dropped": "Dropped"}


@page
def listing(request: PageRequest) -> HttpResponse:
    """Open ones first, the most overdue on top; by state, by person and by team if asked."""
    now = timezone.now()
    day = today(now, request.reader)
    way = request.GET.get("show", "open")
    way = way if way in WAYS else "open"
    mine = ActionItem.objects.filter(team__in=request.reader.team_ids).select_related(
        "owner", "team", "watched", "review__plan", "closed_by"
    )
    found = mine.filter(state=way if way in ActionState.values else ActionState.OPEN)
    if way == "overdue":
        found = found.filter(due_on__lt=day)
    if way == "mine":
        found = found.filter(owner=request.reader.user)
    team = request.GET.get("team", "")
    if team.isdecimal() and len(team) < 10:
        found = found.filter(team=int(team))
    order = ("due_on", "pk") if way not in {"done", "dropped"} else ("-closed_at", "-pk")
    context = {
        "nav": "reviews",
        "rows": list(found.order_by(*order)[:SHOWN]),
        "today": day,
        "way": way,
        "ways": WAYS.items(),
        "team": team,
        "acting": {m.team_id for m in request.reader.memberships if m.role != "readonly"},
    }
    return render(request, "dashboard/actions.html", context, neighbours=False)


@page
@require_POST
def change(request: PageRequest, pk: int) -> HttpResponse:
    """Done, dropped, or open again."""
    action = ActionItem.objects.filter(team__in=request.reader.team_ids, pk=pk).select_related("team").first()
    if action is None:
        raise Http404("There is no such action item, or none of your teams.")
    role = request.reader.role_in(action.team_id)
    if role is None or not role.may_act:
        raise PermissionDenied("Your role is read only.")
    asked = request.POST.get("state", "")
    if asked not in ActionState.values:
        messages.error(request, "An action item is open, done or dropped.", extra_tags="failing")
    else:
        with transaction.atomic():
            meeting.close_action(action, ActionState(asked), request.reader.user, timezone.now())
            before, after = {"state": action.state}, {"state": asked}
            noted(request, AuditAction.ACTION_CHANGED, action.text, team=action.team, before=before, after=after)
        messages.success(request, f"“{action.text}” is {ActionState(asked).label.lower()}.", extra_tags="passing")
    way = request.POST.get("show", "open")
    response = redirect("actions")
    response["Location"] += f"?show={way}" if way in WAYS and way != "open" else ""
    return response
