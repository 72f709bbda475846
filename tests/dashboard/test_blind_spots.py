"""The blind-spot map as a page: what it says, and that every cell leads to something that mends it."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from dashboard.fixes import fix_of
from dashboard.views.blind_spots import headline, note
from monitoring.blind_spots import BlindSpots
from monitoring.health.coverage import CODES, COLUMNS, read
from monitoring.models import Watched
from tests.dashboard.world import World

QUERIES = 12


def test_what_was_polled_has_been_looked_at(world: World) -> None:
    codes = read(world.watched().coverage)
    assert "unasked" not in codes.values()
    assert codes["accuracy"] == "watched"
    assert world.watched().uncovered == sum(CODES[code].blind for code in codes.values())


def test_the_map_lists_every_deployment_with_its_cells(world: World, inside: Client) -> None:
    page = inside.get(reverse("blind-spots"))
    rows = page.context["rows"]
    assert len(rows) == 6
    assert all(len(cells) == len(COLUMNS) for _, cells in rows)
    order = [(row.importance_rank, -row.uncovered) for row, _ in rows]
    assert order == sorted(order)


def test_each_blind_cell_leads_to_a_page_that_mends_it(world: World, inside: Client) -> None:
    links = {
        cell.href for _, cells in inside.get(reverse("blind-spots")).context["rows"] for _, cell in cells if cell.href
    }
    assert links
    for href in links:
        assert inside.get(href).status_code == 200, href


def test_every_blind_code_of_a_column_has_a_fix(world: World) -> None:
    possible = {(column, code) for row in Watched.objects.all() for column, code in read(row.coverage).items()}
    possible |= {("drift", "no_limit"), ("accuracy", "no_limit"), ("fairness", "no_limit"), ("drift", "off")}
    possible |= {
        ("accuracy", "no_actuals"),
        ("accuracy", "no_association"),
        ("heard", "nobody"),
        ("drift", "no_training"),
    }
    for column, code in possible:
        if CODES[code].blind:
            fix = fix_of(world.watched(), column, code)
            assert fix is not None, (column, code)
            assert fix.href or fix.example or fix.advice


def test_the_number_of_queries_is_pinned(world: World, inside: Client) -> None:
    inside.get(reverse("blind-spots"))
    with CaptureQueriesContext(connection) as queries:
        inside.get(reverse("blind-spots"))
    assert len(queries) <= QUERIES


def test_the_page_of_one_blind_spot_shows_the_request_to_copy(world: World, inside: Client) -> None:
    Watched.objects.filter(pk=world.watched().pk).update(coverage=" ".join(["watched", "off"] + ["watched"] * 7))
    page = inside.get(reverse("blind-spot", args=[world.watched().pk, "drift"])).content.decode()
    assert "Data drift: Switched off" in page
    assert "curl -sSf -X PATCH" in page
    assert "featureDrift" in page
    assert inside.get(reverse("blind-spot", args=[world.watched().pk, "nonsense"])).status_code == 404


@pytest.mark.parametrize("query", ["page=999", "area=nonsense", "area=drift&state=nonsense", "page=x", "q=%00"])
def test_odd_addresses_do_no_harm(world: World, inside: Client, query: str) -> None:
    assert inside.get(f"{reverse('blind-spots')}?{query}").status_code == 200


def test_the_headline_counts_only_what_was_looked_at() -> None:
    counts = {name: {"watched": 3, "unasked": 1} for name in COLUMNS}
    found = BlindSpots((), 4, 1, 1, total=4, whole=1, unasked=1, counts=counts | {"drift": {"off": 2, "watched": 1}})
    assert headline(found) == "2 of 3 deployments have a blind spot"
    assert note(found).startswith("The widest gap is data drift: 2 deployments, most often because: switched off.")
    assert "1 deployment will be looked at" in note(found)
