"""The deployment's tabs: real numbers, the bar, what is on its way, what is as known then, and the price of a page."""

from __future__ import annotations

import csv
import json
import re
from datetime import timedelta
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from sklearn.metrics import log_loss, roc_auc_score

from dashboard.filters import View
from dashboard.reader import Reader
from dashboard.tabs.subject import Subject
from dashboard.views.deployment import tabs
from monitoring.models import (
    Area,
    AreaHealth,
    HealthDay,
    ModelSeen,
    PendingQuestion,
    Source,
    Status,
    Topic,
    TopicState,
    Watched,
)
from tests.dashboard import world as worlds
from tests.dashboard.world import World

TABS = ("overview", "service", "drift", "accuracy", "predictions")
#: Session, person, preference, memberships; deployment, verdicts, models; three a read; frame; strips; events; marks.
QUERIES = {"overview": 30, "service": 27, "drift": 29, "accuracy": 27, "predictions": 27, "batches": 26}


def get(client: Client, world: World, tab: str, query: str = "", label: str = "Flight delayed > 15 min") -> str:
    response = client.get(reverse(tab, args=[world.watched(label).pk]) + query)
    assert response.status_code == 200, response
    return response.content.decode()


def figures(page: str) -> dict[str, Any]:
    """The Plotly figures of a page by chart."""
    found = re.findall(r'<script[^>]* id="figure-([^"]+)"[^>]*>(.*?)</script>', page, re.DOTALL)
    return {name: json.loads(data) for name, data in found}


def rows_of(client: Client, world: World, tab: str, name: str, query: str = "") -> list[dict[str, str]]:
    """The table twin of a chart, by its file."""
    response = client.get(reverse("chart-csv", args=[world.watched().pk, tab, name]) + query)
    assert response["Content-Type"].startswith("text/csv")
    return list(csv.DictReader(StringIO(response.content.decode())))


def test_the_accuracy_of_a_day_is_what_scikit_learn_computes_from_its_rows(world: World, inside: Client) -> None:
    rows = world.api.rows(world.api.deployments["a" * 24])
    shown = rows_of(inside, world, "accuracy", "main")
    compared = 0
    for row in shown[5:25]:
        start = np.datetime64(row["Start (UTC)"]).astype("datetime64[s]").astype(float)
        mask = rows.mask(start, start + 86_400) & ~np.isnan(rows.y)
        assert float(row["AUC"]) == pytest.approx(roc_auc_score(rows.y[mask], rows.p[mask]), abs=1e-6)
        compared += 1
    assert compared == 20


def test_another_metric_is_a_link_away(world: World, inside: Client) -> None:
    rows = world.api.rows(world.api.deployments["a" * 24])
    shown = rows_of(inside, world, "accuracy", "main", "?metric=LogLoss")
    start = np.datetime64(shown[10]["Start (UTC)"]).astype("datetime64[s]").astype(float)
    mask = rows.mask(start, start + 86_400) & ~np.isnan(rows.y)
    assert float(shown[10]["LogLoss"]) == pytest.approx(log_loss(rows.y[mask], rows.p[mask]), abs=1e-5)


def test_predictions_are_counted_as_they_came(world: World, inside: Client) -> None:
    rows = world.api.rows(world.api.deployments["a" * 24])
    for row in rows_of(inside, world, "overview", "predictions")[1:-1]:
        start = np.datetime64(row["Start (UTC)"]).astype("datetime64[s]").astype(float)
        assert float(row["predictions"]) == rows.mask(start, start + 86_400).sum()


@pytest.mark.parametrize("tab", TABS)
def test_each_tab_draws_first_and_carries_the_same_figure(world: World, inside: Client, tab: str) -> None:
    page = get(inside, world, tab)
    drawn = figures(page)
    assert drawn
    for name, figure in drawn.items():
        assert figure["data"], name
        assert f'id="{name}"' in page
    assert page.count('class="plot') >= len(drawn)


@pytest.mark.parametrize("tab", [*TABS, "batches"])
def test_a_page_costs_a_bounded_number_of_queries(world: World, inside: Client, tab: str) -> None:
    label = "Departure delayed by batch" if tab == "batches" else "Flight delayed > 15 min"
    get(inside, world, tab, label=label)
    worlds.answer_waiting(world)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        get(inside, world, tab, label=label)
    assert len(asked) <= QUERIES[tab], "\n".join(one["sql"][:150] for one in asked)


def test_no_page_asks_the_source(world: World, inside: Client) -> None:
    asked = len(world.api.asked)
    for tab in TABS:
        get(inside, world, tab, "?range=7d&segment=carrier:UA")
    assert len(world.api.asked) == asked


