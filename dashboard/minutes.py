"""Times as people write them: `10 min`, `4 h`, `7 d`."""

from __future__ import annotations

import re
from typing import Any

from django import forms

MINUTES = {"min": 1, "h": 60, "d": 24 * 60}
LONGEST = 366 * MINUTES["d"]
_TIME = re.compile(r"(\d{1,7}(?:\.\d{1,3})?)\s*(min|h|d)?")


def in_words(minutes: int) -> str:
    """`10 min`, `4 h`, `7 d`: the largest unit that needs no fraction."""
    fitting = [unit for unit in ("d", "h") if minutes >= MINUTES[unit] and minutes % MINUTES[unit] == 0]
    unit = fitting[0] if fitting else "min"
    return f"{minutes // MINUTES[unit]} {unit}"


class Minutes(forms.Field):
    """A time such as `10 min`, `4 h` or `7 d`; a bare number counts minutes."""

    def __init__(self, *, least: int, **kwargs: Any) -> None:
        super().__init__(widget=forms.TextInput({"class": "input-short", "maxlength": 20}), **kwargs)
        self.least = least

    def to_python(self, value: Any) -> Any:
        text = str(value or "").strip()
        if not text:
            return None
        found = _TIME.fullmatch(text)
        if found is None:
            raise forms.ValidationError("A time such as 10 min, 4 h or 7 d is needed here.")
        minutes = float(found[1]) * MINUTES[found[2] or "min"]
        if minutes != int(minutes):
            raise forms.ValidationError("Whole minutes are needed here.")
        if not self.least <= minutes <= LONGEST:
            raise forms.ValidationError(f"Must lie between {in_words(self.least)} and {in_words(LONGEST)}.")
        return int(minutes)
