"""Takes the pictures in `docs/screens` from a running installation: `python manage.py screens`."""

from __future__ import annotations

import json
import re
import shutil
from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from dashboard.tabs.registry import TABS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
#: Long lists are cut here.
TALLEST = 2_200
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True)
class Shot:
    """One picture: its name, the page (a key of what `find` found) and how it is looked at."""

    name: str
    page: str
    viewport: dict[str, int]
    scheme: str


#: Pages by the name of their address.
PAGES = (
    *("fleet", "blind-spots", "incidents", "silences", "reviews", "actions", "mails", "watch", "sources", "channels"),
    *("rules", "handover", "noise", "teams", "tokens", "preferences", "views", "glossary", "tv", "audit", "policies"),
    *("shares", "jobs-fleet", "register", "configuration"),
)
#: Pages about one thing: the list on which the first link to one stands.
FIRST_OF = {"incident": "incidents", "review": "reviews", "mail": "mails"}
ALSO_DARK = ("fleet", "overview", "drift", "accuracy", "map", "incident", "settings")
ALSO_PHONE = ("fleet", "overview", "accuracy", "incident", "segments", "settings")


def shots(places: dict[str, str]) -> list[Shot]:
    """Every page at a desk in light, some also in dark and on a phone."""
    found = [Shot(f"{page}-light", page, DESK, "light") for page in places]
    found += [Shot(f"{page}-dark", page, DESK, "dark") for page in ALSO_DARK if page in places]
    return found + [Shot(f"{page}-phone", page, PHONE, "light") for page in ALSO_PHONE if page in places]


class Command(BaseCommand):
    """Reads address, user and password from `demo.json` unless they are given."""

    help = "Takes screenshots of every page into docs/screens."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", help="address of the running installation")
        parser.add_argument("--username")
        parser.add_argument("--password")
        parser.add_argument("--deployment", default="", help="part of the name of the deployment to show")
        parser.add_argument("--only", nargs="*", default=(), help="names of pages; all by default")
        parser.add_argument("--out", default=str(settings.BASE_DIR / "docs" / "screens"))

    def handle(self, *args: Any, **options: Any) -> None:
        access = credentials(options)
        program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
        if program is None:
            raise CommandError(f"No browser was found ({', '.join(BROWSERS)}).")
        from playwright.sync_api import sync_playwright

        out = Path(options["out"])
        out.mkdir(parents=True, exist_ok=True)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
            state = log_in(browser, access)
            places = find(browser, access["url"], state, options["deployment"])
            for shot in shots(places):
                if options["only"] and shot.page not in options["only"]:
                    continue
                take(browser, access["url"] + places[shot.page], state, shot, out)
                self.stdout.write(f"{shot.name}.png")
            browser.close()


def credentials(options: dict[str, Any]) -> dict[str, str]:
    """`url`, `username`, `password`: as given, else those of the demo."""
    known = {}
    file = Path(settings.DATA_DIR) / "demo.json"
    if file.exists():
        known = json.loads(file.read_text())
    found = {name: options[name] or known.get(name, "") for name in ("url", "username", "password")}
    if not all(found.values()):
        raise CommandError("Give --url, --username and --password, or start the demo first.")
    return {**found, "url": found["url"].rstrip("/")}


def log_in(browser: Browser, access: dict[str, str]) -> Any:
    """The session of somebody who has logged in."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{access['url']}/login/")
    page.get_by_label("User name or e-mail").fill(access["username"])
    page.get_by_label("Password").fill(access["password"])
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{access['url']}/")
    state = context.storage_state()
    context.close()
    return state


def find(browser: Browser, url: str, state: Any, wanted: str) -> dict[str, str]:
    """The address of each page; of each tab that of the first deployment which has something to show there."""
    context = browser.new_context(viewport=DESK, storage_state=state)  # type: ignore[arg-type]
    page = context.new_page()
    places: dict[str, str] = {}
    places |= {name: reverse(name) for name in PAGES}
    for name, listing in FIRST_OF.items():
        page.goto(url + places[listing])
        pattern = re.compile(re.escape(reverse(name, args=[0])).replace("0", r"\d+") + "$")
        hrefs = [link.get_attribute("href") or "" for link in page.locator("main a").all()]
        first = next((href for href in hrefs if pattern.fullmatch(href)), None)
        if first is not None:
            places[name] = first
    page.goto(url + "/")
    links = [(link.inner_text(), link.get_attribute("href") or "") for link in page.locator("#rows a.name").all()]
    hrefs = [href for _, href in sorted(links, key=lambda link: wanted.lower() not in link[0].lower())]
    for slug in TABS:
        tail = "" if slug == "overview" else f"{slug}/"
        places[slug] = next((href + tail for href in hrefs if _tells(page, url + href + tail)), hrefs[0] + tail)
    context.close()
    return places


def _tells(page: Page, address: str) -> bool:
    """Whether the tab is shown there, and shows more than what to send."""
    answer = page.goto(address)
    return bool(answer and answer.ok) and page.url == address and not page.locator("#content .empty-state").count()


def take(browser: Browser, address: str, state: Any, shot: Shot, out: Path) -> None:
    """One picture of the whole page, after everything that was on its way has landed and the charts are live."""
    context = browser.new_context(viewport=shot.viewport, color_scheme=shot.scheme, storage_state=state)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(address)
    page.wait_for_load_state("load")
    if page.locator("#content .pending").count():
        page.locator("#content .pending").wait_for(state="detached", timeout=30_000)
    # Charts go live when they come into view; the whole page is one view here.
    height = page.evaluate("document.documentElement.scrollHeight")
    height = min(max(shot.viewport["height"], int(height)), TALLEST)
    page.set_viewport_size({"width": shot.viewport["width"], "height": height})
    # A chart without data stays as it was drawn, so this is not waited for without end.
    for _ in range(60):
        if not page.locator(".chart:not(.is-live)").count():
            break
        page.wait_for_timeout(250)
    page.wait_for_timeout(300)
    page.screenshot(path=str(out / f"{shot.name}.png"))
    context.close()
