"""The data tab: stored rows as the source has them, the quality of features, generated texts, exports."""

from __future__ import annotations

import csv
import pydoc_data.topics
import re
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from dashboard.tabs import data_rows
from monitoring import packing, retention
from monitoring.models import Answer, PendingQuestion, Topic, TopicState, Watched
from tests.dashboard import flights
from tests.dashboard import world as worlds
from tests.dashboard.flights import Asked, Deployment, Json, Rows, Source
from tests.dashboard.world import World

LABEL = "Flight delayed > 15 min"
QUERIES = 34


def get(client: Client, world: World, query: str = "", label: str = LABEL) -> str:
    response = client.get(reverse("data", args=[world.watched(label).pk]) + query)
    assert response.status_code == 200, response
    return response.content.decode()


def answered(client: Client, world: World, query: str = "", label: str = LABEL) -> str:
    for _ in range(6):
        page = get(client, world, query, label)
        if "on the way from the source" not in page:
            return page
        worlds.answer_waiting(world)
    raise AssertionError("the page never fills")


def table(client: Client, world: World, name: str, query: str = "", label: str = LABEL) -> list[dict[str, str]]:
    response = client.get(reverse("chart-csv", args=[world.watched(label).pk, "data", name]) + query)
    return list(csv.DictReader(StringIO(response.content.decode())))


def rows_of(world: World, letter: str = "a") -> Rows:
    return world.api.rows(world.api.deployments[letter * 24])


def test_the_newest_rows_stand_first_each_with_prediction_and_actual(world: World, inside: Client) -> None:
    answered(inside, world)
    shown = table(inside, world, "rows")
    rows = rows_of(world)
    newest = datetime.fromtimestamp(float(rows.at[-1]), UTC)
    assert 0 < len(shown) <= data_rows.MOST
    assert shown[0]["Time (UTC)"] == f"{newest:%Y-%m-%d %H:%M:%S}"
    times = [row["Time (UTC)"] for row in shown]
    assert times == sorted(times, reverse=True)
    for row in shown:
        place = int(row["Association id"].rsplit("-", 1)[1])
        assert row["Predicted"] == ("1" if rows.p[place] > 0.25 else "0")
        assert row["Actual"] == ("" if np.isnan(rows.y[place]) else str(int(rows.y[place])))


def test_a_stretch_that_holds_too_many_rows_gives_way_to_a_shorter_one(world: World, inside: Client) -> None:
    Watched.objects.update(predictions_per_day=2.0)
    page = answered(inside, world)
    keys = set(Topic.objects.filter(path="predictionResults/").values_list("key", flat=True))
    assert len(keys) > 1
    assert "it holds more than" not in page
    assert 0 < len(table(inside, world, "rows")) <= data_rows.MOST


def test_a_chosen_stretch_is_kept_and_says_that_it_is_cut(world: World, inside: Client) -> None:
    page = answered(inside, world, "?stretch=7d")
    assert f"The first {data_rows.MOST} rows" in page
    assert "it holds more than 200, choose a shorter stretch" in page


def test_older_and_newer_walk_through_the_stored_rows(world: World, inside: Client) -> None:
    page = answered(inside, world, "?stretch=6h")
    older = re.search(r'<a class="button" href="([^"]+)">Older</a>', page)
    assert older
    query = "?" + older[1].replace("&amp;", "&").split("?")[1]
    before = answered(inside, world, query)
    assert ">Newer</a>" in before
    first = {row["Association id"] for row in table(inside, world, "rows", "?stretch=6h")}
    assert not first & {row["Association id"] for row in table(inside, world, "rows", query)}


@pytest.mark.parametrize(("labels", "known"), [("with", True), ("without", False)])
def test_rows_are_narrowed_to_those_with_or_without_an_actual(
    world: World, inside: Client, labels: str, known: bool
) -> None:
    query = f"?stretch=1d&labels={labels}"
    answered(inside, world, query)
    shown = table(inside, world, "rows", query)
    assert all(bool(row["Actual"]) is known for row in shown)


def test_by_batch_the_rows_of_the_newest_batch_are_shown(world: World, inside: Client) -> None:
    label = "Departure delayed by batch"
    page = answered(inside, world, label=label)
    assert f'<option value="{1:024x}" selected>' in page
    assert len(table(inside, world, "rows", label=label)) == data_rows.MOST
    assert "In the chosen batch" in page


