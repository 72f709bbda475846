"""Who may use a deployment at its source, and what a person marks for themselves, in a real browser."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from deployments.models import DeploymentRole
from monitoring.models import Star, Watched
from tests.browser.own_service import LATE, SEEN, House, house
from tests.dashboard import world as worlds

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def roles(at: House) -> dict[str, str]:
    """Who has which role at the service."""
    rows = DeploymentRole.objects.filter(deployment__label=LATE)
    return worlds.beside(lambda: {row.user.username: row.role for row in rows.select_related("user") if row.user})


@SEEN
def test_a_role_is_given_changed_and_taken_away_but_the_last_owner_stays(
    browser: Browser, live_server: LiveServer, viewport: dict[str, int], scheme: str
) -> None:
    with house(browser, live_server, viewport, scheme) as at:
        page = at.visit.page
        at.go("manage")
        at.section("sharing").get_by_role("link", name="Share with somebody").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Share with somebody")
        page.get_by_label("Name", exact=True).fill("tomas")
        page.get_by_role("button", name="Share with somebody").click()
        at.done("Changed the role of tomas")
        at.line("sharing", "tomas").get_by_role("link", name="Change the role").click()
        page.get_by_label("Role").select_option("CONSUMER")
        page.get_by_role("button", name="Change the role").click()
        expect(at.line("sharing", "tomas")).to_contain_text("consumer")
        assert roles(at) == {"ines": "OWNER", "tomas": "CONSUMER"}
        at.line("sharing", "tomas").get_by_role("link", name="Change the role").click()
        page.get_by_label("Role").select_option("NO_ROLE")
        page.get_by_role("button", name="Change the role").click()
        at.gone(at.line("sharing", "tomas"))
        at.line("sharing", "ines").get_by_role("link", name="Change the role").click()
        page.get_by_label("Role").select_option("USER")
        page.get_by_label("May share it with others").uncheck()
        page.get_by_role("button", name="Change the role").click()
        at.refused("would leave the deployment without an owner")
        assert roles(at) == {"ines": "OWNER"}


@SEEN
def test_a_star_a_bell_and_leaving_unwatched_hold_until_they_are_taken_back(
    browser: Browser, live_server: LiveServer, viewport: dict[str, int], scheme: str
) -> None:
    with house(browser, live_server, viewport, scheme) as at:
        page = at.visit.page
        row = page.locator("#rows tr", has_text=LATE)
        star = row.get_by_role("button", name=f"Star {LATE}")
        star.focus()
        page.keyboard.press("Enter")
        expect(star).to_have_attribute("aria-pressed", "true")
        expect(star).to_be_focused()
        bell = row.get_by_role("button", name=f"Hear of {LATE}")
        was = bell.get_attribute("aria-pressed")
        bell.click()
        expect(bell).to_have_attribute("aria-pressed", "false" if was == "true" else "true")
        assert worlds.beside(Star.objects.count) == 1
        at.go("manage")
        page.get_by_label("Leave it unwatched for the team, because").fill("Replaced in spring")
        page.get_by_role("button", name="Leave unwatched").click()
        expect(page.get_by_text("Replaced in spring").first).to_be_visible()
        at.visit.go(reverse("fleet"))
        expect(page.locator("#rows tr", has_text=LATE)).to_have_count(0)
        at.go("manage")
        page.get_by_role("button", name="Watch it again").click()
        expect(page.get_by_label("Leave it unwatched for the team, because")).to_be_visible()
        assert worlds.beside(lambda: Watched.objects.get(label=LATE).left_out_at) is None
