"""This installation's own service as a source of a team: ready made, with a token of its own."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from dashboard.pages import page
from dashboard.reader import PageRequest
from dashboard.service_half import desk
from dashboard.views.sources import WATCHER, ask_test
from monitoring import setup
from monitoring.audit import note
from monitoring.client import AddressRefused
from monitoring.models import AuditAction, Source, Team


@page
@require_POST
def add(request: PageRequest) -> HttpResponse:
    """For a team whose sources the person may change; it is tested at once by a worker."""
    team = request.POST.get("team", "")
    found = next((m for m in request.reader.memberships if str(m.team_id) == team), None)
    if found is None:
        raise Http404("There is no such team, or you are not a member.")
    if not found.may_change:
        raise PermissionDenied("Only owners and managers of a team add sources.")
    if desk() is None:
        messages.error(request, "The service of this installation is switched off.", extra_tags="failing")
        return redirect("source-add")
    try:
        with transaction.atomic():
            source = own_service(request, found.team)
            ask_test(source, request.reader)
    except IntegrityError:
        messages.error(request, f"{found.team.name} watches this installation already.", extra_tags="failing")
        return redirect("source-add")
    messages.success(request, f"{source.name} is added; its connection is being tested.", extra_tags="passing")
    return redirect("sources")


def own_service(request: PageRequest, team: Team) -> Source:
    """The source and the token that it asks with, in the person's name. Raises AddressRefused without the service."""
    counter = desk()
    if counter is None:
        raise AddressRefused("The service of this installation is switched off (SERVICE_ENABLED is false).")
    user = request.reader.user
    name = f"{WATCHER}{team.name}"[:100]
    with transaction.atomic():
        token = counter.issue_token(user, name, "write")
        note(AuditAction.TOKEN_CREATED, user, team=team, about=name, detail={"scope": "write"}, request=request)
        source = setup.built_in(team, user, token=token, api_url=f"{settings.SERVICE_URL}/api/v2")
        note(AuditAction.SOURCE_ADDED, user, team=team, about=source.name, request=request)
    return source
