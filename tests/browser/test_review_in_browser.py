"""A whole review in a real browser, at a desk and on a phone: planned, held by two people, signed, compared."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from monitoring.models import Review, ReviewItem
from monitoring.reviews import meeting
from tests.browser.test_pages_in_browser import DESK, PHONE, Visit, in_time, visit
from tests.chromium import until
from tests.dashboard import world as worlds

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.django_db(transaction=True)]
PICTURES = os.environ.get("VITALS_TEST_PICTURES", "")


def picture(found: Visit, name: str) -> None:
    """A picture for whoever changes the page, where a folder is given."""
    if PICTURES:
        width = found.page.viewport_size["width"] if found.page.viewport_size else 0
        found.page.wait_for_timeout(600)
        found.page.screenshot(path=f"{PICTURES}/{name}-{width}.png", full_page=True)


def whole(page: Page) -> bool:
    """Nothing scrolls sideways; asked again while another page is on its way."""
    fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth + 1"
    return until(page, fits, seconds=10)


@pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "light"), (PHONE, "dark")])
def test_a_review_from_its_plan_to_its_record(
    browser: Browser, live_server: LiveServer, viewport: dict[str, int], scheme: str
) -> None:
    found = visit(browser, live_server, viewport, scheme)
    page = found.page
    page.get_by_role("link", name="Reviews").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("No review is planned")
    page.get_by_role("link", name="Plan a review").first.click()
    page.get_by_label("Weekday").select_option(label="Thursday")
    page.get_by_label("Ines").check()
    picture(found, "plan")
    page.get_by_role("button", name="Plan the review").click()
    page.get_by_role("button", name="Open the review").click()
    expect(page.locator(".meeting-place")).to_contain_text("1 of 6")
    expect(page.locator(".chart.is-live").first).to_be_visible()
    assert whole(page)
    picture(found, "meeting")

    for place in range(1, 7):
        expect(page.locator(".meeting-place")).to_contain_text(f"{place} of 6")
        page.locator(".switch-verdict label", has_text="Watch" if place > 1 else "Act").click()
        with page.expect_response(lambda answer: "talked" in (answer.request.post_data or "")):
            page.locator("#note").fill(f"Number {place} is talked about.")
        expect(page.locator("#saved")).to_contain_text("Saved")
        if place == 1:
            page.get_by_label("What is to be done").fill("Retrain with the newest month")
            page.get_by_role("button", name="Add action").click()
            expect(page.locator("#actions .promises")).to_contain_text("Retrain with the newest month")
        if place < 6:
            page.locator(".decision-foot .button-primary").click()
    expect(page.get_by_role("button", name="Sign and freeze")).to_be_enabled()
    assert worlds.beside(lambda: ReviewItem.objects.exclude(note="").count()) == 6
    picture(found, "decided")
    page.get_by_role("button", name="Sign and freeze").click()
    expect(page.get_by_text("The record is as it was signed.")).to_be_visible()
    assert whole(page)
    picture(found, "record")
    record = page.url
    assert found.trouble == []

    page.get_by_role("link", name="Print").first.click()
    expect(page.get_by_text("Number 1 is talked about.")).to_be_visible()
    picture(found, "paper")
    page.go_back()
    assert page.url == record
    found.go(reverse("actions"))
    expect(page.get_by_text("Retrain with the newest month").first).to_be_visible()
    assert whole(page)
    picture(found, "actions")
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_text("No open action item")).to_be_visible()

    found.go(reverse("reviews"))
    picture(found, "reviews")
    page.get_by_role("button", name="Open the review").click()
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("did not change")
    assert whole(page)
    picture(found, "compare")
    assert found.trouble == []
    found.context.close()


def test_keys_move_through_the_agenda_and_the_last_words_are_not_lost(
    browser: Browser, live_server: LiveServer
) -> None:
    found = visit(browser, live_server, DESK, "light")
    review = worlds.beside(lambda: hold(found))
    found.go(reverse("review", args=[review.pk]))
    here = found.page.locator(".agenda-row[aria-current] b").inner_text()
    found.page.keyboard.press("j")
    expect(found.page.locator(".meeting-place")).to_contain_text("2 of 6")
    found.page.keyboard.press("k")
    expect(found.page.locator(".agenda-row[aria-current] b")).to_have_text(here)
    found.page.locator("#note").type("Said at the last moment.")
    found.page.goto(live_server.url + reverse("reviews"))
    notes = ReviewItem.objects.exclude(note="").values_list("note", flat=True)
    in_time(found.page, lambda: worlds.beside(lambda: list(notes.all())) == ["Said at the last moment."])
    assert found.trouble == []
    found.context.close()


def test_a_second_persons_decision_is_shown_before_it_is_overwritten(browser: Browser, live_server: LiveServer) -> None:
    found = visit(browser, live_server, DESK, "light")
    review = worlds.beside(lambda: hold(found))
    found.go(reverse("review", args=[review.pk]))
    worlds.beside(lambda: decide_first(found, review))
    found.page.locator("#note").type("Wait a week.")
    expect(found.page.locator(".saved-conflict")).to_contain_text("Retrain at once.")
    found.page.get_by_role("button", name="Keep mine").click()
    expect(found.page.locator("#saved")).to_contain_text("Saved")
    assert worlds.beside(lambda: review.items.all()[0].note) == "Wait a week."
    expect(found.page.locator(".agenda-row").first).not_to_contain_text("Act")
    assert found.trouble == []
    found.context.close()


def hold(found: Visit) -> Review:
    """An open meeting of the flights' team."""
    from monitoring.models import ReviewPlan

    world = found.world
    plan = ReviewPlan.objects.create(
        team=world.team, name="Weekly review", starts_on=world.now.date() - timedelta(days=30), created_at=world.now
    )
    return meeting.open_review(plan, world.owner, world.now)


def decide_first(found: Visit, review: Review) -> None:
    meeting.decide(review.items.all()[0], found.world.reader, 0, "act", "Retrain at once.", found.world.now)
