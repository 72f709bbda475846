"""Where a button of a mail leads: a page that says what will happen and in whose name. Looking changes nothing."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render as bare
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from dashboard.reader import zone
from monitoring.incidents.actions import name_of
from monitoring.mail import links
from monitoring.mail.links import Act, Link, LinkRefused
from monitoring.models import Membership, UserPreference


@require_http_methods(["GET", "HEAD", "POST"])
def act(request: HttpRequest, token: str) -> HttpResponse:
    """Without logging in: the link is the key, for this one act and this one person."""
    now = timezone.now()
    try:
        link = links.read(token, request.user)
        if not links.may(link):
            raise LinkRefused("Your role in the team lets you read only.")
        used = links.used_at(link)
        done = links.carry_out(link, now, request) if request.method == "POST" and used is None else None
    except LinkRefused as refusal:
        return _private(bare(request, "account/act.html", {"refusal": str(refusal), "theme": "system"}, status=403))
    return _private(_page(request, link, now, used=used, done=done))


def _page(request: HttpRequest, link: Link, now: datetime, *, used: datetime | None, done: bool | None) -> HttpResponse:
    preference = UserPreference.objects.filter(user=link.member.user).first() or UserPreference()
    length = link.act.snooze
    context = {
        "theme": preference.theme,
        "link": link,
        "incident": link.incident,
        "name": name_of(link.member.user),
        "others": Membership.objects.filter(team=link.member.team_id).count() - 1,
        "until": now + length if length is not None else None,
        "is_vote": link.act.is_vote,
        "is_acknowledge": link.act is Act.ACKNOWLEDGE,
        "used": used,
        "done": done,
        "over": not link.incident.is_open,
        "zone": preference.time_zone,
        "members": link.incident.members.count(),
    }
    with timezone.override(zone(preference.time_zone)):
        return bare(request, "account/act.html", context)


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store, private"
    response["Referrer-Policy"] = "no-referrer"
    return response
