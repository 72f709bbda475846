"""What a page's form did, for the list of who did what: by whom, from where, and what stood there before and after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashboard.reader import PageRequest
from monitoring import audit
from monitoring.models import AuditAction, Team

Facts = Mapping[str, Any]


def noted(
    request: PageRequest,
    action: AuditAction,
    about: str,
    *,
    team: Team | None = None,
    before: Facts | None = None,
    after: Facts | None = None,
    told: Facts | None = None,
) -> None:
    """Writes one line; to be called in the transaction of the deed. A form that changed nothing leaves none.

    `before` alone: it is gone; `after` alone: it is new. `told` goes into the details as it is, never a secret.
    """
    if before is not None and before == after and not told:
        return
    detail = {**audit.moved(before, after), **(told or {})}
    audit.note(action, request.reader.user, team=team, about=about, detail=detail, request=request)
