"""Log-in, preferences, unsubscribing, and our own failures."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from monitoring.models import Membership, Message, NotifyReason, Role, UserPreference
from tests.dashboard.world import PASSWORD, World


def log_in(client: Client, name: str, password: str, **more: str) -> int:
    return client.post(reverse("login"), {"username": name, "password": password, **more}).status_code


@pytest.mark.parametrize("name", ["ines", "ines@example.org", "INES@example.org"])
def test_by_name_or_address(world: World, client: Client, name: str) -> None:
    assert log_in(client, name, PASSWORD) == 302
    assert client.get("/").status_code == 200


def test_a_wrong_name_and_a_wrong_password_look_alike(world: World, client: Client) -> None:
    pages = [
        client.post(reverse("login"), {"username": name, "password": "x"}).content.decode()
        for name in ("ines", "nobody")
    ]
    assert all("User name or password is wrong." in page for page in pages)


def test_too_many_attempts_have_to_wait_even_with_the_right_password(world: World, client: Client) -> None:
    for _ in range(settings.RATE_LIMIT_LOGIN):
        assert log_in(client, "ines", "wrong") == 200
    assert log_in(client, "ines", PASSWORD) == 429


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_log_in_never_leads_elsewhere(world: World, client: Client, target: str) -> None:
    response = client.post(reverse("login"), {"username": "ines", "password": PASSWORD, "next": target})
    assert response["Location"] == "/"


def test_log_in_leads_back_to_where_one_wanted_to_go(world: World, client: Client) -> None:
    response = client.post(reverse("login"), {"username": "ines", "password": PASSWORD, "next": "/watch/"})
    assert response["Location"] == "/watch/"


def test_log_out_takes_a_post(world: World, inside: Client) -> None:
    assert inside.get(reverse("logout")).status_code == 405
    assert inside.post(reverse("logout")).status_code == 302
    assert inside.get("/").status_code == 302


def test_pages_speak_the_readers_time_zone_and_theme(world: World, inside: Client) -> None:
    inside.post(reverse("preferences"), {"time_zone": "America/New_York", "theme": "dark", "mail": str(world.team.pk)})
    page = inside.get("/").content.decode()
    assert 'data-theme="dark"' in page
    assert "New York time" in page
    assert Membership.objects.get(user=world.owner).wants_mail


def test_a_zone_that_does_not_exist_is_refused(world: World, inside: Client) -> None:
    response = inside.post(reverse("preferences"), {"time_zone": "Mars/Olympus", "theme": "dark"})
    assert response.status_code == 200
    assert UserPreference.objects.get(user=world.owner).time_zone == "UTC"


def test_a_link_from_a_mail_asks_before_it_unsubscribes(world: World, client: Client) -> None:
    member = Membership.objects.get(user=world.owner)
    url = reverse("unsubscribe", args=[member.mail_token])
    page = client.get(url).content.decode()
    assert "Stop health mail of Flight ops?" in page
    member.refresh_from_db()
    assert member.wants_mail
    assert "No more health mail" in client.post(url).content.decode()
    member.refresh_from_db()
    assert not member.wants_mail


def test_an_unknown_link_says_so(db: None, client: Client) -> None:
    assert client.get(reverse("unsubscribe", args=["nothing"])).status_code == 404


def test_a_team_keeps_an_owner(world: World, inside: Client) -> None:
    member = Membership.objects.get(user=world.owner)
    page = inside.post(reverse("member-change", args=[member.pk]), {"role": "member"}, follow=True).content.decode()
    assert "keeps at least one owner" in page
    member.refresh_from_db()
    assert member.role == Role.OWNER


def test_an_owner_changes_the_role_of_a_member(world: World, inside: Client) -> None:
    member = Membership.objects.get(user=world.reader)
    inside.post(reverse("member-change", args=[member.pk]), {"role": "manager", "wants_mail": "on"})
    member.refresh_from_db()
    assert member.role == Role.MANAGER


def test_a_missing_page_is_styled_and_says_what_to_do(world: World, inside: Client) -> None:
    response = inside.get("/nothing/here/")
    page = response.content.decode()
    assert response.status_code == 404
    assert "Nothing here" in page
    assert "To the fleet" in page


def test_a_failure_of_ours_has_a_number_that_the_log_shows_too(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client.raise_request_exception = False
    client.force_login(world.owner)
    monkeypatch.setattr("dashboard.views.watch.entries", None)
    response = client.get(reverse("watch"))
    page = response.content.decode()
    assert response.status_code == 500
    assert "could not be made" in page
    number = page.split("Request ")[1].split()[0]
    assert number in caplog.text


def test_test_mails_are_slowed_down(world: World, inside: Client, settings: Settings) -> None:
    settings.RATE_LIMIT_INVITE = 2
    answers = [inside.post(reverse("preferences-test"))["Location"] for _ in range(3)]
    assert answers[2] == reverse("preferences") != answers[1]
    assert Message.objects.filter(why=NotifyReason.TEST).count() == 2
