"""The tab of fairness: real classes against the most favoured one, worst first, and what to send where it is off."""

from __future__ import annotations

import csv
import re
from datetime import timedelta
from io import StringIO
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from metrics import judge_fairness
from monitoring import packing
from monitoring.clock import next_hour
from monitoring.models import Answer, Area, Watched
from tests.dashboard import lens_source as lens
from tests.dashboard import world as worlds
from tests.dashboard.test_deployment import figures
from tests.dashboard.world import World


def page(client: Client, query: str = "", label: str = lens.WATCHED.label) -> str:
    response = client.get(reverse("fairness", args=[Watched.objects.get(label=label).pk]) + query)
    assert response.status_code == 200
    return response.content.decode()


def rows_of(client: Client, name: str, query: str = "") -> list[dict[str, str]]:
    pk = Watched.objects.get(label=lens.WATCHED.label).pk
    response = client.get(reverse("chart-csv", args=[pk, "fairness", name]) + query)
    return list(csv.DictReader(StringIO(response.content.decode())))


def counted(world: World, feature: str, start: float, end: float) -> dict[str, tuple[int, float]]:
    """Rows and share predicted on time of each class, counted one row at a time."""
    rows = world.api.rows(lens.WATCHED)
    found: dict[str, tuple[int, float]] = {}
    for at, p, name in zip(rows.at, rows.p, rows.live[feature], strict=True):
        if start <= at < end:
            n, good = found.get(name, (0, 0.0))
            found[name] = (n + 1, good + float(p <= lens.CUT))
    return {name: (n, good / n) for name, (n, good) in found.items()}


@pytest.fixture
def week(lenses: World) -> tuple[float, float]:
    """The judged window."""
    end = next_hour(lenses.now)
    return (end - timedelta(days=7)).timestamp(), end.timestamp()


def test_each_class_has_the_score_that_counting_its_rows_gives(
    lenses: World, client: Client, week: tuple[float, float]
) -> None:
    expected = counted(lenses, "origin", *week)
    best = max(share for _, share in expected.values())
    shown = {row["origin"]: row for row in rows_of(client, "main", "?feature=origin")}
    assert set(shown) == set(expected)
    for name, (n, share) in expected.items():
        assert int(shown[name]["Rows"]) == n
        assert float(shown[name]["Own score"]) == pytest.approx(share, abs=1e-5)
        assert float(shown[name]["Relative to the most favoured"]) == pytest.approx(share / best, abs=1e-5)


def test_the_worst_class_comes_first_and_small_ones_are_last_and_never_judged(lenses: World, client: Client) -> None:
    shown = rows_of(client, "main", "?feature=carrier")
    enough = [row for row in shown if row["Enough rows"] == "yes"]
    few = [row for row in shown if row["Enough rows"] == "no"]
    assert enough
    assert few
    assert shown == [*enough, *few]
    scores = [float(row["Relative to the most favoured"]) for row in enough]
    assert scores == sorted(scores)
    assert scores[-1] == 1.0
    assert all(row["Status"] == "" and int(row["Rows"]) < 1000 for row in few)
    assert page(client, "?feature=carrier").count('verdict.">Too few rows</span>') == len(few)


def test_the_count_below_the_threshold_is_the_one_of_the_verdict(lenses: World, client: Client) -> None:
    content = page(client)
    area = Watched.objects.get(label=lens.WATCHED.label).area_health(Area.FAIRNESS)
    below = [
        row
        for feature in lens.PROTECTED
        for row in rows_of(client, "main", f"?feature={feature}")
        if row["Enough rows"] == "yes" and float(row["Relative to the most favoured"]) < lens.THRESHOLD
    ]
    assert below
    assert re.search(rf'tile-value">{len(below)}\s', content)
    assert area["reason"].startswith(f"{len(below)} class")
    assert area["reason"] in re.sub(r"<[^>]+>", "", content)


def test_the_series_of_a_class_is_its_score_of_each_day(lenses: World, client: Client) -> None:
    compared = 0
    for row in rows_of(client, "own", "?feature=origin")[5:25]:
        start = np.datetime64(row["Start (UTC)"]).astype("datetime64[s]").astype(float)
        expected = counted(lenses, "origin", start, start + 86_400)
        for name in ("EWR", "JFK", "LGA"):
            column = next(head for head in row if head.startswith(name))
            assert float(row[column]) == pytest.approx(expected[name][1], abs=1e-5)
            compared += 1
    assert compared == 60


def test_the_favourable_outcome_and_the_favoured_class_are_named(lenses: World, client: Client) -> None:
    content = page(client, "?feature=origin")
    assert "Favourable means the outcome people want, here <b>0</b>" in content
    best = rows_of(client, "main", "?feature=origin")[-1]["origin"]
    assert f"<b>{best}</b> is the most favoured class" in content
    assert "Below <b>0.90</b>" in content
    assert "four-fifths" not in content


