"""Who gets a message: a member of a team at the own address, or one of the team's channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings

from monitoring.models import Carrier, Channel, Membership, Team


@dataclass(frozen=True, slots=True)
class Addressee:
    """Exactly one of `member` and `channel` is set."""

    member: Membership | None = None
    channel: Channel | None = None

    @property
    def key(self) -> str:
        """Stable and short: `m12`, `c3`."""
        if self.member is not None:
            return f"m{self.member.pk}"
        return f"c{self._channel.pk}"

    @property
    def team(self) -> Team:
        return self.member.team if self.member is not None else self._channel.team

    @property
    def user(self) -> Any:
        """The person, None for a channel."""
        return self.member.user if self.member is not None else None

    @property
    def carrier(self) -> Carrier:
        return Carrier.EMAIL if self.member is not None else Carrier(self._channel.carrier)

    @property
    def address(self) -> str:
        """What the outbox shows as recipient, and where mail goes; never a secret."""
        if self.member is not None:
            return str(self.member.user.email)
        return self._channel.target if self.carrier is Carrier.EMAIL else f"{self._channel.name}, {self._channel.shown}"

    @property
    def name(self) -> str:
        if self.member is not None:
            return str(self.member.user.get_full_name() or self.member.user.get_username())
        return self._channel.name

    @property
    def zone(self) -> ZoneInfo:
        """The time zone it reads in."""
        if self.member is not None:
            preference = getattr(self.member.user, "preference", None)
            return zone_named(preference.time_zone if preference is not None else "UTC")
        return zone_named(self._channel.time_zone)

    @property
    def settings_url(self) -> str:
        """Where what is sent here can be changed."""
        return f"{settings.PUBLIC_URL}/{'preferences' if self.member is not None else 'channels'}/"

    @property
    def unsubscribe_url(self) -> str:
        """One click and no more of it; "" for a channel, which belongs to many and is switched off on its page."""
        return f"{settings.PUBLIC_URL}/unsubscribe/{self.member.mail_token}/" if self.member is not None else ""

    @property
    def _channel(self) -> Channel:
        assert self.channel is not None, "an addressee is a member or a channel"
        return self.channel


def zone_named(name: str) -> ZoneInfo:
    """The time zone; UTC where the name is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
