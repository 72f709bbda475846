"""Channels against real servers: signatures, chat services, what may not be called, and how each answer ends."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from django.test import override_settings

from monitoring import mail
from monitoring.channels import TargetRefused, aim, renew_secret
from monitoring.mail import bounces
from monitoring.mail.carriers import guard
from monitoring.models import Carrier, Channel, MailState, Message
from tests.monitoring.factories import NOW, make_member, make_team
from tests.monitoring.http_server import HttpServer, Posted

pytestmark = pytest.mark.django_db
private = override_settings(ALLOW_PRIVATE_ADDRESSES=True)


def make_channel(target: str, carrier: Carrier = Carrier.WEBHOOK, name: str = "hook") -> Channel:
    channel = Channel(team=make_team(), name=name, carrier=carrier)
    aim(channel, target)
    channel.save()
    return channel


def queue(channel: Channel) -> Message:
    return mail.send_test(mail.Addressee(channel=channel), NOW)


def told(message: Message) -> tuple[str, str]:
    message.refresh_from_db()
    return message.state, message.problem


def signed_by(secret: str, post: Posted) -> bool:
    """The check of a receiver, as the documentation shows it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{post.headers['webhook-id']}.{post.headers['webhook-timestamp']}.".encode() + post.body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return hmac.compare_digest(post.headers["webhook-signature"], f"v1,{expected}")


@private
def test_a_webhook_is_posted_once_signed_and_with_its_id() -> None:
    with HttpServer() as far:
        channel = make_channel(far.url)
        message = queue(channel)
        assert mail.send_due(NOW) == 1
    (post,) = far.posts
    assert (post.method, post.path) == ("POST", "/hook")
    assert signed_by(channel.secret, post)
    assert not signed_by("whsec_" + base64.b64encode(b"another").decode(), post)
    assert post.headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert post.headers["webhook-id"] == post.headers["idempotency-key"]
    assert post.headers["webhook-id"] in message.message_id
    assert json.loads(post.body)["kind"] == "test"
    assert told(message) == (MailState.SENT, "")
    channel.refresh_from_db()
    assert (channel.last_sent_at, channel.last_error, channel.failures) == (NOW, "", 0)


@private
def test_a_new_secret_signs_from_the_next_message_on() -> None:
    with HttpServer() as far:
        channel = make_channel(far.url)
        old, new = channel.secret, renew_secret(channel)
        channel.save()
        queue(channel)
        mail.send_due(NOW)
    assert signed_by(new, far.posts[0])
    assert not signed_by(old, far.posts[0])


ANSWERS = [
    # it may have arrived: once more under the same id
    (0, {}, MailState.IN_DOUBT, timedelta(minutes=1)),
    # trouble or haste over there: later, and not before it says
    (500, {}, MailState.PENDING, timedelta(minutes=1)),
    (503, {"Retry-After": "300"}, MailState.PENDING, timedelta(minutes=5)),
    (429, {"Retry-After": "5"}, MailState.PENDING, timedelta(minutes=1)),
    # refused for good; a redirect is not followed
    (404, {}, MailState.FAILED, timedelta(0)),
    (410, {}, MailState.FAILED, timedelta(0)),
    (302, {"Location": "http://169.254.169.254/"}, MailState.FAILED, timedelta(0)),
]


@private
@pytest.mark.parametrize(("status", "headers", "state", "wait"), ANSWERS)
def test_each_answer_of_a_webhook_has_its_end(
    status: int, headers: dict[str, str], state: MailState, wait: timedelta
) -> None:
    with HttpServer(status, headers) as far:
        channel = make_channel(far.url)
        message = queue(channel)
        mail.send_due(NOW)
    message.refresh_from_db()
    assert (message.state, message.not_before) == (state, NOW + wait)
    channel.refresh_from_db()
    assert channel.failures == 1
    assert channel.last_error


@private
def test_a_webhook_in_doubt_is_repeated_once_with_the_same_key_and_a_fresh_signature() -> None:
    with HttpServer(0) as far:
        channel = make_channel(far.url)
        queue(channel)
        for minutes in (0, 2, 4, 6):
            mail.send_due(NOW + timedelta(minutes=minutes))
    first, second = far.posts
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    assert signed_by(channel.secret, second)


@private
def test_no_listener_is_tried_again() -> None:
    with HttpServer() as far:
        url = far.url
    message = queue(make_channel(url))
    mail.send_due(NOW)
    assert told(message) == (MailState.PENDING, "No connection: NewConnectionError.")


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest", "http://127.0.0.1:9/", "ftp://example.org/x", "http://u:p@example.org/"]
)
def test_a_webhook_may_not_lead_into_private_networks(target: str) -> None:
    with pytest.raises(TargetRefused):
        make_channel(target)


