"""Credentials of sources at rest: encrypted with the first key of `FERNET_KEYS`, read with any of them."""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class UnreadableSecret(Exception):
    """The stored secret fits none of the keys; it must be entered again."""


def _box() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.FERNET_KEYS])


def encrypt(value: str) -> bytes:
    """The value as ciphertext; two calls differ."""
    return _box().encrypt(value.encode())


def decrypt(value: bytes) -> str:
    """The value in the clear. Raises UnreadableSecret when no key fits."""
    try:
        return _box().decrypt(value).decode()
    except InvalidToken:
        raise UnreadableSecret("The stored token fits none of the keys; enter it again.") from None


def rotate(value: bytes) -> bytes:
    """The same secret under the newest key."""
    try:
        return _box().rotate(value)
    except InvalidToken:
        raise UnreadableSecret("The stored token fits none of the keys; enter it again.") from None
