"""The segments tab: every value against all rows, worst first, with what chance and small numbers allow to say."""

from __future__ import annotations

import csv
import re
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from sklearn.metrics import log_loss, roc_auc_score

from dashboard.filters import Segment, View
from dashboard.reader import Reader
from dashboard.tabs import data, data_rows, map_layers, measures, segment_rows, segments
from dashboard.tabs.subject import Subject
from monitoring import packing
from monitoring.models import Answer, PendingQuestion
from tests.dashboard import world as worlds
from tests.dashboard.flights import Rows
from tests.dashboard.world import World

LABEL = "Flight delayed > 15 min"
QUERIES = 30


def get(client: Client, world: World, query: str = "", label: str = LABEL) -> str:
    response = client.get(reverse("segments", args=[world.watched(label).pk]) + query)
    assert response.status_code == 200, response
    return response.content.decode()


def answered(client: Client, world: World, query: str = "", label: str = LABEL) -> str:
    """The page once everything that it asked for has come."""
    for _ in range(6):
        page = get(client, world, query, label)
        if "on the way from the source" not in page:
            return page
        worlds.answer_waiting(world)
    raise AssertionError("the page never fills")


def ranking(client: Client, world: World, query: str) -> list[dict[str, str]]:
    response = client.get(reverse("chart-csv", args=[world.watched(LABEL).pk, "segments", "main"]) + query)
    return list(csv.DictReader(StringIO(response.content.decode())))


def rows_of(world: World) -> Rows:
    return world.api.rows(world.api.deployments["a" * 24])


