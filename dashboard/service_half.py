"""The service of the same installation, as far as the pages ask it beside HTTP; None where it is switched off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from importlib import import_module
from typing import Any, Protocol, cast

from django.conf import settings


class Token(Protocol):
    """One API token of a person."""

    pk: int
    name: str

    def expired(self, now: datetime) -> bool: ...


class Change(Protocol):
    """One entry of the service's own audit."""

    pk: int
    at: datetime
    actor: str
    action: str
    about: str
    before: dict[str, Any]
    after: dict[str, Any]


class Desk(Protocol):
    """What `settings.SERVICE_DESK` names."""

    def scopes(self) -> list[tuple[str, str]]: ...
    def tokens(self, user: Any) -> Sequence[Token]: ...
    def issue_token(self, user: Any, name: str, scope: str, expires_at: datetime | None = None) -> str: ...
    def revoke_token(self, user: Any, pk: int) -> str | None: ...
    def revoke_tokens(self, user: Any) -> int: ...
    def withdraw_token(self, user: Any, text: str, beginning: str) -> str | None: ...
    def changes(
        self, user: Any, *, before: datetime, since: datetime, actor: str = "", limit: int = 100
    ) -> Sequence[Change]: ...


def desk() -> Desk | None:
    """The service's counter, or None where SERVICE_ENABLED is false."""
    return cast(Desk, import_module(settings.SERVICE_DESK)) if settings.SERVICE_DESK else None
