"""Challengers and the champion's place in a real browser, against the real service over HTTP."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from deployments.models import Deployment
from tests.browser.floor import PATIENCE_MS, floor, work
from tests.browser.test_pages_in_browser import DESK, PHONE
from tests.browser.test_review_in_browser import picture, whole
from tests.dashboard import world as worlds

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
BOTH = pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk", "phone"])


@BOTH
def test_a_challenger_is_added_renamed_replayed_and_takes_the_champions_place(
    browser: Browser, live_server: LiveServer, viewport: dict[str, int], scheme: str
) -> None:
    with floor(browser, live_server, viewport, scheme) as at, work():
        page, section = at.page, at.page.locator("section#challengers")
        at.tab("challengers")
        page.get_by_role("link", name="New challenger").click()
        page.get_by_label("Model package").select_option(label="Buyers, February", timeout=PATIENCE_MS)
        page.get_by_label("Name", exact=True).fill("February")
        picture(at, "challenger-form")
        page.get_by_role("button", name="New challenger").click()
        at.done("challenger February")
        line = section.locator("li", has_text="Buyers, February")
        line.get_by_role("link", name="Rename").click()
        page.get_by_label("Name", exact=True).fill("The February one")
        page.get_by_role("button", name="Rename").click()
        at.done("Renamed challenger February")
        expect(line.locator("b")).to_have_text("The February one")
        section.get_by_role("link", name="Replay now").click()
        page.get_by_role("button", name="Replay now").click()
        at.done("Replayed")
        picture(at, "challenger-manage")
        at.tab("challengers")
        expect(page.get_by_role("heading", name="2 models on the same days")).to_be_visible(timeout=PATIENCE_MS)
        picture(at, "challengers")
        at.tab("manage")
        line.get_by_role("link", name="Make it the champion").click()
        expect(page.get_by_label("Model package").locator("option:checked")).to_have_text("Buyers, February")
        page.get_by_role("button", name="Replace the champion").click()
        expect(page.locator("#checks tbody tr")).to_have_count(19, timeout=PATIENCE_MS)
        assert whole(page)
        picture(at, "challenger-checks")
        page.get_by_label("Reason").select_option(label="Accuracy")
        page.get_by_role("button", name="Make it the champion").click()
        at.done("Made Buyers, February the champion")
        champion = worlds.beside(lambda: Deployment.objects.values_list("champion__package__name", flat=True).get())
        assert champion == "Buyers, February"
        picture(at, "challenger-promoted")
