"""The fleet page: worst first, what narrows it, what it says when there is nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import escape

from dashboard.addresses import address
from dashboard.frame import STALE_AFTER
from dashboard.sentences import fleet_headline
from dashboard.views.fleet import ROWS
from monitoring.models import Source, Star, Status, Subscription, Watched
from tests.dashboard.world import World, person

QUERIES = 12


def labels(page: str) -> list[str]:
    return [part.split(">", 1)[1].split("<")[0] for part in page.split('<a class="name"')[1:]]


def test_the_worst_come_first(world: World, inside: Client) -> None:
    severities = [
        Watched.objects.get(label=label.replace("&gt;", ">")).severity
        for label in labels(inside.get("/").content.decode())
    ]
    assert severities == sorted(severities, reverse=True)
    assert len(severities) == 6


def test_the_headline_counts_what_the_rows_show(world: World, inside: Client) -> None:
    page = inside.get("/")
    failing = Watched.objects.filter(worst=Status.FAILING).count()
    assert failing
    assert f"<h1>{failing} of 6 deployments are failing</h1>" in page.content.decode()


def test_every_row_says_why(world: World, inside: Client) -> None:
    assert "above PSI 0.15, limit 1" in inside.get("/").content.decode()


def test_a_count_is_a_filter(world: World, inside: Client) -> None:
    page = inside.get("/?status=not_started").content.decode()
    assert labels(page) == ["Missed connection"]


def test_search_finds_by_name_and_keeps_the_counts(world: World, inside: Client) -> None:
    assert labels(inside.get("/?q=jetblue").content.decode()) == ["Departure delayed, JetBlue"]


def test_a_search_in_vain_says_so_and_offers_the_way_back(world: World, inside: Client) -> None:
    page = inside.get("/?q=<script>").content.decode()
    assert "No deployment matches" in page
    assert "<script>&" not in page
    assert "Show all deployments" in page


def test_htmx_gets_the_list_without_the_frame(world: World, inside: Client) -> None:
    page = inside.get("/?q=newark", headers={"HX-Request": "true"}).content.decode()
    assert labels(page) == ["Departure delayed, Newark"]
    assert "<html" not in page
    assert 'hx-swap-oob="true"' in page


def test_the_number_of_queries_does_not_grow_with_the_fleet(world: World, inside: Client) -> None:
    add_copies(40)
    inside.get("/")  # fills what is cached once a process
    with CaptureQueriesContext(connection) as few:
        inside.get("/")
    add_copies(40, first=40)
    with CaptureQueriesContext(connection) as many:
        page = inside.get("/")
    assert len(labels(page.content.decode())) == ROWS
    assert "Page 1 of 3" in page.content.decode()
    assert len(many) == len(few)
    assert len(many) <= QUERIES


def add_copies(count: int, first: int = 0) -> None:
    """More deployments like one that is there."""
    original = Watched.objects.get(label="Flight delayed > 15 min")
    for i in range(first, first + count):
        original.pk, original.remote_id, original.label = None, f"{i:024x}", f"Copy {i}"
        original._state.adding = True
        original.save()


def test_a_silent_source_is_said_and_statuses_stay(world: World, inside: Client) -> None:
    before = labels(inside.get("/").content.decode())
    since = world.now - timedelta(hours=3)
    Source.objects.update(silent_since=since, last_ok_at=since, last_error="The source did not answer.")
    page = inside.get("/").content.decode()
    assert "Source Flights has been silent since" in page
    assert labels(page) == before
    assert "0 of 1 source answering" in page


def test_without_a_source_the_page_says_what_to_do_first(db: None, client: Client) -> None:
    from monitoring.models import Role, Team

    user = person("new", Team.objects.create(name="Fresh"), Role.OWNER)
    client.force_login(user)
    page = client.get("/").content.decode()
    assert "Nothing is watched yet" in page
    assert "Add a source" in page


def test_somebody_without_a_team_is_told_who_can_help(db: None, client: Client) -> None:
    client.force_login(person("alone"))
    page = client.get("/").content.decode()
    assert "You are in no team yet" in page
    assert "Add a source" not in page


@pytest.mark.parametrize("query", ["page=0", "page=99999999", "order=x", "status=x", "source=abc", "drift=failing"])
def test_odd_addresses_do_no_harm(world: World, inside: Client, query: str) -> None:
    assert inside.get(f"/?{query}").status_code == 200


@pytest.mark.parametrize(
    ("counts", "total", "words"),
    [
        ({}, 0, "No deployment is watched yet"),
        ({"failing": 1, "passing": 3}, 4, "1 of 4 deployments is failing"),
        ({"warning": 2, "passing": 2}, 4, "2 of 4 deployments are at risk, none is failing"),
        ({"passing": 4}, 4, "All 4 deployments are passing"),
        ({"passing": 1}, 1, "The deployment is passing"),
        ({"passing": 3, "unknown": 1}, 4, "3 of 4 deployments are passing, 1 cannot be judged"),
    ],
)
def test_the_headline_never_claims_more_than_is_known(counts: dict[str, int], total: int, words: str) -> None:
    assert fleet_headline(counts, total) == words


def test_the_foot_calls_a_source_late_after_ten_minutes() -> None:
    assert timedelta(minutes=10) == STALE_AFTER


def test_nothing_that_a_source_wrote_becomes_part_of_the_page(world: World, inside: Client) -> None:
    bad = "<script>alert('x')</script>\"&"
    watched = world.watched()
    for area in (one for one in watched.health.values() if isinstance(one, dict)):
        area["reason"] = area["short"] = bad
    watched.label, watched.importance = bad, "HIGH"
    watched.save()
    Watched.objects.filter(label="Missed connection").update(
        worst="passing", severity=0, target_type=bad[:32], blind_spots=[bad, {"short": bad}]
    )
    page = inside.get("/").content.decode()
    assert "<script>alert" not in page
    assert page.count(escape(bad)) >= 6
    assert page.count(f' <span class="tag tag-blind">{escape(bad)}</span>') == 2


def test_addresses_of_rows_are_those_of_the_pages(world: World, inside: Client) -> None:
    for name, pk in (("overview", 1), ("drift", 12), ("star", 987_654_321), ("bell", 10**12), ("incident", 30)):
        assert address(name, pk) == reverse(name, args=[pk])


def test_a_row_bears_the_person_s_own_star_and_bell(world: World, inside: Client) -> None:
    chosen, muted = world.watched(), world.watched("Missed connection")
    Star.objects.create(user=world.owner, watched=chosen)
    Star.objects.create(user=world.reader, watched=muted)
    Subscription.objects.create(user=world.owner, watched=muted, wish="nothing")
    Subscription.objects.create(user=world.reader, watched=chosen, wish="nothing")
    page = inside.get("/")
    assert [row.row.watched for row in page.context["rows"] if row.row.is_star] == [chosen]
    assert page.context["heard"] == {row.row.watched.pk for row in page.context["rows"]} - {muted.pk}
    text = page.content.decode()
    assert text.count("Take the star off.") == 1
    assert text.count("Hear it again.") == 1
    then = inside.get("/", {"as_of": (world.now - timedelta(hours=1)).isoformat()})
    assert muted.pk not in then.context["heard"]


def test_groups_of_a_past_moment_open_to_rows_of_then(world: World, inside: Client) -> None:
    query = {"group": "team", "as_of": (world.now - timedelta(days=1)).isoformat()}
    page = inside.get("/", query)
    groups = page.context["groups"]
    assert sum(one.size for one, _ in groups) == page.context["page"].all_count > 0
    text = page.content.decode()
    assert "Verdicts are those of then" in text
    assert 'a day</span><a class="group-link"' not in text
    href = groups[0][1]
    assert "as_of=" in href
    rows = inside.get(reverse("fleet-rows") + href)
    assert [row.row.watched for row in rows.context["rows"]] == [
        row.row.watched for row in inside.get(href).context["rows"]
    ]
