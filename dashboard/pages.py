"""How a page is made: let the reader in, freeze the clock, render inside the frame."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.shortcuts import render as django_render
from django.utils import timezone

from dashboard.frame import frame
from dashboard.reader import PageRequest, Reader
from dashboard.sign_on import factors

Page = Callable[..., HttpResponse]


def page(view: Page) -> Callable[..., HttpResponse]:
    """Only for people who are logged in. Gives the request its `reader` and speaks their time zone."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        reader = Reader.load(cast(User, request.user))
        request.reader = reader  # type: ignore[attr-defined]
        if team := factors.missing(request, reader.memberships):
            messages.warning(request, f"{team} asks for a second factor: switch one on to go on.", extra_tags="warning")
            return redirect("mfa_index")
        with timezone.override(reader.zone):
            response = view(request, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store, private")
        return response

    return login_required(inner)


def render(
    request: PageRequest,
    template: str,
    context: dict[str, Any] | None = None,
    *,
    status: int = 200,
    around: int | None = None,
    neighbours: bool = True,
) -> HttpResponse:
    """A whole page inside the frame. `around` is the deployment that the page is about."""
    reader = request.reader
    around_page = frame(reader, timezone.now(), around, neighbours=neighbours)
    base = {"reader": reader, "theme": reader.theme.value, "frame": around_page}
    return django_render(request, template, base | (context or {}), status=status)


def part(request: PageRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """A piece of a page, without the frame and its queries."""
    return django_render(request, template, {"reader": request.reader, **context})
