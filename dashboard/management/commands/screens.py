"""Takes the pictures in `docs/screens` from a running installation: `python manage.py screens`."""

from __future__ import annotations

import json
import shutil
from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True)
class Shot:
    """One picture: its name, the tab ("" is the fleet) and how it is looked at."""

    name: str
    tab: str
    viewport: dict[str, int]
    scheme: str


SHOTS = (
    Shot("fleet-light", "", DESK, "light"),
    Shot("fleet-dark", "", DESK, "dark"),
    Shot("fleet-phone", "", PHONE, "light"),
    *(Shot(f"{tab}-light", tab, DESK, "light") for tab in ("overview", "service", "drift", "accuracy", "predictions")),
    Shot("batches-light", "batches", DESK, "light"),
    Shot("overview-dark", "overview", DESK, "dark"),
    Shot("drift-dark", "drift", DESK, "dark"),
    Shot("accuracy-dark", "accuracy", DESK, "dark"),
    Shot("overview-phone", "overview", PHONE, "light"),
    Shot("accuracy-phone-dark", "accuracy", PHONE, "dark"),
)


class Command(BaseCommand):
    """Reads address, user and password from `demo.json` unless they are given."""

    help = "Takes screenshots of fleet and deployment pages into docs/screens."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", help="address of the running installation")
        parser.add_argument("--username")
        parser.add_argument("--password")
        parser.add_argument("--deployment", default="", help="part of the name of the deployment to show")
        parser.add_argument("--batches", default="batch", help="part of the name of a deployment watched by batch")
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
            places = find(browser, access["url"], state, options["deployment"], options["batches"])
            for shot in SHOTS:
                if shot.tab and not places.get(shot.tab):
                    self.stdout.write(f"{shot.name}: left out, there is no such deployment")
                    continue
                take(browser, access["url"] + (places[shot.tab] if shot.tab else "/"), state, shot, out)
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


def find(browser: Browser, url: str, state: Any, wanted: str, batched: str) -> dict[str, str]:
    """The addresses of the tabs: of the first matching deployment watched by time, and of one watched by batch."""
    context = browser.new_context(viewport=DESK, storage_state=state)  # type: ignore[arg-type]
    page = context.new_page()
    places: dict[str, str] = {}
    page.goto(url + "/")
    links = [(link.inner_text(), link.get_attribute("href") or "") for link in page.locator("#rows a.name").all()]
    for name, href in sorted(links, key=lambda link: wanted.lower() not in link[0].lower()):
        by_batch = _is_by_batch(page, url + href)
        if by_batch and "batches" not in places and batched.lower() in name.lower():
            places["batches"] = href + "batches/"
        if not by_batch and "overview" not in places:
            places |= {tab: href + f"{tab}/" for tab in ("service", "drift", "accuracy", "predictions")}
            places["overview"] = href
    context.close()
    return places


def _is_by_batch(page: Page, address: str) -> bool:
    page.goto(address)
    return page.url.rstrip("/").endswith("/batches")


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
    page.set_viewport_size({"width": shot.viewport["width"], "height": max(shot.viewport["height"], int(height))})
    # A chart without data stays as it was drawn, so this is not waited for without end.
    for _ in range(60):
        if not page.locator(".chart:not(.is-live)").count():
            break
        page.wait_for_timeout(250)
    page.wait_for_timeout(300)
    page.screenshot(path=str(out / f"{shot.name}.png"))
    context.close()
