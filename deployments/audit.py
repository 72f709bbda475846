"""Who changed what and when: one row a change, written in the transaction of the change itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User

from deployments.models import AuditEntry, Deployment


def record(
    deployment: Deployment, user: User | None, action: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> AuditEntry | None:
    """Note a change; only what differs is kept, and a change of nothing is none."""
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    if not changed and (before or after):
        return None
    return AuditEntry.objects.create(
        deployment=deployment,
        user=user,
        action=action,
        before={name: before[name] for name in sorted(changed) if name in before},
        after={name: after[name] for name in sorted(changed) if name in after},
    )
