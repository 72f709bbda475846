"""Humility rules and custom metrics in a real browser, from their definition to their end at the service."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from deployments.models import CustomMetric
from tests.browser.own_service import SEEN, house
from tests.dashboard import world as worlds

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@SEEN
def test_a_humility_rule_is_added_changed_and_removed(
    browser: Browser, live_server: LiveServer, viewport: dict[str, int], scheme: str
) -> None:
    with house(browser, live_server, viewport, scheme) as at:
        page = at.visit.page
        at.go("act-on", "rule_create")
        page.get_by_label("Name", exact=True).fill("Unsure")
        expect(page.get_by_label("Feature")).to_be_hidden()
        page.get_by_label("From", exact=True).press_sequentially("1e")  # no number: the browser would not send it
        form = page.locator(".act-form")
        assert form.evaluate("form => form.checkValidity()") is False
        page.get_by_label("When", exact=True).select_option("lowObservationRegion")
        expect(page.get_by_label("Usual values")).to_be_visible()
        expect(page.get_by_label("From", exact=True)).to_be_hidden()
        assert form.evaluate("form => form.checkValidity()") is True
        page.get_by_label("When", exact=True).select_option("uncertainPrediction")
        page.get_by_label("From", exact=True).fill("0.6")
        page.get_by_label("To", exact=True).fill("0.4")
        page.get_by_role("button", name="New rule").click()
        expect(page.locator(".errorlist").first).to_be_visible()
        page.get_by_label("From", exact=True).fill("0.4")
        page.get_by_label("To", exact=True).fill("0.6")
        page.get_by_role("button", name="New rule").click()
        expect(page.locator(".command").first).to_be_in_viewport()
        rule = at.line("humility", "Unsure")
        expect(rule).to_contain_text("prediction between 0.4 and 0.6")
        rule.get_by_role("link", name="Change").click()
        page.get_by_label("What is done").select_option("throwError")
        page.get_by_role("button", name="Change").click()
        expect(rule).to_contain_text("answers with an error")
        rule.get_by_role("link", name="Remove").click()
        expect(page.locator(".notice-warning")).to_contain_text("What it counted so far stays.")
        page.get_by_role("button", name="Remove").click()
        at.gone(rule)


@SEEN
def test_a_custom_metric_is_made_changed_given_values_and_deleted(
    browser: Browser, live_server: LiveServer, viewport: dict[str, int], scheme: str
) -> None:
    with house(browser, live_server, viewport, scheme) as at:
        page = at.visit.page
        at.go("custom")
        page.get_by_role("link", name="New custom metric").click()
        page.get_by_label("Name", exact=True).fill("Minutes saved")
        page.get_by_role("button", name="New custom metric").click()
        metric = at.line("metrics", "Minutes saved")
        metric.get_by_role("link", name="Change").click()
        page.get_by_label("Units").fill("min")
        page.get_by_role("button", name="Change").click()
        expect(metric).to_contain_text("min")
        metric.get_by_role("link", name="Send values").click()
        page.get_by_label("Values").fill("yesterday, 3")
        page.get_by_role("button", name="Send values").click()
        expect(page.locator(".errorlist")).to_contain_text("Line 1: 'yesterday' is not a time")
        hour = datetime.now(UTC) - timedelta(hours=2)
        page.get_by_label("Values").fill(f"{hour:%Y-%m-%dT%H:00:00Z}, 12.5\n{hour:%Y-%m-%dT%H:00:00Z}, 7.5, 1")
        page.get_by_role("button", name="Send values").click()
        at.done("Minutes saved")
        at.go("custom")
        expect(page.locator(".metric-card")).to_contain_text("10 min")
        at.go("manage")
        metric.get_by_role("link", name="Delete").click()
        page.get_by_label("to confirm").fill("Minutes saved")
        page.get_by_role("button", name="Delete").click()
        at.gone(metric)
        assert worlds.beside(CustomMetric.objects.count) == 0
