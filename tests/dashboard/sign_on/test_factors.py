"""Second factors, passwords and sessions: switched on, asked for, required by a team, recovered."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from cryptography.fernet import Fernet
from django.contrib.auth import get_user_model
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from config import rotation
from monitoring import retention
from monitoring.mail import send_due
from monitoring.models import AuditAction, AuditEntry, MailState, Message, NotifyReason
from tests.dashboard.world import PASSWORD, World

NEW = "nine owls in a barn"


def log_in(client: Client, password: str = PASSWORD, **more: str) -> Any:
    return client.post(reverse("login"), {"username": "ines", "password": password, **more})


def code_of(key: str, step: int = 0) -> str:
    """What an authenticator app shows `step` half-minutes from now."""
    return str(format_hotp_value(hotp_value(key, int(time.time()) // 30 + step)))


def switched_on(client: Client) -> str:
    """The key of a factor that Ines has switched on, by a browser that is logged in."""
    asked = client.get(reverse("mfa_activate_totp"))
    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    page = client.post(asked["Location"], {"password": PASSWORD}, follow=True).content.decode()
    found = re.search(r'id="totp-key">([^<]+)<', page)
    assert found is not None, page
    done = client.post(reverse("mfa_activate_totp"), {"code": code_of(found[1])})
    assert done.status_code == 302, done.content.decode()
    return found[1]


@pytest.fixture
def key(world: World, client: Client) -> str:
    log_in(client)
    found = switched_on(client)
    client.post(reverse("logout"))
    _forget_used_codes()
    return found


def _forget_used_codes() -> None:
    """As if the half-minute in which the last code was used were over."""
    from django.core.cache import cache

    cache.clear()


def test_after_the_password_the_code_is_asked_for(world: World, key: str) -> None:
    client = Client()
    assert log_in(client, next="/watch/")["Location"] == reverse("mfa_authenticate")
    assert client.get("/").status_code == 302
    assert client.post(reverse("mfa_authenticate"), {"code": "000000"}).status_code == 200
    assert client.get("/").status_code == 302
    done = client.post(reverse("mfa_authenticate"), {"code": code_of(key)})
    assert done["Location"] == "/watch/"
    assert client.get("/").status_code == 200


def test_the_key_is_encrypted_at_rest(world: World, key: str) -> None:
    for row in Authenticator.objects.all():
        assert key not in str(row.data)


def test_switching_on_is_written_down(world: World, django_capture_on_commit_callbacks: Any) -> None:
    client = Client()
    log_in(client)
    with django_capture_on_commit_callbacks(execute=True):
        switched_on(client)
    deeds = AuditEntry.objects.filter(user=world.owner, action=AuditAction.FACTOR_ADDED).order_by("pk")
    assert [entry.about for entry in deeds] == ["TOTP Authenticator", "Recovery codes"]


def test_new_keys_of_the_installation_keep_the_factor_working(world: World, key: str, settings: Settings) -> None:
    settings.FERNET_KEYS = [Fernet.generate_key().decode(), *settings.FERNET_KEYS]
    rotation.encrypt_again(settings.FERNET_KEYS)
    settings.FERNET_KEYS = settings.FERNET_KEYS[:1]
    client = Client()
    log_in(client)
    assert client.post(reverse("mfa_authenticate"), {"code": code_of(key)}).status_code == 302


def test_a_recovery_code_lets_in_once(world: World, key: str) -> None:
    codes = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()
    for client, expected in ((Client(), 302), (Client(), 200)):
        log_in(client)
        assert client.post(reverse("mfa_authenticate"), {"code": codes[0]}).status_code == expected


def test_guessing_codes_is_slowed_down(world: World, key: str) -> None:
    client = Client()
    log_in(client)
    page = ""
    for _ in range(6):
        page = client.post(reverse("mfa_authenticate"), {"code": "000000"}).content.decode()
    assert "Too many" in page
    assert client.post(reverse("mfa_authenticate"), {"code": code_of(key)}).status_code == 200


def test_a_team_that_requires_a_factor_shows_nothing_without_one(world: World, inside: Client) -> None:
    inside.post(reverse("team-change", args=[world.team.pk]), {"name": "Flight ops", "two_factor": "on"})
    assert inside.get("/")["Location"] == reverse("mfa_index")
    page = inside.get(reverse("mfa_index")).content.decode()
    assert "Flight ops asks for a second factor" in page
    client = Client()
    log_in(client)
    switched_on(client)
    assert client.get("/").status_code == 200
    other = Client()
    other.force_login(world.outsider)
    assert other.get("/").status_code == 200


def test_switching_off_asks_who_it_is_again(world: World, key: str) -> None:
    client = Client()
    client.force_login(world.owner)
    answer = client.get(reverse("mfa_deactivate_totp"))
    assert "/reauthenticate/" in answer["Location"]
    page = client.get(answer["Location"], follow=True).content.decode()
    assert "Confirm that it is you" in page
    assert Authenticator.objects.filter(user=world.owner, type="totp").exists()


def test_the_admin_pages_know_no_way_around_the_factor(world: World, key: str) -> None:
    client = Client()
    assert client.get("/admin/", follow=True).redirect_chain[-1][0] == "/login/?next=/admin/"
    client.post("/admin/login/", {"username": "ines", "password": PASSWORD})
    assert client.get("/").status_code == 302


def test_a_forgotten_password_is_set_by_mail(world: World, client: Client, settings: Settings) -> None:
    settings.MAIL_IS_SENT = True
    client.post(reverse("account_reset_password"), {"email": "INES@example.org"})
    assert mail.outbox == []  # the person does not wait for the mail server
    assert send_due(timezone.now()) == 1
    (sent,) = mail.outbox
    assert sent.to == ["ines@example.org"]
    link = re.search(r"https?://[^/]+(/account/password/reset/key/[^\s]+)", str(sent.body))
    assert link is not None, sent.body
    assert link[0] in str(sent.message())
    form = client.get(link[1], follow=True)
    target = form.redirect_chain[-1][0]
    client.post(target, {"password1": NEW, "password2": NEW})
    world.owner.refresh_from_db()
    assert world.owner.check_password(NEW)
    assert "not valid" in Client().get(link[1], follow=True).content.decode()
    assert AuditEntry.objects.filter(user=world.owner, action=AuditAction.PASSWORD_RESET).exists()


def test_the_link_stands_nowhere_in_the_clear_and_is_forgotten_once_sent(
    world: World, client: Client, settings: Settings
) -> None:
    settings.MAIL_IS_SENT = True
    client.post(reverse("account_reset_password"), {"email": "ines@example.org"})
    row = Message.objects.get(why=NotifyReason.PASSWORD)
    assert (row.team, row.user, row.state) == (None, world.owner, MailState.PENDING)
    stored = f"{row.text} {row.html} {row.subject} {row.headers} {row.payload} {row.message_id}"
    assert re.findall(r"/account/password/reset/key/[^\s\"<]+", stored) == ["/account/password/reset/key/…/"] * 2
    assert row.link_encrypted is not None
    send_due(timezone.now())
    row.refresh_from_db()
    assert row.state == MailState.SENT
    assert row.link_encrypted is None


def test_a_mail_server_that_is_away_loses_nothing_and_the_page_does_not_wait(
    world: World, client: Client, settings: Settings
) -> None:
    settings.MAIL_IS_SENT = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9  # nobody listens there
    assert client.post(reverse("account_reset_password"), {"email": "ines@example.org"}).status_code == 302
    now = timezone.now()
    assert send_due(now) == 0
    row = Message.objects.get(why=NotifyReason.PASSWORD)
    assert (row.state, row.attempts) == (MailState.PENDING, 1)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert send_due(now + timedelta(minutes=5)) == 1
    assert "/account/password/reset/key/" in str(mail.outbox[0].body)
    assert "…" not in str(mail.outbox[0].body)


def test_a_link_that_has_ended_is_not_sent_late(world: World, client: Client, settings: Settings) -> None:
    settings.MAIL_IS_SENT = True
    client.post(reverse("account_reset_password"), {"email": "ines@example.org"})
    assert send_due(timezone.now() + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)) == 0
    row = Message.objects.get(why=NotifyReason.PASSWORD)
    assert (row.state, row.problem) == (MailState.FAILED, "Its link has ended meanwhile; ask for a new one.")
    retention.prune(timezone.now() + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT + 1))
    row.refresh_from_db()
    assert row.link_encrypted is None


def test_it_is_listed_for_its_person_and_for_administrators_without_its_link(
    world: World, inside: Client, settings: Settings
) -> None:
    settings.MAIL_IS_SENT = True
    Client().post(reverse("account_reset_password"), {"email": "ines@example.org"})
    row = Message.objects.get(why=NotifyReason.PASSWORD)
    other, admin = Client(), Client()
    other.force_login(world.reader)
    admin.force_login(get_user_model().objects.create_superuser("root", "root@example.org", PASSWORD))
    assert other.get(reverse("mail", args=[row.pk])).status_code == 404
    assert "Set a new password" not in other.get(reverse("mails")).content.decode()
    for client in (inside, admin):
        assert "Set a new password for Vitals" in client.get(reverse("mails")).content.decode()
        for name in ("mail", "mail-body"):
            page = client.get(reverse(name, args=[row.pk])).content.decode()
            assert set(re.findall(r"/reset/key/[^\s\"<]+", page)) == {"/reset/key/…/"}


def test_an_unknown_address_is_answered_alike_and_gets_no_mail(
    world: World, client: Client, settings: Settings
) -> None:
    settings.MAIL_IS_SENT = True
    pages = []
    for address in ("ines@example.org", "nobody@example.org"):
        answer = client.post(reverse("account_reset_password"), {"email": address}, follow=True)
        pages.append((answer.redirect_chain, answer.status_code))
    assert pages[0] == pages[1]
    assert [row.recipient for row in Message.objects.filter(why=NotifyReason.PASSWORD)] == ["ines@example.org"]


def test_asking_for_mail_is_slowed_down(world: World, client: Client, settings: Settings) -> None:
    url, tries = reverse("account_reset_password"), settings.RATE_LIMIT_LOGIN + 1
    statuses = [client.post(url, {"email": f"p{n}@example.org"}).status_code for n in range(tries)]
    assert statuses[0] == 302
    assert statuses[-1] == 429


def test_without_mail_the_page_says_what_to_do_instead(world: World, client: Client) -> None:
    assert "manage.py changepassword" in client.get(reverse("account_reset_password")).content.decode()


def test_a_changed_password_ends_other_sessions(world: World) -> None:
    here, there = Client(), Client()
    log_in(here)
    log_in(there)
    page = here.get(reverse("usersessions_list")).content.decode()
    assert page.count("<tr><td") == 2
    form = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert here.post(reverse("account_change_password"), form).status_code == 302
    assert here.get("/").status_code == 200
    assert there.get("/").status_code == 302


def test_other_sessions_are_ended_by_hand(world: World) -> None:
    here, there = Client(), Client()
    log_in(here)
    log_in(there)
    here.post(reverse("usersessions_list"))
    assert there.get("/").status_code == 302
    assert here.get("/").status_code == 200


PAGES = (
    "mfa_index",
    "mfa_activate_totp",
    "account_change_password",
    "usersessions_list",
    "socialaccount_connections",
    "mfa_list_webauthn",
    "mfa_add_webauthn",
)


@pytest.mark.parametrize("name", PAGES)
def test_every_account_page_is_in_our_look_and_only_for_who_is_logged_in(world: World, name: str) -> None:
    assert Client().get(reverse(name)).status_code == 302
    client = Client()
    log_in(client)
    page = client.get(reverse(name), follow=True).content.decode()
    assert "css/tokens" in page
    assert "Menu:" not in page
    assert page.count("<script>") == 0
    assert " style=" not in page


@pytest.mark.parametrize("path", ["/account/signup/", "/account/email/", "/account/3rdparty/"])
def test_what_we_do_not_offer_is_not_there(world: World, client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_account_pages_follow_the_readers_theme(world: World, inside: Client) -> None:
    inside.post(reverse("theme"), {"theme": "dark"})
    assert 'data-theme="dark"' in inside.get(reverse("mfa_index")).content.decode()
