"""Invitations: a signed link into a team, by mail, that works once, ends by itself and can be taken back."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.http import HttpRequest
from django.template.loader import render_to_string

from metrics.wording import duration
from monitoring.audit import name_of, note
from monitoring.mail.carriers.sealed import blanked, lives, seal
from monitoring.mail.envelope import put, stable_id
from monitoring.models import AuditAction, Invitation, MailState, Membership, Message, NotifyReason, Role, Team

SALT = "vitals.invitation"


class InvitationRefused(Exception):
    """It cannot be made or accepted; the text is for the person."""


def invite(
    team: Team, email: str, role: Role, by: Any, now: datetime, *, request: HttpRequest | None = None
) -> tuple[Invitation, str]:
    """A new invitation, its mail in the outbox, and the link. Raises InvitationRefused for a member or a second one."""
    with transaction.atomic():
        Team.objects.select_for_update().get(pk=team.pk)
        if Membership.objects.filter(team=team, user__email__iexact=email).exists():
            raise InvitationRefused(f"{email} is a member of {team.name} already.")
        _forget_the_ended(team, email, now)
        if Invitation.objects.filter(team=team, email__iexact=email, accepted_at=None, revoked_at=None).exists():
            raise InvitationRefused(f"{email} is invited already: send it again, or take it back first.")
        row = Invitation(team=team, email=email.lower(), role=role, invited_by=by, created_at=now)
        link = _armed(row, now)
        detail = {"role": role.value}
        note(AuditAction.MEMBER_INVITED, by, team=team, about=row.email, detail=detail, request=request)
    return row, link


def resend(row: Invitation, by: Any, now: datetime, *, request: HttpRequest | None = None) -> str:
    """A new link for another week, by mail; the former one stops working. Raises InvitationRefused for a used one."""
    with transaction.atomic():
        held = Invitation.objects.select_for_update().get(pk=row.pk)
        if held.accepted_at is not None or held.revoked_at is not None:
            raise InvitationRefused("It was used or taken back since; invite again.")
        link = _armed(held, now)
        note(AuditAction.INVITATION_RESENT, by, team=held.team, about=held.email, request=request)
    return link


def revoke(row: Invitation, by: Any, now: datetime, *, request: HttpRequest | None = None) -> bool:
    """Takes it back; False if it was used or taken back before."""
    with transaction.atomic():
        open_one = Invitation.objects.filter(pk=row.pk, accepted_at=None, revoked_at=None)
        if not open_one.update(revoked_at=now):
            return False
        note(AuditAction.INVITATION_REVOKED, by, team=row.team, about=row.email, request=request)
    return True


def found(token: str, now: datetime) -> Invitation | None:
    """The open invitation of a link; None for one that ended, was used, taken back, replaced or made up."""
    try:
        pk, nonce = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    row = Invitation.objects.filter(pk=pk, nonce=nonce).select_related("team", "invited_by").first()
    return row if row is not None and row.is_open(now) else None


def is_mailed(row: Invitation) -> bool:
    """Whether the present link goes by mail; False where it lies in the list of mail and on the page of who invites."""
    mails = Message.objects.filter(message_id=stable_id("invitation", row.pk, row.nonce))
    return mails.exclude(state=MailState.KEPT).exists()


def accept(row: Invitation, user: Any, now: datetime, *, request: HttpRequest | None = None) -> Membership:
    """Into the team, once. A member who is in it already keeps the stronger role. Raises InvitationRefused."""
    with transaction.atomic():
        open_one = Invitation.objects.filter(pk=row.pk, nonce=row.nonce, accepted_at=None, revoked_at=None)
        if not open_one.filter(expires_at__gt=now).update(accepted_at=now, accepted_by=user):
            raise InvitationRefused("This invitation was used, taken back, or has ended.")
        member, new = Membership.objects.get_or_create(team=row.team, user=user, defaults={"role": row.role})
        if not new and _strength(row.role) > _strength(member.role):
            Membership.objects.filter(pk=member.pk).update(role=row.role)
        detail = {"role": row.role, "invited": row.email}
        note(AuditAction.MEMBER_JOINED, user, team=row.team, about=row.team.name, detail=detail, request=request)
    return member


def _strength(role: str) -> int:
    return len(Role.values) - Role.values.index(role)


def _forget_the_ended(team: Team, email: str, now: datetime) -> None:
    """One that ended by itself does not stand in the way of a new one."""
    ended = Invitation.objects.filter(team=team, email__iexact=email, accepted_at=None, revoked_at=None)
    ended.filter(expires_at__lte=now).update(revoked_at=now)


def _armed(row: Invitation, now: datetime) -> str:
    """Stores the row with a new nonce and its mail; returns the link."""
    row.nonce, row.expires_at = secrets.token_urlsafe(24), now + lives(NotifyReason.INVITED)
    row.save()
    link = f"{settings.PUBLIC_URL}/join/{signing.dumps([row.pk, row.nonce], salt=SALT)}/"
    put([_mail(row, link, now)])
    return link


def _mail(row: Invitation, link: str, now: datetime) -> Message:
    """To an address, not to a member. The link is sealed: the row shows it without its end."""
    by = name_of(row.invited_by) if row.invited_by is not None else "An administrator"
    length = duration(lives(NotifyReason.INVITED))
    words: dict[str, Any] = {
        "subject": f"{by} invites you to {row.team.name} on Vitals",
        "title": f"Join {row.team.name}",
        "lines": [
            f"{by} invites you to watch the models of {row.team.name}, as {Role(row.role).label.lower()}.",
            f"The link works once, for {length}. If you did not expect it, let it be: nothing happens then.",
        ],
        "url": blanked(link),
        "button": "Accept the invitation",
        "home": settings.PUBLIC_URL,
        "tone": {"mark": "#191B1F"},
    }
    return Message(
        team=row.team,
        why=NotifyReason.INVITED,
        recipient=row.email,
        subject=words["subject"],
        text=render_to_string("emails/account.txt", words),
        html=render_to_string("emails/account.html", words),
        link_encrypted=seal(link),
        headers={"Auto-Submitted": "auto-generated"},
        message_id=stable_id("invitation", row.pk, row.nonce),
        state=MailState.PENDING if settings.MAIL_IS_SENT else MailState.KEPT,
        created_at=now,
        not_before=now,
    )
