"""Batches in a real browser: made, locked, refused, unlocked, renamed and deleted at the service."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from deployments.models import MonitoringBatch
from tests.browser.own_service import MONTHLY, SEEN, house
from tests.dashboard import world as worlds

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@SEEN
def test_a_batch_is_made_locked_unlocked_renamed_and_deleted(
    browser: Browser, live_server: LiveServer, viewport: dict[str, int], scheme: str
) -> None:
    with house(browser, live_server, viewport, scheme, batch=True) as at:
        page = at.visit.page
        at.go("manage", label=MONTHLY)
        at.section("batches").get_by_role("link", name="New batch").click()
        page.get_by_label("Name", exact=True).fill("January")
        page.get_by_role("button", name="New batch").click()
        january = at.line("batches", "January")
        january.get_by_role("button", name="Lock", exact=True).click()
        january.get_by_role("button", name="Unlock").click()
        expect(january.get_by_role("button", name="Lock", exact=True)).to_be_visible()
        january.get_by_role("link", name="Change").click()
        page.get_by_label("Name", exact=True).fill("Late January")
        page.get_by_role("button", name="Change").click()
        renamed = at.line("batches", "Late January")
        renamed.get_by_role("link", name="Delete").click()
        expect(page.locator(".notice-failing")).to_contain_text("It cannot be undone.")
        page.get_by_label("to confirm").fill("Late January")
        page.get_by_role("button", name="Delete").click()
        at.gone(renamed)
        assert worlds.beside(MonitoringBatch.objects.count) == 0
