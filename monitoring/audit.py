"""Who did what: one row a deed, written in the transaction of the deed itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_ipv46_address
from django.db.models import Manager, Model
from django.http import HttpRequest
from django.utils import timezone

from monitoring.models import AuditAction, AuditEntry, Team


def note(
    action: AuditAction,
    user: Any = None,
    *,
    team: Team | None = None,
    about: str = "",
    detail: Mapping[str, Any] | None = None,
    request: HttpRequest | None = None,
    actor: str = "",
) -> AuditEntry:
    """Writes down what `user` did to `about`. Without a user, `actor` says who it was (a name that failed to log in).

    `detail` holds before and after, never a secret; the address is that of `request`.
    """
    return AuditEntry.objects.create(
        at=timezone.now(),
        user=user,
        actor=(name_of(user) if user is not None else actor)[:200],
        team=team,
        action=action,
        about=about[:300],
        detail=dict(detail or {}),
        address=address_of(request) if request is not None else None,
    )


def facts(row: Model, *names: str) -> dict[str, Any]:
    """What these fields of a row hold, as `detail` keeps it: times in ISO, other rows by their names, many as a list.

    Raises ValueError for a column that is encrypted: what it holds is a secret.
    """
    if secret := [name for name in names if hasattr(row, f"{name}_encrypted") or name.endswith("_encrypted")]:
        raise ValueError(f"{secret[0]} holds a secret.")
    return {name: _plain(getattr(row, name)) for name in names}


def moved(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> dict[str, Any]:
    """`before` and `after` as `detail` keeps them: of what was changed only the fields that differ.

    None stands for what was not there before, or is no more.
    """
    if before is None or after is None:
        sides = {"before": before, "after": after}
        return {side: dict(values) for side, values in sides.items() if values is not None}
    differing = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {
        "before": {name: before.get(name) for name in differing},
        "after": {name: after.get(name) for name in differing},
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Manager):
        return sorted(str(one) for one in value.all())
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value) if isinstance(value, Model) else value


def name_of(user: Any) -> str:
    """The full name, or the user name."""
    return str(user.get_full_name() or user.get_username())


def address_of(request: HttpRequest) -> str | None:
    """The address that the request came from; None for one that is none, as on a Unix socket.

    Behind a proxy of ours it is the last one of X-Forwarded-For: those before it are whatever the client wrote.
    """
    found = str(request.META.get("REMOTE_ADDR", ""))
    if settings.BEHIND_PROXY:
        found = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).rpartition(",")[2].strip() or found
    try:
        validate_ipv46_address(found)
    except ValidationError:
        return None
    return found
