"""Saved views, groups and the small answer that icons and titles live from."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from dashboard.narrowing import asked, canonical, link
from monitoring.models import DefaultView, SavedView, Source, Status, Watched
from tests.dashboard.world import World


def save(client: Client, query: str, name: str = "Risk", **more: object) -> None:
    client.post(reverse("view-add"), {"query": query, "name": name, "owner": "me", **more})


def test_a_view_keeps_filters_groups_and_order_in_one_spelling(world: World, inside: Client) -> None:
    save(inside, "page=3&order=label&status=failing%2Cwarning&q=newark&as_of=2026-01-01&evil=1")
    view = SavedView.objects.get()
    assert view.query == "q=newark&status=failing,warning&order=label"
    assert (view.user, view.team) == (world.owner, None)
    page = inside.get("/?order=label&q=newark&status=failing,warning").content.decode()
    assert 'aria-current="true"><span title="Risk">Risk</span>' in page


def test_the_fleet_opens_with_the_view_that_was_chosen_and_everything_stays_reachable(
    world: World, inside: Client
) -> None:
    save(inside, "status=failing", default="on")
    assert inside.get("/")["Location"] == "/?status=failing"
    assert inside.get("/?view=all").status_code == 200
    view = SavedView.objects.get()
    inside.post(reverse("view-change", args=[view.pk]), {"default": "no"})
    assert inside.get("/").status_code == 200


def test_a_team_view_is_seen_by_every_member_and_changed_by_those_who_may_act(world: World, client: Client) -> None:
    client.force_login(world.owner)
    save(client, "status=failing", owner=str(world.team.pk))
    view = SavedView.objects.get()
    assert view.team == world.team
    client.force_login(world.reader)
    assert "Risk" in client.get("/?view=all").content.decode()
    assert client.post(reverse("view-change", args=[view.pk]), {"name": "Mine"}).status_code == 403
    assert client.post(reverse("view-change", args=[view.pk]), {"default": "yes"}).status_code == 302
    assert DefaultView.objects.get().user == world.reader
    client.force_login(world.outsider)
    assert client.post(reverse("view-change", args=[view.pk]), {"default": "yes"}).status_code == 404


def test_who_left_the_team_no_longer_opens_with_its_view(world: World, client: Client) -> None:
    view = SavedView.objects.create(team=world.team, name="Risk", query="status=failing", created_at=world.now)
    DefaultView.objects.create(user=world.reader, view=view)
    world.reader.memberships.all().delete()
    client.force_login(world.reader)
    assert client.get("/").status_code == 200


def test_a_name_is_needed_and_is_taken_once(world: World, inside: Client) -> None:
    save(inside, "status=failing", name="  ")
    save(inside, "status=failing")
    save(inside, "status=warning")
    assert list(SavedView.objects.values_list("query", flat=True)) == ["status=failing"]
    save(inside, "status=warning", name="Other")
    other = SavedView.objects.get(name="Other")
    inside.post(reverse("view-change", args=[other.pk]), {"name": "Risk"})
    other.refresh_from_db()
    assert other.name == "Other"


def test_a_reader_keeps_views_for_herself_not_for_the_team(world: World, client: Client) -> None:
    client.force_login(world.reader)
    asked_for = {"query": "status=failing", "name": "Risk", "owner": str(world.team.pk)}
    assert client.post(reverse("view-add"), asked_for).status_code == 403
    assert not SavedView.objects.exists()


def test_deleting_a_view_that_the_fleet_opens_with_opens_everything_again(world: World, inside: Client) -> None:
    save(inside, "status=failing", default="on")
    inside.post(reverse("view-remove", args=[SavedView.objects.get().pk]))
    assert inside.get("/").status_code == 200
    assert not DefaultView.objects.exists()


@pytest.mark.parametrize("group", ["team", "tag", "owner", "importance", "source", "type"])
def test_every_group_leads_to_the_fleet_that_it_counts(world: World, inside: Client, group: str) -> None:
    page = inside.get(f"/?group={group}")
    for one, href in page.context["groups"]:
        assert inside.get(f"/{href}").context["page"].all_count == one.size
        assert inside.get(f"{reverse('fleet-rows')}{href}").content.decode().count('class="name"') == one.size


def test_groups_cost_no_more_statements_than_rows(world: World, inside: Client) -> None:
    inside.get("/?group=team")
    with CaptureQueriesContext(connection) as queries:
        inside.get("/?group=team")
    assert len(queries) <= 9
    with CaptureQueriesContext(connection) as queries:
        inside.get(reverse("fleet-rows") + "?importance=CRITICAL")
    assert len(queries) <= 8


def test_what_the_fleet_can_be_narrowed_by_is_counted(world: World, inside: Client) -> None:
    Watched.objects.filter(label="Missed connection").update(tags=[{"name": "pilot", "value": None}])
    page = inside.get(reverse("fleet-choices")).content.decode()
    assert 'href="?tag=pilot%3D">pilot <span class="caption">1</span>' in page
    assert [row["label"] for row in _narrowed("?tag=pilot", inside)] == ["Missed connection"]


def _narrowed(query: str, client: Client) -> list[dict[str, str]]:
    return [{"label": row.row.watched.label} for row in client.get(f"/{query}").context["rows"]]


def test_an_owner_with_a_comma_in_the_name_is_one_owner(world: World, inside: Client) -> None:
    Watched.objects.filter(label="Missed connection").update(owners=["Weber, Jonas"])
    page = inside.get("/", {"owner": "Weber, Jonas"})
    assert page.context["page"].all_count == 1
    assert page.context["chosen"] == [("Weber, Jonas", "?view=all")]


def test_the_state_follows_the_verdicts_and_the_silence_of_sources(world: World, inside: Client) -> None:
    def state() -> dict[str, object]:
        return dict(inside.get(reverse("state")).json())

    failing = Watched.objects.filter(worst=Status.FAILING).count()
    Source.objects.update(last_ok_at=timezone.now())
    assert (state()["worst"], state()["failing"]) == ("failing", failing)
    assert f"<title>({failing}) {failing} of 6 deployments" in inside.get("/").content.decode()
    Watched.objects.update(worst=Status.PASSING, severity=0)
    assert state()["worst"] == "passing"
    Source.objects.update(last_ok_at=timezone.now() - timedelta(hours=1))
    assert (state()["worst"], state()["stale"]) == ("unknown", True)
    assert "img/mark-unknown.svg" in inside.get("/").content.decode().split("data-failing")[0]


def test_an_address_is_read_and_written_without_loss(world: World) -> None:
    query = {
        "q": "a b",
        "status": "failing,warning",
        "tag": "risk=1",
        "owner": "Ä, B",
        "drift": "failing",
        "group": "tag",
    }
    from django.http import QueryDict

    text = canonical(query)
    again = QueryDict(text)
    assert canonical(again) == text
    assert asked(again, world.now, world.now.tzinfo) == asked(query, world.now, world.now.tzinfo)  # type: ignore[arg-type]
    assert QueryDict(link(again, page="2").lstrip("?")).dict() == {**query, "page": "2"}
