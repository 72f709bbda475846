"""Whose address it is: an account made from a link that somebody else saw may hold a stranger's address.

Where no mail is sent, the link of an invitation stands on the page of whoever invites, and they could follow it
themselves. Such an account is marked (allauth's address, unverified) until its person signs on elsewhere.
"""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.http import HttpRequest

from dashboard.service_half import desk
from monitoring.audit import note
from monitoring.models import AuditAction


def mark_unproven(user: Any) -> None:
    """The address is what somebody wrote, not where a mail arrived."""
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=False)


def hand_over(request: HttpRequest, user: Any) -> None:
    """To the person whose address it is, called within a transaction once an identity provider has vouched for it.

    An unproven account may be in the hands of whoever made it: its password, sessions, API tokens and second factors
    end. A proven one keeps everything.
    """
    unproven = EmailAddress.objects.select_for_update().filter(user=user, verified=False)
    if not unproven.filter(email__iexact=user.email).exists():
        return
    user.set_unusable_password()
    user.save(update_fields=["password"])
    sessions = list(UserSession.objects.filter(user=user))
    for session in sessions:
        session.end()
    Authenticator.objects.filter(user=user).delete()
    service = desk()
    tokens = service.revoke_tokens(user) if service is not None else 0
    unproven.update(verified=True)
    about = "to none: single sign-on opens the account"
    detail = {"sessions_ended": len(sessions), "tokens_revoked": tokens}
    note(AuditAction.PASSWORD_CHANGED, user, about=about, detail=detail, request=request)
