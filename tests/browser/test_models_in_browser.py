"""Challengers, the champion's place and retraining in a real browser, against the real service over HTTP."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from deployments.models import Challenger, Deployment
from tests.browser.floor import floor
from tests.browser.own_service import work
from tests.browser.test_pages_in_browser import DESK, PHONE
from tests.browser.test_review_in_browser import picture, whole
from tests.dashboard import world as worlds

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.django_db(transaction=True)]
BOTH = pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk", "phone"])


@BOTH
def test_a_challenger_is_added_renamed_replayed_and_takes_the_champions_place(
    browser: Browser, live_server: LiveServer, viewport: dict[str, int], scheme: str
) -> None:
    with floor(browser, live_server, viewport, scheme) as at, work():
        page, section = at.page, at.page.locator("section#challengers")
        at.tab("challengers")
        page.get_by_role("link", name="New challenger").click()
        page.get_by_label("Model package").select_option(label="Buyers, February")
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
        expect(page.get_by_role("heading", name="2 models on the same days")).to_be_visible()
        picture(at, "challengers")
        at.tab("manage")
        line.get_by_role("link", name="Make it the champion").click()
        expect(page.get_by_label("Model package").locator("option:checked")).to_have_text("Buyers, February")
        page.get_by_role("button", name="Replace the champion").click()
        expect(page.locator("#checks tbody tr")).to_have_count(19)
        assert whole(page)
        picture(at, "challenger-checks")
        page.get_by_label("Reason").select_option(label="Accuracy")
        page.get_by_role("button", name="Make it the champion").click()
        at.done("Made Buyers, February the champion")
        champion = worlds.beside(lambda: Deployment.objects.values_list("champion__package__name", flat=True).get())
        assert champion == "Buyers, February"
        picture(at, "challenger-promoted")


@BOTH
def test_a_policy_is_made_changed_run_cancelled_run_to_its_end_and_deleted(
    browser: Browser, live_server: LiveServer, viewport: dict[str, int], scheme: str
) -> None:
    with floor(browser, live_server, viewport, scheme) as at:
        page, section = at.page, at.page.locator("section#retraining")
        with work("jobs"):  # a run waits, so that it can be cancelled
            at.tab("manage")
            section.get_by_role("link", name="New policy").click()
            page.get_by_label("Name", exact=True).fill("Weekly")
            page.get_by_label("Search").select_option(label="one candidate")
            picture(at, "policy-form")
            page.get_by_role("button", name="New policy").click()
            at.done("Created retraining policy Weekly")
            line = section.locator("li", has_text="Weekly")
            line.get_by_role("link", name="Change").click()
            page.get_by_label("Name", exact=True).fill("On Mondays")
            page.get_by_label("It runs").select_option(label="on a schedule")
            page.get_by_label("Day").select_option(label="Monday")
            page.get_by_role("button", name="Change").click()
            at.done("Changed retraining policy Weekly")
            line = section.locator("li", has_text="On Mondays")
            line.get_by_role("link", name="Run now").click()
            expect(page.get_by_text("The champion stays.")).to_be_visible()
            page.get_by_role("button", name="Run now").click()
            line.get_by_role("button", name="Cancel the run").click()
            picture(at, "policy-runs")
            at.done("Cancelled the run of On Mondays")
            expect(line).to_contain_text("last run cancelled")
        with work():
            line.get_by_role("link", name="Run now").click()
            page.get_by_role("button", name="Run now").click()
            at.done("Ran On Mondays")
            expect(line).to_contain_text("last run succeeded")
            at.tab("challengers")
            expect(page.get_by_role("heading", name="2 models on the same days")).to_be_visible()
            picture(at, "policy-ran")
            at.tab("manage")
            page.locator("section#challengers li").get_by_role("link", name="Delete").click()
            name = worlds.beside(lambda: Challenger.objects.get().name)
            page.get_by_label("to confirm").fill(name)
            picture(at, "challenger-goes")
            page.get_by_role("button", name="Delete").click()
            at.done("Deleted challenger")
            line.get_by_role("link", name="Delete").click()
            expect(page.get_by_text("It no longer runs.")).to_be_visible()
            page.get_by_role("button", name="Delete").click()
            at.done("Deleted retraining policy On Mondays")
            expect(section).to_contain_text("No policy yet")
