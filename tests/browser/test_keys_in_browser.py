"""A change at the real service from the log-in to its end, by the keyboard alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import Error as PlaywrightError
from pytest_django.live_server_helper import LiveServer

from deployments.models import Deployment
from tests.browser.floor import LABEL, floor
from tests.browser.own_service import work
from tests.browser.test_pages_in_browser import DESK, PHONE
from tests.dashboard import world as worlds

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FOCUSED = "() => (document.activeElement.innerText || document.activeElement.id || '').trim()"
MOST = 120


def _focused(page: Page) -> str:
    """What has the focus; nothing while another page is on its way."""
    try:
        return str(page.evaluate(FOCUSED))
    except PlaywrightError as error:
        if "navigation" not in str(error):
            raise
        page.wait_for_load_state("load")
        return ""


def reach(page: Page, words: str) -> None:
    """By Tab to the thing that is called so; it must be seen where the focus is."""
    page.wait_for_load_state("load")  # until then a button is a plain form, which leads to another page
    expect(page.locator("[hx-trigger*='load delay']")).to_have_count(0)  # whatever the page waits for has come
    for _ in range(MOST):
        page.keyboard.press("Tab")
        if _focused(page) == words:
            ring = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
            assert ring != "none", f"nobody sees that {words} has the focus"
            return
    raise AssertionError(f"{words} cannot be reached")


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_a_deployment_is_renamed_without_a_mouse_and_the_focus_is_never_lost(
    browser: Browser, live_server: LiveServer, viewport: dict[str, int]
) -> None:
    # In a hurry the page would be drawn anew, and the focus begin at its top, more often than the keys get through it.
    with floor(browser, live_server, viewport, "light", hurry=False) as at, work():
        page = at.page
        for words, option, there in (("buyers", LABEL, "**/deployments/*/"), ("manage", "Manage", "**/manage/")):
            page.keyboard.press("Control+k")
            expect(page.get_by_role("combobox")).to_be_focused()
            page.keyboard.type(words)
            expect(page.locator("#palette [aria-selected=true]")).to_contain_text(option)
            page.keyboard.press("Enter")
            page.wait_for_url(there)
        reach(page, "Change name, description or importance")
        page.keyboard.press("Enter")
        page.wait_for_url("**/do/details/")
        reach(page, "id_label")
        page.keyboard.press("Control+a")
        page.keyboard.type("Later buyers")
        page.keyboard.press("Enter")
        at.done("Changed")
        reach(page, "Take off")
        page.keyboard.press("Enter")
        expect(page.locator(".command")).to_have_count(0)
        expect(page.locator("body :focus")).to_have_count(1)
        assert worlds.beside(lambda: Deployment.objects.get().label) == "Later buyers"
        page.keyboard.press("g")
        page.keyboard.press("f")
        page.wait_for_url(f"{at.address}/")
        reach(page, LABEL)  # the list of the source is read once a minute
        page.keyboard.press("Enter")
        page.wait_for_url("**/deployments/*/")
        page.keyboard.press("}")
        page.wait_for_url("**/service/")
