"""Whoever holds a link: no account, no team, no right; and how often an address may ask."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboard import limits
from dashboard.reader import Reader, zone
from monitoring.models import ShareKind, ShareLink, Theme
from monitoring.shares import find, note_opened

Page = Callable[..., HttpResponse]


def guest(link: ShareLink, theme: Theme = Theme.SYSTEM) -> Reader:
    """A reader without an account or a team, so that every question of rights is answered by no."""
    return Reader(User(), zone(link.time_zone), theme, ())


def opened(*kinds: ShareKind) -> Callable[[Page], Page]:
    """Lets in by token alone, for links of these kinds; limited by address; tells nobody but its reader what it found.

    Unknown, ended and revoked links look alike: 404 with the same words.
    """

    def decorate(view: Page) -> Page:
        @require_safe
        @wraps(view)
        def inner(request: HttpRequest, token: str, **more: Any) -> HttpResponse:
            if limits.reached("shared", request, "", settings.RATE_LIMIT_SHARED):
                return _private(HttpResponse("Too many requests: try again in a minute.", status=429), retry=True)
            now = timezone.now()
            link = find(token)
            if link is None or link.kind not in kinds or not link.is_live(now):
                return _private(view(request, None, **more))
            note_opened(link, now)
            with timezone.override(zone(link.time_zone)):
                return _private(view(request, link, token=token, now=now, **more))

        return inner

    return decorate


def _private(response: HttpResponse, *, retry: bool = False) -> HttpResponse:
    """Kept by nobody unless the view said otherwise, found by no search engine, named to no other site."""
    response.headers.setdefault("Cache-Control", "no-store, private")
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "no-referrer"
    if retry:
        response["Retry-After"] = "60"
    return response
