"""Champion and challengers side by side against scikit-learn, the replay, and retraining with what came out of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from sklearn.metrics import log_loss

from monitoring.models import PendingQuestion
from tests.dashboard import flights
from tests.dashboard.story_source import POLICY, answering, page, policy, run, stamp
from tests.dashboard.test_deployment import rows_of
from tests.dashboard.test_jobs_tab import job
from tests.dashboard.world import World, answer_waiting

RIVAL = "0c" * 12
QUERIES = 32
DAILY = {"minute": [0], "hour": [3], "dayOfMonth": ["*"], "month": ["*"], "dayOfWeek": ["*"]}
CHALLENGERS = {
    "data": [
        {
            "id": "9" * 24,
            "name": "Halfway to the mean",
            "model": {"id": RIVAL, "name": "m", "datasetName": "autumn.csv"},
            "modelPackage": {"id": "8" * 24, "name": "p"},
        }
    ]
}


@pytest.fixture
def rivalry(world: World) -> Iterator[World]:
    """The binary deployment has a challenger that is half as sure of itself."""
    one = world.api.deployments["a" * 24]
    rival = replace(one, id=RIVAL)
    rows = flights.Rows(rival, world.api.now)
    rows.p = (rows.p + rows.p.mean()) / 2
    world.api._rows[RIVAL] = rows

    def as_asked(name: str) -> Callable[..., Any]:
        real = flights.HANDLERS[name]

        def answer(source: Any, of: Any, asked: Any) -> Any:
            of = rival if asked.one("modelId") == RIVAL else of
            found = dict(real(source, of, asked))
            if name == "accuracyOverTime/" and not asked.one("bucketSize"):
                rows = source.rows(of)
                mask = rows.mask(asked.start.timestamp(), asked.end.timestamp())
                found["summary"] = {"sampleSize": int((~np.isnan(rows.y[mask])).sum())}
            return found

        return answer

    names = ("accuracy/", "accuracyOverTime/", "featureDrift/", "predictionsOverTime/")
    with answering(
        challengers=CHALLENGERS,
        challengerReplaySettings={"enabled": True, "schedule": DAILY},
        retrainingPolicies=page([policy(run(1, datetime.now(UTC) - timedelta(days=2)))]),
        jobs=page([job(1, "RUNNING", kind="challengerPredictions", message="3 of 10 rows, Halfway")]),
        **{name.rstrip("/"): as_asked(name) for name in names},
    ):
        yield world


def look(client: Client, world: World, query: str = "") -> str:
    response = client.get(reverse("challengers", args=[world.watched().pk]) + query)
    assert response.status_code == 200
    return str(response.content.decode())


def seen(client: Client, world: World, query: str = "") -> str:
    """The tab after everything that it asks was answered: what there is, then the numbers of each."""
    for _ in range(3):
        look(client, world, query)
        answer_waiting(world)
    return look(client, world, query)


def cells(text: str) -> list[list[str]]:
    """The table of models, without its markup."""
    body = text.partition('class="table rivals"')[2].partition("</table>")[0]
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in body.split("<tr>")[2:]]
    return [[" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in row] for row in rows]


def test_models_stand_side_by_side_with_signed_differences(rivalry: World, inside: Client) -> None:
    """On seven whole days, of which the last is complete in its labels."""
    champion, rival = cells(seen(inside, rivalry, "?metric=LogLoss"))
    assert champion[0].endswith("champion")
    assert rival[0] == "Halfway to the mean challenger, trained on autumn.csv"
    lag = rivalry.watched().label_lag_hours or 0
    end = (datetime.now(UTC) - timedelta(hours=lag)).replace(hour=0, minute=0, second=0, microsecond=0)
    losses, labelled = [], 0
    for key in ("a" * 24, RIVAL):
        rows = rivalry.api._rows[key]
        mask = rows.mask((end - timedelta(days=7)).timestamp(), end.timestamp()) & ~np.isnan(rows.y)
        losses.append(log_loss(rows.y[mask], rows.p[mask]))
        labelled = int(mask.sum())
    assert float(champion[1]) == pytest.approx(losses[0], abs=6e-4)
    value, change = rival[1].split(" ", 1)
    assert float(value) == pytest.approx(losses[1], abs=6e-4)
    told = float(re.sub(r"[^\d.\u2212-]", "", change).replace("\u2212", "-"))
    assert told == pytest.approx(-100 * (losses[1] - losses[0]) / losses[0], abs=0.06), "less is better, so up is less"
    assert champion[4] == rival[4] == f"{labelled:,}", "labelled rows"


def test_the_chart_holds_each_models_metric_as_scikit_learn_computes_it(rivalry: World, inside: Client) -> None:
    seen(inside, rivalry, "?metric=LogLoss")
    shown = rows_of(inside, rivalry, "challengers", "main", "?metric=LogLoss")
    compared = 0
    for row in shown[5:20]:
        start = np.datetime64(row["Start (UTC)"]).astype("datetime64[s]").astype(float)
        for name, key in (("Halfway to the mean", RIVAL), (list(row)[1], "a" * 24)):
            rows = rivalry.api._rows[key]
            mask = rows.mask(start, start + 86_400) & ~np.isnan(rows.y)
            assert float(row[name]) == pytest.approx(log_loss(rows.y[mask], rows.p[mask]), abs=1e-4)
            compared += 1
    assert compared == 30


def test_the_title_says_who_won_how_often(rivalry: World, inside: Client) -> None:
    assert re.search(r"Halfway to the mean beat the champion on \d+ of \d+ days", seen(inside, rivalry))


def test_the_replay_is_told_with_schedule_next_run_and_progress(rivalry: World, inside: Client) -> None:
    text = seen(inside, rivalry)
    assert "every day at 03:00 UTC" in text
    assert "<dt>Next</dt>" in text
    assert "At work" in text
    assert "3 of 10 rows, Halfway" in text


def test_retraining_shows_triggers_runs_and_what_came_out(world: World, inside: Client) -> None:
    at = datetime.now(UTC) - timedelta(days=3)
    report = {"rows": 26398, "blueprint": "gradient boosting", "metric": "LogLoss", "holdout": {"LogLoss": 0.5123},
              "holdoutRows": 4200}  # fmt: skip
    runs = [
        run(3, at, status="running", finishTime=None, modelPackageId=None),
        run(2, at, challengerId="1" * 24, report=report),
        run(1, at, status="failed", errorMessage="No feature has more than one value.", modelPackageId=None),
    ]
    declines = {"type": "accuracy_decline", "statusDeclinesToFailing": True, "minIntervalBetweenRuns": "P7D"}
    with answering(
        retrainingPolicies=page([policy(*runs), policy(id="6" * 24, name="On decline", trigger=declines)]),
        **{f"retrainingPolicies__{POLICY}__runs": page(runs)},
    ):
        text = seen(inside, world)
    for words in (
        "On schedule: Mondays at 03:00 UTC; it makes a challenger.",
        "When accuracy declines to failing, at most every 7\u202fd",
        "gradient boosting, 26,398 rows",
        "LogLoss 0.512 on 4,200 rows",
        "a challenger",
        "No feature has more than one value.",
        "It has not run yet.",
    ):
        assert words in text, words


def test_a_source_without_challengers_and_retraining_says_so(world: World, inside: Client) -> None:
    text = seen(inside, world)
    assert "This source offers no challengers" in text
    assert "This source offers no retraining policies." in text


def test_a_deployment_without_challengers_says_what_one_is(world: World, inside: Client) -> None:
    with answering(challengers={"data": []}):
        assert "No challenger competes with the champion" in seen(inside, world)


def test_odd_answers_break_nothing(world: World, inside: Client) -> None:
    odd: list[Any] = [{"id": 5}, {"model": "x"}, {"model": {"id": "../../x"}}, None]
    strange: list[Any] = [{"id": "../x", "trigger": 7, "latestRun": {"startTime": "soon", "report": 3}}, {"name": None}]
    with answering(
        challengers={"data": odd},
        challengerReplaySettings={"enabled": True, "schedule": {"minute": "often"}},
        retrainingPolicies=page(strange),
    ):
        assert "No challenger competes" in seen(inside, world)
    asked = [path for path in world.api.asked if ".." in path]
    assert asked == []


def test_the_tab_costs_the_same_with_a_challenger_as_with_four(rivalry: World, inside: Client) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as taken:
            look(inside, rivalry)
        return len(taken)

    seen(inside, rivalry)
    assert cost() <= QUERIES


def test_the_past_shows_no_next_run(rivalry: World, inside: Client) -> None:
    seen(inside, rivalry)
    text = look(inside, rivalry, f"?as_of={stamp(datetime.now(UTC) - timedelta(seconds=1)).replace('+', '%2B')}")
    assert "<dt>Next</dt>" not in text


def test_the_accuracy_tab_draws_challengers_beside_the_champion(rivalry: World, inside: Client) -> None:
    """Each line is its model's own score of the day."""
    query = "?metric=LogLoss&beside=challengers"
    pk = rivalry.watched().pk
    for _ in range(3):
        inside.get(reverse("accuracy", args=[pk]) + query)
        answer_waiting(rivalry)
    content = inside.get(reverse("accuracy", args=[pk]) + query).content.decode()
    assert "on the way" not in content
    assert "Challengers are scored by replay" in content
    champion, rival = rivalry.api.rows(rivalry.api.deployments["a" * 24]), rivalry.api._rows[RIVAL]
    compared = 0
    for row in rows_of(inside, rivalry, "accuracy", "main", query)[5:20]:
        start = np.datetime64(row["Start (UTC)"]).astype("datetime64[s]").astype(float)
        for rows, name in ((champion, "LogLoss"), (rival, "Halfway to the mean")):
            mask = rows.mask(start, start + 86_400) & ~np.isnan(rows.y)
            assert float(row[name]) == pytest.approx(log_loss(rows.y[mask], rows.p[mask]), abs=1e-5)
            compared += 1
    assert compared == 30


def test_the_accuracy_tab_asks_nothing_of_challengers_unasked(rivalry: World, inside: Client) -> None:
    content = inside.get(reverse("accuracy", args=[rivalry.watched().pk])).content.decode()
    assert "on the way" not in content
    assert "With challengers" not in content


@pytest.mark.parametrize("tab", ["challengers", "history"])
def test_an_odd_id_of_a_policy_becomes_no_address(world: World, inside: Client, tab: str) -> None:
    with answering(retrainingPolicies=page([{"id": "../../x"}, {"id": POLICY}])):
        for _ in range(2):
            inside.get(reverse(tab, args=[world.watched().pk]))
            answer_waiting(world)
        inside.get(reverse(tab, args=[world.watched().pk]))
    asked = [str(one.question) for one in PendingQuestion.objects.all()]
    assert any(POLICY in one for one in asked)
    assert not any("../" in one for one in asked)
