"""The table of noise in a real browser: a quieter limit is proposed, tried in the form and asked for."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from monitoring import mail
from monitoring.incidents import record
from monitoring.models import Area, Command, CommandKind, Incident, NoticeKind, Vote
from tests.browser.test_pages_in_browser import DESK, PHONE, Visit, visit
from tests.browser.test_review_in_browser import picture, whole
from tests.dashboard import world as worlds
from tests.monitoring.factories import make_incident

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def voted(found: Visit) -> None:
    """Mails about accuracy of two deployments, called noise."""
    Incident.objects.all().delete()
    now = max(timezone.now() - timedelta(minutes=1), timezone.now().replace(day=1, hour=0, minute=0, second=0))
    for label in ("Departure delayed, Newark", "Flight delayed > 15 min"):
        notice = record.notice(make_incident(found.world.watched(label), area=Area.ACCURACY), NoticeKind.OPENED, now)
        notice.save()
        Vote.objects.create(notice=notice, user=found.world.owner, useful=False, at=now)
    mail.decide(now)


@pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "dark"), (PHONE, "light")], ids=["desk", "phone"])
def test_a_proposed_limit_is_taken_over(
    browser: Browser, live_server: LiveServer, viewport: dict[str, int], scheme: str
) -> None:
    found = visit(browser, live_server, viewport, scheme)
    worlds.beside(lambda: voted(found))
    page = found.page
    found.go(reverse("noise"))
    offers = page.get_by_role("link", name="Try it in the form")
    expect(offers).to_have_count(1)  # of the worst by itself
    page.get_by_role("button", name="Propose a quieter limit").click()
    expect(offers).to_have_count(2)
    expect(page.locator(":focus")).to_have_text(re.compile(r"^\s*Quieter:"))
    assert whole(page)
    picture(found, "noise")
    offers.first.click()
    expect(page.get_by_role("heading", name="Accuracy health")).to_be_visible()
    expect(page.get_by_text("This loosens the alarm.")).to_be_visible()
    page.get_by_role("button", name="Save for this deployment").click()
    page.get_by_role("button", name="Save all the same").click()
    expect(page.get_by_text("Change the health settings")).to_be_visible()
    sent = worlds.beside(lambda: Command.objects.get(kind=CommandKind.HEALTH_SETTINGS).body)
    assert sent["accuracy"]
    found.trouble.clear()  # the browser notes the 422 of a page that asks
    found.context.close()
