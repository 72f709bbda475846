"""Secrets in the body of a command: encrypted from the form to the source; no row and no audit entry holds them."""

from __future__ import annotations

from typing import Any

from monitoring.secrets import decrypt, encrypt

SEALED = "sealed"


def sealed(value: str) -> dict[str, str]:
    """A secret as it stands in a body."""
    return {SEALED: encrypt(value).decode()}


def opened(body: Any) -> Any:
    """The body as it is sent. Raises UnreadableSecret when no key fits any more."""
    if isinstance(body, dict):
        if body.keys() == {SEALED}:
            return decrypt(str(body[SEALED]).encode())
        return {name: opened(value) for name, value in body.items()}
    return [opened(value) for value in body] if isinstance(body, list) else body
