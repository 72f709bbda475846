"""The tab of drift by another measure: asked for, shown, never judged."""

from __future__ import annotations

import csv
from io import StringIO

import numpy as np
import polars as pl
import pytest
from django.test import Client
from django.urls import reverse

from dashboard.tabs.drift import feature_of, target_tile
from dashboard.tabs.drift_look import Look
from metrics import DriftRule, feature_status
from monitoring.client.schemas import Drift, parse
from monitoring.health import features_of
from monitoring.models import PendingQuestion
from tests.dashboard import flights
from tests.dashboard import world as worlds
from tests.dashboard.test_deployment import figures, get
from tests.dashboard.world import World

QUERY = "?measure=hellinger&feature=carrier"


def rows_of(client: Client, world: World, name: str, query: str = "") -> list[dict[str, str]]:
    response = client.get(reverse("chart-csv", args=[world.watched().pk, "drift", name]) + query)
    return list(csv.DictReader(StringIO(response.content.decode())))


def test_the_hellinger_distance_of_a_day_is_that_of_its_rows(world: World, inside: Client) -> None:
    assert "on the way" in get(inside, world, "drift", QUERY)
    assert PendingQuestion.objects.filter(key__contains="metric=hellinger").exists()
    worlds.answer_waiting(world)
    assert "on the way" not in get(inside, world, "drift", QUERY)
    rows = world.api.rows(world.api.deployments["a" * 24])
    _, count = flights._bins(rows, "carrier")
    for row in rows_of(inside, world, "series", QUERY)[3:9]:
        start = np.datetime64(row["Start (UTC)"]).astype("datetime64[s]").astype(float)
        live = count(rows.live["carrier"].filter(pl.Series(rows.mask(start, start + 86_400))))
        reference = count(rows.reference["carrier"])
        p, q = reference / reference.sum(), live / live.sum()
        assert float(row["carrier"]) == pytest.approx(np.linalg.norm(np.sqrt(p) - np.sqrt(q)) / np.sqrt(2), abs=1e-5)


def test_another_measure_has_no_limit_and_the_verdict_stays_that_of_psi(world: World, inside: Client) -> None:
    get(inside, world, "drift", QUERY)
    worlds.answer_waiting(world)
    page = get(inside, world, "drift", QUERY)
    assert "has the highest Hellinger distance" in page
    assert "Only PSI is judged" in page
    other = {row["Feature"]: row for row in rows_of(inside, world, "importance", QUERY)}
    psi = {row["Feature"]: row for row in rows_of(inside, world, "importance")}
    assert {name: row["Status"] for name, row in other.items()} == {name: row["Status"] for name, row in psi.items()}
    assert all(0 <= float(row["Hellinger distance"]) <= 1 for row in other.values())
    assert {"drift-importance", "drift-series"} <= set(figures(page))


@pytest.mark.parametrize("kind", ["numeric", "categorical", "text", "geospatial", ""])
@pytest.mark.parametrize("rows", [0, 150, 5_000])
def test_a_feature_stands_on_the_page_as_in_the_verdict(kind: str, rows: int) -> None:
    limits = DriftRule()
    row = {"name": "note", "type": kind, "driftScore": 0.3, "sampleSize": rows, "baselineSampleSize": 9_000}
    (judged,) = features_of(parse(Drift, {"data": [row]}), None)
    assert feature_of(row, limits).status is feature_status(judged, limits)


@pytest.mark.parametrize(
    ("score", "rows", "excluded", "status", "note"),
    [
        (0.1, 5_000, False, "", "within 0.15"),
        (0.3, 5_000, False, "failing", "above 0.15"),
        (0.3, 5_000, True, "", "above 0.15"),
        (0.2, 100, False, "", "above 0.15, no more than chance at this size"),
        (None, 0, False, "", "no holdout predictions to compare with, or none live"),
    ],
)
def test_the_drift_of_the_predictions_is_coloured_as_it_is_judged(
    score: float | None, rows: int, excluded: bool, status: str, note: str
) -> None:
    answer = {"targetName": "delay", "type": "numeric", "driftScore": score, "sampleSize": rows}
    limits = DriftRule(excluded_features=frozenset({"delay"} if excluded else ()))
    tile = target_tile(answer | {"baselineSampleSize": 9_000}, limits)
    assert (tile.status, tile.note) == (status, note)


def test_psi_asks_for_nothing_further(world: World, inside: Client) -> None:
    assert rows_of(inside, world, "importance", "?measure=psi") == rows_of(inside, world, "importance")
    get(inside, world, "drift", "?measure=nonsense")
    assert not PendingQuestion.objects.filter(key__contains="metric=").exists()


def test_a_link_keeps_what_is_chosen() -> None:
    look = Look.of("wind & rain", True, "js_divergence")
    assert look.query == "feature=wind+%26+rain&scale=linear&measure=js_divergence"
    assert (look.word, Look.of("", False, "psi").query) == ("JS divergence", "")
