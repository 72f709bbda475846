"""Fairness, humility and custom metrics in a real browser, at a desk and on a phone, light and dark."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.test_pages_in_browser import DESK, PHONE, visit
from tests.browser.test_review_in_browser import whole
from tests.dashboard import lens_source as lens

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
CHARTS = {"fairness": 3, "humility": 1, "custom": 1}


@pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "light"), (PHONE, "dark")])
def test_the_further_tabs_are_whole_and_the_current_one_is_in_view(
    browser: Browser, live_server: LiveServer, viewport: dict[str, int], scheme: str
) -> None:
    found = visit(browser, live_server, viewport, scheme, lens.DEPLOYMENTS)
    found.deployment("custom", label=lens.WATCHED.label)
    found.answer()
    for tab, charts in CHARTS.items():
        found.deployment(tab, label=lens.WATCHED.label)
        current = found.page.locator(".tabs [aria-current]").bounding_box()
        assert current is not None
        assert 0 <= current["x"] <= viewport["width"] - current["width"]
        for i in range(charts):
            found.page.locator(".chart").nth(i).scroll_into_view_if_needed()
        expect(found.page.locator(".chart.is-live")).to_have_count(charts)
        assert whole(found.page), f"{tab} scrolls sideways"
    found.deployment("fairness", label=lens.PLAIN.label)
    expect(found.page.get_by_role("heading", name="Fairness is not watched here")).to_be_visible()
    expect(found.page.locator(".tab-off")).to_have_text(["Humility", "Custom metrics"])
    assert found.trouble == []
    found.context.close()


def test_a_class_leads_to_its_line_and_a_metric_to_its_chart(browser: Browser, live_server: LiveServer) -> None:
    found = visit(browser, live_server, DESK, "light", lens.DEPLOYMENTS)
    found.deployment("custom", label=lens.WATCHED.label)
    found.answer()
    found.deployment("custom", label=lens.WATCHED.label)
    found.page.get_by_role("link", name="Flights to the west coast").first.click()
    expect(found.page.get_by_role("complementary").get_by_role("heading", name="Flights to the west")).to_be_visible()
    found.deployment("fairness", "?feature=carrier", label=lens.WATCHED.label)
    found.page.locator(".class-table").get_by_role("link", name="B6").click()
    expect(found.page.locator(".class-table tr.chosen")).to_contain_text("B6")
    expect(found.page.locator("#fairness-series figcaption h3, #fairness-series h3").first).to_contain_text("B6")
    assert found.trouble == []
    found.context.close()
