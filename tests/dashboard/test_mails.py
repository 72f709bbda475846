"""The list of mails: as they went out, harmless to look at."""

from __future__ import annotations

import base64

from django.test import Client
from django.urls import reverse

from dashboard.views.mails import with_pictures
from monitoring.models import MailState, Message, NotifyReason
from tests.dashboard.world import World

PNG = base64.b64encode(b"\x89PNG\r\n").decode()


def write(world: World, **changes: object) -> Message:
    fields: dict[str, object] = {
        "team": world.team,
        "user": world.owner,
        "watched": world.watched(),
        "why": NotifyReason.OPENED,
        "recipient": "ines@example.org",
        "subject": "[FAILING] Flight delayed: drift",
        "text": "Pressure 3.12, limit 0.15.",
        "html": '<h1 style="color:red">Drift</h1><script>alert(1)</script><img src="cid:chart"><img src="cid:other">',
        "pictures": {"chart": PNG},
        "message_id": f"<{Message.objects.count()}@vitals>",
        "state": MailState.KEPT,
        "created_at": world.now,
        "not_before": world.now,
    }
    return Message.objects.create(**fields | changes)


def test_a_mail_is_shown_as_it_went_out(world: World, inside: Client) -> None:
    mail = write(world)
    page = inside.get(reverse("mail", args=[mail.pk])).content.decode()
    assert "Pressure 3.12, limit 0.15." in page
    assert "Kept here" in page
    assert 'sandbox="allow-popups' in page


def test_its_html_can_run_nothing_and_load_nothing(world: World, inside: Client) -> None:
    response = inside.get(reverse("mail-body", args=[write(world).pk]))
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script-src" not in policy
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert f"data:image/png;base64,{PNG}" in response.content.decode()
    assert "cid:other" in response.content.decode()


def test_what_acts_in_the_recipients_name_is_shown_to_the_recipient_only(world: World, inside: Client) -> None:
    body = "http://vitals/act/SECRET:x/ http://vitals/unsubscribe/TOKEN/"
    mine = write(world, text=body, html=body)
    others = write(world, text=body, html=body, user=world.reader)
    for name in ("mail", "mail-body"):
        assert "SECRET" in inside.get(reverse(name, args=[mine.pk])).content.decode()
        page = inside.get(reverse(name, args=[others.pk])).content.decode()
        assert "SECRET" not in page
        assert "TOKEN" not in page


def test_a_picture_that_is_none_stays_out() -> None:
    assert with_pictures('<img src="cid:a">', {"a": 'x" onload="alert(1)'}) == '<img src="cid:a">'
    assert with_pictures('<img src="cid:a">', None) == '<img src="cid:a">'


def test_the_list_is_newest_first_and_by_state(world: World, inside: Client) -> None:
    write(world, subject="First")
    write(world, subject="Second", state=MailState.FAILED, problem="Mailbox full.")
    page = inside.get(reverse("mails")).content.decode()
    assert "Mailbox full." in page
    only = inside.get(reverse("mails") + "?state=failed").content.decode()
    assert "Second" in only
    assert ">First<" not in only


def test_many_mails_are_paged(world: World, inside: Client) -> None:
    for i in range(60):
        write(world, subject=f"Mail {i}")
    page = inside.get(reverse("mails")).content.decode()
    assert page.count('class="name"') == 50
    older = page.split("?before=")[1].split('"')[0]
    assert inside.get(f"{reverse('mails')}?before={older}").content.decode().count('class="name"') == 10


def test_no_mail_yet_says_when_one_is_written(world: World, inside: Client) -> None:
    assert "Silent when all is well" in inside.get(reverse("mails")).content.decode()
