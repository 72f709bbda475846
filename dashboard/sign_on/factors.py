"""Whether a person has the second factor that one of their teams asks for."""

from __future__ import annotations

from collections.abc import Iterable

from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpRequest

from dashboard.sign_on.header import MARK
from monitoring.models import Membership


def missing(request: HttpRequest, memberships: Iterable[Membership]) -> str:
    """The name of a team that asks for a second factor which the person has not; "" for none.

    Whoever signed on elsewhere is spared: the identity provider or the log-in proxy has its own rule about factors.
    """
    team = next((m.team.name for m in memberships if m.team.requires_two_factor), "")
    if not team or request.session.get(MARK) or _signed_on(request) or is_mfa_enabled(request.user):
        return ""
    return team


def _signed_on(request: HttpRequest) -> bool:
    methods = request.session.get("account_authentication_methods") or []
    return any(one.get("method") == "socialaccount" for one in methods)
