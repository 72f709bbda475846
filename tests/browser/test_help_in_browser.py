"""Help in place in a real browser: opened by key and by finger, closed by Escape, where one was before."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.test_pages_in_browser import DESK, PHONE, visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("viewport", [DESK, PHONE])
def test_a_metric_is_explained_where_it_stands(
    browser: Browser, live_server: LiveServer, viewport: dict[str, int]
) -> None:
    found = visit(browser, live_server, viewport, "light")
    found.deployment("accuracy")
    mark = found.page.get_by_role("link", name="What is AUC?").first
    mark.focus()
    found.page.keyboard.press("Enter")
    card = found.page.get_by_role("dialog", name="AUC")
    expect(card).to_contain_text("0.5 is guessing")
    expect(card).to_be_focused()
    box = card.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= viewport["width"]
    found.page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    expect(mark).to_be_focused()
    mark.click()
    card.get_by_role("link", name="In the glossary").click()
    found.page.wait_for_url(f"**{reverse('glossary')}#auc")
    assert found.trouble == []
    found.context.close()
