"""Segments, map and data in a real browser: a cell is clicked, reached by keys and taken along as a picture."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.test_pages_in_browser import DESK, PHONE, visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LABEL = "Arrival delay, minutes"


def test_a_cell_is_opened_by_a_click_and_the_others_are_reached_by_keys(
    browser: Browser, live_server: LiveServer
) -> None:
    found = visit(browser, live_server, DESK, "light")
    page = found.page
    found.deployment("map", label=LABEL)
    found.answer()
    found.deployment("map", label=LABEL)
    cells = page.locator("svg.map-wide .cell")
    expect(cells.first).to_be_attached()
    assert page.locator("svg.map-wide .cell[tabindex='0']").count() == 1
    page.locator("svg.map-wide .cell[tabindex='0']").focus()
    said = page.locator(".map-said")
    expect(said).to_contain_text("°")
    before = said.text_content()
    for key in ("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"):
        page.keyboard.press(key)
    assert said.text_content() != before
    with page.expect_download() as taken:
        page.locator("#map-main button[data-chart='png']").click()
    assert taken.value.suggested_filename == "map-main.png"
    cells.last.click()
    expect(page).to_have_url(re.compile(r"cell=[0-9a-f]{15}"))
    expect(page.locator("#cell h3").first).to_contain_text("°")
    found.answer()
    expect(page.locator("#map-cell.is-live")).to_be_visible()
    assert found.trouble == []
    found.context.close()


@pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "dark"), (PHONE, "light")])
def test_the_pages_are_whole_at_each_width(
    browser: Browser, live_server: LiveServer, viewport: dict[str, int], scheme: str
) -> None:
    found = visit(browser, live_server, viewport, scheme)
    for tab in ("segments", "map", "data"):
        found.deployment(tab, label=LABEL)
        found.answer()
        found.answer()
        found.deployment(tab, label=LABEL)
        expect(found.page.locator(".tab-body h3").first).to_be_visible()
        wide = found.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1")
        assert not wide, f"{tab} scrolls sideways at {viewport['width']}"
    assert found.trouble == []
    found.context.close()
