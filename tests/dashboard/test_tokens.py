"""API tokens on their page: shown once, taken by the API, and not any more once they are revoked or have expired."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from deployments.models import ApiToken
from deployments.models import AuditEntry as ServiceEntry
from monitoring.models import AuditAction, AuditEntry
from tests.dashboard.world import World


def made(client: Client, **changes: str) -> str:
    page = client.post(reverse("tokens"), {"name": "Scoring job", "scope": "write", "days": "90"} | changes)
    found = re.search(r'id="fresh-token">([^<]+)<', page.content.decode())
    assert found is not None, page.content.decode()
    return found[1]


def asks(token: str) -> int:
    return Client().get("/api/v2/deployments/", headers={"Authorization": f"Bearer {token}"}).status_code


def test_a_token_is_shown_once_and_opens_the_api(world: World, inside: Client) -> None:
    token = made(inside)
    assert asks(token) == 200
    page = inside.get(reverse("tokens")).content.decode()
    assert token not in page
    assert token[:8] in page
    assert "Scoring job" in page


def test_a_token_that_may_read_writes_nothing(world: World, inside: Client) -> None:
    token = made(inside, scope="read")
    wrote = Client().post(
        "/api/v2/datasets/", {}, headers={"Authorization": f"Bearer {token}"}, content_type="application/json"
    )
    assert wrote.status_code == 403


def test_a_token_lasts_as_long_as_was_chosen(world: World, inside: Client) -> None:
    token = made(inside, days="30")
    row = ApiToken.objects.get()
    assert row.expires_at is not None
    assert timedelta(days=29) < row.expires_at - timezone.now() <= timedelta(days=30)
    ApiToken.objects.update(expires_at=timezone.now())
    assert asks(token) == 401
    assert "expired" in inside.get(reverse("tokens")).content.decode()
    assert asks(made(inside, days="")) == 200


def test_a_revoked_token_is_not_taken_any_more(world: World, inside: Client) -> None:
    token = made(inside)
    inside.post(reverse("token-revoke", args=[ApiToken.objects.get().pk]))
    assert asks(token) == 401
    assert not ApiToken.objects.exists()


def test_nobody_revokes_the_token_of_another(world: World, inside: Client, client: Client) -> None:
    token = made(inside)
    client.force_login(world.outsider)
    assert client.post(reverse("token-revoke", args=[ApiToken.objects.get().pk])).status_code == 404
    assert asks(token) == 200
    assert "Scoring job" not in client.get(reverse("tokens")).content.decode()


def test_both_are_written_down_in_either_half(world: World, inside: Client) -> None:
    token = made(inside)
    inside.post(reverse("token-revoke", args=[ApiToken.objects.get().pk]))
    ours = (
        AuditEntry.objects.exclude(action=AuditAction.LOGGED_IN).order_by("pk").values_list("action", "about", "user")
    )
    assert list(ours) == [
        (AuditAction.TOKEN_CREATED, "Scoring job", world.owner.pk),
        (AuditAction.TOKEN_REVOKED, "Scoring job", world.owner.pk),
    ]
    assert list(ServiceEntry.objects.order_by("pk").values_list("action", flat=True)) == [
        "token.created",
        "token.revoked",
    ]
    assert token not in str(list(AuditEntry.objects.values())) + str(list(ServiceEntry.objects.values()))


@pytest.mark.parametrize("wrong", [{"name": ""}, {"name": "x" * 101}, {"scope": "root"}, {"days": "9999"}])
def test_a_wrong_field_makes_no_token(world: World, inside: Client, wrong: dict[str, str]) -> None:
    page = inside.post(reverse("tokens"), {"name": "Job", "scope": "read", "days": "30"} | wrong)
    assert page.status_code == 200
    assert page.context["form"].errors
    assert not ApiToken.objects.exists()


def test_without_the_service_the_page_says_so(world: World, inside: Client, settings: Settings) -> None:
    settings.SERVICE_DESK = ""
    assert "switched off" in inside.get(reverse("tokens")).content.decode()
    assert inside.post(reverse("tokens"), {"name": "Job", "scope": "read"}).status_code == 200
    assert inside.post(reverse("token-revoke", args=[1])).status_code == 404


def test_the_page_asks_the_same_few_queries(
    world: World, inside: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(5):
        made(inside, name=f"Job {number}")
    with django_assert_num_queries(8):
        inside.get(reverse("tokens"))


def test_what_cannot_be_written_down_is_not_done(world: World, inside: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no audit")

    made(inside)
    monkeypatch.setattr("dashboard.views.tokens.note", broken)
    for url, given in (("tokens", {"name": "Two", "scope": "read", "days": "30"}), ("token-revoke", {})):
        with pytest.raises(RuntimeError):
            inside.post(reverse(url, args=[ApiToken.objects.get().pk] if url == "token-revoke" else []), given)
    assert ApiToken.objects.get().name == "Scoring job"
