"""The choice of a time zone in forms."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones

from django import forms


@cache
def choices() -> tuple[tuple[str, str], ...]:
    """Named places and UTC; reading them costs a walk over files, so it is done once."""
    names = sorted(name for name in available_timezones() if "/" in name or name == "UTC")
    return tuple((name, name.replace("_", " ")) for name in names)


def zone_field(hint: str = "") -> forms.ChoiceField:
    """A select of all zones."""
    return forms.ChoiceField(choices=choices, label="Time zone", help_text=hint)
