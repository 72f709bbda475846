"""What happened, in a real browser: a note from its form to every chart, marks hidden and shown, and jobs."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.test_pages_in_browser import DESK, PHONE, Visit, visit
from tests.browser.test_review_in_browser import picture, whole
from tests.dashboard import world as worlds
from tests.dashboard.story_source import answering, page
from tests.dashboard.test_jobs_tab import job

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def open_tab(found: Visit, tab: str, query: str = "") -> None:
    found.deployment(tab, query)
    assert whole(found.page), f"{tab} scrolls sideways"
    picture(found, f"story-{tab}")


@pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "light"), (PHONE, "dark")])
def test_a_note_stands_in_the_history_and_on_the_charts_until_marks_are_hidden(
    browser: Browser, live_server: LiveServer, viewport: dict[str, int], scheme: str
) -> None:
    found = visit(browser, live_server, viewport, scheme)
    open_tab(found, "history")
    found.page.get_by_label("Note", exact=True).fill("Moved to the new gateway\nSee the change log.")
    found.page.get_by_role("button", name="Write it down").click()
    expect(found.page.locator("li.story-note")).to_contain_text("Moved to the new gateway")
    open_tab(found, "accuracy")
    chart = found.page.locator("#accuracy-main")
    expect(chart).to_have_class("chart is-live")
    words = chart.locator(".plot-live .annotation-text", has_text="Moved to the new gateway")
    expect(words).to_have_count(1 if viewport is DESK else 0)
    chart.get_by_role("button", name="Table").click()
    expect(chart.locator(".chart-table td", has_text="Moved to the new gateway")).to_be_visible()
    found.page.get_by_role("switch", name="Marks of what happened on the charts").click()
    expect(found.page).to_have_url(f"{live_server.url}{_address(found, 'accuracy')}?marks=off")
    expect(found.page.locator(".chart", has_text="Moved to the new gateway")).to_have_count(0)
    assert found.trouble == []
    found.context.close()


def test_jobs_at_work_are_followed_without_a_reload(browser: Browser, live_server: LiveServer) -> None:
    found = visit(browser, live_server, DESK, "light")
    with answering(jobs=page([job(1, "RUNNING")])):
        found.deployment("jobs")
        found.answer()
        expect(found.page.locator(".jobs-table progress")).to_have_attribute("value", "30")
        assert whole(found.page)
        picture(found, "story-jobs")
    assert found.trouble == []
    found.context.close()


def _address(found: Visit, tab: str) -> str:
    pk = worlds.beside(lambda: found.world.watched().pk)
    return reverse(tab, args=[pk])
