"""System checks of the watcher's settings."""

from __future__ import annotations

from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register()
def keys_are_fernet_keys(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Without a proper key no token of a source can be stored."""
    keys = getattr(settings, "FERNET_KEYS", [])
    if not keys:
        return [
            Error(
                "FERNET_KEYS is empty: tokens of sources cannot be encrypted.",
                id="monitoring.E001",
            )
        ]
    try:
        for key in keys:
            Fernet(key)
    except ValueError:
        return [
            Error(
                "FERNET_KEYS holds a value that is not a Fernet key.",
                id="monitoring.E002",
            )
        ]
    return []
