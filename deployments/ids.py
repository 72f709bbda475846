"""Public ids: 24 hex digits, the first eight of them the second of creation, so that they sort by age."""

from __future__ import annotations

import secrets
import time

LENGTH = 24


def new_id() -> str:
    """A fresh id; 64 random bits make a clash within one second practically impossible."""
    return f"{int(time.time()):08x}{secrets.token_hex(8)}"
