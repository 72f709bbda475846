"""Share links and badges: made by owners and managers, opened by whoever holds the token, audited."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from monitoring import audit
from monitoring.models import AuditAction, ShareKind, ShareLink

LONGEST = {ShareKind.BADGE: timedelta(days=366), ShareKind.WALL: timedelta(days=366)}
LONGEST_PAGE = timedelta(days=90)
_MINUTE = timedelta(minutes=1)


class ShareRefused(Exception):
    """The link cannot be made; `field` is what is wrong, the text fit for people."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def longest(kind: ShareKind) -> timedelta:
    """How long such a link may live: pages end within three months, what hangs on a wall or in a readme in a year."""
    return LONGEST.get(kind, LONGEST_PAGE)


def make(link: ShareLink, person: Any, now: datetime, request: Any = None) -> str:
    """Stores the link and returns its token, which is never shown again."""
    if not link.name.strip():
        raise ShareRefused("name", "Say for whom or for what it is: it is how you find it again to revoke it.")
    if not now < link.expires_at <= now + longest(ShareKind(link.kind)) + _MINUTE:
        days = longest(ShareKind(link.kind)).days
        raise ShareRefused("expires", f"It must end: choose a day within the next {days} days.")
    token = secrets.token_urlsafe(32)
    link.digest, link.created_by, link.created_at = _digest(token), person, now
    with transaction.atomic():
        link.save()
        detail = {"kind": link.kind, "expires": link.expires_at.isoformat(), "csv": link.with_csv}
        audit.note(
            AuditAction.SHARE_CREATED, person, team=link.team, about=_about(link), detail=detail, request=request
        )
    return token


def revoke(link: ShareLink, person: Any, now: datetime, request: Any = None) -> bool:
    """Ends the link at once; False if it had been revoked before."""
    with transaction.atomic():
        done = ShareLink.objects.filter(pk=link.pk, revoked_at=None).update(revoked_at=now, revoked_by=person)
        if done:
            audit.note(AuditAction.SHARE_REVOKED, person, team=link.team, about=_about(link), request=request)
    return bool(done)


def find(token: str) -> ShareLink | None:
    """The link of a token, whether it still opens or not; None for a token that was never given."""
    if not 20 <= len(token) <= 100:
        return None
    related = ("team", "watched__source__team", "incident__watched__source", "incident__source")
    link = ShareLink.objects.select_related(*related).filter(digest=_digest(token)).first()
    return link if link is not None and _still_theirs(link) else None


def note_opened(link: ShareLink, now: datetime) -> None:
    """That it was opened, at most once a minute: screens and badges ask often."""
    due = Q(opened_at__isnull=True) | Q(opened_at__lte=now - _MINUTE)
    ShareLink.objects.filter(due, pk=link.pk).update(opened_at=now, opened=F("opened") + 1)


def _still_theirs(link: ShareLink) -> bool:
    """A deployment whose source went to another team is no longer shown by this one."""
    if link.watched is not None and link.watched.source.team_id != link.team_id:
        return False
    return link.incident is None or link.incident.team_id == link.team_id


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _about(link: ShareLink) -> str:
    what = link.watched or (f"incident {link.incident_id}" if link.incident_id else link.team)
    return f"{what}, for {link.name}"
