"""The fleet in groups, a saved view, a shared tab and the wall, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from monitoring.models import Status, Watched
from tests.browser.test_pages_in_browser import DESK, PHONE, visit
from tests.dashboard import world as worlds

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_group_opens_a_view_is_saved_and_a_tab_is_shared_with_a_stranger(
    browser: Browser, live_server: LiveServer
) -> None:
    desk = visit(browser, live_server, DESK, "light")
    page = desk.page
    desk.go("/?group=importance")
    page.locator(".fleet-group summary").first.click()
    expect(page.locator(".fleet-group").first.locator(".group-rows a.name").first).to_be_visible()
    page.get_by_text("Save view").click()
    page.get_by_label("Name", exact=True).fill("By importance")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("link", name="By importance")).to_be_visible()
    desk.deployment("drift")
    page.get_by_role("link", name="Share this tab by link").click()
    page.get_by_label("For", exact=True).fill("The board")
    page.get_by_role("button", name="Make the link").click()
    address = page.locator("#share-address").inner_text()
    token = re.search(r"/s/([\w-]+)/", address)
    assert token is not None
    stranger = browser.new_context(viewport=DESK)  # type: ignore[arg-type]
    shared = stranger.new_page()
    errors: list[str] = []
    shared.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    shared.goto(f"{desk.address}/s/{token[1]}/")
    expect(shared.get_by_role("heading", level=1)).to_have_text("Flight delayed > 15 min")
    expect(shared.locator(".chart.is-live").first).to_be_visible()
    assert shared.locator("a[href^='/']").count() == 0
    assert errors == []
    assert desk.trouble == []
    stranger.close()
    desk.context.close()


def test_the_icon_and_the_title_follow_the_state_while_the_page_stays_open(
    browser: Browser, live_server: LiveServer
) -> None:
    desk = visit(browser, live_server, DESK, "light")
    page = desk.page
    assert "mark-failing" in (page.locator("link[rel=icon]").get_attribute("href") or "")
    assert re.match(r"\(\d+\) ", page.title())
    worlds.beside(lambda: Watched.objects.update(worst=Status.WARNING, severity=4))
    page.evaluate("document.dispatchEvent(new Event('vitals:state'))")
    expect(page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("mark-warning"))
    assert not page.title().startswith("(")
    desk.go("/tv/")
    expect(page.locator(".wall-row").first).to_be_visible()
    page.evaluate("Date.now = () => new Date().getTime() + 600000")
    expect(page.locator(".wall-stale")).to_be_visible()
    assert desk.trouble == []
    desk.context.close()


def test_a_phone_filters_groups_and_orders_the_fleet_without_scrolling_sideways(
    browser: Browser, live_server: LiveServer
) -> None:
    phone = visit(browser, live_server, PHONE, "light")
    page = phone.page
    page.locator(".counts .chip", has_text="Order").click()
    page.get_by_role("link", name="name, Z to A").click()
    expect(page.locator(".counts .chip", has_text="Order")).to_contain_text("name, Z to A")
    page.locator(".counts .chip", has_text="Group by").click()
    page.get_by_role("link", name="importance", exact=True).click()
    expect(page.locator(".fleet-group").first).to_be_visible()
    page.locator(".counts .chip", has_text="Filter").click()
    page.locator(".choice-list a").first.click()
    expect(page.locator(".counts .chip[aria-current]").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.locator(".fleet-tools summary", has_text="As of").click()
    expect(page.get_by_label("As known on")).to_be_visible()
    assert phone.trouble == []
    phone.context.close()