def test_what_nobody_polled_is_asked_for_and_fills_in(world: World, inside: Client) -> None:
    query = "?range=7d&segment=carrier:UA"
    page = get(inside, world, "accuracy", query)
    assert "on the way from the source" in page
    assert 'hx-trigger="load delay:3s, ' in page
    assert PendingQuestion.objects.filter(key__contains="carrier").exists()
    worlds.answer_waiting(world)
    page = get(inside, world, "accuracy", query)
    assert "on the way" not in page
    assert "load delay:3s" not in page
    rows = world.api.rows(world.api.deployments["a" * 24])
    shown = rows_of(inside, world, "accuracy", "main", query)
    start = np.datetime64(shown[2]["Start (UTC)"]).astype("datetime64[s]").astype(float)
    mask = rows.mask(start, start + 86_400, ("carrier", "UA")) & ~np.isnan(rows.y)
    assert float(shown[2]["AUC"]) == pytest.approx(roc_auc_score(rows.y[mask], rows.p[mask]), abs=1e-6)


def test_asked_by_ten_it_is_asked_once(world: World, inside: Client) -> None:
    for _ in range(10):
        get(inside, world, "accuracy", "?segment=carrier:DL")
    keys = list(PendingQuestion.objects.values_list("key", flat=True))
    assert len(keys) == len(set(keys))


def test_a_read_only_member_costs_the_source_nothing(world: World, client: Client) -> None:
    client.force_login(world.reader)
    page = get(client, world, "accuracy", "?segment=carrier:B6")
    assert "your role is read only" in page
    assert not PendingQuestion.objects.exists()


def test_the_default_view_waits_for_nothing(world: World, inside: Client) -> None:
    for tab in ("overview", "service", "accuracy", "predictions"):
        assert "on the way" not in get(inside, world, tab), tab


def test_clicking_a_feature_shows_its_distribution(world: World, inside: Client) -> None:
    page = get(inside, world, "drift", "?feature=temp")
    assert "The distribution is on its way." in page
    worlds.answer_waiting(world)
    drawn = figures(get(inside, world, "drift", "?feature=temp"))
    assert {"drift-importance", "drift-distribution", "drift-series"} <= set(drawn)
    shown = rows_of(inside, world, "drift", "distribution", "?feature=temp")
    assert len(shown) == 13


def test_a_source_without_distributions_is_said(world: World, inside: Client) -> None:
    get(inside, world, "drift", "?feature=temp")
    Topic.objects.update_or_create(
        watched=world.watched(),
        key="featureDistributions/?featureNames=temp&last=P7D",
        defaults={"path": "featureDistributions/", "state": TopicState.REFUSED},
    )
    assert "does not tell distributions" in get(inside, world, "drift", "?feature=temp")


def test_drift_scores_in_the_table_are_those_of_the_source(world: World, inside: Client) -> None:
    found = {row["Feature"]: row for row in rows_of(inside, world, "drift", "importance")}
    assert float(found["pressure"]["PSI"]) > 0.15
    assert "pressure" in get(inside, world, "drift")


def test_the_bar_survives_in_every_link(world: World, inside: Client) -> None:
    page = get(inside, world, "drift", "?range=7d&segment=origin:JFK&feature=temp")
    assert "/accuracy/?segment=origin%3AJFK&amp;range=7d" in page
    assert "feature=temp" in page


def test_as_known_then_hides_what_was_learned_later(world: World, inside: Client) -> None:
    before = (world.now - timedelta(days=2)).strftime("%Y-%m-%dT%H:%MZ")
    page = get(inside, world, "accuracy", f"?as_of={before}")
    assert "As known on" in page
    assert "bar-past" in page
    assert not PendingQuestion.objects.exists()


def test_a_replaced_champion_marks_the_charts(world: World, inside: Client) -> None:
    watched = world.watched()
    at = world.now - timedelta(days=9)
    ModelSeen.objects.filter(watched=watched).delete()
    ModelSeen.objects.create(
        watched=watched, model_id="old", name="v2", since=at - timedelta(days=60), until=at, seen_at=at
    )
    ModelSeen.objects.create(watched=watched, model_id=watched.model_id, name="v3", since=at, seen_at=at)
    assert "v3 took over" in get(inside, world, "overview")


def test_a_silent_source_leaves_the_page_and_says_since_when(world: World, inside: Client) -> None:
    since = world.now - timedelta(hours=3)
    Source.objects.update(silent_since=since, last_ok_at=since, last_error="No answer within 20 s.")
    page = get(inside, world, "overview")
    assert "has been silent" in page
    assert "No answer within 20 s." in page
    assert len(figures(page)) == 5


def test_a_deployment_without_data_says_so_on_every_tab(world: World, inside: Client) -> None:
    for tab in TABS:
        page = get(inside, world, tab, label="Missed connection")
        assert "Not started" in page
        assert "None" not in re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL), tab
        assert "nan" not in page.split("</head>")[1].lower().replace("finance", ""), tab


def test_an_answer_of_the_wrong_shape_is_no_crash(world: World, inside: Client) -> None:
    from monitoring import packing
    from monitoring.models import Answer

    broken: list[Any] = [[], {"data": 3}, {"data": [1, None, {"name": 4}]}, {"metrics": "x"}, {"buckets": [{}]}]
    for payload in broken:
        packed = packing.pack(payload)
        Answer.objects.update(payload=packed)
        for tab in TABS:
            get(inside, world, tab)


