"""Pages in a real browser: how long until they can be read, until their charts answer, and how much was sent.

The web process is the one that `up` starts; the browser shares its two cores. Cold: a new browser profile. Warm: the
page once more in the same profile. Fleets are filled up as in `benchmarks.pages`.
"""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.environment import fresh_world, ready
from benchmarks.pages import FLEETS, fill
from benchmarks.table import Row

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

GOAL_MS = 1000.0
TIMES = 5
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DESK = {"width": 1440, "height": 900}
_PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
_SENT = """[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
    .reduce((sum, entry) => sum + entry.transferSize, 0)"""
#: Charts go live when they come into view; those further down are none of the first view.
_WAITING = """[...document.querySelectorAll('.chart[data-figure]')]
    .filter(one => one.getBoundingClientRect().top < innerHeight && !one.classList.contains('is-live')
        && JSON.parse(document.getElementById(one.dataset.figure).textContent).data.length).length"""


def run() -> list[Row]:
    """Nothing without a browser."""
    program = os.environ.get("VITALS_BROWSER") or next((p for name in PROGRAMS if (p := shutil.which(name))), None)
    if program is None:
        return []
    ready()
    from django.core.management import call_command
    from django.urls import reverse
    from playwright.sync_api import sync_playwright

    call_command("collectstatic", interactive=False, verbosity=0)
    world = fresh_world()
    pk = world.watched().pk
    rows: list[Row] = []
    with _served() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        cookie = _session(world.owner, url)
        for tab in ("overview", "drift"):
            rows += _rows(f"{tab}, 30 days", _seen(browser, cookie, url + reverse(tab, args=[pk])))
        for size in FLEETS:
            _beside(lambda size=size: fill(size))
            rows += _rows(f"fleet of {size:,}", _seen(browser, cookie, url + "/"))[:1]
        browser.close()
    return rows


def _rows(name: str, found: dict[str, float]) -> list[Row]:
    bytes_ = f"{found['cold bytes'] / 1024:.0f} KB cold, {found['warm bytes'] / 1024:.0f} KB warm"
    ratio = found["painted"] / GOAL_MS
    return [
        Row(
            f"browser: {name}, readable, cold ({bytes_})",
            f"{found['painted']:.0f} ms",
            f"{GOAL_MS:.0f} ms",
            ratio,
            "≤ 1",
            ok=ratio <= 1,
        ),
        Row(f"browser: {name}, charts live, cold", f"{found['live']:.0f} ms", "–", found["live"] / 1000, unit="s"),
    ]


def _seen(browser: Browser, cookie: dict[str, Any], address: str) -> dict[str, float]:
    """Medians over several cold looks, each followed by a warm one."""
    looks: list[dict[str, float]] = []
    for _ in range(TIMES):
        context = browser.new_context(viewport=DESK)  # type: ignore[arg-type]
        context.add_cookies([cookie])  # type: ignore[list-item]
        cold, warm = _look(context, address), _look(context, address)
        looks.append({**cold, "cold bytes": cold["bytes"], "warm bytes": warm["bytes"]})
        context.close()
    return {name: median(look[name] for look in looks) for name in looks[0]}


def _look(context: BrowserContext, address: str) -> dict[str, float]:
    page = context.new_page()
    page.goto(address)
    # Asked from outside: the pages' Content-Security-Policy forbids what Playwright would run inside to wait.
    deadline = time.monotonic() + 30
    while page.evaluate(_WAITING) and time.monotonic() < deadline:
        page.wait_for_timeout(10)
    live = page.evaluate("performance.now()")
    while not page.evaluate(_PAINTED) and time.monotonic() < deadline:
        page.wait_for_timeout(10)  # a page without charts is asked before it was painted
    found = {"live": live, "painted": page.evaluate(_PAINTED)}
    page.wait_for_load_state("load")
    found["bytes"] = page.evaluate(_SENT)
    page.close()
    return found


@contextmanager
def _served() -> Iterator[str]:
    """The address of a web process on the benchmark's own stores."""
    from config import roles
    from config.processes import spawn, stop

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
    spec = roles.web(roles.Web("127.0.0.1", port, workers=1, threads=4), roles.environment())
    child = spawn(spec)
    try:
        deadline = time.monotonic() + 60
        while not (spec.ready and spec.ready()):
            if child.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("The web process did not start.")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(child, spec)


def _session(user: Any, url: str) -> dict[str, Any]:
    """The cookie of somebody who is logged in."""
    from django.conf import settings
    from django.test import Client

    def log_in() -> str:
        client = Client()
        client.force_login(user)
        return client.cookies[settings.SESSION_COOKIE_NAME].value

    return {"name": settings.SESSION_COOKIE_NAME, "value": _beside(log_in), "url": url}


def _beside(work: Any) -> Any:
    """Runs in a thread: Playwright's loop counts as asynchronous code, in which Django's database says no."""
    from tests.dashboard import world as worlds

    return worlds.beside(work)
