"""The tab of predictions for the class that is chosen."""

from __future__ import annotations

import csv
from io import StringIO

import pytest
from django.test import Client
from django.urls import reverse

from tests.dashboard import world as worlds
from tests.dashboard.test_deployment import get
from tests.dashboard.world import World


def rows_of(client: Client, world: World, name: str, query: str = "") -> list[dict[str, str]]:
    response = client.get(reverse("chart-csv", args=[world.watched().pk, "predictions", name]) + query)
    return list(csv.DictReader(StringIO(response.content.decode())))


def test_the_other_class_is_the_rest(world: World, inside: Client) -> None:
    usual, other = rows_of(inside, world, "actual"), rows_of(inside, world, "actual", "?class=0")
    compared = 0
    for one, two in zip(usual, other, strict=True):
        for column in ("predicted, %", "actual, %"):
            if one[column]:
                assert float(one[column]) + float(two[column]) == pytest.approx(1, abs=1e-5)
                compared += 1
    assert compared > 40


def test_the_class_is_chosen_at_the_chart_and_kept_by_the_bar(world: World, inside: Client) -> None:
    page = get(inside, world, "predictions", "?class=0")
    assert 'aria-current="true">0</a>' in page
    assert "range=7d&amp;class=0" in page
    assert "actual.csv?class=0" in page


def test_a_class_that_does_not_exist_is_the_usual_one(world: World, inside: Client) -> None:
    assert rows_of(inside, world, "actual", "?class=none") == rows_of(inside, world, "actual")


def test_a_number_has_no_class_to_choose(world: World, inside: Client) -> None:
    page = get(inside, world, "predictions", label="Arrival delay, minutes")
    assert 'aria-label="Class"' not in page
    assert "band of 10 to 90" in page


def test_the_pace_of_a_segment_is_its_own(world: World, inside: Client) -> None:
    def tile(query: str) -> tuple[float, str]:
        tiles = inside.get(reverse("predictions", args=[world.watched().pk]) + query).context["tiles"]
        found = next(one for one in tiles if one.label == "A day")
        return float(found.value.replace(",", "")), found.note

    united = "?range=7d&segment=carrier:UA"
    get(inside, world, "predictions", united)
    worlds.answer_waiting(world)
    whole, over = tile("")
    part, range_ = tile(united)
    assert (over, range_) == ("mean of the last whole days", "mean of the range")
    assert 0 < part < whole
