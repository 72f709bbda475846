"""A button of an act, wherever it stands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Button:
    """Leads to a form, or sends at once; with `why` it only says why it cannot be had."""

    word: str
    href: str
    at_once: bool = False
    danger: bool = False
    why: str = ""
