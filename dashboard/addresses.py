"""Addresses of lists that lead to hundreds of things: found once a page, not once a line."""

from __future__ import annotations

from functools import cache

from django.urls import reverse

#: A key that stands in no address by chance.
_ANY = 987_654_321


def address(name: str, pk: int, *more: str) -> str:
    """What `reverse(name, args=[pk, *more])` answers, at a hundredth of its cost."""
    before, after = _around(name, more)
    return f"{before}{pk}{after}"


@cache
def _around(name: str, more: tuple[str, ...]) -> tuple[str, str]:
    """What stands before and behind the key. The table of addresses does not change while a process lives."""
    before, _, after = reverse(name, args=[_ANY, *more]).partition(str(_ANY))
    return before, after
