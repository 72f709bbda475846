"""The tab of custom metrics: real values against baseline and limits, over time and over batches."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime, timedelta
from io import StringIO

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from dashboard.charts.custom import CustomPoints, custom_title
from dashboard.charts.timeline import Series, TimePoints
from dashboard.tabs.custom_metric import Metric, limits_of, metric_of, status_of
from metrics.health import CustomCondition, judge_custom_metrics
from monitoring.client import CustomRule, parse
from monitoring.clock import next_hour
from monitoring.mail.words import deployment_url
from monitoring.models import Area, Watched
from tests.dashboard import lens_source as lens
from tests.dashboard import world as worlds
from tests.dashboard.flights import Deployment
from tests.dashboard.test_deployment import figures
from tests.dashboard.world import World


@pytest.fixture
def measured(lenses: World, client: Client) -> World:
    """The values are there: the watcher asks for them once it knows which metrics exist, and pages ask earlier."""
    for one in (lens.WATCHED, lens.BY_BATCH):
        page(client, label=one.label)
    worlds.answer_waiting(lenses)
    return lenses


def page(client: Client, query: str = "", label: str = lens.WATCHED.label) -> str:
    response = client.get(reverse("custom", args=[Watched.objects.get(label=label).pk]) + query)
    assert response.status_code == 200
    return response.content.decode()


def rows_of(client: Client, metric: str, label: str = lens.WATCHED.label) -> list[dict[str, str]]:
    pk = Watched.objects.get(label=label).pk
    response = client.get(reverse("chart-csv", args=[pk, "custom", "main"]) + f"?metric={metric}")
    return list(csv.DictReader(StringIO(response.content.decode())))


def delays(world: World, start: float, end: float, one: Deployment = lens.WATCHED) -> np.ndarray:
    """The minutes late of the flights that are known, in a span of time."""
    rows = world.api.rows(one)
    found = rows.live["arr_delay"].to_numpy()[(rows.at >= start) & (rows.at < end)]
    return np.asarray(found[~np.isnan(found)])


def test_a_card_shows_value_baseline_and_change_by_the_direction_of_good(measured: World, client: Client) -> None:
    end = next_hour(measured.now)
    value = delays(measured, (end - timedelta(days=7)).timestamp(), end.timestamp()).mean()
    base = lens.baseline(measured.api.rows(lens.WATCHED))
    card = re.search(r'<li class="metric-card.*?Minutes late</a>.*?</li>', page(client), re.DOTALL)
    assert card is not None
    text = card.group()
    assert f'tile-value">{value:.3g}' in text or f'tile-value">{value:.2f}' in text
    assert "baseline" in text
    change = (base - value) / abs(base)
    assert f"{abs(100 * change):.1f}\u202f%" in text
    assert ("\u2212" in text.split("tile-note")[1]) == (change < 0)
    assert "at risk &gt; 5" in text


def test_the_values_of_a_day_are_counted_from_its_flights(measured: World, client: Client) -> None:
    compared = 0
    for row in rows_of(client, lens.DELAY)[3:27]:
        start = np.datetime64(row["Start (UTC)"]).astype("datetime64[s]").astype(float)
        known = delays(measured, start, start + 86_400)
        assert float(row["Minutes late"]) == pytest.approx(known.mean(), rel=1e-5)
        compared += 1
    assert compared == 24


def test_categories_are_shares_that_add_up(measured: World, client: Client) -> None:
    for row in rows_of(client, lens.ORIGINS)[3:27]:
        assert sum(float(row[f"{name}, %"]) for name in ("EWR", "JFK", "LGA")) == pytest.approx(1, abs=1e-5)
        assert int(row["Samples"]) > 0


def test_the_metric_past_its_limit_comes_first_and_is_drawn(measured: World, client: Client) -> None:
    content = page(client)
    area = Watched.objects.get(label=lens.WATCHED.label).area_health(Area.CUSTOM_METRICS)
    names = re.findall(r'metric-card.*?<a href="[^"]*"[^>]*>([^<]+)</a>', content, re.DOTALL)
    assert names[0] == "Minutes late"
    assert set(names) == {"Minutes late", "Flights to the west coast", "Airport"}
    assert area["status"] in ("warning", "passing")
    assert set(figures(content)) == {"custom-main"}
    assert "Minutes late was past its limit on" in content or "kept within its limits" in content


def test_a_metric_says_how_it_is_defined_and_how_to_report_values(measured: World, client: Client) -> None:
    content = page(client, f"?metric={lens.WEST}")
    assert "none: this metric is not judged" in content
    assert f"customMetrics/{lens.WEST}/fromJSON/" in content
    assert "Reported through the API" in content
    assert "last value today (UTC)" in content


def test_batches_are_drawn_in_their_order_without_a_time_axis(measured: World, client: Client) -> None:
    label = lens.BY_BATCH.label
    content = page(client, label=label)
    assert "the newest batch" in content
    shown = rows_of(client, lens.DELAY, label)
    assert len(shown) == 6
    rows = measured.api.rows(lens.BY_BATCH)
    for i, row in enumerate(reversed(shown)):
        end = measured.now - timedelta(weeks=i)
        mask = rows.mask((end - timedelta(weeks=1)).timestamp(), end.timestamp())
        known = rows.live["arr_delay"].to_numpy()[mask]
        assert float(row["Minutes late"]) == pytest.approx(np.nanmean(known), rel=1e-5)
    tabs = re.search(r'<nav class="tabs".*?</nav>', content, re.DOTALL)
    assert tabs is not None
    assert re.findall(r">(?:<svg.*?</svg>)?([A-Z][a-z ]+)</a>", tabs.group())[0] == "Batches"


def test_a_batch_deployment_still_opens_on_its_batches(measured: World, client: Client) -> None:
    pk = Watched.objects.get(label=lens.BY_BATCH.label).pk
    assert client.get(reverse("overview", args=[pk]))["Location"] == reverse("batches", args=[pk])


@pytest.mark.parametrize(("label", "most"), [(lens.WATCHED.label, 28), (lens.BY_BATCH.label, 28)])
def test_the_default_view_waits_for_nothing_and_costs_a_bounded_number_of_queries(
    measured: World, client: Client, label: str, most: int
) -> None:
    assert "on the way" not in page(client, label=label)
    with CaptureQueriesContext(connection) as asked:
        page(client, label=label)
    assert len(asked) <= most, "\n".join(one["sql"][:150] for one in asked)


def test_where_there_is_none_the_page_says_what_to_send(measured: World, client: Client) -> None:
    content = page(client, label=lens.PLAIN.label)
    assert "No custom metric yet" in content
    assert f"POST https://flights.example/api/v2/deployments/{lens.PLAIN.id}/customMetrics/" in content


def test_another_range_is_asked_for_and_fills_in(measured: World, client: Client) -> None:
    assert "on the way" in page(client, "?range=90d&bin=7d")
    worlds.answer_waiting(measured)
    assert "on the way" not in page(client, "?range=90d&bin=7d")


def test_verdict_and_mail_lead_to_the_tab(measured: World) -> None:
    watched = Watched.objects.get(label=lens.WATCHED.label)
    assert deployment_url(watched, Area.CUSTOM_METRICS).endswith(reverse("custom", args=[watched.pk]))


# --- One metric -----------------------------------------------------------------------------------------------------

OPERATORS = ("lt", "lte", "gt", "gte")
CONDITIONS = st.lists(st.tuples(st.sampled_from(OPERATORS), st.integers(-5, 5)), max_size=3)


def sums(**more: object) -> Metric:
    return metric_of({"id": "m", "name": "Saved", "type": "sum", **more}, {})


@given(value=st.one_of(st.none(), st.integers(-6, 6)), failing=CONDITIONS, warning=CONDITIONS)
def test_a_card_has_the_verdict_that_the_watcher_would_give_it_alone(
    value: int | None, failing: list[tuple[str, int]], warning: list[tuple[str, int]]
) -> None:
    def written(conditions: list[tuple[str, int]]) -> list[dict[str, object]]:
        return [{"metricId": "m", "compareOperator": name, "threshold": limit} for name, limit in conditions]

    rule = parse(CustomRule, {"failingConditions": written(failing), "warningConditions": written(warning)})
    known = None if value is None else float(value)
    found = status_of(sums(), rule, known)
    if not failing and not warning:
        assert found == ""
        return
    judged = judge_custom_metrics(
        {"m": known},
        failing=[CustomCondition("m", name, limit) for name, limit in failing],
        warning=[CustomCondition("m", name, limit) for name, limit in warning],
    )
    assert found == judged.status.value


def test_limits_are_told_with_their_sign() -> None:
    rule = parse(
        CustomRule,
        {
            "failingConditions": [{"metricId": "m", "compareOperator": "lte", "threshold": 2}],
            "warningConditions": [
                {"metricId": "m", "compareOperator": "lt", "threshold": 5},
                {"metricId": "other", "compareOperator": "lt", "threshold": 1},
                {"metricId": "m", "compareOperator": "about", "threshold": 1},
            ],
        },
    )
    assert [limit.words for limit in limits_of(sums(), rule)] == ["at risk < 5", "failing ≤ 2"]


def test_a_definition_of_the_wrong_shape_is_no_crash() -> None:
    odd = {"baselineValues": "x", "categories": 3, "value": 4, "timestamp": {"columnName": "at"}, "directionality": 1}
    found = sums(**odd)
    assert (found.baseline, found.columns, found.better) == (None, "time from at", 1)


@pytest.mark.parametrize(("operator", "said"), [("gt", "kept"), ("gte", "past"), ("lt", "kept"), ("lte", "past")])
def test_the_title_judges_a_value_at_its_limit_as_the_verdict_does(operator: str, said: str) -> None:
    rule = parse(CustomRule, {"failingConditions": [{"metricId": "m", "compareOperator": operator, "threshold": 5}]})
    time = TimePoints(
        datetime(2026, 5, 1, tzinfo=UTC), timedelta(days=1), (Series("Saved", (5.0,)),), limits=limits_of(sums(), rule)
    )
    title = custom_title(CustomPoints(time, "Saved"))
    assert (said == "past") == (status_of(sums(), rule, 5.0) == "failing")
    assert ("was past its limit on the only day" in title, "kept within" in title) == (said == "past", said == "kept")
