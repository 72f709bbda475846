"""Settings in a real browser: a limit tried on the past, asked about, saved, seen to change and put back."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from monitoring import questions as q
from monitoring import snapshots
from monitoring.models import Command, CommandKind, TopicState
from monitoring.poll.fetch import Outcome
from monitoring.poll.plan import ask_of
from monitoring.poll.store import save
from tests.browser.test_pages_in_browser import DESK, PHONE, Visit, visit
from tests.browser.test_review_in_browser import picture, whole
from tests.dashboard import world as worlds

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def carried_out(found: Visit) -> None:
    """The source shows what the command sent, and the watcher sees it."""
    command = Command.objects.get(kind=CommandKind.HEALTH_SETTINGS)
    watched = found.world.watched()
    Command.objects.filter(pk=command.pk).update(state="done", sent_at=found.world.now, finished_at=found.world.now)
    known = snapshots.answer(watched, q.health_settings())
    assert known is not None
    ask = ask_of((q.health_settings(),), None)
    save([Outcome(watched.pk, ask, TopicState.OK, {**known.payload, **command.body})], now=found.world.now, lags={})


@pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "light"), (PHONE, "dark")])
def test_a_limit_is_tried_saved_seen_and_put_back(
    browser: Browser, live_server: LiveServer, viewport: dict[str, int], scheme: str
) -> None:
    found = visit(browser, live_server, viewport, scheme)
    page = found.page
    found.deployment("settings")
    expect(page.get_by_role("heading", name=re.compile(r"Failing on \d+ of the last"))).to_be_visible()
    assert whole(page)
    page.get_by_label("Failing from important features").fill("9")
    expect(page.get_by_text("was 1", exact=True)).to_be_visible()
    expect(page.get_by_text("This loosens the alarm.")).to_be_visible()
    picture(found, "settings")
    page.get_by_role("button", name="Save for this deployment").click()
    expect(page.get_by_text("This loosens the watch.")).to_be_visible()
    found.trouble.clear()  # the browser notes the 422 of a page that asks
    picture(found, "settings-asks")
    page.get_by_role("button", name="Save all the same").click()
    expect(page.get_by_text("Change the health settings")).to_be_visible()
    worlds.beside(lambda: carried_out(found))
    found.go(reverse("settings", args=[worlds.beside(lambda: found.world.watched().pk)]) + "?section=changes")
    expect(page.get_by_role("heading", name="1 change of settings seen")).to_be_visible()
    expect(page.get_by_role("cell", name="Ines")).to_be_visible()
    assert whole(page)
    picture(found, "settings-changes")
    page.get_by_role("button", name="Restore Failing from important features to 1").click()
    expect(page.get_by_role("heading", name="Drift health")).to_be_visible()
    assert worlds.beside(lambda: Command.objects.filter(kind=CommandKind.HEALTH_SETTINGS).count()) == 2
    found.go(reverse("policies"))
    page.locator("main").get_by_role("link", name="Change").click()
    expect(page.get_by_role("heading", name=re.compile("worst deployments"))).to_be_visible()
    assert whole(page)
    found.go(reverse("configuration"))
    assert whole(page)
    assert found.trouble == []
    found.context.close()
