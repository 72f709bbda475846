"""From an empty database to a fleet that is watched, and a log-in with a second factor, as a person does both."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from monitoring import setup
from monitoring.commands import run_due
from monitoring.models import Source
from monitoring.poll import cycle
from tests.browser.test_pages_in_browser import DESK, PHONE, Visit, visit
from tests.browser.test_review_in_browser import picture, whole
from tests.dashboard import world as worlds

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "nine owls in a barn"


def work() -> None:
    """What the workers do: carry out the test, then look through the list."""
    now = datetime.now(UTC)
    run_due(now)
    cycle.discover(Source.objects.get(), now)


def code_of(key: str) -> str:
    return str(format_hotp_value(hotp_value(key, int(time.time()) // 30)))


def set_up(found: Visit, code: str) -> None:
    """The four steps."""
    page = found.page
    found.go("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Set up Vitals")
    assert whole(page)
    picture(found, "setup-person")
    page.get_by_label("Setup code").fill(code.lower())
    page.get_by_label("User name").fill("ada")
    page.get_by_label("E-mail").fill("ada@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()
    page.get_by_label("Name of the team").fill("Flight ops")
    page.get_by_role("button", name="Create the team").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What to watch")
    assert whole(page)
    picture(found, "setup-source")
    page.get_by_role("button", name="Watch this installation").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Testing the connection")
    worlds.beside(work)
    expect(page.get_by_role("heading", level=1)).to_have_text("This installation answers")
    picture(found, "setup-answers")
    page.get_by_role("link", name="To the fleet").click()
    expect(page.get_by_text("lists no deployment so far")).to_be_visible()
    assert whole(page)
    picture(found, "setup-fleet")


def switch_on_factor(found: Visit) -> str:
    """By the preferences; returns the key that an app would keep."""
    page = found.page
    found.go(reverse("preferences"))
    page.get_by_role("link", name="Second factor").click()
    page.get_by_role("link", name="Switch on").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    key = page.locator("#totp-key").inner_text()
    assert whole(page)
    picture(found, "factor")
    page.get_by_label("Authenticator code").fill(code_of(key))
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    assert whole(page)
    picture(found, "codes")
    return key


def log_in_again(page: Page, key: str) -> None:
    page.get_by_label("User name or e-mail").fill("ada@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Second factor")
    assert whole(page)
    cache.clear()  # the half-minute in which the last code was used is over
    page.get_by_label("Code").fill(code_of(key))
    page.get_by_role("button", name="Log in").click()


@pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "light"), (PHONE, "dark")])
def test_from_an_empty_database_to_a_fleet_behind_two_factors(
    browser: Browser, live_server: LiveServer, settings: Settings, viewport: dict[str, int], scheme: str
) -> None:
    settings.SERVICE_URL = live_server.url
    code = worlds.beside(setup.code)
    assert code is not None
    context = browser.new_context(viewport=viewport, color_scheme=scheme, locale="en-GB")  # type: ignore[arg-type]
    found = Visit(context.new_page(), context, None, live_server.url)  # type: ignore[arg-type]
    found.watch()
    set_up(found, code)
    key = switch_on_factor(found)
    for name in ("teams", "tokens", "audit", "usersessions_list", "account_change_password", "sources"):
        found.go(reverse(name))
        expect(found.page.get_by_role("heading", level=1)).to_be_visible()
        assert whole(found.page), name
        picture(found, name)
    found.go(reverse("preferences"))
    found.page.get_by_role("button", name="Log out").click()
    log_in_again(found.page, key)
    expect(found.page.get_by_text("lists no deployment so far")).to_be_visible()
    assert found.trouble == []
    context.close()


def test_a_security_key_is_added_and_lets_in(browser: Browser, live_server: LiveServer) -> None:
    found = visit(browser, live_server, DESK, "light")
    page, context = found.page, found.context
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    key = {"protocol": "ctap2", "transport": "usb", "hasResidentKey": True, "hasUserVerification": True}
    options = {**key, "isUserVerified": True, "automaticPresenceSimulation": True}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    found.go(reverse("mfa_add_webauthn"))
    page.get_by_label("Password").fill(worlds.PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("button", name="Add the key").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    found.go(reverse("mfa_list_webauthn"))
    expect(page.get_by_role("link", name="Rename")).to_have_count(1)
    found.go(reverse("preferences"))
    page.get_by_role("button", name="Log out").click()
    page.get_by_label("User name or e-mail").fill("ines")
    page.get_by_label("Password").fill(worlds.PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Use a security key").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("deployments are failing")
    assert found.trouble == []
    context.close()
