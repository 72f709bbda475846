"""The end of every log-in with a password: second factor if there is one, session, list of sessions."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from django.http import HttpRequest, HttpResponse


def enter(request: HttpRequest, user: Any, target: str = "/") -> HttpResponse:
    """Leads on to `target`, or to the page that asks for the second factor first."""
    credentials = {"username": user.get_username()}
    response: HttpResponse = perform_password_login(request, credentials, Login(user=user, redirect_url=target))
    return response