def test_another_metric_is_asked_for_and_fills_in(lenses: World, client: Client) -> None:
    query = "?feature=origin&metric=trueFavorableRateParity"
    assert "on the way from the source" in page(client, query)
    worlds.answer_waiting(lenses)
    content = page(client, query)
    assert "on the way" not in content
    assert "True favourable rate parity" in content
    assert len(rows_of(client, "main", query)) == 3


def test_a_clicked_class_leads_the_lines(lenses: World, client: Client) -> None:
    drawn = figures(page(client, "?feature=carrier&class=B6"))
    named = [trace["name"] for trace in drawn["fairness-series"]["data"] if trace.get("name")]
    assert named[0].startswith("B6")


def test_what_cannot_be_is_the_default(lenses: World, client: Client) -> None:
    assert page(client, "?feature=nothing&metric=x&class=%00").count("<h3>") == page(client).count("<h3>")


def test_the_default_view_waits_for_nothing_and_costs_a_bounded_number_of_queries(
    lenses: World, client: Client
) -> None:
    assert "on the way" not in page(client)
    with CaptureQueriesContext(connection) as asked:
        page(client)
    assert len(asked) <= 28, "\n".join(one["sql"][:150] for one in asked)


def test_where_it_is_off_the_page_says_what_to_send(lenses: World, client: Client) -> None:
    content = page(client, label=lens.PLAIN.label)
    assert "Fairness is not watched here" in content
    assert f"PATCH https://flights.example/api/v2/deployments/{lens.PLAIN.id}/settings/" in content
    assert "&quot;fairnessMetricsSet&quot;: &quot;proportionalParity&quot;" in content
    assert "&quot;protectedFeatures&quot;: [&quot;carrier&quot;, &quot;origin&quot;]" in content


def test_a_regression_model_is_told_that_fairness_is_not_defined(lenses: World, client: Client) -> None:
    content = page(client, label=lens.MINUTES.label)
    assert "this one is regression" in content
    assert "curl" not in content


def test_verdict_and_mail_lead_to_the_tab(lenses: World, client: Client) -> None:
    from monitoring.mail.words import deployment_url

    watched = Watched.objects.get(label=lens.WATCHED.label)
    address = reverse("fairness", args=[watched.pk])
    overview = client.get(reverse("overview", args=[watched.pk])).content.decode()
    assert f'href="{address}' in overview.split('class="why"')[1].split("</header>")[0]
    assert deployment_url(watched, Area.FAIRNESS).endswith(address)


def test_the_overview_draws_the_worst_class_by_the_metric_that_it_fares_worst_by(lenses: World, client: Client) -> None:
    watched = Watched.objects.get(label=lens.WATCHED.label)
    pair = {**lens.FAIRNESS, "fairnessMetricsSet": "trueFavorableAndUnfavorableRateParity"}
    for answer in Answer.objects.filter(topic__watched=watched, topic__path="settings/"):
        settings = packing.unpack(answer.payload) | {"biasAndFairness": pair}
        Answer.objects.filter(pk=answer.pk).update(payload=packing.pack(settings))
    address = reverse("overview", args=[watched.pk])
    for _ in range(3):
        client.get(address)
        worlds.answer_waiting(lenses)
    lane = next(one for one in client.get(address).context["lanes"] if one.name == "Fairness")
    query = {name: value for name, (value,) in parse_qs(lane.href.partition("?")[2]).items()}
    worst = {
        metric: min(
            float(row["Relative to the most favoured"])
            for row in rows_of(client, "main", f"?feature={query['feature']}&metric={metric}")
            if row["Enough rows"] == "yes"
        )
        for metric in ("trueFavorableRateParity", "trueUnfavorableRateParity")
    }
    assert worst[query["metric"]] == min(worst.values()) == pytest.approx(float(lane.value), abs=5e-4)
    wanted = client.get(reverse("chart-csv", args=[watched.pk, "overview", "fairness"])).content
    extra = f"?feature={query['feature']}&metric={query['metric']}&class={query['class']}"
    own = {row["Start (UTC)"]: row[query["class"]] for row in rows_of(client, "series", extra)}
    assert {row["Start (UTC)"]: row[query["class"]] for row in csv.DictReader(StringIO(wanted.decode()))} == own


def test_the_verdict_is_made_once_a_page(lenses: World, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []

    def counted(*asked: Any) -> Any:
        made.append(asked)
        return judge_fairness(*asked)

    monkeypatch.setattr("dashboard.tabs.fairness.judge_fairness", counted)
    page(client)
    assert len(made) == 1
