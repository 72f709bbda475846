"""Every page for everybody: WCAG 2.2 AA by axe, at a desk and on a phone, light and dark.

The pages are those of the table of addresses, so a new page is walked as soon as it has its row. Each is also held to
what concerns all of them: nothing on the console, no request to another host, nothing that scrolls sideways.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from django.urls import reverse
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from tests.browser.test_pages_in_browser import DESK, PHONE, Visit, visit
from tests.chromium import PATIENCE_MS, until
from tests.dashboard import world as worlds
from tests.dashboard.test_access import FOUND, TABLE, address, hold_all, hold_mail, hold_reviews

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.django_db(transaction=True)]
STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SANDBOXED = {"review-print"}
PIECES = {"mail-body", "state"}
"""Answers that are parts of another page, or no page at all."""
ASK = """([options, ms]) => Promise.race([
  axe.run({ exclude: [['.plot-live']] }, options),
  new Promise((end) => setTimeout(end, ms, null)),
])"""
"""What Plotly draws is left out: the same chart as a table and its summary are looked at."""
PAINTED = "() => new Promise((end) => requestAnimationFrame(() => requestAnimationFrame(() => end())))"
DRAWN_SECONDS = 8
LIVE = """() => {
  if (!document.querySelector('script[data-plotly]') || document.querySelector('.chart.is-live')) return true;
  const figure = (chart) => JSON.parse(document.getElementById(chart.dataset.figure)?.textContent ?? '{"data": []}');
  const charts = [...document.querySelectorAll('.chart[data-figure]')];
  const first = charts.find((chart) => chart.checkVisibility() && figure(chart).data.length);
  first?.scrollIntoView();
  return !first;
}"""
"""A chart has been drawn, if one holds anything to draw: while Plotly starts, axe's own timers may be lost."""


def found_wrong(page: Page, rules: Mapping[str, object]) -> list[str]:
    """What axe holds against the page as it stands: rule, places and reason."""
    told = page.evaluate(
        ASK, [{"resultTypes": ["violations"], "iframes": False, "preload": False, **rules}, PATIENCE_MS]
    )
    assert told is not None, "axe did not answer"
    return [
        f"{one['id']} at {node['target']}: {node['failureSummary']}".replace("\n", " ")
        for one in told["violations"]
        for node in one["nodes"][:3]
    ]


def held_against(found: Visit, name: str) -> list[str]:
    """Everything that is wrong with the page that is open, in both themes."""
    page, wrong = found.page, []
    if page.evaluate("document.doctype === null"):
        return []  # a piece of a page, looked at within the page that asks for it
    until(page, LIVE, DRAWN_SECONDS)  # a busy machine may draw later
    page.evaluate(Axe().axe_script)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.evaluate(PAINTED)
        whole = {"runOnly": {"type": "tag", "values": STANDARD}}
        colours = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
        wrong += [f"{name}, {scheme}: {text}" for text in found_wrong(page, whole if scheme == "light" else colours)]
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"):
        wrong.append(f"{name} scrolls sideways")
    wrong += [f"{name}: {text}" for text in found.trouble]
    found.trouble.clear()
    return wrong


def open_page(found: Visit, name: str, url: str) -> None:
    """Goes there. A page in which no script may run, not even a timer, is looked at as a copy outside of its policy."""
    if name not in SANDBOXED:
        found.go(url)
        return
    text = found.page.request.get(found.address + url).text()
    found.page.goto("about:blank")
    found.page.set_content(text)


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_no_page_shuts_anybody_out(browser: Browser, live_server: LiveServer, viewport: dict[str, int]) -> None:
    found = visit(browser, live_server, viewport, "light")
    found.page.emulate_media(reduced_motion="reduce")
    pages = worlds.beside(lambda: _addresses(found))
    wrong: list[str] = []
    for name, url in pages:
        open_page(found, name, url)
        wrong += held_against(found, name)
    assert len(pages) > 30
    assert not wrong, "\n".join(wrong)
    found.context.close()


def _addresses(found: Visit) -> list[tuple[str, str]]:
    """Every page that the owner may open, by name."""
    hold_mail(found.world)
    hold_reviews(found.world)
    hold_all(found.world)
    shown = [row for row in TABLE if row.method == "get" and row.owner == FOUND]
    pages = [(row.name, address(found.world, row)) for row in shown] + [("login", reverse("login"))]
    return [(name, url) for name, url in pages if url.endswith("/") and name not in PIECES]
