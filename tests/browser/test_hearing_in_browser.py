"""Who hears what, in a real browser: channels, rules, hand-overs, silences and one's own preferences."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from monitoring.models import Channel, HandoverPlan, Message, NotificationRule, Silence, UserPreference
from tests.browser.test_pages_in_browser import DESK, PHONE, Visit, visit
from tests.browser.test_review_in_browser import picture, whole
from tests.dashboard import world as worlds

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=[(DESK, "light"), (PHONE, "dark")], ids=["desk", "phone"])
def seen(request: pytest.FixtureRequest, browser: Browser, live_server: LiveServer) -> Iterator[Visit]:
    found = visit(browser, live_server, *request.param)
    yield found
    assert found.trouble == []
    found.context.close()


def told(seen: Visit, text: str) -> None:
    """The page says how it went."""
    expect(seen.page.get_by_role("status").filter(has_text=text)).to_be_visible()
    assert whole(seen.page), text


def test_a_channel_gets_a_rule_a_hand_over_and_its_farewell(seen: Visit) -> None:
    page = seen.page
    seen.go(reverse("channels"))
    page.get_by_role("link", name="Add a channel").click()
    page.get_by_label("Name").fill("Night desk")
    page.get_by_label("Address").fill("night@example.org")
    page.get_by_role("button", name="Add", exact=True).click()
    told(seen, "Night desk is added; send it a test.")
    page.get_by_role("button", name="Send test").click()
    expect(page.get_by_text("night@example.org").first).to_be_visible()
    seen.go(reverse("channels"))
    picture(seen, "channels")
    page.get_by_role("link", name="Change").click()
    page.get_by_label("Name").fill("Night shift")
    page.get_by_role("button", name="Save").click()
    told(seen, "Saved Night shift.")
    hand_over(seen)
    rule(seen)
    seen.go(reverse("channels"))
    page.get_by_role("link", name="Change").click()
    page.get_by_role("button", name="Remove Night shift").click()
    told(seen, "Night shift is removed.")
    assert worlds.beside(lambda: Channel.objects.count()) == 0


def rule(seen: Visit) -> None:
    """Made, changed and removed."""
    page = seen.page
    seen.go(reverse("rules"))
    page.get_by_role("link", name="Add a rule").click()
    page.get_by_label("Name").fill("Critical ones")
    page.get_by_label("Critical", exact=True).check()
    page.get_by_label("Who", exact=True).select_option(label="Only those chosen")
    page.get_by_label("Night shift").check()
    picture(seen, "rule-form")
    page.get_by_role("button", name="Save the rule").click()
    told(seen, "Saved Critical ones.")
    picture(seen, "rules")
    page.get_by_role("link", name="Critical ones").click()
    page.get_by_label("Only failing").check()
    page.get_by_role("button", name="Save the rule").click()
    told(seen, "Saved Critical ones.")
    assert worlds.beside(lambda: NotificationRule.objects.get().only_failing)
    page.get_by_role("link", name="Critical ones").click()
    page.get_by_role("button", name="Remove the rule").click()
    told(seen, "Critical ones is removed.")
    assert worlds.beside(lambda: NotificationRule.objects.count()) == 0


def hand_over(seen: Visit) -> None:
    """A note now, and a plan."""
    page = seen.page
    seen.go(reverse("handover"))
    page.get_by_label("Your word").fill("Newark is being looked at.")
    page.get_by_label("Tomas").check()
    page.get_by_label("Night shift").check()
    picture(seen, "handover")
    page.get_by_role("button", name="Send the note").click()
    told(seen, "Handed over: 2 of 2 messages written.")
    texts = worlds.beside(
        lambda: list(Message.objects.filter(subject__icontains="hand").values_list("text", flat=True))
    )
    assert len(texts) == 2
    assert all("Newark is being looked at." in text for text in texts)
    page.get_by_role("link", name="Add a plan").click()
    page.get_by_label("Name").fill("Morning")
    page.get_by_label("Mon", exact=True).check()
    page.get_by_label("Night shift").check()
    page.get_by_role("button", name="Save the plan").click()
    told(seen, "Morning is planned.")
    expect(page.get_by_role("heading", name="Morning")).to_be_visible()
    page.get_by_role("button", name="Remove").click()
    told(seen, "Morning is removed.")
    assert worlds.beside(lambda: HandoverPlan.objects.count()) == 0


def test_a_silence_and_a_maintenance_window_begin_and_end_by_hand(seen: Visit) -> None:
    page = seen.page
    seen.go(reverse("silences"))
    page.get_by_role("link", name="Silence", exact=True).click()
    page.get_by_label("Deployment", exact=True).select_option(label="Departure delayed, Newark")
    page.get_by_label("Reason").fill("Storm over the bay")
    page.get_by_role("button", name="Hold alerts back").click()
    told(seen, "Alerts are silenced.")
    picture(seen, "silence-made")
    page.get_by_role("button", name="End now").click()
    told(seen, "Ended. What is in trouble is told from now on.")
    page.get_by_role("link", name="Maintenance window").click()
    page.get_by_label("Repeats").select_option(label="Every week")
    page.get_by_label("Sun", exact=True).check()
    page.get_by_label("Reason").fill("Backups")
    page.get_by_role("button", name="Hold alerts back").click()
    expect(page.locator(".errorlist").first).to_be_visible()  # how long each lasts was not said
    expect(page.get_by_label("Sun", exact=True)).to_be_checked()
    page.get_by_label("Each lasts, minutes").fill("90")
    page.get_by_label("Until").fill(f"{datetime.now(UTC) + timedelta(days=60):%Y-%m-%d}T06:00")
    page.get_by_role("button", name="Hold alerts back").click()
    told(seen, "Planned: alerts are held back then.")
    picture(seen, "maintenance-made")
    page.get_by_role("button", name="Cancel").click()
    told(seen, "Cancelled: nothing will be held back.")
    assert worlds.beside(lambda: Silence.objects.filter(cancelled_at=None).count()) == 0


def test_time_zone_theme_and_hours_are_kept_and_hold_at_once(seen: Visit) -> None:
    page = seen.page
    seen.go(reverse("preferences"))
    page.get_by_label("Time zone").select_option("Asia/Tokyo")
    page.get_by_label("Light", exact=True).check()
    page.get_by_label("Digest", exact=True).select_option(label="Weekly, on Mondays")
    page.get_by_role("button", name="Save preferences").click()
    told(seen, "Saved.")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    kept = worlds.beside(lambda: UserPreference.objects.get(user__username="ines"))
    assert (kept.time_zone, kept.theme, kept.digest) == ("Asia/Tokyo", "light", "weekly")
    seen.go(reverse("audit"))
    expect(page.get_by_text("Times in Tokyo time")).to_be_visible()


def test_the_audit_is_narrowed_by_who_what_and_when(seen: Visit) -> None:
    page = seen.page
    seen.go(reverse("audit"))
    rows = page.locator("table.audit tbody tr")
    expect(rows.first).to_contain_text("logged in")
    page.get_by_label("Who").fill("nobody-of-that-name")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="Nothing of that kind")).to_be_visible()
    page.get_by_role("link", name="Show everything").click()
    page.get_by_label("What").select_option(index=1)
    page.get_by_label("From").fill("2026-01-01")
    page.get_by_label("to", exact=True).fill("2026-01-02")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_label("From")).to_have_value("2026-01-01")
    expect(rows).to_have_count(0)
    picture(seen, "audit-narrowed")
    page.get_by_role("link", name="Show everything").click()
    page.get_by_label("Who").fill("ines")
    page.get_by_role("button", name="Show").click()
    expect(rows.first).to_contain_text("Ines")
    with page.expect_download() as taken:
        page.get_by_role("link", name="CSV").click()
    assert "logged in" in taken.value.path().read_text()
    picture(seen, "audit")
