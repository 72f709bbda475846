"""Adding and changing channels: what a target may be, and what pages may say of it."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from monitoring.client import AddressRefused, check_url
from monitoring.mail.carriers import service, webhook
from monitoring.models import Carrier, Channel
from monitoring.sources import policy_of


class TargetRefused(ValueError):
    """The target is not one, or may not be called; the text is fit for people and repeats no secret."""


def aim(channel: Channel, target: str) -> str:
    """Sets target, `shown` and, for a webhook without one, the signing secret; returns the secret if it is new.

    Raises TargetRefused. The row is not saved.
    """
    text = target.strip()
    channel.shown = _SHOWN[Carrier(channel.carrier)](text)
    channel.target = text
    if channel.carrier == Carrier.WEBHOOK and not channel.secret:
        return renew_secret(channel)
    return ""


def renew_secret(channel: Channel) -> str:
    """A new signing secret; the old one signs nothing from the next message on. The row is not saved."""
    made = webhook.new_secret()
    channel.secret = made
    return made


def _email(text: str) -> str:
    try:
        validate_email(text)
    except ValidationError:
        raise TargetRefused("This is not an e-mail address.") from None
    return text


def _webhook(text: str) -> str:
    _permitted(text)
    parts = urlsplit(text)
    return f"{parts.hostname}{f':{parts.port}' if parts.port else ''}{'/…' if parts.path.strip('/') else ''}"


def _service(text: str) -> str:
    try:
        found = service.plugin(text)
    except service.UnknownService as error:
        raise TargetRefused(str(error)) from None
    # A service that names a host of its own is held by the same rule as a webhook, here and when it is called.
    if service.calls_a_host_of_its_own(found):
        _permitted(f"http://{found.host}")
    return service.name_of(found)


def _permitted(url: str) -> None:
    try:
        check_url(url, policy_of(built_in=False))
    except (AddressRefused, ValueError) as error:
        raise TargetRefused(str(error)) from None


_SHOWN = {Carrier.EMAIL: _email, Carrier.WEBHOOK: _webhook, Carrier.SERVICE: _service}
