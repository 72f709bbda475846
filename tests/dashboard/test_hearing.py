"""The pages of who hears what: rules, preferences, the switch of a row, hand-over, noise."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from django.test import Client, override_settings
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from dashboard.acting import new_nonce
from monitoring import mail
from monitoring.incidents import record
from monitoring.models import (
    HandoverPlan,
    Incident,
    IncidentNotice,
    Membership,
    Message,
    NoticeKind,
    NotificationRule,
    NotifyReason,
    Ping,
    Role,
    Subscription,
    UserPreference,
    Vote,
    Wish,
)
from tests.dashboard.world import World
from tests.monitoring.factories import make_incident


def rule_form(**changes: object) -> dict[str, object]:
    fields: dict[str, object] = {
        "name": "Nights",
        "position": "5",
        "importances": ["CRITICAL", "HIGH"],
        "areas": ["drift"],
        "tags": "team=risk, nightly",
        "only_failing": "on",
        "delivery": "now",
        "who": "everybody",
        "days": ["0", "4"],
        "from_time": "09:00",
        "to_time": "17:30",
        "time_zone": "Europe/Paris",
        "enabled": "on",
    }
    return fields | changes


def test_a_rule_is_stored_as_the_form_says_and_shown_in_words(world: World, inside: Client) -> None:
    member = Membership.objects.get(user=world.owner)
    answer = inside.post(reverse("rule-add", args=[world.team.pk]), rule_form(who="some", members=[member.pk]))
    assert answer.status_code == 302
    rule = NotificationRule.objects.get()
    assert (rule.tags, rule.days, rule.times) == (["team=risk", "nightly"], [0, 4], (time(9), time(17, 30)))
    assert (rule.everybody, list(rule.members.all())) == (False, [member])
    page = inside.get(reverse("rules")).content.decode()
    assert "failing, critical, high, drift, tag team=risk or nightly" in page
    assert "Ines" in page
    form = inside.get(reverse("rule-change", args=[rule.pk])).content.decode()
    assert 'value="09:00:00"' in form or 'value="09:00"' in form
    inside.post(reverse("rule-change", args=[rule.pk]), rule_form(name="Days", who="everybody", enabled=""))
    rule.refresh_from_db()
    assert (rule.name, rule.everybody, rule.enabled, rule.members.count()) == ("Days", True, False, 0)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"who": "some"}, "who"),
        ({"to_time": ""}, "to_time"),
        ({"from_time": "late"}, "from_time"),
        ({"importances": ["HUGE"]}, "importances"),
        ({"position": "-1"}, "position"),
        ({"escalation": "on", "delivery": "digest"}, "delivery"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"days": ["9"]}, "days"),
    ],
)
def test_what_a_rule_cannot_be_is_said_at_its_field(
    world: World, inside: Client, changes: dict[str, object], field: str
) -> None:
    page = inside.post(reverse("rule-add", args=[world.team.pk]), rule_form(**changes))
    assert page.status_code == 200
    assert page.context["form"].errors[field]
    assert not NotificationRule.objects.exists()


def test_a_member_of_another_team_cannot_be_named(world: World, inside: Client) -> None:
    stranger = Membership.objects.get(user=world.outsider)
    page = inside.post(reverse("rule-add", args=[world.team.pk]), rule_form(who="some", members=[stranger.pk]))
    assert page.context["form"].errors["members"]


def preferences(world: World, **changes: object) -> dict[str, object]:
    fields: dict[str, object] = {
        "time_zone": "Asia/Tokyo",
        "theme": "dark",
        "mail": str(world.team.pk),
        "digest": "daily",
        "digest_hour": "6",
        "digest_when_empty": "on",
        "days": ["0", "1"],
        "from_time": "08:00",
        "to_time": "18:00",
        "breaks_through": "critical",
    }
    return fields | changes


def test_a_person_chooses_digest_and_hours(world: World, inside: Client) -> None:
    inside.post(reverse("preferences"), preferences(world))
    row = UserPreference.objects.get(user=world.owner)
    assert (row.digest, row.digest_hour, row.digest_when_empty) == ("daily", 6, True)
    assert (row.days, row.from_time, row.to_time, row.breaks_through) == ([0, 1], time(8), time(18), "critical")
    page = inside.get(reverse("preferences")).content.decode()
    assert '<option value="daily" selected>' in page


@pytest.mark.parametrize(("name", "value"), [("digest_hour", "24"), ("digest", "hourly"), ("to_time", "")])
def test_odd_preferences_are_refused(world: World, inside: Client, name: str, value: str) -> None:
    assert inside.post(reverse("preferences"), preferences(world, **{name: value})).status_code == 200
    assert UserPreference.objects.get(user=world.owner).digest == "weekly"


def test_the_bell_of_a_row_mutes_and_brings_back(world: World, inside: Client) -> None:
    watched = world.watched()
    url = reverse("bell", args=[watched.pk])
    part = inside.post(url, headers={"HX-Request": "true"}).content.decode()
    assert 'aria-pressed="false"' in part
    assert Subscription.objects.get().wish == Wish.NOTHING
    assert 'aria-pressed="false"' in inside.get("/").content.decode()
    inside.post(url)
    assert not Subscription.objects.exists(), "hears by default again"
    Membership.objects.filter(user=world.owner).update(wants_mail=False)
    inside.post(url)
    assert Subscription.objects.get().wish == Wish.ALL
    inside.post(url)
    assert not Subscription.objects.exists()


def test_a_hand_over_now_goes_to_the_chosen_ones_once(world: World, inside: Client) -> None:
    watched = world.watched()
    make_incident(watched)
    page = inside.get(reverse("handover")).content.decode()
    assert "Flight delayed" in page
    member = Membership.objects.get(user=world.reader)
    form = {"nonce": new_nonce(world.owner), "note": "Mind the feed.", "members": [member.pk]}
    assert 'name="nonce"' in inside.get(reverse("handover")).content.decode()
    for _ in range(2):
        answer = inside.post(reverse("handover"), form)
        assert answer.status_code == 302
    message = Message.objects.get(why=NotifyReason.HANDOVER)
    assert message.user == world.reader
    assert "Ines: Mind the feed." in message.text
    assert inside.post(reverse("handover"), {"note": "To nobody"}).status_code == 200


def test_two_hand_overs_within_a_minute_are_two(world: World, inside: Client) -> None:
    member = Membership.objects.get(user=world.reader)
    for _ in range(2):
        form = {"nonce": new_nonce(world.owner), "note": "Mind the feed.", "members": [member.pk]}
        inside.post(reverse("handover"), form)
    assert Message.objects.filter(why=NotifyReason.HANDOVER).count() == 2


def test_a_read_only_member_does_not_hand_over(world: World, client: Client) -> None:
    client.force_login(world.reader)
    assert "Send the note" not in client.get(reverse("handover")).content.decode()
    assert client.post(reverse("handover"), {"note": "x"}).status_code == 403


def test_a_change_of_shift_is_planned(world: World, inside: Client) -> None:
    member = Membership.objects.get(user=world.reader)
    fields = {"name": "Morning", "days": ["0"], "at": "07:30", "time_zone": "Europe/Paris", "members": [member.pk]}
    inside.post(reverse("handover-plan", args=[world.team.pk]), fields)
    plan = HandoverPlan.objects.get()
    assert (plan.days, plan.at, list(plan.members.all())) == ([0], time(7, 30), [member])
    page = inside.get(reverse("handover")).content.decode()
    assert "Mon at 07:30 (Europe/Paris) to Tomas" in page
    bad = inside.post(reverse("handover-plan", args=[world.team.pk]), {**fields, "at": "soon"})
    assert bad.context["form"].errors["at"]


def test_the_noise_of_a_month_is_worst_first(
    world: World, inside: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    now = datetime.now(UTC)
    first, second = world.watched(), world.watched("Departure delayed, Newark")
    for watched, useful in ((first, True), (second, False)):
        notice = record.notice(make_incident(watched), NoticeKind.OPENED, now)
        notice.save()
        Vote.objects.create(notice=notice, user=world.owner, useful=useful, at=now)
    mail.decide(now)
    with django_assert_max_num_queries(12):
        page = inside.get(reverse("noise")).content.decode()
    table = page[page.index("<tbody>") :]
    assert table.index("Newark") < table.index("Flight delayed")
    assert "Data drift" in table
    assert "100" in table
    for month in ("2001-01", "nonsense", "2026-99"):
        assert inside.get(reverse("noise") + f"?month={month}").status_code == 200
    assert "No mail in this month" in inside.get(reverse("noise") + "?month=2001-01").content.decode()
    assert Incident.objects.count() == IncidentNotice.objects.count() == 2


def test_a_quieter_limit_is_proposed_where_the_page_asks_for_it(world: World, inside: Client) -> None:
    pk = world.watched().pk
    for area in ("drift", "accuracy", "service"):
        text = inside.get(reverse("noise-proposal", args=[pk, area])).content.decode()
        assert "Quieter:" in text or "No limit of this rule" in text
    assert inside.get(reverse("noise-proposal", args=[pk, "nonsense"])).status_code == 404


def test_the_watch_page_says_whether_the_outside_hears(world: World, inside: Client) -> None:
    assert "DEADMAN_URL" in inside.get(reverse("watch")).content.decode()
    with override_settings(DEADMAN_URL="https://example.org/ping"):
        assert "first goes out within minutes" in inside.get(reverse("watch")).content.decode()
        Ping.objects.create(at=world.now - timedelta(minutes=2), sent=False, problem="No source has answered.")
        assert "No source has answered." in inside.get(reverse("watch")).content.decode()


def test_roles_in_the_rules_page(world: World, client: Client) -> None:
    NotificationRule.objects.create(team=world.team, name="Nights")
    Membership.objects.filter(user=world.reader).update(role=Role.MEMBER)
    client.force_login(world.reader)
    page = client.get(reverse("rules")).content.decode()
    assert "Nights" in page
    assert "Add a rule" not in page
