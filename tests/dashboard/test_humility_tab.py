"""The tab of humility: how often real rules applied, what they do, and what to send where it is off."""

from __future__ import annotations

import csv
import re
from io import StringIO

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from dashboard.tabs.humility import action_words, trigger_words
from monitoring.models import Topic, TopicState, Watched
from tests.dashboard import lens_source as lens
from tests.dashboard.test_deployment import figures
from tests.dashboard.world import World


def page(client: Client, query: str = "", label: str = lens.WATCHED.label) -> str:
    response = client.get(reverse("humility", args=[Watched.objects.get(label=label).pk]) + query)
    assert response.status_code == 200
    return response.content.decode()


def rows_of(client: Client, name: str = "main") -> list[dict[str, str]]:
    pk = Watched.objects.get(label=lens.WATCHED.label).pk
    response = client.get(reverse("chart-csv", args=[pk, "humility", name]))
    return list(csv.DictReader(StringIO(response.content.decode())))


def test_a_rule_applied_as_often_as_its_rows_say(lenses: World, client: Client) -> None:
    rows = lenses.api.rows(lens.WATCHED)
    compared = 0
    for row in rows_of(client)[2:28]:
        start = np.datetime64(row["Start (UTC)"]).astype("datetime64[s]").astype(float)
        mask = rows.mask(start, start + 86_400)
        close = int((mask & (rows.p >= 0.2) & (rows.p <= 0.3)).sum())
        assert int(float(row["Too close to call, rows"])) == close
        assert int(float(row["Predictions"])) == mask.sum()
        assert float(row["Too close to call, %"]) == pytest.approx(close / mask.sum(), abs=1e-5)
        compared += 1
    assert compared == 26


def test_rules_are_told_with_trigger_action_and_counts(lenses: World, client: Client) -> None:
    content = page(client)
    assert "The prediction is uncertain: bounds 0.2 to 0.3" in content
    assert "carrier is none of UA, EV, B6, DL and AA" in content
    assert "Overrides the prediction: says 0" in content
    counted = sum(int(float(row["A small airline, rows"])) for row in rows_of(client))
    assert re.search(rf'class="num value">{counted:,}<', content)
    assert set(figures(content)) == {"humility-main"}


def test_the_title_tells_how_much_the_most_frequent_rule_doubts(lenses: World, client: Client) -> None:
    shown = rows_of(client)
    rows = sum(float(row["Predictions"]) for row in shown)
    name, most = max(
        (
            (name, sum(float(row[f"{name}, rows"]) for row in shown))
            for name in ("Too close to call", "A small airline")
        ),
        key=lambda pair: pair[1],
    )
    assert f"<h3>{name} applied to {100 * most / rows:.1f}\u202f% of predictions&nbsp;" in page(client)


def test_a_source_without_rules_still_tells_counts(lenses: World, client: Client) -> None:
    Topic.objects.filter(path="humilityRules/").delete()
    watched = Watched.objects.get(label=lens.WATCHED.label)
    Topic.objects.create(watched=watched, key="humilityRules/", path="humilityRules/", state=TopicState.REFUSED)
    content = page(client)
    assert "This source does not tell triggers and actions." in content
    assert "Too close to call" in content
    assert "removed" not in content


def test_the_default_view_waits_for_nothing_and_costs_a_bounded_number_of_queries(
    lenses: World, client: Client
) -> None:
    assert "on the way" not in page(client)
    with CaptureQueriesContext(connection) as asked:
        page(client)
    assert len(asked) <= 25, "\n".join(one["sql"][:150] for one in asked)


def test_where_it_is_off_the_page_says_what_to_send(lenses: World, client: Client) -> None:
    content = page(client, label=lens.PLAIN.label)
    assert "Humility is off" in content
    assert "&quot;humility&quot;: {" in content
    assert content.count("data-copy") == 2


@pytest.mark.parametrize(
    ("trigger", "told"),
    [
        (
            {"type": "outlyingInput", "featureName": "age", "lower": 18, "upper": 90.5, "isCalculated": True},
            "age lies outside 18 to 90.5 (calculated)",
        ),
        ({"type": "uncertainPrediction"}, "The prediction is uncertain: bounds as calculated"),
        ({"type": "lowObservationRegion", "featureName": "town", "values": []}, "town is none of the list"),
        ({"type": "newSeries"}, "A series that training did not have"),
        ({}, ""),
    ],
)
def test_a_trigger_is_a_sentence(trigger: dict[str, object], told: str) -> None:
    assert trigger_words(trigger) == told


def test_an_action_is_a_sentence() -> None:
    assert action_words({"type": "throwError"}) == "Refuses to predict (status 480)"
    assert action_words({"type": "somethingNew"}) == "somethingNew"
    assert action_words({}) == ""


@pytest.mark.parametrize(
    ("tab", "said", "next_"),
    [
        ("fairness", "Fairness is not told by batch", "Open the segments"),
        ("humility", "Humility is not told by batch", "Manage the deployment"),
    ],
)
def test_a_deployment_watched_by_batch_is_told_what_the_api_does_not_tell(
    world: World, inside: Client, tab: str, said: str, next_: str
) -> None:
    pk = world.watched("Departure delayed by batch").pk
    before = Topic.objects.filter(watched=pk).count()
    page = inside.get(reverse(tab, args=[pk])).content.decode()
    assert said in page
    assert "over time only" in page
    assert "not of a batch" in page or "not for a batch" in page
    href = re.findall(rf'<a class="button" href="([^"]+)">{next_}</a>', page)
    assert inside.get(href[0].partition("#")[0]).status_code == 200
    assert Topic.objects.filter(watched=pk).count() == before  # nothing is asked that could not be answered
    assert f'href="{reverse(tab, args=[pk])}"' in inside.get(reverse("batches", args=[pk])).content.decode()
