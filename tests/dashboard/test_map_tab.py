"""The map tab: every cell with the numbers of its rows, drawn once, opened by a click."""

from __future__ import annotations

import csv
import re
from datetime import timedelta
from io import StringIO
from typing import Any

import h3
import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from sklearn.metrics import root_mean_squared_error

from monitoring import packing
from monitoring.models import Answer, PendingQuestion
from tests.dashboard import world as worlds
from tests.dashboard.flights import Rows, Side, airports
from tests.dashboard.world import World

LABEL = "Arrival delay, minutes"
ATLANTA = airports()["ATL"]
QUERIES = 30


def get(client: Client, world: World, query: str = "", label: str = LABEL) -> str:
    response = client.get(reverse("map", args=[world.watched(label).pk]) + query)
    assert response.status_code == 200, response
    return response.content.decode()


def answered(client: Client, world: World, query: str = "") -> str:
    for _ in range(4):
        page = get(client, world, query)
        if "on the way from the source" not in page:
            return page
        worlds.answer_waiting(world)
    raise AssertionError("the page never fills")


def table(client: Client, world: World, query: str = "", name: str = "main") -> list[dict[str, str]]:
    response = client.get(reverse("chart-csv", args=[world.watched(LABEL).pk, "map", name]) + query)
    return list(csv.DictReader(StringIO(response.content.decode())))


def rows_of(world: World) -> Rows:
    return world.api.rows(world.api.deployments["d" * 24])


