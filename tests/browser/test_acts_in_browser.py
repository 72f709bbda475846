"""Changing things from the pages, in a real browser: asked for, waiting, done, and many at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from monitoring.commands import run_due
from monitoring.models import Command, Star
from tests.browser.test_pages_in_browser import DESK, PHONE, Visit, visit
from tests.dashboard import world as worlds

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=[DESK, PHONE], ids=["desk", "phone"])
def seen(request: pytest.FixtureRequest, browser: Browser, live_server: LiveServer) -> Iterator[Visit]:
    found = visit(browser, live_server, request.param, "light", hurry=True)
    yield found
    found.context.close()


def carry_out(seen: Visit) -> None:
    """The runner speaks to the source, which keeps the custom metrics that it is sent."""
    kept: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/customMetrics/"):
            return seen.world.api.answer(request)
        if request.method == "POST":
            kept.append({"id": f"{len(kept) + 1:024x}", **json.loads(request.content)})
            return httpx.Response(201, json=kept[-1])
        return httpx.Response(200, json={"count": len(kept), "next": None, "previous": None, "data": kept})

    assert run_due(timezone.now(), transport=lambda: httpx.MockTransport(answer)) == 1
    assert [one["name"] for one in kept] == ["Minutes saved"]


def test_a_change_is_asked_for_waits_on_the_page_and_is_done_without_a_reload(seen: Visit) -> None:
    page = seen.page
    seen.deployment("manage")
    page.get_by_role("link", name="New custom metric").click()
    page.get_by_label("Name", exact=True).fill("Minutes saved")
    page.get_by_role("button", name="New custom metric").click()
    waiting = page.locator(".command-open")
    expect(waiting).to_contain_text("Create custom metric Minutes saved")
    worlds.beside(lambda: carry_out(seen))
    expect(page.locator(".command-passing")).to_contain_text("Created custom metric Minutes saved")
    page.get_by_role("button", name="Take off").click()
    expect(page.locator(".command")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]
    assert seen.trouble == []


def test_what_cannot_be_undone_asks_for_the_name(seen: Visit) -> None:
    page = seen.page
    seen.deployment("manage")
    page.get_by_role("link", name="Delete the deployment").click()
    expect(page.locator(".notice-failing")).to_contain_text("whoever sends predictions to it will be refused")
    page.get_by_label("to confirm").fill("something else")
    page.get_by_role("button", name="Delete the deployment").click()
    expect(page.get_by_text("This is not its name; nothing was sent.")).to_be_visible()
    assert worlds.beside(Command.objects.count) == 0


def test_some_rows_are_starred_at_once(seen: Visit) -> None:
    page = seen.page
    bar = page.locator(".bulk-bar")
    expect(bar).to_be_hidden()
    if page.viewport_size == PHONE:  # there the ticks stand only for who wants to choose
        page.get_by_label("Choose several").check()
    ticks = page.locator("td.col-pick input")
    ticks.nth(0).check()
    ticks.nth(1).check()
    expect(bar).to_be_visible()
    page.get_by_role("button", name="Go on").click()
    expect(page.locator(".notice")).to_contain_text("2 deployments get your star")
    page.get_by_role("button", name="Star", exact=True).click()
    expect(page.get_by_text("2 of 2 done")).to_be_visible()
    assert worlds.beside(Star.objects.count) == 2
    page.goto(seen.address + reverse("fleet") + "?starred=1")
    expect(page.locator(".star-on")).to_have_count(2)
    assert seen.trouble == []
