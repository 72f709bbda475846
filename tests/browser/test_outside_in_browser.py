"""Who gets in and what goes out: tokens, invitations and share links; and what a person keeps, views and notes."""

from __future__ import annotations

import re
import urllib.error
import urllib.request

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from monitoring.models import Note
from tests.browser.own_service import LATE, SEEN, house
from tests.browser.test_review_in_browser import whole
from tests.dashboard import world as worlds

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def status(address: str, token: str) -> int:
    """How the API answers to a token."""
    asked = urllib.request.Request(f"{address}/api/v2/deployments/", headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


@SEEN
def test_a_token_is_shown_once_works_and_is_taken_back(
    browser: Browser, live_server: LiveServer, viewport: dict[str, int], scheme: str
) -> None:
    with house(browser, live_server, viewport, scheme) as at:
        page = at.visit.page
        at.visit.go(reverse("tokens"))
        page.get_by_label("What it is for").fill("Nightly scoring")
        page.get_by_role("button", name="Create token").click()
        token = page.locator("#fresh-token").inner_text()
        assert whole(page)
        assert status(at.address, token) == 200
        at.visit.go(reverse("tokens"))
        expect(page.get_by_text(token)).to_have_count(0)
        page.get_by_label("Revoke Nightly scoring").click()
        row = page.locator("tr", has_text="Nightly scoring")
        expect(row).to_contain_text("Whatever uses it is refused from now on.")
        row.get_by_role("button", name="Revoke it now").click()
        expect(page.get_by_text("Nightly scoring is revoked")).to_be_visible()
        assert status(at.address, token) == 401


@SEEN
def test_an_invited_person_joins_and_sees_the_team_until_removed(
    browser: Browser, live_server: LiveServer, viewport: dict[str, int], scheme: str
) -> None:
    with house(browser, live_server, viewport, scheme) as at:
        page = at.visit.page
        at.visit.go(reverse("teams"))
        page.get_by_label("Invite by e-mail").fill("eve@example.org")
        page.get_by_role("button", name="Invite", exact=True).click()
        link = page.locator("#fresh-link").inner_text()
        assert whole(page)
        path = re.sub(r"^https?://[^/]+", "", link)
        other = browser.new_context(viewport=viewport)  # type: ignore[arg-type]
        guest = other.new_page()
        guest.goto(at.address + path)
        guest.get_by_role("link", name=re.compile("log in", re.IGNORECASE)).first.click()
        guest.get_by_label("User name or e-mail").fill("eve")
        guest.get_by_label("Password").fill(worlds.PASSWORD)
        guest.get_by_role("button", name="Log in").click()
        guest.get_by_role("button", name=re.compile("join", re.IGNORECASE)).click()
        guest.goto(at.address + reverse("fleet"))
        expect(guest.locator("#rows tr", has_text=LATE)).to_have_count(1)
        at.visit.go(reverse("teams"))
        row = page.locator("tr", has_text="eve@example.org")
        row.locator("summary", has_text="Remove").click()
        row.get_by_role("button", name="Remove eve").click()
        expect(page.locator("tr", has_text="eve@example.org")).to_have_count(0)
        guest.reload()
        expect(guest.locator("#rows tr", has_text=LATE)).to_have_count(0)
        other.close()


@SEEN
def test_a_share_link_opens_for_an_outsider_until_it_is_ended(
    browser: Browser, live_server: LiveServer, viewport: dict[str, int], scheme: str
) -> None:
    with house(browser, live_server, viewport, scheme) as at:
        page = at.visit.page
        at.go("drift")
        page.get_by_role("link", name="Share this tab by link").click()
        page.get_by_label("For", exact=True).fill("The board")
        page.get_by_role("button", name="Make the link").click()
        path = re.sub(r"^https?://[^/]+", "", page.locator("#share-address").inner_text())
        stranger = browser.new_context(viewport=viewport)  # type: ignore[arg-type]
        outside = stranger.new_page()
        outside.goto(at.address + path)
        expect(outside.get_by_role("heading", level=1)).to_have_text(LATE)
        assert whole(outside)
        page.get_by_role("link", name="To everything shared").click()
        expect(page.locator("summary", has_text="Revoke")).to_be_visible()
        assert whole(page)
        page.locator("summary", has_text="Revoke").click()
        page.get_by_role("button", name="End it now").click()
        expect(page.get_by_text("the link for The board no longer opens")).to_be_visible()
        outside.reload()
        expect(outside.get_by_text(LATE)).to_have_count(0)
        stranger.close()


@SEEN
def test_a_view_is_saved_opened_renamed_and_deleted_and_a_note_written_changed_and_removed(
    browser: Browser, live_server: LiveServer, viewport: dict[str, int], scheme: str
) -> None:
    with house(browser, live_server, viewport, scheme) as at:
        page = at.visit.page
        at.visit.go(reverse("fleet") + "?q=late")
        page.get_by_text("Save view").click()
        page.get_by_label("Name", exact=True).fill("What is late")
        page.get_by_role("button", name="Save", exact=True).click()
        at.visit.go(reverse("views"))
        assert whole(page)
        page.locator("main").get_by_role("link", name="What is late").click()
        expect(page.locator("#q")).to_have_value("late")
        at.visit.go(reverse("views"))
        page.locator("summary", has_text="Rename").click()
        page.locator("main").get_by_label("Name", exact=True).fill("Late ones")
        page.locator("main").get_by_role("button", name="Rename", exact=True).click()
        page.get_by_role("button", name="Delete Late ones").click()
        expect(page.locator("main").get_by_role("link", name="Late ones")).to_have_count(0)

        at.go("history")
        page.get_by_label("Note", exact=True).fill("The feed was late")
        with page.expect_response(re.compile("/history/")):
            page.evaluate("window.htmx.trigger(document.body, 'acted')")  # the tab would be drawn anew
        expect(page.get_by_label("Note", exact=True)).to_have_value("The feed was late")
        page.get_by_role("button", name="Write it down").click()
        expect(page.locator(".story-day", has_text="The feed was late")).to_be_visible()
        page.locator(".story-day").get_by_role("link", name="Change").first.click()
        page.get_by_label("Note", exact=True).fill("The feed was late by an hour")
        page.get_by_role("button", name="Save the note").click()
        expect(page.locator(".story-day", has_text="late by an hour")).to_be_visible()
        page.locator(".story-day").get_by_role("link", name="Change").first.click()
        page.locator("summary", has_text="Remove this note").click()
        page.get_by_role("button", name="Remove it").click()
        expect(page.get_by_text("The note is gone.")).to_be_visible()
        assert worlds.beside(Note.objects.count) == 0
