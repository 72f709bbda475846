"""Incidents in a real browser: found on the fleet, answered, snoozed, resolved; at a desk and on a phone."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from metrics.health import Status, Verdict
from monitoring import verdicts
from monitoring.health import Judged
from monitoring.incidents import actions, due
from monitoring.models import Area, Incident
from monitoring.verdicts import Ruling
from tests.browser.test_pages_in_browser import DESK, PHONE, Visit, visit
from tests.browser.test_review_in_browser import picture, whole
from tests.dashboard import world as worlds
from tests.monitoring.factories import make_incident

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def prepared(found: Visit) -> int:
    """Two open incidents, one of them with a note; the others gone."""
    Incident.objects.all().delete()
    world = found.world
    first = make_incident(
        world.watched(),
        began_at=world.now,
        opened_at=world.now,
        predictions_affected=20_900,
        reason="1 high-importance feature above PSI 0.15, limit 1: pressure 3.43.",
    )
    make_incident(world.watched("Departure delayed, Newark"), area="accuracy", worst="warning", status="warning")
    actions.note(first, world.reader, world.now, text="Heat since early July. Retraining is due on Friday.")
    return first.pk


@pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "dark"), (PHONE, "light")])
def test_an_incident_from_the_fleet_to_its_end(
    browser: Browser, live_server: LiveServer, viewport: dict[str, int], scheme: str
) -> None:
    found = visit(browser, live_server, viewport, scheme)
    number = worlds.beside(lambda: prepared(found))
    page = found.page
    found.go("/")
    picture(found, "fleet")
    page.get_by_role("link", name="Incidents").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("2 incidents are open, unanswered")
    assert whole(page)
    picture(found, "incidents")
    page.locator(f"a[href='{reverse('incident', args=[number])}']").first.click()
    expect(page.locator(".chart.is-live")).to_be_visible()
    picture(found, "incident")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_text("Acknowledged: nobody is alarmed further")).to_be_visible()
    page.locator("summary", has_text="Snooze").click()
    page.get_by_placeholder("Reason, required").fill("storm season")
    picture(found, "snooze")
    page.get_by_role("button", name="Snooze", exact=True).click()
    expect(page.get_by_text("Failing, snoozed")).to_be_visible()
    assert whole(page)
    found.go("/")
    expect(page.locator("tr.snoozed")).to_have_count(1)
    picture(found, "fleet-snoozed")
    found.go(reverse("silences"))
    expect(page.get_by_text("storm season").first).to_be_attached()
    assert whole(page)
    picture(found, "silences")
    found.go(reverse("silence-add") + "?kind=maintenance")
    assert whole(page)
    picture(found, "silence-form")
    found.go(reverse("incident", args=[number]))
    page.locator("summary", has_text="Resolve").click()
    page.get_by_role("button", name="Resolve", exact=True).click()
    expect(page.get_by_text("resolved by Ines")).to_be_visible()
    assert found.trouble == []
    found.context.close()


def turn(found: Visit, moment: datetime, status: Status) -> None:
    """A verdict on drift at a moment, and the timers a while later."""
    judged = Judged(Verdict(status, f"drift is {status}.", {}))
    verdicts.apply([Ruling(found.world.watched().pk, {Area.DRIFT: judged})], moment)
    due.run_due(moment + timedelta(minutes=40))


def broken(found: Visit) -> int:
    """An incident that the watcher itself opened two hours ago."""
    Incident.objects.all().delete()
    now = found.world.now
    turn(found, now - timedelta(hours=4), Status.PASSING)
    turn(found, now - timedelta(hours=2), Status.FAILING)
    return Incident.objects.get().pk


@pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "light"), (PHONE, "dark")])
def test_an_incident_is_given_to_somebody_talked_about_closed_and_comes_back(
    browser: Browser, live_server: LiveServer, viewport: dict[str, int], scheme: str
) -> None:
    found = visit(browser, live_server, viewport, scheme)
    number = worlds.beside(lambda: broken(found))
    page = found.page
    found.go(reverse("incident", args=[number]))
    page.get_by_label("Assign to").select_option(label="Ines")
    page.get_by_role("button", name="Assign").click()
    expect(page.get_by_role("status").filter(has_text="Ines")).to_be_visible()
    found.go(reverse("incidents"))
    page.get_by_role("link", name="Mine 1").click()
    page.locator(f"a[href='{reverse('incident', args=[number])}']").first.click()
    page.get_by_placeholder("A note for the team").fill("The gateway sends minutes instead of hours.")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator(".timeline .quote")).to_have_text("The gateway sends minutes instead of hours.")
    page.locator("summary", has_text="Resolve").click()
    page.get_by_placeholder("What was done").fill("Gateway mended")
    page.get_by_role("button", name="Resolve", exact=True).click()
    expect(page.get_by_text("resolved by Ines")).to_be_visible()
    expect(page.locator(".timeline")).to_contain_text("Gateway mended")
    assert whole(page)
    picture(found, "incident-resolved")
    later = found.world.now + timedelta(hours=1)
    worlds.beside(lambda: turn(found, later, Status.PASSING))
    worlds.beside(lambda: turn(found, later + timedelta(hours=1), Status.FAILING))
    found.go(reverse("incident", args=[number]))
    expect(page.get_by_text("reopened 1×")).to_be_visible()
    expect(page.get_by_role("button", name="Acknowledge")).to_be_visible()
    picture(found, "incident-reopened")
    assert found.trouble == []
    found.context.close()
