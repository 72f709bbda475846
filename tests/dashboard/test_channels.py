"""The pages of channels: added, tested, changed, switched off, and their secrets kept."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from monitoring.channels import aim
from monitoring.models import Carrier, Channel, MailState, Message, NotifyReason
from tests.dashboard.world import World

HOOK = "https://hooks.example.org/secret/path"


def form(world: World, **changes: str) -> dict[str, str]:
    fields = {"team": str(world.team.pk), "carrier": "webhook", "name": "On call", "target": HOOK, "time_zone": "UTC"}
    return fields | changes


def make(world: World, **fields: object) -> Channel:
    channel = Channel(**{"team": world.team, "name": "On call", "carrier": Carrier.WEBHOOK, **fields})
    aim(channel, HOOK)
    channel.save()
    return channel


def test_a_webhook_shows_its_signing_secret_once(world: World, inside: Client) -> None:
    page = inside.post(reverse("channel-add"), form(world)).content.decode()
    channel = Channel.objects.get()
    assert channel.secret in page
    for name in ("channels", "mails"):
        assert channel.secret not in inside.get(reverse(name)).content.decode()
    change = inside.get(reverse("channel-change", args=[channel.pk])).content.decode()
    assert channel.secret not in change
    assert HOOK not in change
    assert "hooks.example.org/…" in change


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"target": "http://169.254.169.254/"}, "target", "network"),
        ({"carrier": "email", "target": "nobody"}, "target", "not an e-mail address"),
        ({"carrier": "service", "target": "mailto://a:b@example.org"}, "target", "not among the services"),
        ({"carrier": "pigeon"}, "carrier", "not one of the available"),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "not one of the available"),
        ({"name": ""}, "name", "required"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(
    world: World, inside: Client, changes: dict[str, str], field: str, words: str
) -> None:
    page = inside.post(reverse("channel-add"), form(world, **changes))
    assert page.status_code == 200
    assert words in str(page.context["form"].errors[field])
    assert not Channel.objects.exists()


def test_two_channels_of_a_team_have_two_names(world: World, inside: Client) -> None:
    make(world)
    page = inside.post(reverse("channel-add"), form(world)).content.decode()
    assert "already has a channel of this name" in page


def test_a_test_goes_into_the_outbox_and_is_shown_with_its_body(world: World, inside: Client) -> None:
    channel = make(world)
    page = inside.post(reverse("channel-test", args=[channel.pk]), follow=True).content.decode()
    message = Message.objects.get(channel=channel)
    assert (message.why, message.state) == (NotifyReason.TEST, MailState.PENDING)
    assert "&quot;kind&quot;: &quot;test&quot;" in page
    assert "Signed webhook" in page


def test_a_new_target_or_none_and_switching_off(world: World, inside: Client) -> None:
    channel = make(world)
    url = reverse("channel-change", args=[channel.pk])
    inside.post(url, {"name": "Night", "target": "", "time_zone": "Europe/Paris", "off": "on"})
    channel.refresh_from_db()
    assert (channel.name, channel.target, channel.enabled, channel.time_zone) == ("Night", HOOK, False, "Europe/Paris")
    inside.post(url, {"name": "Night", "target": "https://b.example.org/", "time_zone": "UTC"})
    channel.refresh_from_db()
    assert (channel.shown, channel.enabled) == ("b.example.org", True)


def test_a_new_secret_replaces_the_old_one(world: World, inside: Client) -> None:
    channel = make(world)
    old = channel.secret
    page = inside.post(reverse("channel-secret", args=[channel.pk])).content.decode()
    channel.refresh_from_db()
    assert channel.secret != old
    assert channel.secret in page


def test_a_channel_shows_its_last_error_and_its_messages(world: World, inside: Client) -> None:
    channel = make(world, last_error="It answered 500.", last_error_at=world.now, failures=3)
    inside.post(reverse("channel-test", args=[channel.pk]))
    page = inside.get(reverse("channels")).content.decode()
    assert "It answered 500." in page
    assert "3 in a row" in page
    assert "[TEST]" in inside.get(f"{reverse('mails')}?channel={channel.pk}").content.decode()
    assert "[TEST]" not in inside.get(f"{reverse('mails')}?channel={channel.pk + 1}").content.decode()


def test_the_list_asks_as_much_for_ten_as_for_one(
    world: World, inside: Client, django_assert_num_queries: object
) -> None:
    assert callable(django_assert_num_queries)
    for number in range(10):
        make(world, name=f"Channel {number}")
    with django_assert_num_queries(8):
        inside.get(reverse("channels"))


def test_what_was_given_up_is_sent_again_from_its_page(world: World, inside: Client) -> None:
    channel = make(world)
    inside.post(reverse("channel-test", args=[channel.pk]))
    Message.objects.update(state=MailState.FAILED, problem="It answered 404.")
    pk = Message.objects.get().pk
    assert "Send again" in inside.get(reverse("mail", args=[pk])).content.decode()
    page = inside.post(reverse("mail-again", args=[pk]), follow=True).content.decode()
    assert "tried again" in page
    assert Message.objects.get().state == MailState.PENDING
    assert "Nothing to repeat" in inside.post(reverse("mail-again", args=[pk]), follow=True).content.decode()


def test_a_test_mail_to_oneself(world: World, inside: Client) -> None:
    page = inside.post(reverse("preferences-test"), follow=True).content.decode()
    assert "[TEST] Mail from Vitals" in page
    assert Message.objects.get().user == world.owner
