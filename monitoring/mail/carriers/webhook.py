"""Signed webhooks, by the rules of Standard Webhooks: a receiver can check who spoke, when, and if it was before.

`webhook-id` is the same in every attempt, `webhook-timestamp` is the second of this attempt, `webhook-signature` is
`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body` with the channel's secret.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from datetime import datetime, timedelta
from typing import Any

import urllib3
from django.conf import settings

from monitoring.client import AddressRefused, check_url
from monitoring.mail.carriers.errors import InDoubt, NotSent, Refused, by_status
from monitoring.mail.carriers.guard import Guard, guarded
from monitoring.models import Message
from monitoring.sources import policy_of

PREFIX = "whsec_"
#: Bytes of an answer that are read: enough to let the connection end well.
READ = 2_000


def new_secret() -> str:
    """A signing secret: `whsec_` and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signature(secret: str, identity: str, timestamp: int, body: bytes) -> str:
    """`v1,…` over `identity.timestamp.body`."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    digest = hmac.new(key, f"{identity}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def carry(message: Message, now: datetime) -> str:
    """Posts the payload once. Returns "" (a webhook gives no id); raises a DeliveryError."""
    channel = message.channel
    if channel is None:
        raise Refused("Its channel was removed.")
    policy = policy_of(built_in=False)
    try:
        check_url(channel.target, policy)
    except AddressRefused as error:
        raise Refused(str(error)) from None
    body = json.dumps(message.payload, ensure_ascii=False, separators=(",", ":")).encode()
    with guarded(policy) as guard:
        status, wait = _post(channel.target, body, headers(message, channel.secret, now, body), guard)
    problem = by_status(status, channel.shown, wait)
    if problem is not None:
        raise problem
    return ""


def headers(message: Message, secret: str, now: datetime, body: bytes) -> dict[str, str]:
    """The same id in every attempt, so that the receiver can drop what it had already."""
    identity, timestamp = identity_of(message), int(now.timestamp())
    return {
        "Content-Type": "application/json",
        "User-Agent": "Vitals",
        "Idempotency-Key": identity,
        "webhook-id": identity,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(secret, identity, timestamp, body),
    }


def identity_of(message: Message) -> str:
    """The left side of the Message-ID: stable, and fit for a header of any program."""
    return message.message_id.strip("<>").partition("@")[0]


def _post(url: str, body: bytes, sent: dict[str, str], guard: Guard) -> tuple[int, timedelta | None]:
    limit = urllib3.Timeout(connect=settings.EMAIL_TIMEOUT, read=settings.EMAIL_TIMEOUT)
    try:
        with urllib3.PoolManager(retries=False, timeout=limit) as pool:
            answer = pool.request("POST", url, body=body, headers=sent, redirect=False, preload_content=False)
            answer.read(READ)
            answer.close()
            return answer.status, _wait(answer.headers.get("Retry-After"))
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise _problem(error, guard) from None


def _problem(error: Exception, guard: Guard) -> Exception:
    if guard.refused:
        return Refused(f"{guard.refused} lies in a network that channels may not lead to.")
    if isinstance(error, urllib3.exceptions.SSLError):
        return NotSent(f"No trusted connection: {error}", reached=False)
    if guard.connected:
        return InDoubt(f"The connection was lost after the message was sent: {type(error).__name__}.")
    return NotSent(f"No connection: {type(error).__name__}.", reached=False)


def _wait(text: Any) -> timedelta | None:
    """Retry-After in seconds; a date is left to our own gaps."""
    return timedelta(seconds=min(int(text), 86_400)) if isinstance(text, str) and text.isdecimal() else None