def of_carrier(rows: Rows, carrier: str) -> np.ndarray:
    found: np.ndarray = rows.mask(
        (rows.now.timestamp() // 3600 + 1) * 3600 - 30 * 86_400, rows.now.timestamp(), ("carrier", carrier)
    ) & ~np.isnan(rows.y)
    return found


def test_each_value_has_the_metric_that_scikit_learn_computes_from_its_rows(world: World, inside: Client) -> None:
    answered(inside, world, "?attribute=carrier&by=AUC")
    shown = {row["Carrier"]: row for row in ranking(inside, world, "?attribute=carrier&by=AUC")}
    rows = rows_of(world)
    compared = 0
    for carrier, row in shown.items():
        mask = of_carrier(rows, carrier)
        assert int(row["Rows"]) == mask.sum()
        if row["AUC"] and mask.sum() > 50:
            assert float(row["AUC"]) == pytest.approx(roc_auc_score(rows.y[mask], rows.p[mask]), abs=1e-5)
            compared += 1
    assert compared >= 8


def test_the_worst_comes_first_and_the_small_ones_last(world: World, inside: Client) -> None:
    page = answered(inside, world, "?attribute=carrier&by=LogLoss")
    shown = ranking(inside, world, "?attribute=carrier&by=LogLoss")
    large = [float(row["LogLoss"]) for row in shown if int(row["Rows"]) >= 100]
    assert large == sorted(large, reverse=True)
    sizes = [int(row["Rows"]) >= 100 for row in shown]
    assert sizes == sorted(sizes, reverse=True)
    assert not all(sizes)
    assert "under 100 labelled rows" in page
    assert re.search(r"<h3>\w\w (is the weakest carrier|looks weakest, within chance): ", page)


def test_what_chance_explains_is_not_called_worse(world: World, inside: Client) -> None:
    page = answered(inside, world, "?attribute=carrier&by=LogLoss")
    rows = rows_of(world)
    whole = log_loss(*(part[of_all(rows)] for part in (rows.y, rows.p)))
    for row in ranking(inside, world, "?attribute=carrier&by=LogLoss"):
        line = re.search(
            rf"<tr[^>]*><td>[^<]*(?:<svg.*?</svg>)?[^<]*<a class=\"name\"[^>]*>{row['Carrier']}</a>.*?</tr>", page
        )
        if int(row["Rows"]) < 100:
            continue
        assert line, row
        within = float(row["Low"]) <= whole <= float(row["High"])
        assert ("within chance" in line[0]) is within


def of_all(rows: Rows) -> np.ndarray:
    since = (rows.now.timestamp() // 3600 + 1) * 3600 - 30 * 86_400
    found: np.ndarray = rows.mask(since, rows.now.timestamp()) & ~np.isnan(rows.y)
    return found


def test_every_attribute_is_ranked_together_and_every_measure_names_its_worst(world: World, inside: Client) -> None:
    page = answered(inside, world, "?every=1")
    names = {row["Segment"].split(", ")[1] for row in ranking(inside, world, "")}
    assert names == {"carrier", "origin"}
    table = page.split("The weakest segment by each measure")[1].split("</table>")[0]
    for measure in ("AUC", "LogLoss", "Gini Norm", "PSI of the predictions"):
        assert f">{measure}</a>" in table
    assert "answers that are not here yet" not in page


def test_the_first_view_asks_for_the_chosen_measure_alone_and_within_its_bound(world: World, inside: Client) -> None:
    page = get(inside, world)
    worlds.answer_waiting(world)
    page = get(inside, world)
    waiting = list(PendingQuestion.objects.filter(finished_at=None).values_list("key", flat=True))
    assert "on the way from the source" in page
    assert waiting
    assert all(key.startswith("accuracyOverTime/?bucketSize=") or "metric=AUC" in key for key in waiting)
    assert len(waiting) <= 1 + 2 * segments.USUAL_VALUES
    again = len(waiting)
    get(inside, world)
    assert PendingQuestion.objects.filter(finished_at=None).count() == again


def test_drift_by_segment_is_that_of_the_source_with_what_chance_reaches(world: World, inside: Client) -> None:
    page = answered(inside, world, "?attribute=origin&by=drift:pressure")
    shown = ranking(inside, world, "?attribute=origin&by=drift:pressure")
    assert {row["Origin"] for row in shown} == {"EWR", "JFK", "LGA"}
    assert all(float(row["PSI of pressure"]) > 0.15 and row["Status"] == "warning" for row in shown)
    assert "chance alone reaches" in page


def test_a_segment_opens_its_own_page_with_the_bar_set(world: World, inside: Client) -> None:
    page = answered(inside, world, "?attribute=origin&by=AUC")
    assert f"{reverse('accuracy', args=[world.watched(LABEL).pk])}?segment=origin%3AJFK&amp;metric=AUC" in page


def test_a_page_costs_the_same_whatever_the_number_of_segments(world: World, inside: Client) -> None:
    for query in ("?attribute=origin", "?every=1"):
        answered(inside, world, query)
        with CaptureQueriesContext(connection) as asked:
            get(inside, world, query)
        assert len(asked) <= QUERIES, "\n".join(one["sql"][:150] for one in asked)


def test_asking_for_many_costs_no_more_queries_than_asking_for_few(world: World, inside: Client) -> None:
    get(inside, world)
    worlds.answer_waiting(world)
    with CaptureQueriesContext(connection) as asked:
        get(inside, world, "?every=1")
    assert len(asked) <= QUERIES + 6
    assert PendingQuestion.objects.count() > 60


def test_by_batch_the_newest_batch_is_compared(world: World, inside: Client) -> None:
    label = "Departure delayed by batch"
    page = answered(inside, world, "?attribute=carrier", label)
    assert "newest batch" in page
    assert "is the weakest carrier" in page or "No carrier" in page


def test_without_segments_the_page_says_what_to_send(world: World, inside: Client) -> None:
    page = get(inside, world, label=LABEL)
    assert "ATTRIBUTE" not in page
    keys = ("segmentAttributes/?monitoringType=dataDrift", "segmentAttributes/?monitoringType=accuracy")
    Answer.objects.filter(topic__key__in=keys).update(payload=packing.pack({"data": []}))
    page = get(inside, world)
    assert "No segment is followed here" in page
    assert "curl -sSf -X PATCH" in page
    assert "segmentAnalysis" in page


def test_answers_of_the_wrong_shape_are_no_crash(world: World, inside: Client) -> None:
    answered(inside, world, "?attribute=carrier")
    broken: list[Any] = [[], {"data": 3}, {"data": [1, None, {"value": 4}]}, {"summary": "x", "buckets": [None]}]
    for payload in broken:
        Answer.objects.update(payload=packing.pack(payload))
        get(inside, world, "?attribute=carrier&every=1")


def test_drift_and_accuracy_lead_here(world: World, inside: Client) -> None:
    pk = world.watched(LABEL).pk
    there = reverse("segments", args=[pk])
    drift = inside.get(reverse("drift", args=[pk]) + "?feature=temp").content.decode()
    assert f'href="{there}?by=drift%3Atemp"' in drift
    accuracy = inside.get(reverse("accuracy", args=[pk]) + "?metric=LogLoss").content.decode()
    assert f'href="{there}?by=LogLoss"' in accuracy


@pytest.mark.parametrize("odd", [3, True, "x", {"a": 1}, [1, None]])
def test_a_list_that_is_none_reads_as_empty(world: World, odd: object) -> None:
    answer = {"buckets": odd, "baselines": odd, "data": odd}
    subject = Subject.load(Reader.load(world.owner), world.watched(LABEL), View.parse({}, world.now), world.now)
    for measure in (measures.scored(subject, "AUC"), measures.of_feature("carrier"), *measures.services(batch=True)):
        assert measure.read(answer) == measures.Reading()
    assert map_layers.mean_layer(subject).read({"classDistribution": odd}) == (None, None)
    assert data_rows._chance({"classProbabilities": odd}, "yes") == ""
    assert data._text({"metrics": odd, "context": odd}).metrics == ()
    assert data._id_columns({"associationIdColumnNames": 3}) == ""


def test_addresses_of_segments_are_made_only_for_rows_that_show_them(
    world: World, inside: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(inside, world, "?every=1")
    made: list[object] = []
    real = segment_rows.opens

    def counted(*asked: Any) -> str:
        made.append(asked)
        return real(*asked)

    monkeypatch.setattr(segment_rows, "opens", counted)
    page = get(inside, world, "?every=1")
    shown = page.count('<td class="segment-note">') + page.count('class="plain" href=')
    assert 0 < len(made) <= 2 * shown + 10


@pytest.mark.parametrize(("value", "decimals"), [("0.715", 3), ("118\u202fms", 0), ("<\u202f0.01", 2), ("–", 0)])
def test_a_difference_has_the_decimals_of_its_value(value: str, decimals: int) -> None:
    assert segment_rows.Row(Segment("origin", "JFK"), "origin JFK", "JFK", None, value=value).decimals == decimals
