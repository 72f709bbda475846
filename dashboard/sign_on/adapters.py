"""Where allauth asks us: mail, addresses, messages, secrets at rest, and who may come in by single sign-on."""

from __future__ import annotations

import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from dashboard import limits
from dashboard.sign_on.proof import hand_over
from monitoring import secrets, setup
from monitoring.mail.envelope import put
from monitoring.mail.messages.password import new_password

logger = logging.getLogger(__name__)
TAGS = {messages.SUCCESS: "passing", messages.WARNING: "warning", messages.ERROR: "failing"}
QUIET = frozenset({"account/messages/logged_in.txt", "account/messages/logged_out.txt"})


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts: nobody signs up by themselves; mail in our own look; the address behind a proxy."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return limits.client(request) or "unknown"

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Into the outbox: a mail server that does not answer keeps nobody waiting and loses nothing."""
        link = context.get("password_reset_url")
        if not link:
            return
        put([new_password(context["user"], email, link, timezone.now())])

    def add_message(self, request: HttpRequest, level: int, *args: Any, **kwargs: Any) -> None:
        """In our tones; without a word for what the next page shows anyway."""
        template = kwargs.get("message_template") or (args[0] if args else "")
        if template not in QUIET:
            kwargs["extra_tags"] = TAGS.get(level, "")
            super().add_message(request, level, *args, **kwargs)


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets of second factors are encrypted at rest, like the tokens of sources."""

    def encrypt(self, text: str) -> str:
        return secrets.encrypt(text).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return secrets.decrypt(encrypted_text.encode())


class SocialAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Single sign-on: an account with the address that the provider has verified is linked; else a new one is made."""

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """The provider is the administrator's choice and vouches for the address; nobody here chooses their own."""
        email = verified_email(sociallogin)
        if sociallogin.is_existing or request.user.is_authenticated or not email:
            return
        found = list(get_user_model().objects.filter(email__iexact=email, is_active=True)[:2])
        if len(found) == 1:
            with transaction.atomic():
                hand_over(request, found[0])
                sociallogin.connect(request, found[0])

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Not for an address that somebody has here (not verified, or of several), and not before the setup."""
        if setup.is_empty():
            return False
        email = sociallogin.user.email
        return not email or not get_user_model().objects.filter(email__iexact=email).exists()

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        logger.warning("Single sign-on by %s failed: %s %s", provider.name, error or "", exception or "")


def verified_email(sociallogin: Any) -> str:
    """The address that the provider says it has verified; "" without one."""
    return next((str(one.email) for one in sociallogin.email_addresses if one.verified), "")
