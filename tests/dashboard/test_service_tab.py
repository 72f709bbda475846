"""The tab of service health: any measure by itself, another quantile, another limit of a slow request."""

from __future__ import annotations

import csv
from io import StringIO

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from dashboard.tabs.service_measures import MEASURES, Choice
from tests.dashboard import world as worlds
from tests.dashboard.test_deployment import figures, get
from tests.dashboard.world import World


def rows_of(client: Client, world: World, name: str, query: str) -> list[dict[str, str]]:
    response = client.get(reverse("chart-csv", args=[world.watched().pk, "service", name]) + query)
    return list(csv.DictReader(StringIO(response.content.decode())))


def test_another_quantile_is_asked_for_and_is_the_one_of_the_requests(world: World, inside: Client) -> None:
    query = "?quantile=0.99"
    assert "on the way" in get(inside, world, "service", query)
    worlds.answer_waiting(world)
    page = get(inside, world, "service", query)
    assert "on the way" not in page
    assert "99th percentile" in page
    rows = world.api.rows(world.api.deployments["a" * 24])
    for row in rows_of(inside, world, "main", query)[3:9]:
        start = np.datetime64(row["Start (UTC)"]).astype("datetime64[s]").astype(float)
        _, counts = np.unique(rows.at[rows.mask(start, start + 86_400)] // 3600, return_counts=True)
        assert float(row["p99, ms"]) == pytest.approx(np.quantile(60 + 1.7 * counts, 0.99), abs=0.01)


def test_a_tile_leads_to_its_own_chart(world: World, inside: Client) -> None:
    page = get(inside, world, "service")
    for measure in MEASURES[:3]:
        assert f"?show={measure.slug}" in page
    shown = get(inside, world, "service", "?show=requests")
    assert "on the way" not in shown
    assert set(figures(shown)) == {"service-measure", "service-main"}
    alone = rows_of(inside, world, "measure", "?show=requests")
    together = rows_of(inside, world, "main", "?show=requests")
    assert [row["Requests"] for row in alone] == [row["Requests"] for row in together]


@pytest.mark.parametrize("measure", MEASURES, ids=lambda one: one.slug)
def test_every_measure_can_be_drawn(world: World, inside: Client, measure: object) -> None:
    page = get(inside, world, "service", f"?show={measure.slug}")  # type: ignore[attr-defined]
    assert "service-measure" in figures(page)


def test_another_limit_of_a_slow_request_is_asked_for(world: World, inside: Client) -> None:
    get(inside, world, "service", "?slow=250")
    assert any("threshold=250" in key for key in worlds_pending())
    worlds.answer_waiting(world)
    assert "slower than 250\u202fms" in get(inside, world, "service", "?slow=250")


def worlds_pending() -> list[str]:
    from monitoring.models import PendingQuestion

    return list(PendingQuestion.objects.values_list("key", flat=True))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, Choice()),
        ({"quantile": "0.99", "slow": "500", "show": "cache"}, Choice(0.99, 500, "cache")),
        ({"quantile": "2", "slow": "-1", "show": "x"}, Choice()),
    ],
)
def test_what_cannot_be_read_is_the_default(query: dict[str, str], found: Choice) -> None:
    assert Choice.parse(query) == found
    assert Choice.parse(dict(pair.split("=") for pair in found.query.split("&") if pair)) == found
