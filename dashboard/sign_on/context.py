"""What allauth's pages need besides their own context."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from monitoring.models import UserPreference

PREFIX = "/account/"
PLACES = (
    ("/account/2fa/", "factors"),
    ("/account/password/", "password"),
    ("/account/sso/", "sso"),
    ("/account/sessions/", "sessions"),
)


def account(request: HttpRequest) -> dict[str, Any]:
    """The reader's theme and whether mail is sent, on the account pages only."""
    if not request.path.startswith(PREFIX):
        return {}
    user = getattr(request, "user", None)
    row = UserPreference.objects.filter(user=user).first() if user is not None and user.is_authenticated else None
    return {
        "theme": row.theme if row else "system",
        "mail_is_sent": settings.MAIL_IS_SENT,
        "oidc_apps": settings.OIDC_APPS,
        "at": next((word for path, word in PLACES if request.path.startswith(path)), ""),
    }