def test_the_quality_of_a_feature_is_counted_from_its_rows(world: World, inside: Client) -> None:
    page = answered(inside, world)
    rows = rows_of(world)
    end = (rows.now.timestamp() // 3600 + 1) * 3600
    mask = rows.mask(end - 30 * 86_400, end)
    shown = {row["Feature"]: row for row in table(inside, world, "quality")}
    for name in ("temp", "pressure", "seats"):
        live, training = rows.live[name].to_numpy()[mask], rows.reference[name].to_numpy()
        low, high = np.nanmin(training), np.nanmax(training)
        assert float(shown[name]["Missing, live"]) == pytest.approx(np.isnan(live).mean(), rel=1e-4)
        assert float(shown[name]["Missing, training"]) == pytest.approx(np.isnan(training).mean(), rel=1e-4)
        outside = ((live < low) | (live > high)).mean()
        assert float(shown[name]["Outside, live"]) == pytest.approx(outside, rel=1e-4, abs=1e-9)
    assert "missing" in page or "outside of the training range" in page or "come as they came" in page


def test_a_source_without_bins_is_said(world: World, inside: Client) -> None:
    answered(inside, world)
    Topic.objects.filter(path="featureDistributions/").update(state=TopicState.REFUSED)
    Answer.objects.filter(topic__path="featureDistributions/").delete()
    assert "does not tell the bins of features" in get(inside, world)


def test_files_of_exports_are_downloaded_through_the_page_by_who_may(world: World, inside: Client) -> None:
    page = answered(inside, world)
    address = reverse("download", args=[world.watched().pk, "predictions", "8" * 24])
    assert f'<a href="{address}">predictions.csv</a>' in page
    client = Client()
    client.force_login(world.reader)
    seen = get(client, world)
    assert "predictions.csv" in seen
    assert address not in seen


def test_a_page_costs_a_bounded_number_of_queries(world: World, inside: Client) -> None:
    answered(inside, world)
    with CaptureQueriesContext(connection) as asked:
        get(inside, world)
    assert len(asked) <= QUERIES, "\n".join(one["sql"][:150] for one in asked)


def test_rows_are_forgotten_after_a_day_and_nothing_else_is(world: World, inside: Client) -> None:
    answered(inside, world)
    others = Topic.objects.exclude(path="predictionResults/").count()
    retention.prune(datetime.now(UTC) + timedelta(hours=12))
    assert Topic.objects.filter(path="predictionResults/").exists()
    retention.prune(datetime.now(UTC) + timedelta(hours=25))
    assert not Topic.objects.filter(path="predictionResults/").exists()
    assert Topic.objects.count() == others


def test_a_deployment_without_a_row_says_what_to_send(world: World, inside: Client) -> None:
    page = get(inside, world, label="Missed connection")
    assert "No row yet" in page or "No row in this stretch" in page
    assert "predictionInputs/fromJSON" in page or "stretch" in page


@pytest.mark.parametrize("query", ["?until=never", "?stretch=9y&labels=some", "?page=-1&until=2020-01-01T00:00Z"])
def test_an_address_that_cannot_be_read_falls_back(world: World, inside: Client, query: str) -> None:
    get(inside, world, query)


def test_answers_of_the_wrong_shape_are_no_crash(world: World, inside: Client) -> None:
    answered(inside, world)
    broken: list[Any] = [
        [],
        {"data": 3},
        {"data": [1, None, {"predicted": [2], "timestamp": 7}]},
        {"data": [{"bins": [1]}]},
    ]
    for payload in broken:
        Answer.objects.update(payload=packing.pack(payload))
        get(inside, world)


# --- Generated texts ----------------------------------------------------------------------------------------------


TOPICS = sorted(pydoc_data.topics.topics.items())[:40]


def texts(source: Source, one: Deployment, asked: Asked) -> Json:
    """The topics of Python's reference as answers, searched as the source does."""
    found: list[Json] = [
        {
            "timestamp": flights._time(source.now - timedelta(hours=i)),
            "associationId": f"question-{i}",
            "prompt": f"What about {name}?",
            "predictedValue": text[:300],
            "actualValue": None,
            "context": [{"context": text[:80], "link": "javascript:alert(1)"}],
            "metrics": [{"id": "1", "name": "Length", "value": len(text)}],
        }
        for i, (name, text) in enumerate(TOPICS)
        if asked.one("promptPattern") in name
    ]
    if asked.one("orderBy") == "-customMetrics":
        found.sort(key=lambda row: -row["metrics"][0]["value"])
    start, limit = int(asked.one("offset") or 0), int(asked.one("limit"))
    return {**flights._page(found[start : start + limit]), "totalCount": len(found)}


@pytest.fixture
def writing(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The first deployment generates text, as far as the dashboard knows."""
    monkeypatch.setitem(flights.HANDLERS, "dataQualityView/", texts)
    metric = flights._page([{"id": "1", "name": "Length", "type": "average"}])
    monkeypatch.setitem(flights.HANDLERS, "customMetrics/", lambda source, one, asked: metric)
    Watched.objects.filter(label=LABEL).update(target_type="TextGeneration")
    Topic.objects.filter(path="customMetrics/").delete()
    return world


def test_texts_are_shown_with_what_was_measured_on_them(writing: World, inside: Client) -> None:
    page = answered(inside, writing)
    assert f"{len(TOPICS)} texts found" in page
    assert f"What about {TOPICS[0][0]}?" in page
    assert f"{len(TOPICS[0][1]):,}" in page
    assert "javascript:" not in page
    assert "Next page" in page


def test_texts_are_searched_and_sorted_at_the_source(writing: World, inside: Client) -> None:
    name = TOPICS[3][0]
    page = answered(inside, writing, f"?prompt={name}")
    assert f"What about {name}?" in page
    assert "What about assert?" not in page or name == "assert"
    page = answered(inside, writing, "?sort=Length")
    longest = max(TOPICS, key=lambda pair: len(pair[1]))[0]
    assert re.search(rf"<dd>What about {re.escape(longest)}\?</dd>", page)
    assert page.index("<dd>What about") == page.index(f"<dd>What about {longest}?")


def test_nothing_is_asked_for_a_read_only_member(world: World, client: Client) -> None:
    client.force_login(world.reader)
    get(client, world)
    assert not PendingQuestion.objects.exists()
