"""Many deployments at once, stars, and what a team leaves unwatched."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dashboard.acting import new_nonce
from monitoring import bulk
from monitoring.bulk import BULKS
from monitoring.models import (
    AuditAction,
    AuditEntry,
    Bulk,
    Command,
    CommandKind,
    Incident,
    Membership,
    Role,
    Silence,
    Star,
    Watched,
    WorkState,
)
from monitoring.poll import cycle
from tests.dashboard.world import World, person


def url(act: str, **query: Any) -> str:
    return reverse("bulk") + "?" + urlencode({"do": act, **query}, doseq=True)


def keys() -> list[int]:
    return list(Watched.objects.order_by("pk").values_list("pk", flat=True))


def send(client: Client, world: World, act: str, picked: list[int], user: Any = None, **form: str) -> Any:
    return client.post(url(act), {"picked": picked, "nonce": new_nonce(user or world.owner), **form})


def test_what_will_happen_is_listed_before_anything_does(world: World, inside: Client) -> None:
    page = inside.get(url("leave_out", pk=keys()[:2])).content.decode()
    assert "2 deployments are no longer polled, judged or told of" in page
    for row in Watched.objects.filter(pk__in=keys()[:2]):
        assert row.label.replace(">", "&gt;") in page
    assert not Bulk.objects.exists()


def test_all_that_match_are_those_of_the_filter_and_not_more(world: World, inside: Client) -> None:
    everything = inside.get(url("star", all=1)).content.decode()
    assert everything.count('name="picked"') == Watched.objects.count()
    some = Watched.objects.filter(worst="failing")
    narrowed = inside.get(url("star", all=1, status="failing")).content.decode()
    assert narrowed.count('name="picked"') == some.count() < Watched.objects.count()


def test_stars_are_one_s_own_and_filter_the_fleet(world: World, inside: Client) -> None:
    send(inside, world, "star", keys()[:2])
    assert set(Star.objects.values_list("user", "watched")) == {(world.owner.pk, pk) for pk in keys()[:2]}
    page = inside.get("/?starred=1").content.decode()
    assert page.count('class="bell star star-on"') == 2
    assert page.count('name="pk"') == 2
    send(inside, world, "unstar", keys())
    assert not Star.objects.exists()


def test_one_star_turns_round_where_it_stands(world: World, inside: Client) -> None:
    address = reverse("star", args=[keys()[0]])
    assert 'aria-pressed="true"' in inside.post(address, headers={"HX-Request": "true"}).content.decode()
    assert 'aria-pressed="false"' in inside.post(address, headers={"HX-Request": "true"}).content.decode()


def test_a_silence_holds_each_of_them_until_then(world: World, inside: Client) -> None:
    until = (timezone.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    send(inside, world, "silence", keys()[:3], until=until, reason="Moving house")
    assert set(Silence.objects.values_list("watched", "reason")) == {(pk, "Moving house") for pk in keys()[:3]}


@pytest.mark.parametrize("until", ["", "soon", "2020-01-01T00:00", "2099-01-01T00:00"])
def test_a_silence_without_a_proper_end_holds_nothing(world: World, inside: Client, until: str) -> None:
    response = send(inside, world, "silence", keys()[:1], until=until, reason="x")
    assert response.status_code == 200
    assert not Silence.objects.exists()


def test_importance_is_asked_of_every_source_and_each_ends_by_itself(world: World, inside: Client) -> None:
    response = send(inside, world, "importance", keys()[:3], importance="LOW")
    run = Bulk.objects.get()
    asked_for = Command.objects.filter(group=str(run.pk)).order_by("pk")
    assert [one.body for one in asked_for] == [{"importance": "LOW"}] * 3
    first, second, _ = asked_for
    now = timezone.now()
    Command.objects.filter(pk=first.pk).update(state=WorkState.DONE, finished_at=now)
    Command.objects.filter(pk=second.pk).update(state=WorkState.REFUSED, finished_at=now, problem="403: not yours")
    page = inside.get(response["Location"]).content.decode()
    assert "1 of 3 done" in page
    assert "1 did not come through" in page
    assert "403: not yours" in page


def test_health_settings_are_carried_over_without_what_names_features(world: World, inside: Client) -> None:
    pattern = world.watched()
    body = bulk.carried(pattern)
    assert body
    assert "excludedFeatures" not in body.get("dataDrift", {})
    send(inside, world, "health", keys(), pattern=str(pattern.pk))
    asked_for = Command.objects.filter(kind=CommandKind.HEALTH_SETTINGS)
    assert asked_for.count() == len(keys()) - 1
    assert all(one.body == body for one in asked_for)


def test_the_same_form_sent_twice_does_it_once(world: World, inside: Client) -> None:
    until = (timezone.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    form = {"picked": keys()[:2], "nonce": new_nonce(world.owner), "until": until, "reason": "x"}
    for _ in range(2):
        assert inside.post(url("silence"), form).status_code == 302
    assert Silence.objects.count() == 2
    assert inside.post(url("silence"), {**form, "nonce": "forged"}).status_code == 400
    assert Silence.objects.count() == 2


@pytest.mark.parametrize("role", [Role.OWNER, Role.MANAGER, Role.MEMBER, Role.READONLY, None])
@pytest.mark.parametrize("act", [slug for slug in BULKS if slug != "watch_again"])
def test_each_role_does_what_it_may_and_nothing_to_another_team(
    world: World, client: Client, role: Role | None, act: str
) -> None:
    user = person("kim", world.team if role else None, role or Role.MEMBER)
    client.force_login(user)
    until = (timezone.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    pattern = world.watched().pk
    form = {"until": until, "reason": "x", "importance": "LOW", "pattern": str(pattern)}
    send(client, world, act, keys(), user, **form)
    may = role is not None and (role.may_change if BULKS[act].changes else role.may_act)
    assert Bulk.objects.exists() == may


def test_more_than_one_run_can_take_on_is_told_and_nothing_is_done(
    world: World, inside: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MOST", 2)
    assert "At most 2 deployments at a time" in inside.get(url("star", all=1)).content.decode()


def test_what_is_left_unwatched_is_not_polled_told_or_counted_and_keeps_its_reason(
    world: World, inside: Client
) -> None:
    watched = world.watched()
    before = Watched.objects.filter(gone_at=None).count()
    inside.post(reverse("watching", args=[watched.pk]), {"reason": "Being retired"})
    watched.refresh_from_db()
    assert (watched.left_out_reason, watched.left_out_by) == ("Being retired", world.owner)
    assert AuditEntry.objects.filter(action=AuditAction.LEFT_OUT, user=world.owner).count() == 1
    Watched.objects.update(due_at=None, claimed_until=None)
    assert watched.pk not in cycle.claim_due(world.source, timezone.now(), 100)
    cycle.discover(world.source, timezone.now(), world.api.transport)
    watched.refresh_from_db()
    assert watched.gone_at is not None
    assert inside.get("/").content.decode().count('name="pk"') == before - 1
    away = inside.get("/?unwatched=1").content.decode()
    assert away.count('name="pk"') == 1
    assert "Watch again" in away
    assert "Being retired" in inside.get(reverse("manage", args=[watched.pk])).content.decode()
    assert not Incident.objects.open().filter(watched=watched).exists()


def test_what_is_watched_again_is_polled_at_once(world: World, inside: Client) -> None:
    watched = world.watched()
    inside.post(reverse("watching", args=[watched.pk]), {"reason": "Being retired"})
    send(inside, world, "watch_again", [watched.pk])
    watched.refresh_from_db()
    assert (watched.left_out_at, watched.gone_at) == (None, None)
    assert watched.pk in cycle.claim_due(world.source, timezone.now() + timedelta(seconds=1), 100)


def test_a_reason_is_needed(world: World, inside: Client) -> None:
    inside.post(reverse("watching", args=[world.watched().pk]), {"reason": "  "})
    assert world.watched().left_out_at is None


def test_a_run_is_shown_to_who_asked_for_it_only(world: World, inside: Client, client: Client) -> None:
    send(inside, world, "star", keys()[:1])
    run = Bulk.objects.get()
    other = person("kim", world.team, Role.OWNER)
    assert Membership.objects.filter(user=other).exists()
    stranger = Client()
    stranger.force_login(other)
    assert stranger.get(reverse("bulk-progress", args=[run.pk])).status_code == 404


def test_groups_hold_what_is_left_unwatched_where_that_is_asked_for(world: World, inside: Client) -> None:
    inside.post(reverse("watching", args=[world.watched().pk]), {"reason": "Being retired"})
    page = inside.get("/?unwatched=1&group=source")
    (only,) = [group for group, _ in page.context["groups"]]
    assert only.size == 1
