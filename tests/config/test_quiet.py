"""No line of the log holds what opens something."""

from __future__ import annotations

import io
import logging

import pytest
from django.conf import settings

from config.quiet import Quiet, blanked


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ("Not Found: /join/ab:cd-ef/", "Not Found: /join/…/"),
        ("/account/password/reset/key/1-abc-def/", "/account/password/reset/key/…/"),
        ("GET /s/tok_en-1/drift.csv?a=1", "GET /s/…/drift.csv?a=1"),
        ("/badge/tok.svg and /act/x:y/", "/badge/… and /act/…/"),
        ("Not Found: /deployments/3/settings/", "Not Found: /deployments/3/settings/"),
        ("/shares/new/ /actions/ /sources/1/", "/shares/new/ /actions/ /sources/1/"),
    ],
)
def test_keys_in_addresses_are_blanked(said: str, logged: str) -> None:
    assert blanked(said) == logged


def test_arguments_and_tracebacks_are_blanked_too() -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.addFilter(Quiet())
    logger = logging.Logger("quiet")
    logger.addHandler(handler)
    try:
        raise ValueError("/join/SECRET/ is odd")
    except ValueError:
        logger.exception("Request %s failed", "/act/SECRET/")
    assert "SECRET" not in out.getvalue()
    assert "/join/…/ is odd" in out.getvalue()


def test_every_handler_has_the_filter() -> None:
    assert all("quiet" in handler["filters"] for handler in settings.LOGGING["handlers"].values())
