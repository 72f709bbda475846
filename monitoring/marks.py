"""Marks on deployments that only we know of: a person's stars, and what a team leaves unwatched.

A deployment that is left out counts as one that the source no longer lists (`gone_at`): it is not polled, judged, told
of or counted, its incidents end, and its history stays. Discovery lets it be until somebody watches it again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from monitoring import audit
from monitoring.models import AuditAction, Star, Watched

LONGEST_REASON = 300


def star(user: Any, watched_ids: Iterable[int], *, on: bool) -> None:
    """Sets or takes the person's stars; setting one twice is setting it once."""
    if on:
        Star.objects.bulk_create([Star(user=user, watched_id=pk) for pk in watched_ids], ignore_conflicts=True)
    else:
        Star.objects.filter(user=user, watched__in=list(watched_ids)).delete()


@transaction.atomic
def leave_out(user: Any, watched_ids: Iterable[int], reason: str, now: datetime) -> int:
    """Stops watching deployments of teams that the caller has checked; how many were watched until now."""
    rows = list(_locked(watched_ids).filter(left_out_at=None).select_related("source__team"))
    fields = {"left_out_at": now, "left_out_by": user, "left_out_reason": reason[:LONGEST_REASON], "gone_at": now}
    Watched.objects.filter(pk__in=[row.pk for row in rows]).update(**fields)
    for row in rows:
        detail = {"deployment": row.pk, "reason": reason}
        audit.note(AuditAction.LEFT_OUT, user, team=row.source.team, about=row.label, detail=detail)
    return len(rows)


@transaction.atomic
def watch_again(user: Any, watched_ids: Iterable[int], now: datetime) -> int:
    """Watches them again from now on; how many were left out. What is no longer listed goes with the next list."""
    rows = list(_locked(watched_ids).filter(left_out_at__isnull=False).select_related("source__team"))
    fields = {"left_out_at": None, "left_out_by": None, "left_out_reason": "", "gone_at": None, "due_at": now}
    Watched.objects.filter(pk__in=[row.pk for row in rows]).update(**fields)
    for row in rows:
        audit.note(
            AuditAction.WATCHED_AGAIN, user, team=row.source.team, about=row.label, detail={"deployment": row.pk}
        )
    return len(rows)


def _locked(watched_ids: Iterable[int]) -> Any:
    """In the order of their keys, so that two such changes wait for one another."""
    return Watched.objects.select_for_update(of=("self",)).filter(pk__in=list(watched_ids)).order_by("pk")
