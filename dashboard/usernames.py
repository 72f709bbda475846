"""The rule that user names keep, wherever an account is made."""

from __future__ import annotations

from django.contrib.auth import get_user_model


def check_username(text: str) -> str:
    """The name in its stored form. Raises ValidationError for one that accounts may not have."""
    name = get_user_model().normalize_username(text)
    for validate in get_user_model()._meta.get_field("username").validators:
        validate(name)
    return name