def test_a_name_that_turns_to_a_private_address_is_refused_where_the_connection_is_made() -> None:
    """`localhost` passes the look at its text, as any name does; its address does not."""
    with HttpServer() as far:
        channel = make_channel(f"http://localhost:{far.port}/hook")
        message = queue(channel)
        mail.send_due(NOW)
        assert far.posts == []
    assert told(message) == (MailState.FAILED, "localhost lies in a network that channels may not lead to.")


@private
def test_a_chat_service_hears_title_and_text_by_apprise() -> None:
    with HttpServer() as far:
        message = queue(make_channel(f"json://127.0.0.1:{far.port}/chat", Carrier.SERVICE))
        assert mail.send_due(NOW) == 1
    body = json.loads(far.posts[0].body)
    assert body["title"] == "[TEST] Mail from Vitals"
    assert "messages arrive here" in body["message"]
    assert told(message) == (MailState.SENT, "")


SERVICE_ANSWERS = [
    (0, MailState.IN_DOUBT, "JSON over the web did not answer; it may have taken it."),
    (503, MailState.PENDING, "JSON over the web answered 503; it is tried again."),
    (403, MailState.FAILED, "JSON over the web refused it with 403."),
    (302, MailState.FAILED, "JSON over the web refused it with 302."),
]


@private
@pytest.mark.parametrize(("status", "state", "problem"), SERVICE_ANSWERS)
def test_each_answer_of_a_service_has_its_end(status: int, state: MailState, problem: str) -> None:
    with HttpServer(status, {"Location": "http://127.0.0.1:9/"}) as far:
        message = queue(make_channel(f"json://127.0.0.1:{far.port}/", Carrier.SERVICE))
        mail.send_due(NOW)
    assert told(message) == (state, problem)


def test_a_service_on_a_private_host_is_refused_when_called_too() -> None:
    with HttpServer() as far:
        message = queue(make_channel(f"json://localhost:{far.port}/", Carrier.SERVICE))
        mail.send_due(NOW)
        assert far.posts == []
    assert told(message)[0] == MailState.FAILED
    with pytest.raises(TargetRefused):
        make_channel("json://10.0.0.8/", Carrier.SERVICE)


@pytest.mark.parametrize("target", ["syslog://", "mailto://a:b@example.org", "dbus://", "nonsense", "windows://"])
def test_services_that_are_no_web_services_are_not_let_in(target: str) -> None:
    with pytest.raises(TargetRefused):
        make_channel(target, Carrier.SERVICE)


def test_the_targets_are_stored_encrypted_and_shown_without_their_secrets() -> None:
    slack = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    channel = make_channel(slack, Carrier.SERVICE)
    assert channel.shown == "Slack"
    assert b"TIiaj" not in bytes(channel.target_encrypted)
    assert channel.target == slack
    hook = make_channel("https://hooks.example.org/very/secret", name="other")
    assert hook.shown == "hooks.example.org/…"
    assert "secret" not in mail.Addressee(channel=hook).address


@private
def test_a_channel_that_is_switched_off_or_removed_gets_nothing_more() -> None:
    with HttpServer() as far:
        channel = make_channel(far.url)
        off, gone = queue(channel), queue(make_channel(far.url, name="gone"))
        Channel.objects.filter(pk=channel.pk).update(enabled=False)
        Channel.objects.filter(name="gone").delete()
        mail.send_due(NOW)
    assert far.posts == []
    assert told(off) == (MailState.FAILED, "Its channel is switched off.")
    assert told(gone) == (MailState.FAILED, "Its channel was removed.")


def test_outside_a_send_connections_are_nobodys_business() -> None:
    import urllib3

    with HttpServer() as far, urllib3.PoolManager() as pool:
        assert guard._guard.get() is None
        assert pool.request("GET", far.url).status == 200


@private
def test_a_provider_is_asked_through_anymail_and_its_bounce_is_shown() -> None:
    message = mail.send_test(mail.Addressee(member=make_member()), NOW)
    Message.objects.update(state=MailState.PENDING)
    with (
        HttpServer(422) as far,
        override_settings(
            MAIL_IS_SENT=True,
            EMAIL_BACKEND="anymail.backends.postmark.EmailBackend",
            ANYMAIL={"POSTMARK_SERVER_TOKEN": "t", "POSTMARK_API_URL": f"http://127.0.0.1:{far.port}/"},
        ),
    ):
        mail.send_due(NOW)
    sent = json.loads(far.posts[0].body)
    assert {"Name": "Message-ID", "Value": message.message_id} in sent["Headers"]
    assert told(message)[0] == MailState.FAILED
    Message.objects.update(state=MailState.SENT, provider_id="abc")
    assert bounces.bounced("abc", "Postmark: mailbox is full")
    assert told(message) == (MailState.BOUNCED, "Postmark: mailbox is full")
    assert not bounces.bounced("unknown", "x")
