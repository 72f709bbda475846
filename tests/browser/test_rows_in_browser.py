"""Rows at the service in a real browser: exported as files, and deleted by period after it was said how many."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.own_service import LATE, SEEN, SENT, house

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@SEEN
def test_rows_are_exported_followed_and_the_file_deleted(
    browser: Browser, live_server: LiveServer, viewport: dict[str, int], scheme: str
) -> None:
    with house(browser, live_server, viewport, scheme) as at:
        page = at.visit.page
        at.go("manage")
        at.section("exports").get_by_role("link", name="Export predictions").click()
        page.get_by_role("button", name="Export predictions").click()
        rows = at.line("exports", "Predictions")
        expect(rows).to_contain_text("succeeded")
        with page.expect_download() as taken:
            rows.get_by_role("link", name="Download").click()
        assert len(taken.value.path().read_text().splitlines()) == SENT + 1  # and the names of the columns
        at.section("exports").get_by_role("link", name="Export actuals").click()
        page.get_by_role("button", name="Export actuals").click()
        actuals = at.line("exports", "Actuals")
        actuals.get_by_role("link", name="Delete").click()
        expect(page.locator(".notice-warning")).to_contain_text("The actuals themselves stay.")
        page.get_by_role("button", name="Delete").click()
        at.gone(actuals)


@SEEN
def test_data_of_a_period_are_counted_before_they_are_deleted(
    browser: Browser, live_server: LiveServer, viewport: dict[str, int], scheme: str
) -> None:
    with house(browser, live_server, viewport, scheme) as at:
        page = at.visit.page
        at.go("manage")
        at.section("deletion").get_by_role("link", name="Delete monitoring data").click()
        page.get_by_role("button", name="How much is that?").click()
        expect(page.locator(".notice-failing")).to_contain_text(f"{SENT} predictions of")
        page.get_by_label("to confirm").fill("another")
        page.get_by_role("button", name="Delete these data").click()
        expect(page.get_by_text("nothing was sent")).to_be_visible()
        page.get_by_label("to confirm").fill(LATE)
        page.get_by_role("button", name="Delete these data").click()
        at.done("Deleted")
        at.section("deletion").get_by_role("link", name="Delete monitoring data").click()
        page.get_by_role("button", name="How much is that?").click()
        expect(page.locator(".notice-failing")).to_contain_text("0 predictions of")
