"""The ways out: each carrier sends one stored message once and says how that ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from monitoring.mail.carriers import email, service, webhook
from monitoring.mail.carriers.errors import DeliveryError, InDoubt, NotSent, Refused
from monitoring.models import Carrier, Message

CARRIERS: dict[str, Callable[[Message, datetime], str]] = {
    Carrier.EMAIL: email.carry,
    Carrier.WEBHOOK: webhook.carry,
    Carrier.SERVICE: service.carry,
}

__all__ = ["CARRIERS", "DeliveryError", "InDoubt", "NotSent", "Refused"]
