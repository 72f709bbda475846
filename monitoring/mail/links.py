"""Buttons of mails: signed links that end, are meant for one person, and act once.

A link only leads to a page that says what will happen and in whose name; the button there acts. The link names the
member whom the mail went to: whoever holds it acts as that member, within the member's present role, and as nobody
else. Somebody else who is logged in is refused.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core import signing
from django.db import models, transaction
from django.http import HttpRequest

from monitoring import audit
from monitoring.incidents import actions
from monitoring.mail.addressee import Addressee
from monitoring.models import AuditAction, Incident, IncidentNotice, Membership, Role, UsedLink, Vote

SALT = "monitoring.mail.links"
LIFE = timedelta(days=14)


class Act(models.TextChoices):
    """What a button does."""

    ACKNOWLEDGE = "ack", "Acknowledge"
    SNOOZE_4H = "z4", "Snooze 4\u202fh"
    SNOOZE_24H = "z24", "Snooze 24\u202fh"
    SNOOZE_7D = "z168", "Snooze 7\u202fd"
    USEFUL = "useful", "Useful"
    NOISE = "noise", "Noise"

    @property
    def snooze(self) -> timedelta | None:
        """How long it silences; None for what is no snooze."""
        return timedelta(hours=int(self.value[1:])) if self.value[0] == "z" else None

    @property
    def is_vote(self) -> bool:
        return self in {Act.USEFUL, Act.NOISE}


class LinkRefused(Exception):
    """The link does not act; the text is fit for people."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link that was read: who, what, about which notice. `key` is what makes it one link among all."""

    act: Act
    member: Membership
    notice: IncidentNotice
    key: str

    @property
    def incident(self) -> Incident:
        return self.notice.incident


def link_to(act: Act, to: Addressee, notice: IncidentNotice) -> str:
    """The address of a button; "" for a channel, which is no person."""
    if to.member is None:
        return ""
    token = signing.dumps([act.value, to.member.pk, notice.pk], salt=SALT)
    return f"{settings.PUBLIC_URL}/act/{token}/"


def read(token: str, viewer: Any = None) -> Link:
    """The link behind a token. Raises LinkRefused for one that was forged, has ended, or is somebody else's."""
    try:
        act, member_id, notice_id = signing.loads(token, salt=SALT, max_age=LIFE)
        act = Act(act)
    except signing.SignatureExpired:
        raise LinkRefused("This button has expired: it works for two weeks.") from None
    except (signing.BadSignature, ValueError, TypeError):
        raise LinkRefused("This link is not one of ours, or was cut short on its way.") from None
    member = Membership.objects.filter(pk=member_id, user__is_active=True).select_related("user", "team").first()
    notice = IncidentNotice.objects.filter(pk=notice_id).select_related("incident__watched__source").first()
    if member is None or notice is None or notice.incident.team_id != member.team_id:
        raise LinkRefused("The person whom this mail went to, or what it is about, is no longer here.")
    if viewer is not None and viewer.is_authenticated and viewer.pk != member.user_id:
        raise LinkRefused(f"This button belongs to {actions.name_of(member.user)}; you are logged in as somebody else.")
    return Link(act, member, notice, hashlib.sha256(token.encode()).hexdigest())


def may(link: Link) -> bool:
    """Whether the member's present role allows it; everybody may say what a mail was worth."""
    return link.act.is_vote or Role(link.member.role).may_act


def used_at(link: Link) -> datetime | None:
    """When the button acted, if it did. A vote can be changed as often as one likes."""
    if link.act.is_vote:
        return None
    return UsedLink.objects.filter(key=link.key).values_list("at", flat=True).first()


def carry_out(link: Link, now: datetime, request: HttpRequest | None = None) -> bool:
    """Does what the button says, once; False if it did so before or there was nothing to do."""
    if not may(link):
        raise LinkRefused("Your role in the team lets you read only.")
    with transaction.atomic():
        if link.act.is_vote:
            values = {"useful": link.act is Act.USEFUL, "at": now}
            Vote.objects.update_or_create(notice=link.notice, user=link.member.user, defaults=values)
            person, about = link.member.user, f"incident {link.incident.pk}"
            detail = {"vote": str(link.act.label).lower(), "notice": link.notice.pk}
            audit.note(AuditAction.VOTED, person, team=link.member.team, about=about, detail=detail, request=request)
            return True
        _, first = UsedLink.objects.get_or_create(key=link.key, defaults={"user": link.member.user, "at": now})
        if not first:
            return False
        length = link.act.snooze
        if length is None:
            return actions.acknowledge(link.incident, link.member.user, now, request=request)
        until, why = now + length, "From a mail"
        return actions.snooze(link.incident, link.member.user, now, until=until, why=why, request=request)
