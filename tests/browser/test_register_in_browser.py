"""Registering a model in a real browser, at a desk and on a phone, against the service behind the same address."""

from __future__ import annotations

import json
import secrets
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from deployments.api.authentication import digest
from deployments.models import ApiToken
from monitoring import registering, sources
from monitoring.models import Registration
from tests.browser.test_pages_in_browser import DESK, PHONE, Visit, visit
from tests.browser.test_review_in_browser import picture, whole
from tests.contract.test_registering import table
from tests.dashboard import world as worlds

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def own_source(found: Visit) -> None:
    """The service of this installation as a source of the owner's team."""
    token = secrets.token_urlsafe(32)
    ApiToken.objects.create(user=found.world.owner, name="watcher", digest=digest(token), prefix=token[:8])
    address = f"{found.address}/api/v2"
    sources.add(found.world.team, name="Our own", base_url=address, token=token, built_in=True)


def work(minutes: int = 0) -> Callable[[], int]:
    """What the worker does, some minutes later."""
    return lambda: registering.run_due(datetime.now(UTC) + timedelta(minutes=minutes))


@pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "light"), (PHONE, "dark")])
def test_a_model_from_its_files_to_its_first_row(
    browser: Browser, live_server: LiveServer, tmp_path: Path, viewport: dict[str, int], scheme: str
) -> None:
    found = visit(browser, live_server, viewport, scheme)
    worlds.beside(lambda: own_source(found))
    page = found.page
    for name, predictions in (("training", False), ("holdout", True)):
        (tmp_path / f"{name}.csv").write_bytes(table(3, predictions=predictions).read())
    found.go(reverse("register"))
    assert whole(page)
    page.get_by_label("Where").select_option(label="Our own")
    page.get_by_label("Name").fill("Who buys")
    page.get_by_label("Training data").set_input_files(tmp_path / "training.csv")
    page.get_by_label("Holdout").set_input_files(tmp_path / "holdout.csv")
    page.get_by_role("button", name="Upload and look at the columns").click()
    expect(page.get_by_label("Target")).to_have_value("bought")
    expect(page.get_by_label("Kind of town")).to_have_value("Categorical")
    expect(page.get_by_label("customer", exact=True)).not_to_be_checked()
    assert whole(page)
    picture(found, "register-columns")
    page.get_by_label("Association id").fill("customer")
    page.get_by_role("button", name="Register the model").click()
    expect(page.get_by_text("This page moves on by itself.")).to_be_visible()
    worlds.beside(work())
    expect(page.get_by_text("On the holdout")).to_be_visible()
    assert whole(page)
    picture(found, "register-baselines")
    page.get_by_role("button", name="Create the deployment").click()
    worlds.beside(work())
    page.get_by_role("button", name="Make a token for sending").click()
    expect(page.get_by_text("Waiting for the first row.")).to_be_visible()
    assert whole(page)
    send(page.locator("#new-token").inner_text(), found)
    expect(page.get_by_text("The first row has arrived")).to_be_hidden()
    with page.expect_response(lambda answer: answer.url.endswith("/state/")):
        pass  # the page has looked again
    worlds.beside(work(minutes=0))
    expect(page.get_by_text("The first row has arrived")).to_be_visible()
    expect(page.locator("#new-token")).to_be_visible()
    picture(found, "register-first-row")
    assert found.trouble == []
    found.context.close()


def send(token: str, found: Visit) -> None:
    """The rows of the request that the page shows, with the token that it made."""
    from dashboard.registering import body_of

    row = worlds.beside(lambda: Registration.objects.select_related("source").get())
    url = f"{found.address}/api/v2/deployments/{row.results['deploymentId']}/predictionInputs/fromJSON/"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    asked = urllib.request.Request(url, json.dumps(body_of(row)).encode(), headers)
    with urllib.request.urlopen(asked, timeout=20) as answer:
        assert answer.status == 202
