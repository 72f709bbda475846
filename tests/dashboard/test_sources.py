"""The page of sources: adding one, testing it by a worker, and never showing a token."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from dashboard.source_trouble import trouble_of
from deployments.models import ApiToken
from monitoring.models import (
    AuditAction,
    AuditEntry,
    Command,
    CommandKind,
    PollRun,
    Review,
    RunKind,
    Source,
    Topic,
    TopicState,
    Watched,
    WorkState,
)
from tests.dashboard.test_access import hold_reviews
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


def test_errors_of_the_day_are_counted_by_kind(world: World, inside: Client) -> None:
    PollRun.objects.all().delete()
    now = timezone.now()
    for hours, problem in ((1, "502: bad gateway"), (2, "502: bad gateway"), (3, "No answer in 20 s."), (30, "old")):
        started = now - timedelta(hours=hours)
        PollRun.objects.create(source=world.source, kind=RunKind.POLL, started_at=started, failed=1, problem=problem)
    found = trouble_of([world.source.pk], now)[world.source.pk]
    assert [(error.text, error.times) for error in found.errors] == [("502: bad gateway", 2), ("No answer in 20 s.", 1)]
    page = inside.get(reverse("sources")).content.decode()
    assert "2 ×" in page
    assert "old" not in re.findall(r"<li><b>.*?</li>", page)


def test_deployments_that_the_token_may_not_read_are_counted(world: World, inside: Client) -> None:
    topic = Topic.objects.filter(watched=world.watched())[0]
    for problem, expected in (("404: not enabled", 0), ("403: this needs the role OWNER", 1)):
        Topic.objects.filter(pk=topic.pk).update(state=TopicState.REFUSED, problem=problem)
        found = trouble_of([world.source.pk], timezone.now()).get(world.source.pk)
        assert (found.not_allowed if found else 0) == expected
    assert "1 not allowed" in inside.get(reverse("sources")).content.decode()


def test_an_open_breaker_says_when_the_next_call_goes_out(world: World, inside: Client) -> None:
    Source.objects.filter(pk=world.source.pk).update(
        failures=3,
        open_until=timezone.now() + timedelta(minutes=4),
        silent_since=timezone.now(),
        last_error="The token was refused.",
        last_error_kind="Unauthorised",
    )
    page = inside.get(reverse("sources")).content.decode()
    assert "Circuit breaker open" in page
    assert "after 3 failed runs" in page
    assert "Make a new API token" in page


def test_a_source_goes_once_its_name_is_typed(world: World, inside: Client) -> None:
    hold_reviews(world)
    url = reverse("source-remove", args=[world.source.pk])
    assert f"{Watched.objects.count()} deployments" in inside.get(url).content.decode()
    assert "nothing was removed" in inside.post(url, {"name": "flight"}).content.decode()
    inside.post(url, {"name": "Flights"})
    assert not Source.objects.filter(pk=world.source.pk).exists()
    assert not Watched.objects.exists()
    assert Review.objects.filter(state="signed").exists()
    entry = AuditEntry.objects.get(action=AuditAction.SOURCE_REMOVED)
    assert (entry.about, entry.detail["address"]) == ("Flights", world.source.base_url)


def test_the_page_asks_the_same_few_queries(
    world: World, inside: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    inside.get(reverse("sources"))
    with django_assert_num_queries(12):
        inside.get(reverse("sources"))


def test_this_installation_is_added_ready_made(world: World, inside: Client) -> None:
    answer = inside.post(reverse("source-own"), {"team": world.team.pk}, follow=True)
    assert "is being tested" in answer.content.decode()
    source = Source.objects.get(built_in=True)
    assert source.base_url == f"{settings.SERVICE_URL}/api/v2"
    assert source.commands.get().kind == CommandKind.TEST_SOURCE
    again = inside.post(reverse("source-own"), {"team": world.team.pk}, follow=True)
    assert "watches this installation already" in again.content.decode()
    assert Source.objects.filter(built_in=True).count() == 1


def test_only_who_may_adds_it_and_only_to_the_own_team(world: World, client: Client) -> None:
    for user, status in ((world.reader, 403), (world.outsider, 404)):
        client.force_login(user)
        assert client.post(reverse("source-own"), {"team": world.team.pk}).status_code == status
    assert not Source.objects.filter(built_in=True).exists()


def test_nobody_writes_the_address_that_is_exempt_from_the_rules(world: World, inside: Client) -> None:
    inside.post(reverse("source-own"), {"team": world.team.pk})
    source = Source.objects.get(built_in=True)
    url = reverse("source-change", args=[source.pk])
    assert 'name="base_url"' not in inside.get(url).content.decode()
    inside.post(url, {"name": "Ours", "base_url": "http://169.254.169.254/api/v2", "token": "t"})
    source.refresh_from_db()
    assert (source.name, source.base_url) == ("Ours", f"{settings.SERVICE_URL}/api/v2")


@pytest.mark.parametrize("name", ["source-add", "source-change"])
def test_what_cannot_be_written_down_is_not_done(
    world: World, inside: Client, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no audit")

    monkeypatch.setattr("dashboard.views.sources.note", broken)
    with pytest.raises(RuntimeError):
        inside.post(reverse(name, args=[world.source.pk] if name == "source-change" else []), form(world))
    assert not Source.objects.filter(name="East").exists()


def test_the_token_of_this_installation_ends_with_its_source(world: World, inside: Client) -> None:
    inside.post(reverse("source-own"), {"team": world.team.pk})
    source, kept = Source.objects.get(built_in=True), ApiToken.objects.get()
    assert AuditEntry.objects.get(action=AuditAction.TOKEN_CREATED).about == kept.name
    inside.post(reverse("source-remove", args=[source.pk]), {"name": source.name})
    assert not Source.objects.filter(pk=source.pk).exists()
    assert not ApiToken.objects.exists()
    assert AuditEntry.objects.get(action=AuditAction.TOKEN_REVOKED).about == kept.name
