"""The page of sources: adding one, testing it by a worker, and never showing a token."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from monitoring.models import Command, CommandKind, PollRun, RunKind, Source, WorkState
from tests.dashboard.world import World


def form(world: World, **changes: str) -> dict[str, str]:
    return {
        "team": str(world.team.pk),
        "name": "East",
        "base_url": "https://api.example.org/api/v2/",
        "token": "tok-9",
        **changes,
    }


def test_a_new_source_is_stored_and_tested_by_a_worker(world: World, inside: Client) -> None:
    response = inside.post(reverse("source-add"), form(world))
    assert response.status_code == 302
    source = Source.objects.get(name="East")
    assert source.base_url == "https://api.example.org/api/v2"
    assert source.token == "tok-9"
    assert b"tok-9" not in bytes(source.token_encrypted)
    command = Command.objects.get(source=source)
    assert (command.kind, command.state) == (CommandKind.TEST_SOURCE, WorkState.PENDING)
    assert "Connection test on its way" in inside.get(reverse("sources")).content.decode()


@pytest.mark.parametrize(
    "address",
    [
        "ftp://x/api/v2",
        "https://u:p@host/api/v2",
        "https://host/api/v2?x=1",
        "http://169.254.169.254/api/v2",
        "http://10.0.0.8/api/v2",
    ],
)
def test_an_address_that_may_not_be_called_is_refused(world: World, inside: Client, address: str) -> None:
    response = inside.post(reverse("source-add"), form(world, base_url=address))
    assert response.status_code == 200
    assert "errorlist" in response.content.decode()
    assert not Source.objects.filter(name="East").exists()


def test_a_name_is_used_once_in_a_team(world: World, inside: Client) -> None:
    response = inside.post(reverse("source-add"), form(world, name="Flights"))
    assert "already has a source of this name" in response.content.decode()


def test_nobody_adds_a_source_to_another_team(world: World, client: Client) -> None:
    client.force_login(world.outsider)
    response = client.post(reverse("source-add"), form(world))
    assert response.status_code == 200
    assert not Source.objects.filter(name="East").exists()


def test_a_token_is_never_shown(world: World, inside: Client) -> None:
    for url in (reverse("sources"), reverse("source-change", args=[world.source.pk])):
        assert "secret-token" not in inside.get(url).content.decode()


def test_an_empty_token_keeps_the_stored_one(world: World, inside: Client) -> None:
    url = reverse("source-change", args=[world.source.pk])
    inside.post(url, {"name": "Flights east", "base_url": world.source.base_url, "token": ""})
    source = Source.objects.get(pk=world.source.pk)
    assert (source.name, source.token) == ("Flights east", "secret-token")


def test_a_token_never_follows_to_another_address(world: World, inside: Client) -> None:
    url = reverse("source-change", args=[world.source.pk])
    page = inside.post(url, {"name": "Flights", "base_url": "https://elsewhere.example.org/api/v2", "token": ""})
    assert "never sent to another host" in page.content.decode()
    assert Source.objects.get(pk=world.source.pk).base_url == world.source.base_url


def test_the_result_of_a_test_is_shown(world: World, inside: Client) -> None:
    inside.post(reverse("source-test", args=[world.source.pk]))
    now = timezone.now()
    Command.objects.update(state=WorkState.FAILED, problem="The token was refused (401).", finished_at=now)
    page = inside.get(reverse("source-row", args=[world.source.pk])).content.decode()
    assert "The token was refused (401)." in page
    assert "hx-trigger" not in page


def test_one_waiting_test_is_enough(world: World, inside: Client) -> None:
    for _ in range(3):
        inside.post(reverse("source-test", args=[world.source.pk]))
    assert Command.objects.count() == 1


def test_coverage_counts_a_day(world: World, inside: Client) -> None:
    PollRun.objects.all().delete()
    now = timezone.now()
    for age, asked, answered in ((1, 90, 80), (30, 1000, 0)):
        counts = {"asked": asked, "answered": answered, "failed": asked - answered}
        started = now - timedelta(hours=age)
        PollRun.objects.create(source=world.source, kind=RunKind.POLL, started_at=started, **counts)
    page = inside.get(reverse("sources")).content.decode()
    assert "88.9\u202f%" in page
    assert "of 90 requests" in page
