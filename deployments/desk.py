"""The counter of the service: what the pages ask of it within one installation (tokens, and who changed what).

Everything else goes over HTTP. The pages reach this module by its name in the settings, so that each half runs alone;
what comes back are plain values, no rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from deployments import sharing
from deployments.api.authentication import digest, issue
from deployments.models import ApiToken, AuditEntry, Role, TokenScope


@dataclass(frozen=True)
class Token:
    """One API token of a person; its text is known to nobody but its holder."""

    pk: int
    name: str
    prefix: str
    scope: str
    created_at: datetime
    last_used: datetime | None
    expires_at: datetime | None

    def expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now


def scopes() -> list[tuple[str, str]]:
    """What a token can be made for: value and word."""
    return [(str(value), str(label)) for value, label in TokenScope.choices]


def tokens(user: User) -> list[Token]:
    """The person's tokens, newest first."""
    rows = ApiToken.objects.filter(user=user).order_by("-created_at", "-pk")
    return [
        Token(
            pk=row.pk,
            name=row.name,
            prefix=row.prefix,
            scope=str(TokenScope(row.scope).label),
            created_at=row.created_at,
            last_used=row.last_used,
            expires_at=row.expires_at,
        )
        for row in rows
    ]


def issue_token(user: User, name: str, scope: str, expires_at: datetime | None = None) -> str:
    """A new token; the text is returned this once."""
    with transaction.atomic():
        text = issue(user, name, TokenScope(scope), expires_at=expires_at)
        _note(user, "token.created", name, scope)
    return text


def revoke_token(user: User, pk: int) -> str | None:
    """Forgets a token of the person; its name, or None if there is none of that number."""
    with transaction.atomic():
        row = ApiToken.objects.select_for_update().filter(user=user, pk=pk).first()
        if row is None:
            return None
        row.delete()
        _note(user, "token.revoked", row.name, row.scope)
    return row.name


def revoke_tokens(user: User) -> int:
    """Forgets all tokens of the person; how many."""
    with transaction.atomic():
        rows = list(ApiToken.objects.select_for_update().filter(user=user))
        for row in rows:
            row.delete()
            _note(user, "token.revoked", row.name, row.scope)
    return len(rows)


def withdraw_token(user: User, text: str, beginning: str) -> str | None:
    """Forgets the token of that text, whosever it is, in the name of `user`; its name, or None if there is none.

    Whoever holds the text could use it: no other right is asked for. `beginning`: of the name; others' stay.
    """
    with transaction.atomic():
        row = ApiToken.objects.select_for_update().filter(digest=digest(text), name__startswith=beginning).first()
        if row is None:
            return None
        row.delete()
        _note(user, "token.revoked", row.name, row.scope)
    return row.name


def _note(user: User, action: str, name: str, scope: str) -> None:
    AuditEntry.objects.create(user=user, action=action, after={"name": name, "scope": scope})


@dataclass(frozen=True)
class Change:
    """One entry of the service's own audit: an action word, the deployment's label ("" for none), before and after."""

    pk: int
    at: datetime
    actor: str
    action: str
    about: str
    before: dict[str, Any]
    after: dict[str, Any]


def changes(user: User, *, before: datetime, since: datetime, actor: str = "", limit: int = 100) -> list[Change]:
    """Changes of deployments that the person owns (all for an administrator) and their own deeds, newest first.

    `since` ≤ at < `before`; `actor` narrows to names that hold it.
    """
    rows = AuditEntry.objects.filter(at__lt=before, at__gte=since)
    if not user.is_superuser:
        owned = sharing.held_by(user).filter(role=Role.OWNER).values("deployment_id")
        rows = rows.filter(Q(deployment__in=owned) | Q(user=user))
    if actor:
        rows = rows.filter(user__username__icontains=actor)
    found = rows.select_related("user", "deployment").order_by("-at", "-pk")[:limit]
    return [
        Change(
            pk=row.pk,
            at=row.at,
            actor=(row.user.get_full_name() or row.user.get_username()) if row.user is not None else "",
            action=row.action,
            about=row.deployment.label if row.deployment is not None else str(row.after.get("name", "")),
            before=row.before,
            after=row.after,
        )
        for row in found
    ]
