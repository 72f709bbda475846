"""Slowing down who tries often: counts a minute by address and by what was tried, kept in the cache."""

from __future__ import annotations

from django.core.cache import cache
from django.http import HttpRequest

from monitoring.audit import address_of

WINDOW = 60
TOO_MANY = "Too many attempts. Wait a minute and try again."


def client(request: HttpRequest) -> str:
    """The address that asks; behind our proxy the last one that the proxy has named."""
    return address_of(request) or ""


def keys(kind: str, request: HttpRequest, name: str = "") -> list[str]:
    """The counters that an attempt belongs to."""
    found = [f"{kind}:address:{client(request)}"]
    if name:
        found.append(f"{kind}:name:{name.lower()[:200]}".replace(" ", "_"))
    return found


def too_many(counters: list[str], limit: int) -> bool:
    """Whether one of the counters has reached the limit; a limit of 0 is none."""
    return bool(limit) and any(count >= limit for count in cache.get_many(counters).values())


def count(counters: list[str]) -> None:
    """One more for each; a counter begins anew a minute after it began."""
    for key in counters:
        if not cache.add(key, 1, WINDOW):
            try:
                cache.incr(key)
            except ValueError:
                cache.set(key, 1, WINDOW)


def reached(kind: str, request: HttpRequest, name: str, limit: int) -> bool:
    """Whether the limit is reached; if not, this attempt counts."""
    counters = keys(kind, request, name)
    if too_many(counters, limit):
        return True
    count(counters)
    return False
