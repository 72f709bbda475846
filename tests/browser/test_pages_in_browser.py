"""The pages in a real browser: at a desk and on a phone, light and dark, with nothing on the console.

The source is made of real flights and answered by the watcher itself; a thread plays the worker of the priority queue.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.chromium import PATIENCE_MS
from tests.dashboard import world as worlds
from tests.dashboard.flights import DEPLOYMENTS, Deployment
from tests.dashboard.world import PASSWORD, World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
TABS = ("overview", "service", "drift", "accuracy", "predictions")
CHARTS = {"overview": 5, "service": 1, "drift": 2, "accuracy": 2, "predictions": 2}
LEFT = {"htmx:afterRequest", "htmx:sendError"}
"""What htmx says when a page is left while a piece of it is on its way. Of a server that does not answer, or with an
error, the browser tells by itself."""
HURRY = "{ const later = setTimeout; window.setTimeout = (what, ms, ...more) => later(what, (ms || 0) / 10, ...more) }"
"""Pages look again after two or three seconds; here after a tenth of that."""


@dataclass
class Visit:
    """A page, the installation behind it, and everything that should not have happened."""

    page: Page
    context: BrowserContext
    world: World
    address: str
    trouble: list[str] = field(default_factory=list)

    def go(self, url: str) -> None:
        self.page.goto(self.address + url)
        self.page.wait_for_load_state("load")

    def deployment(self, tab: str, query: str = "", label: str = "Flight delayed > 15 min") -> None:
        pk = worlds.beside(lambda: self.world.watched(label).pk)
        self.go(reverse(tab, args=[pk]) + query)

    def answer(self) -> None:
        worlds.beside(lambda: worlds.answer_waiting(self.world))

    def watch(self) -> None:
        """Collects errors of the page and requests to other hosts."""
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("console", lambda said: self._said(said.type, said.text))
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))
        self.page.on("request", lambda asked: self._foreign(asked.url))

    def _said(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"} and text not in LEFT:
            self.trouble.append(text)

    def _foreign(self, url: str) -> None:
        if not url.startswith((self.address, "data:", "blob:")):
            self.trouble.append(f"asked {url}")


def in_time(page: Page, holds: Callable[[], bool]) -> None:
    """Waits for what no page shows."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        page.wait_for_timeout(50)


def visit(
    browser: Browser,
    live_server: LiveServer,
    viewport: dict[str, int],
    scheme: str,
    deployments: tuple[Deployment, ...] = DEPLOYMENTS,
    *,
    hurry: bool = False,
) -> Visit:
    """Somebody who has just logged in. `hurry`: pages look again sooner than in life."""
    world = worlds.beside(lambda: worlds.build(deployments=deployments))
    context = browser.new_context(viewport=viewport, color_scheme=scheme, locale="en-GB")  # type: ignore[arg-type]
    if hurry:
        context.add_init_script(HURRY)
    found = Visit(context.new_page(), context, world, live_server.url)
    found.watch()
    found.go("/")
    expect(found.page).to_have_url(f"{live_server.url}/login/?next=/")
    found.page.get_by_label("User name or e-mail").fill("ines")
    found.page.get_by_label("Password").fill(PASSWORD)
    found.page.get_by_role("button", name="Log in").click()
    expect(found.page.get_by_role("heading", level=1)).to_contain_text("deployments")
    return found


@pytest.fixture
def desk(browser: Browser, live_server: LiveServer) -> Iterator[Visit]:
    """A wide window."""
    found = visit(browser, live_server, DESK, "light")
    yield found
    found.context.close()


@pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "light"), (DESK, "dark"), (PHONE, "light"), (PHONE, "dark")])
def test_every_page_is_whole_at_each_width_and_theme(
    browser: Browser, live_server: LiveServer, viewport: dict[str, int], scheme: str
) -> None:
    found = visit(browser, live_server, viewport, scheme)
    for tab in TABS:
        found.deployment(tab)
        found.page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        expect(found.page.locator(".chart.is-live")).to_have_count(CHARTS[tab])
        wide = found.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1")
        assert not wide, f"{tab} scrolls sideways at {viewport['width']}"
    for name in ("fleet", "watch", "mails", "sources", "teams", "preferences"):
        found.go(reverse(name))
        expect(found.page.get_by_role("heading", level=1)).to_be_visible()
    ground = found.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 20, 24)"}[scheme]
    assert found.trouble == []
    found.context.close()


