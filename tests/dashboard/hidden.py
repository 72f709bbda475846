"""What a form carries without showing it: a browser sends it back as it came."""

from __future__ import annotations

import re
from html import unescape

from django.test import Client

_FIELD = re.compile(r'<input type="hidden" name="(seen|nonce)" value="([^"]*)"')


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of the first form on a page that has them."""
    found: dict[str, str] = {}
    for name, value in _FIELD.findall(page):
        found.setdefault(name, unescape(value))
    return found


def carried(client: Client, url: str) -> dict[str, str]:
    """The hidden fields of the form at an address."""
    return hidden(client.get(url).content.decode())
