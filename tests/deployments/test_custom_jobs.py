"""Custom metrics that work themselves out: the recipes against the rows, and one set of values an hour."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from deployments import jobs
from deployments.custom_jobs import calling, library, work
from deployments.custom_jobs.library import RECIPES, Hour
from deployments.models import CustomJob, CustomMetric, CustomValue, Deployment, Job, JobState, ScheduledMetric
from deployments.rollups import fill
from metrics.buckets import hour_ordinal
from tests.deployments.api.conftest import client_of
from tests.deployments.factories import make_deployment, send_actuals, send_predictions
from tests.deployments.killing import kill

NOW = datetime.now(UTC).replace(minute=30, second=0, microsecond=0)
LAST = NOW.replace(minute=0) - timedelta(hours=1)


def filled() -> Deployment:
    """Four predictions in the last whole hour, two of them of one id, one with a town that training never saw."""
    deployment = make_deployment()
    send_predictions(
        deployment,
        [[0.9, 0.1], [0.2, 0.8], [0.1, 0.9], [0.3, 0.7]],
        at=[LAST + timedelta(minutes=minute) for minute in range(4)],
        ids=["a", "b", "b", "c"],
        ages=[30, None, 40, 50],
        towns=["Oslo", "Rome", None, "Bergen"],
        received=NOW,
    )
    send_actuals(deployment, {"a": "no", "b": "yes"}, received=NOW)
    assert fill.run(deployment.pk, NOW)
    deployment.refresh_from_db()
    return deployment


@pytest.fixture
def deployment(db: None) -> Deployment:
    return filled()


@pytest.fixture
def owner(deployment: Deployment) -> User:
    assert deployment.created_by is not None
    return deployment.created_by


@pytest.fixture
def client(owner: User) -> APIClient:
    return client_of(owner)


def value_of(deployment: Deployment, recipe: str) -> float | None:
    assert deployment.champion is not None
    found = RECIPES[recipe].work(Hour(deployment.champion, hour_ordinal(LAST)))
    return None if found is None else found.value


def test_the_recipes_give_what_the_rows_say(deployment: Deployment) -> None:
    entropy = -(0.25 * math.log2(0.25) + 0.75 * math.log2(0.75))
    expected = {
        "missingRate": 2 / 8,
        "newLevelShare": 1 / 4,
        "predictionEntropy": entropy,
        "duplicateShare": 1 / 4,
        "unlabelledShare": 1 / 2,
        "labelLag": None,
    }
    assert {name: value_of(deployment, name) for name in RECIPES} == pytest.approx(expected)


def test_the_label_lag_is_the_median_from_the_predictions_hour(deployment: Deployment, client: APIClient) -> None:
    hours = {"a": 2, "b": 5, "c": 4}
    rows = [
        {"associationId": name, "actualValue": "yes", "timestamp": (LAST + timedelta(hours=lag)).isoformat()}
        for name, lag in hours.items()
    ]
    path = f"/api/v2/deployments/{deployment.public_id}/actuals/fromJSON/"
    assert client.post(path, {"data": rows}, format="json").status_code == 202
    assert fill.run(deployment.pk, NOW)
    assert value_of(deployment, "labelLag") == 4


@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_an_hour_without_rows_has_no_value(db: None, recipe: str) -> None:
    assert value_of(make_deployment(), recipe) is None


# --- Through the API ----------------------------------------------------------------------------------------------


def recipe_id(client: APIClient, name: str) -> str:
    rows = client.get("/api/v2/customJobs/").json()["data"]
    return next(str(row["id"]) for row in rows if row["name"] == name)


def make(client: APIClient, deployment: Deployment, job_id: str, **more: Any) -> Any:
    body = {"customJobId": job_id, "name": "Ours", "schedule": {"minute": [5]}, **more}
    path = f"/api/v2/deployments/{deployment.public_id}/customMetrics/fromCustomJob/"
    return client.post(path, body, format="json")


def values(metric: CustomMetric) -> list[tuple[int, float]]:
    rows = CustomValue.objects.filter(deployment_id=metric.deployment_id, metric_id=metric.pk, grain=1, attribute_id=0)
    return list(rows.order_by("bucket").values_list("n", "total"))


def test_a_due_metric_gets_one_value_however_often_it_runs(deployment: Deployment, client: APIClient) -> None:
    answer = make(client, deployment, recipe_id(client, "Missing rate"), baselineValues=[{"value": 0.1}])
    assert answer.status_code == 201, answer.content
    assert answer.json()["schedule"]["minute"] == [5]
    assert (answer.json()["directionality"], answer.json()["deployment"]["id"]) == (
        "lowerIsBetter",
        deployment.public_id,
    )
    metric = CustomMetric.objects.get()
    row = ScheduledMetric.objects.get()
    assert row.next_at is not None
    assert not work.run_due(row.next_at - timedelta(minutes=1))
    ScheduledMetric.objects.update(next_at=NOW - timedelta(minutes=1))
    assert work.run_due(NOW) == 1
    assert work.run_due(NOW) == 0
    for job in [
        Job.objects.get(kind=work.KIND),
        work.start(row, hour_ordinal(LAST)),
        work.start(row, hour_ordinal(LAST)),
    ]:
        assert jobs.run(job.pk)
        job.refresh_from_db()
        assert job.state == JobState.COMPLETED, job.message
    assert values(metric) == [(1, 0.25)]
    shown = client.get(f"/api/v2/deployments/{deployment.public_id}/customMetrics/{metric.public_id}/summary/").json()
    assert shown["metric"]["value"] == pytest.approx(0.25)


def test_an_hour_that_was_corrected_keeps_what_was_filed_first(deployment: Deployment, client: APIClient) -> None:
    make(client, deployment, recipe_id(client, "Share without a label"))
    row = ScheduledMetric.objects.get()
    assert jobs.run(work.start(row, hour_ordinal(LAST)).pk)
    send_actuals(deployment, {"c": "yes"}, received=NOW)
    fill.run(deployment.pk, NOW)
    assert jobs.run(work.start(row, hour_ordinal(LAST)).pk)
    assert values(row.metric) == [(1, 0.5)]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"customJobId": "0" * 24}, "customJobId"),
        ({"schedule": {"minute": [0, 30]}}, "schedule.minute"),
        ({"schedule": {"minute": [75]}}, "schedule.minute"),
        ({"name": ""}, "name"),
        ({"timestamp": {"columnName": "t", "timeFormat": "never"}}, "timestamp.timeFormat"),
    ],
)
def test_a_wrong_metric_is_refused_by_its_place(
    deployment: Deployment, client: APIClient, change: dict[str, Any], place: str
) -> None:
    answer = make(client, deployment, recipe_id(client, "Missing rate"), **change)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [place])
    assert not CustomMetric.objects.exists()


# --- Addresses ----------------------------------------------------------------------------------------------------


class FarSide:
    """A small server that answers what it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.status, self.answer = 200, b'{"buckets": [{"value": 7.5}]}'
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(outer.answer)))
                self.end_headers()
                self.wfile.write(outer.answer)

            def log_message(self, format: str, *args: Any) -> None:
                return

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/values"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()


