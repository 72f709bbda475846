"""Palette and keys in a real browser: by keyboard at a desk, by a button on a phone."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.test_pages_in_browser import DESK, PHONE, visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_deployment_is_two_words_away_and_keys_never_act_in_fields(browser: Browser, live_server: LiveServer) -> None:
    found = visit(browser, live_server, DESK, "light")
    page = found.page
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Go to a deployment, tab, page or action")
    expect(field).to_be_focused()
    page.keyboard.type("g?newark")
    expect(page.get_by_text("Nothing fits.")).to_be_visible()
    expect(page.locator("#keys")).to_be_hidden()
    field.fill("newark")
    expect(page.locator("#palette [aria-selected=true]")).to_contain_text("Newark")
    page.keyboard.press("Enter")
    page.wait_for_url("**/deployments/*/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("7")
    page.wait_for_url("**/?range=7d")
    page.keyboard.press("}")
    page.wait_for_url("**/service/?range=7d")
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.wait_for_url(f"**{reverse('incidents')}")
    assert found.trouble == []
    found.context.close()


def test_the_palette_opens_by_a_button_on_a_phone_and_fits(browser: Browser, live_server: LiveServer) -> None:
    found = visit(browser, live_server, PHONE, "dark")
    page = found.page
    opener = page.get_by_role("button", name="Go to")
    opener.click()
    dialog = page.get_by_role("dialog", name="Go to")
    expect(dialog.get_by_role("option").first).to_be_visible()
    box = dialog.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()
    assert found.trouble == []
    found.context.close()