def month(rows: Rows) -> np.ndarray:
    """The last thirty days up to the next full hour."""
    end = (rows.now.timestamp() // 3600 + 1) * 3600
    return rows.mask(end - 30 * 86_400, end)


def drawn(page: str) -> list[str]:
    """The cells of the first, wide picture."""
    picture = page.split('class="map map-wide"')[1].split('class="map map-narrow"')[0]
    return re.findall(r'<a class="cell" href="[^"]*cell=([0-9a-f]{15})', picture)


def test_the_map_counts_every_row_that_has_a_place(world: World, inside: Client) -> None:
    page = answered(inside, world)
    rows = rows_of(world)
    cells = Side(True).cells(rows)
    shown = {row["Cell"]: int(float(row["Predictions"])) for row in table(inside, world)}
    mask = month(rows) & (cells != "")
    assert sum(shown.values()) == mask.sum()
    assert shown[ATLANTA] == (mask & (cells == ATLANTA)).sum()
    assert set(drawn(page)) == set(shown)


def test_each_cell_has_the_error_of_its_own_rows(world: World, inside: Client) -> None:
    page = answered(inside, world, "?by=RMSE")
    rows = rows_of(world)
    cells, known = Side(True).cells(rows), ~np.isnan(rows.y)
    compared = 0
    for row in table(inside, world, "?by=RMSE"):
        mask = month(rows) & known & (cells == row["Cell"])
        assert int(row["Labelled rows"]) == mask.sum()
        if mask.sum():
            assert float(row["RMSE"]) == pytest.approx(root_mean_squared_error(rows.y[mask], rows.p[mask]), rel=1e-5)
            compared += 1
    assert compared > 50
    assert "under 100 labelled rows" in page
    assert re.search(r"<h3>Weakest at [^<]+: [\d.]+, [\d.]+ over all", page)


def test_cells_with_few_rows_are_outlined_and_never_called_weak(world: World, inside: Client) -> None:
    page = answered(inside, world, "?by=RMSE")
    small = {row["Cell"] for row in table(inside, world, "?by=RMSE") if int(row["Labelled rows"]) < 100}
    picture = page.split('class="map map-wide"')[1].split("</svg>")[0]
    links = re.findall(r'<a class="cell" href="[^"]*cell=([0-9a-f]{15})[^"]*".*?</a>', picture)
    assert small & set(links)
    for link in re.finditer(r'<a class="cell" href="[^"]*cell=([0-9a-f]{15})[^"]*".*?</a>', picture):
        assert ('fill="var(--surface)"' in link[0]) is (link[1] in small)


def test_clicking_a_cell_shows_its_numbers_against_the_whole_and_its_series(world: World, inside: Client) -> None:
    page = answered(inside, world, f"?by=predictions&cell={ATLANTA}")
    rows = rows_of(world)
    here = Side(True).cells(rows) == ATLANTA
    assert f"{(month(rows) & here).sum():,}" in page
    assert "RMSE, judged" in page
    assert "near" in page or "°" in page
    series = table(inside, world, f"?cell={ATLANTA}", "cell")
    assert 8 <= len(series) <= 13
    view_end = (rows.now.timestamp() // 3600 + 1) * 3600
    for row in series:
        start = np.datetime64(row["Start (UTC)"]).astype("datetime64[s]").astype(float)
        expected = (rows.mask(start, min(start + 3 * 86_400, view_end)) & here).sum()
        assert float(row["Predictions"]) == expected


def test_drift_by_cell_is_held_against_the_limit(world: World, inside: Client) -> None:
    page = answered(inside, world, "?by=drift")
    assert re.search(r"<h3>(\d+ of \d+ cells? drifted, most at|All \d+ cells stayed within)", page)
    assert "var(--heat-" in page


def test_the_legend_names_each_colour_that_is_used(world: World, inside: Client) -> None:
    for query in ("", "?by=mean", "?by=RMSE", "?by=drift"):
        page = answered(inside, world, query)
        picture = page.split('class="map map-wide"')[1].split('class="map map-narrow"')[0]
        cells, legend = picture.rsplit('<g transform="translate(', 1)
        used = set(re.findall(r'fill="(var\(--(?:seq|div|heat)-\d\))"', cells))
        assert used
        assert used <= set(re.findall(r'fill="(var\(--[a-z]+-\d\))"', legend)), query


def test_a_page_costs_a_bounded_number_of_queries(world: World, inside: Client) -> None:
    for query in ("", f"?by=RMSE&cell={ATLANTA}"):
        answered(inside, world, query)
        with CaptureQueriesContext(connection) as asked:
            get(inside, world, query)
        assert len(asked) <= QUERIES, "\n".join(one["sql"][:150] for one in asked)


def test_an_open_cell_asks_for_a_bounded_number_of_answers(world: World, inside: Client) -> None:
    get(inside, world, f"?range=90d&by=RMSE&cell={ATLANTA}")
    assert 0 < PendingQuestion.objects.count() <= 20


def test_a_window_that_has_ended_is_asked_once_labels_aside(world: World, inside: Client) -> None:
    query = f"?cell={ATLANTA}"
    answered(inside, world, query)
    done = PendingQuestion.objects.count()
    get(inside, world, query)
    assert PendingQuestion.objects.count() == done
    assert not PendingQuestion.objects.filter(finished_at=None).exists()


@pytest.mark.parametrize("query", ["?cell=zzz", "?cell=872608c94ffffff&by=nothing&place=nowhere", "?cell=" + "f" * 99])
def test_an_address_that_names_no_cell_shows_the_map_alone(world: World, inside: Client, query: str) -> None:
    assert 'class="map map-wide"' in get(inside, world, query)


def test_without_a_place_the_page_says_what_to_send(world: World, inside: Client) -> None:
    page = get(inside, world, label="Flight delayed > 15 min")
    assert "No place is followed here" in page
    assert "segmentAnalysis" in page
    assert "carrier" in page


def test_answers_of_the_wrong_shape_are_no_crash(world: World, inside: Client) -> None:
    answered(inside, world, f"?cell={ATLANTA}")
    broken: list[Any] = [
        [],
        {"buckets": 3, "data": [1, None, {"hexagon": 4}]},
        {"buckets": [{"hexagon": "nonsense", "rowCount": "x"}, {"hexagon": ATLANTA}]},
    ]
    for payload in broken:
        Answer.objects.filter(topic__path__contains="OverSpace").update(payload=packing.pack(payload))
        for query in ("", "?by=RMSE", "?by=drift", f"?by=mean&cell={ATLANTA}"):
            get(inside, world, query)


def test_bins_of_a_cell_begin_at_the_same_moments_whatever_the_hour(world: World) -> None:
    from dashboard.filters import View
    from dashboard.reader import Reader
    from dashboard.tabs import map_cell
    from dashboard.tabs.subject import Subject

    reader, watched = Reader.load(world.owner), world.watched(LABEL)
    seen = []
    for hours in (0, 5, 20):
        now = world.now + timedelta(hours=hours)
        subject = Subject.load(reader, watched, View.parse({}, now), now)
        seen.append(map_cell.windows(subject))
    assert len({one.start for windows in seen for one in windows[1:-1]}) <= len(seen[0])
    assert all(one.start.timestamp() % 86_400 == 0 for windows in seen for one in windows)


def test_a_real_cell_is_drawn_where_it_lies() -> None:
    from dashboard.charts.cells import ground_of

    ground = ground_of(ATLANTA)
    assert ground is not None
    assert (ground.latitude, ground.longitude) == pytest.approx(h3.cell_to_latlng(ATLANTA))
    assert (ground.latitude, ground.longitude) == pytest.approx((33.64, -84.43), abs=0.15)
