"""What is watched, in a real browser against the real service: sources, settings that change there, many at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from deployments.api.authentication import issue
from deployments.models import Deployment
from monitoring.models import Silence, Source, Star, Watched
from tests.browser.floor import LABEL, Floor, floor, poll
from tests.browser.own_service import work
from tests.browser.test_pages_in_browser import DESK, PHONE
from tests.browser.test_review_in_browser import picture, whole
from tests.dashboard import world as worlds

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.django_db(transaction=True)]
BOTH = pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk", "phone"])


def at_the_source(at: Floor, psi: float) -> None:
    """Somebody changes a limit by the API, and the next hourly poll comes."""

    def change() -> None:
        deployment = Deployment.objects.get(label=LABEL)
        token = issue(User.objects.get(username="ines"), "elsewhere")
        url = f"{at.address}/api/v2/deployments/{deployment.public_id}/healthSettings/"
        told = httpx.patch(
            url, json={"dataDrift": {"driftThreshold": psi}}, headers={"Authorization": f"Bearer {token}"}
        )
        assert told.status_code in {200, 204}, told.text
        now = datetime.now(UTC)
        Watched.objects.update(due_at=None, slow_polled_at=now - timedelta(hours=2))
        poll(Source.objects.get(), now)

    worlds.beside(change)


@BOTH
def test_a_limit_loosened_at_the_source_is_seen_compared_and_put_back(
    browser: Browser, live_server: LiveServer, viewport: dict[str, int], scheme: str
) -> None:
    with floor(browser, live_server, viewport, scheme) as at, work():
        page = at.page
        at_the_source(at, 0.4)
        at.tab("settings")
        page.get_by_role("link", name="Changes", exact=True).click()
        row = page.get_by_role("row").filter(has_text="0.4")
        expect(row).to_contain_text("at the source")
        picture(at, "watch-seen")
        row.get_by_role("button", name="Restore").click()
        at.done("health settings")
        left = worlds.beside(lambda: Deployment.objects.get(label=LABEL).settings)
        assert "0.4" not in str(left)


@BOTH
def test_a_source_is_added_tested_changed_paused_and_removed(
    browser: Browser, live_server: LiveServer, viewport: dict[str, int], scheme: str
) -> None:
    with floor(browser, live_server, viewport, scheme) as at, work():
        page = at.page
        at.go(reverse("source-add"))
        page.get_by_label("Name").fill("Elsewhere")
        page.get_by_label("Address").fill("http://169.254.169.254/api/v2")
        page.get_by_label("API token").fill("a-token")
        page.get_by_role("button", name="Add and test").click()
        expect(page.locator(".errorlist").first).to_be_visible()
        picture(at, "source-refused")
        page.get_by_label("Address").fill("https://nobody.invalid/api/v2")
        page.get_by_label("API token").fill("a-token")
        page.get_by_role("button", name="Add and test").click()
        expect(page.get_by_text("Elsewhere is added")).to_be_visible()
        card = page.locator("article.source", has_text="Elsewhere")
        expect(card.get_by_text("Test ", exact=False).last).to_contain_text("nobody.invalid")
        picture(at, "source-failed")
        card.get_by_role("link", name="Change").click()
        page.get_by_label("Name").fill("Elsewhere, later")
        page.get_by_label("Paused").check()
        page.get_by_role("button", name="Save and test").click()
        card = page.locator("article.source", has_text="Elsewhere, later")
        expect(card.get_by_text("paused", exact=True).first).to_be_visible()
        assert whole(page)
        own = page.locator("article.source", has_text="Our own")
        own.get_by_role("button", name="Test connection").click()
        expect(own.get_by_text("connected", exact=False)).to_be_visible()
        expect(page.locator("article.source:focus-within", has_text="Our own")).to_be_visible()
        picture(at, "sources")
        card.get_by_role("link", name="Change").click()
        page.get_by_role("link", name="Remove").click()
        page.get_by_label("Type").fill("Elsewhere, later")
        page.get_by_role("button", name="Remove the source").click()
        expect(page.get_by_text("Elsewhere, later is removed.")).to_be_visible()
        assert worlds.beside(lambda: Source.objects.count()) == 1


def tick_all(at: Floor) -> None:
    """On a phone the ticks stand only for who wants to choose."""
    if at.page.viewport_size == PHONE:
        at.page.get_by_label("Choose several").check()
    for tick in at.page.get_by_role("checkbox", name="Tick Late").all():
        tick.check()


def chosen(at: Floor, act: str) -> None:
    """Everything on the fleet is ticked, an act chosen."""
    at.go(reverse("fleet"))
    tick_all(at)
    at.page.get_by_label("With those ticked").select_option(label=act)
    picture(at, f"bulk-{act}")
    at.page.get_by_role("button", name="Go on").click()
    expect(at.page.get_by_role("heading", level=1)).to_have_text(act)
    assert whole(at.page)


def all_done(at: Floor, act: str) -> None:
    at.page.get_by_role("button", name=act, exact=True).click()
    expect(at.page.get_by_text("2 of 2 done")).to_be_visible()
    assert whole(at.page)


@BOTH
def test_each_thing_that_can_be_done_with_many_is_done_with_two(
    browser: Browser, live_server: LiveServer, viewport: dict[str, int], scheme: str
) -> None:
    with floor(browser, live_server, viewport, scheme, further="Late sellers") as at, work():
        page = at.page
        chosen(at, "Star")
        all_done(at, "Star")
        assert worlds.beside(Star.objects.count) == 2
        chosen(at, "Take the star off")
        all_done(at, "Take the star off")
        assert worlds.beside(Star.objects.count) == 0
        chosen(at, "Silence")
        page.get_by_label("Reason").fill("Moving house")
        page.get_by_role("button", name="Silence", exact=True).click()
        expect(page.get_by_text("2 of 2 done")).to_be_hidden()  # without an end nothing is silenced
        page.get_by_label("Until").fill(f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}T09:00")
        all_done(at, "Silence")
        assert worlds.beside(Silence.objects.count) == 2
        chosen(at, "Set importance")
        page.get_by_label("Importance").select_option(label="High")
        all_done(at, "Set importance")
        assert set(worlds.beside(lambda: list(Deployment.objects.values_list("importance", flat=True)))) == {"HIGH"}
        chosen(at, "Health settings as in …")
        page.get_by_label("Like").select_option(label=LABEL)
        picture(at, "bulk-like")
        page.get_by_role("button", name="Health settings as in …", exact=True).click()
        expect(page.get_by_text("1 of 1 done")).to_be_visible()
        chosen(at, "Leave unwatched")
        page.get_by_label("Reason").fill("Not ours any more")
        all_done(at, "Leave unwatched")
        assert worlds.beside(lambda: Watched.objects.filter(left_out_at=None).count()) == 0
        at.go(reverse("fleet"))
        expect(page.get_by_role("heading", name="All 2 deployments are left unwatched")).to_be_visible()
        picture(at, "fleet-left-out")
        page.get_by_role("link", name="Show what is left unwatched").click()
        tick_all(at)
        page.get_by_label("With those ticked").select_option(label="Watch again")
        page.get_by_role("button", name="Go on").click()
        all_done(at, "Watch again")
        assert worlds.beside(lambda: Watched.objects.filter(left_out_at=None).count()) == 2
