"""Single sign-on against a real little provider: who comes in, who is linked, who joins which team."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from config.sign_on import JoinRule, providers
from deployments.models import ApiToken
from monitoring.mail.carriers.sealed import opened
from monitoring.models import AuditAction, AuditEntry, Membership, Message, Role
from tests.dashboard.sign_on import identity_provider
from tests.dashboard.sign_on.identity_provider import CLIENT, SECRET, Provider
from tests.dashboard.world import PASSWORD, World

ADA = {"sub": "u-1", "email": "ada@corp.example", "email_verified": True, "preferred_username": "ada"}


@pytest.fixture(scope="module")
def server() -> Iterator[Provider]:
    with identity_provider.running() as found:
        yield found


@pytest.fixture
def provider(server: Provider, settings: Settings) -> Provider:
    """Ada is logged in there."""
    settings.OIDC_APPS = providers(
        {"issuer": server.url, "client_id": CLIENT, "client_secret": SECRET, "name": "Corp"}, ""
    )
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": settings.OIDC_APPS}}
    server.claims, server.denies = dict(ADA), False
    return server


def sign_on(client: Client, **query: str) -> Any:
    """To the provider and back, as a browser goes."""
    there = client.get(reverse("openid_connect_login", args=["sso"]), query)
    assert there.status_code == 302, there.content.decode()[-900:]
    back = urlsplit(httpx.get(there["Location"]).headers["Location"])
    return client.get(f"{back.path}?{back.query}")


def test_the_log_in_page_offers_it_by_name(world: World, client: Client, provider: Provider) -> None:
    page = client.get(reverse("login") + "?next=/watch/").content.decode()
    assert "Log in with Corp" in page
    assert "/account/oidc/sso/login/?next=/watch/" in page


def test_a_new_person_gets_an_account_that_sees_nothing(world: World, client: Client, provider: Provider) -> None:
    assert sign_on(client, next="/watch/")["Location"] == "/watch/"
    ada = User.objects.get(email="ada@corp.example")
    assert ada.username == "ada"
    assert not ada.has_usable_password()
    assert not ada.is_staff
    assert not Membership.objects.filter(user=ada).exists()
    assert "You are in no team yet" in client.get("/").content.decode()
    assert AuditEntry.objects.filter(user=ada, action=AuditAction.LOGGED_IN).exists()


def test_the_second_time_it_is_the_same_account(world: World, client: Client, provider: Provider) -> None:
    sign_on(client)
    provider.claims["email"] = "ada.new@corp.example"
    sign_on(Client())
    assert User.objects.filter(username__startswith="ada").count() == 1


def test_an_account_with_the_verified_address_is_linked_and_keeps_its_password(
    world: World, client: Client, provider: Provider
) -> None:
    provider.claims["email"] = "INES@example.org"
    sign_on(client)
    assert client.get("/").context["reader"].user == world.owner
    world.owner.refresh_from_db()
    assert world.owner.check_password(PASSWORD)
    assert AuditEntry.objects.filter(user=world.owner, action=AuditAction.ACCOUNT_LINKED).exists()


def test_who_made_the_account_with_somebody_elses_address_is_out_once_they_sign_on(
    world: World, client: Client, provider: Provider
) -> None:
    maker = Client()
    maker.post(shown_link(world, "ada@corp.example"), {"username": "made", "password": PASSWORD})
    made = User.objects.get(username="made")
    ApiToken.objects.create(user=made, name="kept", digest="d" * 64, prefix="d")
    TOTP.activate(made, "secret")
    assert maker.get("/").status_code == 200
    sign_on(client)
    assert client.get("/").context["reader"].user == made
    assert maker.get("/").status_code == 302
    assert maker.post(reverse("login"), {"username": "made", "password": PASSWORD}).status_code == 200
    assert maker.get("/").status_code == 302
    assert not ApiToken.objects.filter(user=made).exists()
    assert not Authenticator.objects.filter(user=made).exists()
    assert EmailAddress.objects.get(user=made).verified
    entry = AuditEntry.objects.get(user=made, action=AuditAction.PASSWORD_CHANGED)
    assert entry.detail == {"sessions_ended": 1, "tokens_revoked": 1}


def test_who_followed_the_link_of_a_mail_keeps_the_password(
    world: World, client: Client, provider: Provider, settings: Settings
) -> None:
    settings.MAIL_IS_SENT = True
    owner = Client()
    owner.force_login(world.owner)
    page = owner.post(reverse("invite", args=[world.team.pk]), {"email": "ada@corp.example", "role": "member"})
    assert "the mail is on its way" in page.content.decode()
    assert "/join/" not in page.content.decode()
    link = re.search(r"/join/[^/]+/", opened(Message.objects.get(why="invited"), timezone.now())[0])
    assert link is not None
    Client().post(link[0], {"username": "made", "password": PASSWORD})
    sign_on(client)
    assert client.get("/").context["reader"].user.username == "made"
    assert User.objects.get(username="made").check_password(PASSWORD)


def shown_link(world: World, email: str) -> str:
    """The path of an invitation's link, read on the page of who invites."""
    owner = Client()
    owner.force_login(world.owner)
    page = owner.post(reverse("invite", args=[world.team.pk]), {"email": email, "role": "member"})
    found = re.search(r'id="fresh-link">[^<]*(/join/[^/<]+/)<', page.content.decode())
    assert found is not None
    return found[1]


