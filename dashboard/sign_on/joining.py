"""Who joins a team by signing on: the rules of SSO_JOIN, off unless there are some."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from monitoring.audit import note
from monitoring.models import AuditAction, Membership, Team


def join(user: Any, claims: Mapping[str, Any], email: str, *, request: HttpRequest | None = None) -> list[Membership]:
    """The new memberships. `email` must be verified, "" otherwise. Never changes or ends a membership that is there.

    A rule for a team that does not exist does nothing; of two rules for one team the first counts.
    """
    made = []
    for rule in settings.SSO_JOIN:
        if not matches(rule, claims, email):
            continue
        team = Team.objects.filter(name__iexact=rule.team).first()
        if team is None:
            continue
        member, new = Membership.objects.get_or_create(team=team, user=user, defaults={"role": rule.role})
        if new:
            detail = {"role": rule.role, "by": "single sign-on"}
            note(AuditAction.MEMBER_JOINED, user, team=team, about=team.name, detail=detail, request=request)
            made.append(member)
    return made


def matches(rule: Any, claims: Mapping[str, Any], email: str) -> bool:
    """Whether the address lies in the rule's domain (not below it), or the claim holds its value."""
    if rule.domain:
        return email.lower().rpartition("@")[2] == rule.domain.lower() and "@" in email
    held = claims.get(rule.claim)
    values = held if isinstance(held, list) else [held]
    return rule.value in [str(value) for value in values if value is not None]
