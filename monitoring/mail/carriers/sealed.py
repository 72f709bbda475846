"""Links that open an account or a team: the list of mail never shows them, nor does the database hold them in clear.

A stored message has the link without its last part; the whole is sealed beside it, put in while the mail is sent, and
forgotten once it was.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from html import escape

from django.conf import settings

from monitoring.mail.carriers.errors import Refused
from monitoring.models import Message, NotifyReason
from monitoring.secrets import decrypt, encrypt


def blanked(link: str) -> str:
    """`https://vitals/account/password/reset/key/…/`."""
    return link.rstrip("/").rpartition("/")[0] + "/…/"


def seal(link: str) -> bytes:
    """What is stored of the link."""
    return encrypt(link)


def opened(message: Message, now: datetime) -> tuple[str, str]:
    """Text and HTML as they go out. Raises Refused once the link would open nothing any more."""
    if message.link_encrypted is None:
        if message.why in LIVES:
            raise Refused("Its link is gone: ask for a new one.")
        return message.text, message.html
    if now - message.created_at >= lives(message.why):
        raise Refused("Its link has ended meanwhile; ask for a new one.")
    link = decrypt(bytes(message.link_encrypted))
    hidden = blanked(link)
    return message.text.replace(hidden, link), message.html.replace(escape(hidden), escape(link))


def lives(why: str) -> timedelta:
    """How long the link of a message that was written for this reason opens anything."""
    return LIVES[NotifyReason(why)]()


LIVES: dict[NotifyReason, Callable[[], timedelta]] = {
    NotifyReason.PASSWORD: lambda: timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT),
    NotifyReason.INVITED: lambda: timedelta(days=7),
}
