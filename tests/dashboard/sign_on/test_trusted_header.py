"""Log-in by the header of a proxy: believed from its address only, refused from anywhere else."""

from __future__ import annotations

import ipaddress

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from config.sign_on import JoinRule
from monitoring.models import Membership
from tests.dashboard.world import World

PROXY = "10.0.0.7"


@pytest.fixture(autouse=True)
def _header(settings: Settings) -> None:
    settings.TRUSTED_HEADER = "X-Forwarded-User"
    settings.TRUSTED_HEADER_EMAIL = "X-Forwarded-Email"
    settings.TRUSTED_HEADER_PROXIES = [ipaddress.ip_network("10.0.0.0/29")]


def asks(client: Client, path: str = "/", name: str = "ines", peer: str = PROXY, email: str = "") -> int:
    headers = {"X-Forwarded-User": name, "X-Forwarded-Email": email}
    return client.get(path, REMOTE_ADDR=peer, headers={k: v for k, v in headers.items() if v}).status_code


def test_the_proxy_names_who_asks(world: World, client: Client) -> None:
    assert asks(client) == 200
    assert (
        client.get("/", REMOTE_ADDR=PROXY, headers={"X-Forwarded-User": "ines"}).context["reader"].user == world.owner
    )


def test_an_address_in_the_spelling_of_ipv6_is_the_same(world: World, client: Client) -> None:
    assert asks(client, peer=f"::ffff:{PROXY}") == 200
    assert asks(Client(), peer="::ffff:10.0.0.8") == 403


@pytest.mark.parametrize("peer", ["10.0.0.8", "127.0.0.1", "::1", ""])
def test_from_elsewhere_the_header_is_refused(world: World, client: Client, peer: str) -> None:
    assert asks(client, peer=peer) == 403
    assert client.get("/").status_code == 302


def test_what_a_request_says_of_itself_does_not_make_it_the_proxy(world: World, client: Client) -> None:
    headers = {"X-Forwarded-User": "ines", "X-Forwarded-For": PROXY}
    assert client.get("/", REMOTE_ADDR="192.0.2.9", headers=headers).status_code == 403


def test_without_the_header_the_session_ends(world: World, client: Client) -> None:
    asks(client)
    assert asks(client, name="") == 302


def test_another_name_is_another_person(world: World, client: Client) -> None:
    asks(client)
    page = client.get("/", REMOTE_ADDR=PROXY, headers={"X-Forwarded-User": "eve"})
    assert page.context["reader"].user == world.outsider


def test_a_new_name_gets_an_account_without_a_password_and_without_rights(
    world: World, client: Client, settings: Settings
) -> None:
    assert asks(client, name="ada", email="ada@corp.example") == 200
    ada = User.objects.get(username="ada")
    assert ada.email == "ada@corp.example"
    assert not ada.has_usable_password()
    assert not ada.is_superuser
    assert not Membership.objects.filter(user=ada).exists()
    settings.SSO_JOIN = [JoinRule("Flight ops", "member", domain="corp.example")]
    asks(Client(), name="ada", email="ada@corp.example")
    assert Membership.objects.filter(user=ada, team=world.team).exists()


@pytest.mark.parametrize("name", ["a b", "<script>", "x" * 151])
def test_a_name_that_no_account_may_have_is_refused(world: World, client: Client, name: str) -> None:
    assert asks(client, name=name) == 403


def test_somebody_who_is_switched_off_stays_out(world: World, client: Client) -> None:
    User.objects.filter(pk=world.owner.pk).update(is_active=False)
    assert asks(client) == 403


def test_an_empty_installation_is_claimed_with_its_code_all_the_same(db: None, client: Client) -> None:
    assert asks(client, "/setup/", name="mallory") == 200
    assert asks(client, "/", name="mallory") == 302
    assert not User.objects.exists()


def test_the_api_knows_tokens_only(world: World, client: Client) -> None:
    assert asks(client, "/api/v2/deployments/") == 401


def test_unless_it_is_set_up_the_header_is_just_a_header(world: World, client: Client, settings: Settings) -> None:
    settings.TRUSTED_HEADER = ""
    assert asks(client) == 302