def test_our_verdict_stands_beside_the_sources_own(world: World, inside: Client) -> None:
    assert AreaHealth.objects.filter(watched=world.watched(), disagrees=True).exists()
    assert "The source itself calls" in get(inside, world, "overview")


def test_a_batch_deployment_has_one_tab_and_no_time_axis(world: World, inside: Client) -> None:
    batch = world.watched("Departure delayed by batch")
    assert inside.get(reverse("overview", args=[batch.pk])).status_code == 302
    get(inside, world, "batches", label=batch.label)
    worlds.answer_waiting(world)
    page = get(inside, world, "batches", label=batch.label)
    assert "side by side" in page
    assert page.count("Week to") >= 6
    assert "locked" in page


def test_two_batches_are_compared_by_choice(world: World, inside: Client) -> None:
    page = get(inside, world, "batches", f"?left={3:024x}&right={5:024x}", label="Departure delayed by batch")
    chosen = re.findall(r'<option value="([0-9a-f]{24})" selected', page)
    assert chosen == [f"{3:024x}", f"{5:024x}"]


def test_a_time_deployment_has_no_batches_tab(world: World, inside: Client) -> None:
    assert "This deployment is watched by time" in get(inside, world, "batches")
    assert "/batches/" not in get(inside, world, "overview")


def test_refresh_makes_the_deployment_due(world: World, inside: Client) -> None:
    watched = world.watched()
    response = inside.post(reverse("refresh", args=[watched.pk]), {"tab": "drift", "query": "?range=7d"})
    assert response["Location"] == reverse("drift", args=[watched.pk]) + "?range=7d"
    watched.refresh_from_db()
    assert watched.due_at is None


@pytest.mark.parametrize("name", ["main", "actual"])
def test_a_file_has_the_numbers_of_the_chart_and_no_formula(world: World, inside: Client, name: str) -> None:
    for row in rows_of(inside, world, "accuracy", name):
        for cell in row.values():
            assert not cell.startswith(("=", "@", "\t"))


def test_a_chart_that_does_not_exist_is_not_found(world: World, inside: Client) -> None:
    pk = world.watched().pk
    assert inside.get(reverse("chart-csv", args=[pk, "accuracy", "x"])).status_code == 404
    assert inside.get(reverse("chart-csv", args=[pk, "nothing", "main"])).status_code == 404


def test_the_head_counts_trouble_back_to_where_the_rebuilt_days_begin(world: World, inside: Client) -> None:
    watched = world.watched()
    seen = timezone.now() - timedelta(minutes=50)
    watched.first_seen_at, watched.worst = seen, Status.FAILING
    watched.health |= {Area.DRIFT: watched.area_health(Area.DRIFT) | {"status": "failing", "since": seen.isoformat()}}
    watched.save()
    for days in range(1, 12):
        HealthDay.objects.update_or_create(
            watched=watched,
            area=Area.DRIFT,
            day=seen.date() - timedelta(days=days),
            defaults={"status": Status.PASSING if days == 11 else Status.FAILING, "reconstructed": True},
        )
    first = seen.date() - timedelta(days=10)
    assert re.search(rf"Failing since \w+ {first.day} {first:%b}", get(inside, world, "drift"))


@pytest.mark.parametrize("interval", ["weekly", "P7X"])
def test_an_interval_that_cannot_be_read_is_the_usual_one(world: World, inside: Client, interval: str) -> None:
    from monitoring import packing
    from monitoring.models import Answer

    Answer.objects.filter(topic__path="healthSettings/").update(
        payload=packing.pack({"dataDrift": {"timeInterval": interval}})
    )
    for tab in (*TABS, "segments", "map", "challengers"):
        assert interval not in get(inside, world, tab)


def test_a_tab_bears_the_worst_status_of_all_its_areas(world: World) -> None:
    watched = world.watched()
    AreaHealth.objects.filter(watched=watched, area=Area.PREDICTIONS_TIMELINESS).delete()
    for area, status in ((Area.PREDICTIONS_TIMELINESS, Status.PASSING), (Area.ACTUALS_TIMELINESS, Status.FAILING)):
        AreaHealth.objects.update_or_create(
            watched=watched, area=area, defaults={"status": status, "judged_at": world.now, "since": world.now}
        )
    subject = subject_of(world, watched)
    shown = {word: status for word, _, status, _, _ in tabs(subject, "overview")}
    assert shown["Predictions"] == "failing"


def test_the_tab_of_batches_bears_a_status_like_every_other(world: World) -> None:
    watched = world.watched("Departure delayed by batch")
    AreaHealth.objects.update_or_create(
        watched=watched,
        area=Area.ACCURACY,
        defaults={"status": Status.FAILING, "judged_at": world.now, "since": world.now},
    )
    shown = {word: status for word, _, status, _, _ in tabs(subject_of(world, watched), "batches")}
    assert shown["Batches"] == "failing"


def subject_of(world: World, watched: Watched) -> Subject:
    return Subject.load(Reader.load(world.owner), watched, View.parse({}, world.now), world.now)
