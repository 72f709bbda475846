"""Settings against the service itself: saved, refused with the field, changed there meanwhile, and as YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from deployments.models import Deployment
from tests.browser.own_service import LATE, SEEN, House, house
from tests.dashboard import world as worlds

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def health(at: House) -> dict[str, Any]:
    """What the service has stored of drift health."""
    stored: dict[str, Any] = at.remote().health_settings["dataDrift"]
    return stored


def changed_by_somebody_else(threshold: float) -> None:
    row = Deployment.objects.get(label=LATE)
    row.health_settings["dataDrift"]["driftThreshold"] = threshold
    row.save(update_fields=["health_settings"])


@SEEN
def test_a_limit_is_saved_and_one_that_was_changed_meanwhile_is_decided_again(
    browser: Browser, live_server: LiveServer, viewport: dict[str, int], scheme: str
) -> None:
    with house(browser, live_server, viewport, scheme) as at:
        page = at.visit.page
        at.go("settings", query="?section=drift")
        expect(page.locator(".tuning-past")).to_be_visible()
        page.get_by_label("A feature has drifted above").fill("0.12")
        page.get_by_role("button", name="Save for this deployment").click()
        at.done("Changed the health settings")
        assert health(at)["driftThreshold"] == 0.12
        page.get_by_role("button", name="Take off").click()
        worlds.beside(lambda: changed_by_somebody_else(0.2))
        page.get_by_label("A feature has drifted above").fill("0.1")
        page.get_by_role("button", name="Save for this deployment").click()
        at.conflict("Change the health settings")
        fields = page.locator(".command-fields")
        expect(fields).to_contain_text("A feature has drifted above")
        expect(fields).to_contain_text("0.2")
        assert health(at)["driftThreshold"] == 0.2
        page.get_by_role("button", name="Decide again").click()
        at.done("Changed the health settings")
        assert health(at)["driftThreshold"] == 0.1


@SEEN
def test_what_the_source_refuses_is_told_with_its_field(
    browser: Browser, live_server: LiveServer, viewport: dict[str, int], scheme: str
) -> None:
    with house(browser, live_server, viewport, scheme) as at:
        page = at.visit.page
        at.go("settings", query="?section=bias")
        page.get_by_label("Add to: Protected features").fill("carrier")
        page.get_by_role("button", name="Save for this deployment").click()
        at.refused("Say which outcome people want.")
        expect(page.locator(".command-failing")).to_contain_text("Outcome that people want")
        assert at.remote().settings.get("biasAndFairness") is None


@SEEN
def test_settings_are_taken_out_as_yaml_changed_and_put_in_again(
    browser: Browser, live_server: LiveServer, tmp_path: Path, viewport: dict[str, int], scheme: str
) -> None:
    with house(browser, live_server, viewport, scheme) as at:
        page = at.visit.page
        at.visit.go(reverse("configuration"))
        with page.expect_download() as taken:
            page.locator("main").get_by_role("link", name="Flight ops").click()
        file = tmp_path / "settings.yaml"
        taken.value.save_as(file)
        text = file.read_text()
        assert LATE in text
        file.write_text(text.replace("driftThreshold: 0.15", "driftThreshold: 0.11"))
        page.get_by_label("A file").set_input_files(file)
        page.get_by_role("button", name="Show what it would change").click()
        expect(page.get_by_role("heading", name="1 deployment would change")).to_be_visible()
        page.get_by_role("button", name="Ask for 1 change").click()
        at.go("settings", query="?section=drift")
        at.done("Changed the health settings")
        assert health(at)["driftThreshold"] == 0.11
