"""Log-in by a header that a proxy sets after it has logged the person in.

The header counts from the stated addresses of the proxy only. From anywhere else it is refused, not ignored: a request
that carries it went around the proxy or is forged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import get_user_model, login, logout
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse

from dashboard.sign_on.joining import join
from dashboard.usernames import check_username
from dashboard.views import errors
from monitoring import setup
from monitoring.networks import within

MARK = "signed_on_by_header"
BACKEND = "django.contrib.auth.backends.ModelBackend"
OWN_WAYS = ("/api/", "/static/")
"""What has log-ins of its own, or none."""


class TrustedHeaderMiddleware:
    """Does nothing unless TRUSTED_HEADER is set."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.TRUSTED_HEADER and not request.path.startswith(OWN_WAYS):
            refusal = sign_on(request)
            if refusal:
                return errors.forbidden(request, PermissionDenied(refusal))
        return self.get_response(request)


def sign_on(request: HttpRequest) -> str:
    """Logs in whom the header names, logs out whom it no longer names; the reason for a refusal, "" for none."""
    name = request.META.get(meta_name(settings.TRUSTED_HEADER), "").strip()
    if not name:
        if request.session.get(MARK):
            logout(request)
        return ""
    if not from_proxy(request):
        return "The log-in header is taken from the log-in proxy only."
    if request.user.is_authenticated and request.user.get_username() == name:
        return ""
    if setup.is_empty():
        return ""  # the first account is made with the setup code
    user = _person(request, name)
    if user is None or not user.is_active:
        return "The log-in proxy names somebody who may not come in."
    login(request, cast(User, user), backend=BACKEND)
    request.session[MARK] = True
    return ""


def meta_name(header: str) -> str:
    """`X-Forwarded-User` as WSGI spells it."""
    return f"HTTP_{header.upper().replace('-', '_')}"


def from_proxy(request: HttpRequest) -> bool:
    """Whether the request came straight from a stated address; what it says of itself does not count."""
    return within(request.META.get("REMOTE_ADDR", ""), settings.TRUSTED_HEADER_PROXIES)


def _person(request: HttpRequest, name: str) -> Any:
    """The account of that name, made on first sight; None for a name that accounts may not have."""
    header = settings.TRUSTED_HEADER_EMAIL
    email = request.META.get(meta_name(header), "").strip() if header else ""
    try:
        name = check_username(name)
    except ValidationError:
        return None
    user, new = get_user_model().objects.get_or_create(username=name, defaults={"email": email[:254]})
    if new:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    join(user, {}, email, request=request)
    return user