def test_an_address_that_is_not_verified_opens_nobodys_account(
    world: World, client: Client, provider: Provider
) -> None:
    provider.claims |= {"email": "ines@example.org", "email_verified": False}
    page = sign_on(client)
    assert "No account was made" in page.content.decode()
    assert client.get("/").status_code == 302
    assert User.objects.filter(email__iexact="ines@example.org").count() == 1


def test_a_name_that_is_taken_does_not_stop_a_new_account(world: World, client: Client, provider: Provider) -> None:
    provider.claims["preferred_username"] = "ines"
    sign_on(client)
    made = User.objects.get(email="ada@corp.example")
    assert made.username != "ines"
    assert made != world.owner


def test_nobody_joins_a_team_unless_a_rule_says_so(
    world: World, client: Client, provider: Provider, settings: Settings
) -> None:
    sign_on(client)
    settings.SSO_JOIN = [JoinRule("flight OPS", "member", domain="corp.example")]
    sign_on(client)
    member = Membership.objects.get(user__username="ada")
    assert (member.team, member.role) == (world.team, Role.MEMBER)
    member.role = Role.READONLY
    member.save()
    sign_on(client)
    member.refresh_from_db()
    assert member.role == Role.READONLY


@pytest.mark.parametrize(
    ("rule", "joins"),
    [
        (JoinRule("Flight ops", "owner", claim="groups", value="ml"), True),
        (JoinRule("Flight ops", "owner", claim="groups", value="m"), False),
        (JoinRule("Flight ops", "member", claim="department", value="7"), True),
        (JoinRule("Flight ops", "member", domain="example"), False),
        (JoinRule("No such team", "member", domain="corp.example"), False),
    ],
)
def test_a_rule_holds_for_exactly_what_it_names(
    world: World, client: Client, provider: Provider, settings: Settings, rule: JoinRule, joins: bool
) -> None:
    settings.SSO_JOIN = [rule]
    provider.claims |= {"groups": ["ml", "ops"], "department": 7}
    sign_on(client)
    assert Membership.objects.filter(user__username="ada", role=rule.role).exists() is joins


def test_a_domain_counts_for_a_verified_address_only(
    world: World, client: Client, provider: Provider, settings: Settings
) -> None:
    settings.SSO_JOIN = [JoinRule("Flight ops", "member", domain="corp.example")]
    provider.claims["email_verified"] = False
    sign_on(client)
    assert not Membership.objects.filter(user__username="ada").exists()


def test_a_refusal_at_the_provider_leads_to_a_page_of_ours(world: World, client: Client, provider: Provider) -> None:
    provider.denies = True
    sign_on(client)
    assert "Cancelled" in client.get(reverse("socialaccount_login_cancelled")).content.decode()
    assert client.get("/").status_code == 302


def test_an_answer_that_nobody_asked_for_is_refused(world: World, client: Client, provider: Provider) -> None:
    there = client.get(reverse("openid_connect_login", args=["sso"]))
    back = urlsplit(httpx.get(there["Location"]).headers["Location"])
    stranger = Client()
    page = stranger.get(f"{back.path}?{back.query}")
    assert "did not work" in page.content.decode()
    assert stranger.get("/").status_code == 302


def test_before_the_setup_nobody_signs_on(db: None, client: Client, provider: Provider) -> None:
    assert "No account was made" in sign_on(client).content.decode()
    assert not User.objects.exists()


def test_with_passwords_switched_off_only_the_provider_is_left(
    world: World, client: Client, provider: Provider, settings: Settings
) -> None:
    settings.LOCAL_LOGIN = False
    page = client.get(reverse("login")).content.decode()
    assert 'name="password"' not in page
    assert client.post(reverse("login"), {"username": "ines", "password": PASSWORD}).status_code == 403
    provider.claims["email"] = "ines@example.org"
    sign_on(client)
    assert client.get("/").status_code == 200