@pytest.fixture
def far(settings: Any) -> Iterator[FarSide]:
    side = FarSide()
    settings.ALLOW_PRIVATE_ADDRESSES = True
    yield side
    side.server.shutdown()
    side.thread.join()
    side.server.server_close()


def address(client: APIClient, url: str) -> Any:
    body = {"name": "Seats", "url": url, "directionality": "higherIsBetter", "type": "gauge", "units": "seats"}
    return client.post("/api/v2/customJobs/", body, format="json")


def test_an_address_is_asked_for_the_hour_and_its_values_are_filed(
    deployment: Deployment, client: APIClient, far: FarSide
) -> None:
    made = address(client, far.url).json()
    assert make(client, deployment, made["id"]).json()["type"] == "gauge"
    row = ScheduledMetric.objects.get()
    for _ in range(2):
        assert jobs.run(work.start(row, hour_ordinal(LAST)).pk)
    assert values(row.metric) == [(1, 7.5)]
    asked = far.asked[0]
    assert asked["deploymentId"] == deployment.public_id
    assert datetime.fromisoformat(asked["period"]["start"]) == LAST
    assert asked["requestId"].startswith("custom-job-")
    assert client.delete(f"/api/v2/customJobs/{made['id']}/").status_code == 409


@pytest.mark.parametrize(
    ("status", "answer", "told"),
    [
        (500, b"", "answered 500"),
        (200, b"<html>", "not as it should be"),
        (200, b'{"buckets": [{"value": "much"}]}', "number"),
        (200, b" " * (calling.LARGEST + 1), "larger than 1 MiB"),
    ],
)
def test_a_bad_answer_is_told_and_nothing_is_filed(
    deployment: Deployment, client: APIClient, far: FarSide, status: int, answer: bytes, told: str
) -> None:
    far.status, far.answer = status, answer
    make(client, deployment, address(client, far.url).json()["id"])
    row = ScheduledMetric.objects.get()
    job = work.start(row, hour_ordinal(LAST))
    assert jobs.run(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.ERROR
    assert told in job.message
    assert values(row.metric) == []


def test_an_address_inside_is_refused(client: APIClient) -> None:
    for url in (
        "http://169.254.169.254/latest/",
        "http://127.0.0.1/x",
        "ftp://example.org/x",
        "http://u:p@example.org/",
    ):
        refused = address(client, url)
        assert (refused.status_code, list(refused.json()["errors"])) == (422, ["url"])


def test_another_persons_address_is_not_there(deployment: Deployment, client: APIClient, far: FarSide) -> None:
    made = address(client, far.url).json()
    stranger = client_of(User.objects.create_user("stranger"))
    assert stranger.get(f"/api/v2/customJobs/{made['id']}/").status_code == 404
    assert client.delete(f"/api/v2/customJobs/{made['id']}/").status_code == 204
    assert client.delete(f"/api/v2/customJobs/{recipe_id(client, 'Missing rate')}/").status_code == 409
    assert CustomJob.objects.filter(built_in="").count() == 0


WORKER = """
from deployments import jobs
from deployments.custom_jobs import work
stop_after(work, sys.argv[1])
jobs.run(int(sys.argv[2]))
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", ["_values", "_file"])
def test_a_run_killed_in_the_middle_files_one_value(moment: str) -> None:
    deployment = filled()
    assert deployment.created_by is not None
    library.ensure()
    client = client_of(deployment.created_by)
    make(client, deployment, recipe_id(client, "Missing rate"))
    row = ScheduledMetric.objects.get()
    job = work.start(row, hour_ordinal(LAST))
    connection.close()
    kill(WORKER, moment, str(job.pk))
    assert jobs.run(job.pk, timezone.now() + jobs.LEASE + timedelta(minutes=1))
    assert values(row.metric) == [(1, 0.25)]
    assert Job.objects.get(pk=job.pk).state == JobState.COMPLETED
