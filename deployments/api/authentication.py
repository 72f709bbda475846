"""Bearer tokens. Only SHA-256 digests are stored: a token is 256 random bits, so a slow hash would add nothing."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from deployments.models import ApiToken, TokenScope

SCHEMES = (b"bearer", b"token")
# Writing the time of every use would make each read a write.
USE_IS_NOTED_EVERY = timedelta(minutes=1)


def digest(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def issue(user: User, name: str, scope: TokenScope = TokenScope.WRITE, *, expires_at: datetime | None = None) -> str:
    """A new token for a person; the text is shown this once and never stored."""
    token = secrets.token_urlsafe(32)
    ApiToken.objects.create(
        user=user, name=name, digest=digest(token), prefix=token[:8], scope=scope, expires_at=expires_at
    )
    return token


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>` or `Token <token>`; no cookies, so nothing here needs CSRF protection."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _, token = get_authorization_header(request).strip().partition(b" ")
        if scheme.lower() not in SCHEMES:
            return None
        try:
            text = token.strip().decode("ascii")
        except UnicodeDecodeError:
            raise AuthenticationFailed("The token is not valid.") from None
        return self._user_of(text)

    def _user_of(self, token: str) -> tuple[User, ApiToken]:
        found = ApiToken.objects.select_related("user").filter(digest=digest(token)).first()
        if found is None or not found.user.is_active:
            raise AuthenticationFailed("The token is not valid.")
        if found.expires_at is not None and found.expires_at <= timezone.now():
            raise AuthenticationFailed("The token has expired.")
        note_use(found)
        return found.user, found

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def note_use(token: ApiToken) -> None:
    """Keep the time of the last use, to the minute."""
    now = timezone.now()
    if token.last_used is None or now - token.last_used > USE_IS_NOTED_EVERY:
        stale = Q(last_used=None) | Q(last_used__lt=now - USE_IS_NOTED_EVERY)
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used=now)


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Tells the OpenAPI document about the tokens."""

    target_class = "deployments.api.authentication.BearerAuthentication"
    name = "BearerAuth"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}
