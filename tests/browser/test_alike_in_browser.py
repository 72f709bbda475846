"""A change carried to the deployments like it, and an area with a policy of its own, as a person does them."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from monitoring.models import AlertPolicy, Command, CommandKind
from tests.browser.test_pages_in_browser import DESK, PHONE, visit
from tests.browser.test_review_in_browser import whole
from tests.dashboard import world as worlds

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "light"), (PHONE, "dark")])
def test_a_limit_is_saved_for_others_like_it(
    browser: Browser, live_server: LiveServer, viewport: dict[str, int], scheme: str
) -> None:
    found = visit(browser, live_server, viewport, scheme)
    page = found.page
    found.deployment("settings")
    page.get_by_label("A feature has drifted above").fill("0.1")
    page.get_by_role("button", name=re.compile(r"Save for this and \d+ like it")).click()
    expect(page.get_by_role("heading", name="The same for others like it")).to_be_visible()
    expect(page.get_by_text(re.compile(r"Over all \d+ deployments"))).to_be_visible()
    assert whole(page)
    boxes = page.get_by_role("checkbox")
    boxes.first.uncheck()
    chosen = boxes.count() - 1
    page.get_by_role("button", name="Change those chosen").click()
    expect(page.get_by_role("heading", name="The same change")).to_be_visible()
    expect(page.get_by_text(f"0 of {chosen} done")).to_be_visible()
    asked = Command.objects.filter(kind=CommandKind.HEALTH_SETTINGS)
    assert worlds.beside(lambda: asked.exclude(group="").count()) == chosen
    found.go(reverse("policies"))
    page.locator("main").get_by_role("link", name="Change").click()
    page.get_by_text("Areas that have something of their own").click()
    page.get_by_label("Data drift: told").select_option("digest")
    assert whole(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Data drift: told in the digest.")).to_be_visible()
    assert worlds.beside(lambda: AlertPolicy.objects.get().areas) == {"drift": {"delivery": "digest"}}
    assert found.trouble == []
    found.context.close()