def test_the_first_paint_is_readable_without_any_script(browser: Browser, live_server: LiveServer) -> None:
    found = visit(browser, live_server, DESK, "light")
    context = browser.new_context(viewport=DESK, java_script_enabled=False, storage_state=found.context.storage_state())  # type: ignore[arg-type]
    page = context.new_page()
    pk = worlds.beside(lambda: found.world.watched().pk)
    page.goto(live_server.url + reverse("accuracy", args=[pk]))
    expect(page.locator("#accuracy-main svg.plot").first).to_be_visible()
    page.locator("summary", has_text="Last 30").click()
    expect(page.get_by_role("link", name="Last 7\u202fd")).to_be_visible()
    context.close()
    found.context.close()


def test_clicking_a_feature_opens_its_detail_and_the_page_fills_in(desk: Visit) -> None:
    desk.deployment("drift")
    desk.page.get_by_role("link", name="temp", exact=True).first.click()
    expect(desk.page.get_by_text("The distribution is on its way.")).to_be_visible()
    desk.answer()
    # the server's drawing, or Plotly's, which may have taken over already
    expect(desk.page.locator("#drift-distribution svg:visible").first).to_be_visible()
    assert "feature=temp" in desk.page.url
    assert desk.trouble == []


def test_the_range_is_changed_in_the_bar_and_stands_in_the_address(desk: Visit) -> None:
    desk.deployment("accuracy")
    desk.page.locator("summary", has_text="Last 30").click()
    desk.page.get_by_role("link", name="Last 7\u202fd").click()
    desk.page.wait_for_url("**/accuracy/?range=7d")
    desk.page.get_by_role("navigation", name="Tabs of the deployment").get_by_role("link", name="Service").click()
    desk.page.wait_for_url("**/service/?range=7d")


def test_dragging_over_a_chart_zooms_into_whole_hours(desk: Visit) -> None:
    desk.deployment("predictions")
    plot = desk.page.locator("#predictions-main .plot-live .nsewdrag").first
    plot.wait_for(state="attached")
    box = plot.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    desk.page.mouse.move(box["x"] + box["width"] * 0.3, y)
    desk.page.mouse.down()
    desk.page.mouse.move(box["x"] + box["width"] * 0.6, y, steps=6)
    desk.page.mouse.up()
    desk.page.wait_for_url("**/predictions/?start=*")
    assert "%3A00%3A00" in desk.page.url or ":00:00" in desk.page.url


def test_search_as_you_type_keeps_the_focus(desk: Visit) -> None:
    desk.go("/")
    desk.page.keyboard.press("/")
    expect(desk.page.locator("#q")).to_be_focused()
    desk.page.keyboard.type("newark", delay=20)
    expect(desk.page.locator("#rows tr")).to_have_count(1)
    expect(desk.page.locator("#q")).to_be_focused()
    desk.page.wait_for_url("**/?q=newark")


def test_a_live_update_never_moves_a_row_by_itself(desk: Visit) -> None:
    from monitoring.models import Status, Watched

    desk.go("/")
    first = desk.page.locator("#rows tr .name").first.inner_text()
    desk.page.evaluate("window.__row = document.querySelector('#rows tr')")
    worlds.beside(lambda: Watched.objects.filter(label=first).update(worst=Status.PASSING, severity=0))
    desk.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    button = desk.page.locator("#show-changes")
    expect(button).to_be_visible()
    assert desk.page.locator("#rows tr .name").first.inner_text() == first
    button.click()
    assert desk.page.locator("#rows tr .name").first.inner_text() != first


def test_the_theme_is_remembered(desk: Visit) -> None:
    desk.go(reverse("preferences"))
    desk.page.get_by_label("Dark").check()
    desk.page.get_by_role("button", name="Save preferences").click()
    expect(desk.page.locator("html")).to_have_attribute("data-theme", "dark")


def test_neighbours_are_one_key_away(desk: Visit) -> None:
    desk.deployment("overview")
    here = desk.page.url
    desk.page.keyboard.press("j")
    desk.page.wait_for_url(lambda url: url != here)
    desk.page.keyboard.press("k")
    desk.page.wait_for_url(here)


def test_the_table_twin_opens_beside_the_chart(desk: Visit) -> None:
    desk.deployment("accuracy")
    desk.page.locator("#accuracy-main").get_by_role("button", name="Table").click()
    expect(desk.page.locator("#accuracy-main-table")).to_be_visible()
    assert desk.page.locator("#accuracy-main-table tbody tr").count() == 30
