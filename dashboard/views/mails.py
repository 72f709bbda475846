"""Every message that was written, to people and to channels, shown as it went out; a given-up one is tried again."""

from __future__ import annotations

import base64
import json
import re

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST

from dashboard.noting import noted
from dashboard.pages import page, render
from dashboard.reader import PageRequest
from monitoring.mail import try_again
from monitoring.models import AuditAction, Carrier, Channel, MailState, Message

SIZE = 50
#: States from which a person may ask for another go.
AGAIN = (MailState.FAILED, MailState.BOUNCED)
#: The mail is shown in a frame of its own that can run nothing, send nothing and load nothing.
POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
#: Links that act in the name of the recipient, or leave in it.
PERSONAL = re.compile(r"/(act|unsubscribe|join)/[^/\s\"'<>]+/")
CONTENT_ID = re.compile(r"cid:([\w.@+-]+)")


@page
def listing(request: PageRequest) -> HttpResponse:
    """The newest mail first, by state if asked."""
    state = request.GET.get("state", "")
    found = _mine(request).defer("html", "text", "pictures", "headers", "payload").order_by("-created_at", "-pk")
    if state in MailState.values:
        found = found.filter(state=state)
    channel = request.GET.get("channel", "")
    if channel.isdecimal() and len(channel) < 19:
        found = found.filter(channel=int(channel))
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        found = found.filter(pk__lt=int(before))
    rows = list(found[: SIZE + 1])
    context = {
        "nav": "mails",
        "rows": rows[:SIZE],
        "older": rows[SIZE - 1].pk if len(rows) > SIZE else None,
        "states": MailState.choices,
        "state": state,
        "channel": Channel.objects.filter(team__in=request.reader.team_ids, pk=channel).first()
        if channel.isdecimal() and len(channel) < 19
        else None,
    }
    return render(request, "dashboard/mails.html", context)


@page
def show(request: PageRequest, pk: int) -> HttpResponse:
    """One message: envelope, text, and HTML or the body of a webhook."""
    mail = _one(request, pk)
    context = {
        "nav": "mails",
        "mail": mail,
        "text": readable(mail.text, mail, request),
        "now": timezone.now(),
        "payload": json.dumps(mail.payload, indent=2, ensure_ascii=False) if mail.carrier == Carrier.WEBHOOK else "",
        "may_repeat": mail.state in AGAIN and _may_repeat(request, mail),
    }
    return render(request, "dashboard/mail.html", context)


@page
@require_POST
def again(request: PageRequest, pk: int) -> HttpResponse:
    """Another go at a message that was given up, under the same id."""
    mail = _one(request, pk)
    if not _may_repeat(request, mail):
        raise PermissionDenied("Only owners and managers of the team, or its recipient, send a message again.")
    with transaction.atomic():
        repeated = try_again(mail, timezone.now())
        if repeated:
            told = {"to": mail.recipient, "message": mail.pk}
            noted(request, AuditAction.MAIL_REPEATED, f"“{mail.subject}”", team=mail.team, told=told)
    if repeated:
        messages.success(request, "It is tried again within seconds.", extra_tags="passing")
    else:
        messages.error(request, "Nothing to repeat: it was not given up.", extra_tags="failing")
    return redirect("mail", pk)


def _may_repeat(request: PageRequest, mail: Message) -> bool:
    role = request.reader.role_in(mail.team_id) if mail.team_id is not None else None
    own = mail.user_id == request.reader.user.pk or (mail.team_id is None and request.reader.user.is_superuser)
    return own or (role is not None and role.may_change)


@page
@xframe_options_sameorigin
def body(request: PageRequest, pk: int) -> HttpResponse:
    """The HTML as it went out, its pictures put in place of their content ids."""
    mail = _one(request, pk)
    response = HttpResponse(with_pictures(readable(mail.html, mail, request), mail.pictures))
    response["Content-Security-Policy"] = POLICY
    patch_cache_control(response, private=True, max_age=3600)
    return response


def readable(text: str, mail: Message, request: PageRequest) -> str:
    """What others may see of a person's mail: the buttons that act in that person's name lead nowhere."""
    return text if mail.user_id == request.reader.user.pk else PERSONAL.sub(r"/\1/…/", text)


def with_pictures(html: str, pictures: object) -> str:
    """The same HTML with `cid:` addresses replaced by the attached PNGs; an unknown id stays as it is."""

    def picture(found: re.Match[str]) -> str:
        data = pictures.get(found[1]) if isinstance(pictures, dict) else None
        if not isinstance(data, str):
            return found[0]
        try:
            base64.b64decode(data, validate=True)
        except ValueError:
            return found[0]
        return f"data:image/png;base64,{data}"

    return CONTENT_ID.sub(picture, html)


def _mine(request: PageRequest) -> QuerySet[Message]:
    """What went to the reader's teams, and the reader's own; an administrator sees that of every account."""
    of_account = Q(team=None) if request.reader.user.is_superuser else Q(team=None, user=request.reader.user.pk)
    found = Message.objects.filter(Q(team__in=request.reader.team_ids) | of_account)
    return found.select_related("watched", "user", "team", "channel")


def _one(request: PageRequest, pk: int) -> Message:
    found = _mine(request).filter(pk=pk).first()
    if found is None:
        raise Http404("There is no such mail in your teams.")
    return found
