"""Log-ins, passwords and factors are written down, whichever way they happen."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from allauth.socialaccount import signals as social
from django.contrib.auth import get_user_model
from django.contrib.auth import signals as auth
from django.http import HttpRequest

from dashboard.sign_on.adapters import verified_email
from dashboard.sign_on.joining import join
from monitoring.audit import note
from monitoring.models import AuditAction


def connect() -> None:
    """Called once, when the app is ready."""
    for signal, receiver in (
        (auth.user_logged_in, _logged_in),
        (auth.user_logged_out, _logged_out),
        (auth.user_login_failed, _failed),
        (account.user_logged_in, _joined),
        (account.password_changed, _noted(AuditAction.PASSWORD_CHANGED)),
        (account.password_set, _noted(AuditAction.PASSWORD_CHANGED)),
        (account.password_reset, _noted(AuditAction.PASSWORD_RESET)),
        (mfa.authenticator_added, _noted(AuditAction.FACTOR_ADDED)),
        (mfa.authenticator_removed, _noted(AuditAction.FACTOR_REMOVED)),
        (mfa.authenticator_reset, _noted(AuditAction.CODES_MADE)),
        (mfa.authentication_failed, _factor_failed),
        (social.social_account_added, _linked),
    ):
        signal.connect(receiver, weak=False, dispatch_uid=f"audit.{receiver.__name__}.{id(signal)}")


def _logged_in(request: HttpRequest | None = None, user: Any = None, **_: Any) -> None:
    note(AuditAction.LOGGED_IN, user, request=request)


def _logged_out(request: HttpRequest | None = None, user: Any = None, **_: Any) -> None:
    if user is not None and user.is_authenticated:
        note(AuditAction.LOGGED_OUT, user, request=request)


def _failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """Who it was tried for, if there is such an account; else the name, cut short: it may be a mistyped password."""
    name = str(credentials.get("username", ""))
    user = get_user_model().objects.filter(username=name).first()
    note(AuditAction.LOGIN_FAILED, user, actor=f"{name[:3]}…", request=request)


def _factor_failed(request: HttpRequest | None = None, user: Any = None, **_: Any) -> None:
    note(AuditAction.LOGIN_FAILED, user, about="at the second factor", request=request)


def _joined(request: HttpRequest | None = None, user: Any = None, **more: Any) -> None:
    """Rules count at every log-in by single sign-on, so that a new rule reaches who is here already."""
    found = more.get("sociallogin")
    if found is not None:
        claims = {**found.account.extra_data.get("userinfo", {}), **found.account.extra_data.get("id_token", {})}
        join(user, claims, verified_email(found), request=request)


def _linked(request: HttpRequest | None = None, sociallogin: Any = None, **_: Any) -> None:
    provider = sociallogin.account.get_provider().name
    note(AuditAction.ACCOUNT_LINKED, sociallogin.user, about=str(provider), request=request)


def _noted(action: AuditAction) -> Any:
    def receiver(request: HttpRequest | None = None, user: Any = None, **more: Any) -> None:
        made = more.get("authenticator")
        note(action, user, about=str(made.get_type_display()) if made is not None else "", request=request)

    receiver.__name__ = action.value
    return receiver
