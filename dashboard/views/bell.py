"""The switch of a row: whether a person hears of one deployment."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from dashboard.noting import noted
from dashboard.pages import page, part
from dashboard.reader import PageRequest
from monitoring.models import AuditAction, Subscription, Wish


@page
@require_POST
def ring(request: PageRequest, pk: int) -> HttpResponse:
    """Hears: nothing from now on. Hears nothing: as the team's rules say, or everything if the person wants no mail."""
    watched = request.reader.watched_or_404(pk)
    user = request.reader.user
    wants = next(m.wants_mail for m in request.reader.memberships if m.team_id == watched.source.team_id)
    own = Subscription.objects.filter(user=user, watched=watched).first()
    hears = hears_of(own.wish if own is not None else "", wants=wants)
    wish = _wish(hears=hears, wants=wants)
    before, after = {"wish": own.wish if own is not None else ""}, {"wish": wish}
    with transaction.atomic():
        if wish:
            Subscription.objects.update_or_create(user=user, watched=watched, defaults={"wish": wish})
        elif own is not None:
            own.delete()
        about = f"them of {watched.label}"
        noted(request, AuditAction.HEARING_CHANGED, about, team=watched.source.team, before=before, after=after)
    if request.htmx:
        return part(
            request, "dashboard/_toggle.html", {"name": "bell", "pk": pk, "label": watched.label, "on": not hears}
        )
    return redirect("fleet")


def hears_of(wish: str, *, wants: bool) -> bool:
    """Whether a person hears of a deployment: the own word, else whether mail is wanted at all."""
    return wish != Wish.NOTHING and (wish == Wish.ALL or wants)


def _wish(*, hears: bool, wants: bool) -> str:
    """The word that turns it round; none where the default does."""
    if hears:
        return Wish.NOTHING if wants else ""
    return "" if wants else Wish.ALL
