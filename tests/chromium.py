"""A real browser for tests marked `browser`; without one they are skipped aloud, or fail if one is required."""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
REQUIRED = "VITALS_REQUIRE_BROWSER"
PATIENCE_MS = 60_000
"""How long a page may take to show what is expected: a machine may be busy, and what comes sooner is seen sooner."""


def program() -> str | None:
    """The browser's path: `VITALS_BROWSER`, else one on the PATH."""
    return os.environ.get("VITALS_BROWSER") or next((found for name in NAMES if (found := shutil.which(name))), None)


def require() -> str:
    """The browser's path, or the end of this test."""
    if found := program():
        return found
    if os.environ.get(REQUIRED):
        pytest.fail(f"No browser was found ({', '.join(NAMES)}) although {REQUIRED} is set.")
    pytest.skip(f"no browser found ({', '.join(NAMES)})")


def until(page: Page, expression: str, seconds: float = PATIENCE_MS / 1000) -> bool:
    """Whether a JavaScript expression comes true in time, on this page or on the one that takes its place.

    `Page.wait_for_function` evaluates strings from within the page, which our policy on scripts forbids.
    """
    from playwright.sync_api import Error

    deadline = time.monotonic() + seconds
    while True:
        try:
            if page.evaluate(expression):
                return True
        except Error:  # between two pages there is nothing to ask
            if time.monotonic() >= deadline:
                raise
        if time.monotonic() >= deadline:
            return False
        page.wait_for_timeout(50)
