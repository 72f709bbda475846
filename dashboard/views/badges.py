"""Badges as pictures and as JSON, for readmes, wikis and status pages."""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.http import HttpRequest, HttpResponse, JsonResponse

from dashboard.sharing import badge
from dashboard.sharing.guest import opened
from monitoring.models import ShareKind, ShareLink

#: Proxies of readmes keep a picture as long as they like unless they are told how long it is true.
FRESH = "public, max-age=60, s-maxage=60, must-revalidate"


@opened(ShareKind.BADGE)
def picture(request: HttpRequest, link: ShareLink | None, token: str = "", now: datetime | None = None) -> HttpResponse:
    """SVG; one that has ended says so and is 404."""
    shown = badge.badge_of(link, now) if link is not None and now is not None else badge.GONE
    response = HttpResponse(badge.svg(shown), content_type="image/svg+xml; charset=utf-8")
    return _cached(request, response, gone=link is None)


@opened(ShareKind.BADGE)
def data(request: HttpRequest, link: ShareLink | None, token: str = "", now: datetime | None = None) -> HttpResponse:
    """JSON as shields.io reads it."""
    shown = badge.badge_of(link, now) if link is not None and now is not None else badge.GONE
    return _cached(request, JsonResponse(badge.as_json(shown)), gone=link is None)


def _cached(request: HttpRequest, response: HttpResponse, *, gone: bool) -> HttpResponse:
    if gone:
        response.status_code = 404
        response["Cache-Control"] = "no-store"
        return response
    tag = f'"{hashlib.sha256(response.content).hexdigest()[:24]}"'
    if request.headers.get("If-None-Match") == tag:
        response = HttpResponse(status=304)
    response["ETag"], response["Cache-Control"] = tag, FRESH
    response["Access-Control-Allow-Origin"] = "*"
    return response
