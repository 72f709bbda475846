"""Every mail that was written, shown as it went out."""

from __future__ import annotations

import base64
import re

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.utils.cache import patch_cache_control
from django.views.decorators.clickjacking import xframe_options_sameorigin

from dashboard.pages import page, render
from dashboard.reader import PageRequest
from monitoring.models import MailState, Message

SIZE = 50
#: The mail is shown in a frame of its own that can run nothing, send nothing and load nothing.
POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
CONTENT_ID = re.compile(r"cid:([\w.@+-]+)")


@page
def listing(request: PageRequest) -> HttpResponse:
    """The newest mail first, by state if asked."""
    state = request.GET.get("state", "")
    found = _mine(request).defer("html", "text", "pictures", "headers").order_by("-created_at", "-pk")
    if state in MailState.values:
        found = found.filter(state=state)
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
    }
    return render(request, "dashboard/mails.html", context)


@page
def show(request: PageRequest, pk: int) -> HttpResponse:
    """One mail: envelope, text and HTML."""
    return render(request, "dashboard/mail.html", {"nav": "mails", "mail": _one(request, pk)})


@page
@xframe_options_sameorigin
def body(request: PageRequest, pk: int) -> HttpResponse:
    """The HTML as it went out, its pictures put in place of their content ids."""
    mail = _one(request, pk)
    response = HttpResponse(with_pictures(mail.html, mail.pictures))
    response["Content-Security-Policy"] = POLICY
    patch_cache_control(response, private=True, max_age=3600)
    return response


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
    return Message.objects.filter(team__in=request.reader.team_ids).select_related("watched", "user", "team")


def _one(request: PageRequest, pk: int) -> Message:
    found = _mine(request).filter(pk=pk).first()
    if found is None:
        raise Http404("There is no such mail in your teams.")
    return found
