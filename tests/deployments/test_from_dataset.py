"""Predictions and actuals from stored datasets: the same figures as by the other doors, all rows or none, once."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from deployments import datasets, jobs
from deployments.api.authentication import issue
from deployments.models import Block, Dataset, Deployment, DeploymentRole, IngestRequest, Job, JobState, Role
from deployments.rollups import fill
from deployments.rollups.read import Scope, accuracy_over, predictions_over
from tests.deployments.factories import make_deployment, make_user, send_predictions
from tests.deployments.killing import kill

pytestmark = pytest.mark.django_db
UNKNOWN = "0" * 24
MEDIA = {"csv": "text/csv", "ndjson": "application/x-ndjson", "parquet": "application/vnd.apache.parquet"}
Call = Callable[..., Any]


class Door:
    """A deployment, a person who may send rows to it, and that person's client."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment, self.user = deployment, make_user()
        DeploymentRole.objects.create(deployment=deployment, user=self.user, role=Role.USER)
        self.client = Client(headers={"Authorization": f"Bearer {issue(self.user, 'test')}"})

    def store(self, table: pl.DataFrame | bytes, kind: str = "csv") -> Dataset:
        content = table if isinstance(table, bytes) else written(table, kind)
        return datasets.store(content, f"rows.{kind}", MEDIA[kind], self.user)

    def post(self, what: str, dataset: Dataset, **more: Any) -> Any:
        headers = more.pop("headers", {})
        path = f"/api/v2/deployments/{self.deployment.public_id}/{what}/fromDataset/"
        body = {"datasetId": dataset.public_id, **more}
        return self.client.post(path, body, "application/json", headers=headers)

    def predictions(self, table: pl.DataFrame | bytes, kind: str = "csv", **more: Any) -> Job:
        return run(self.post("predictionInputs", self.store(table, kind), **more))

    def actuals(self, table: pl.DataFrame | bytes, kind: str = "csv", **more: Any) -> Job:
        columns = {"associationIdColumn": "flight", "actualValueColumn": "outcome"}
        return run(self.post("actuals", self.store(table, kind), **columns | more))


def written(table: pl.DataFrame, kind: str) -> bytes:
    out = io.BytesIO()
    if kind == "parquet":
        table.write_parquet(out)
    elif kind == "ndjson":
        table.write_ndjson(out)
    else:
        table.write_csv(out)
    return out.getvalue()


def run(answer: Any) -> Job:
    """Carry out the job that was answered."""
    assert answer.status_code == 202, answer.content
    job = Job.objects.get(public_id=answer["Location"].rstrip("/").rpartition("/")[2])
    jobs.run(job.pk)
    job.refresh_from_db()
    return job


@pytest.fixture
def door() -> Door:
    return Door(make_deployment())


def hour() -> datetime:
    return timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)


def table(rows: int = 30, **more: Any) -> pl.DataFrame:
    columns: dict[str, Any] = {
        "timestamp": [hour().isoformat()] * rows,
        "association_id": [f"f{i}" for i in range(rows)],
        "age": [20.0 + i for i in range(rows)],
        "town": ["Oslo" if i % 3 else None for i in range(rows)],
        "prediction_yes": [(i + 1) / (rows + 1) for i in range(rows)],
    }
    return pl.DataFrame({name: values for name, values in (columns | more).items() if values is not None})


def figures(deployment: Deployment) -> tuple[Any, ...]:
    assert fill.run(deployment.pk, timezone.now())
    deployment.refresh_from_db()
    assert deployment.champion is not None
    scope, window = Scope(deployment, deployment.champion), [(hour(), hour() + timedelta(hours=1))]
    made, scored = predictions_over(scope, window)[0], accuracy_over(scope, window)[0]
    return (
        *(made.n_rows, made.feature_counts["age"].tolist(), made.feature_counts["town"].tolist()),
        *(round(made.sum_prediction, 9), made.class_counts.tolist()),
        *(scored.n_total, scored.n_actual, scored.actual_class_counts.tolist()),
    )


@pytest.mark.parametrize("kind", ["csv", "ndjson", "parquet"])
def test_a_dataset_gives_the_same_figures_as_the_same_rows_by_json(door: Door, kind: str) -> None:
    rows = table()
    job = door.predictions(rows, kind)
    assert (job.state, job.message) == (JobState.COMPLETED, "30 rows taken in.")
    outcomes = pl.DataFrame({"flight": rows["association_id"], "outcome": ["yes", "no", "yes"] * 10})
    job = door.actuals(outcomes, kind)
    assert job.message == "30 matched, 0 waiting for their prediction, 0 refused."
    other = Door(make_deployment())
    send_predictions(
        other.deployment,
        [[1 - p, p] for p in rows["prediction_yes"]],
        at=hour(),
        ids=rows["association_id"].to_list(),
        ages=rows["age"].to_list(),
        towns=rows["town"].to_list(),
        received=timezone.now(),
    )
    other.actuals(outcomes)
    assert figures(door.deployment) == figures(other.deployment)


@pytest.mark.parametrize("kind", ["ndjson", "parquet", "csv"])
def test_predictions_of_classes_may_be_lists_of_probabilities(kind: str) -> None:
    lists: list[Any] = [[0.2, 0.5, 0.3], [0.6, 0.3, 0.1]]
    door = Door(make_deployment("Multiclass"))
    column = [str(one) for one in lists] if kind == "csv" else lists
    job = door.predictions(pl.DataFrame({"timestamp": [hour().isoformat()] * 2, "prediction": column}), kind)
    assert job.state == JobState.COMPLETED, job.message
    assert fill.run(door.deployment.pk, timezone.now())
    assert door.deployment.champion is not None
    window = [(hour(), hour() + timedelta(hours=1))]
    state = predictions_over(Scope(door.deployment, door.deployment.champion), window)[0]
    assert state.sums.tolist() == pytest.approx([0.8, 0.8, 0.4])
    assert state.class_counts.tolist() == [1, 1, 0]


def test_a_list_with_too_few_probabilities_is_told_by_its_line() -> None:
    door = Door(make_deployment("Multiclass"))
    job = door.predictions(b'prediction\n"[0.2, 0.5, 0.3]"\n"[0.5, 0.5]"\nnonsense\n"[2, 0, -1]"\n')
    assert job.state == JobState.ERROR
    lines = job.message.splitlines()
    assert lines[0] == "Nothing was taken in. line 3, prediction: Expected 3 probabilities, got '[0.5, 0.5]'."
    assert lines[1:] == [
        "line 4, prediction: Expected 3 probabilities, got 'nonsense'.",
        "line 5, prediction: A probability lies within 0 and 1.",
    ]


def test_one_bad_row_refuses_the_file_and_every_reason_is_told_by_its_line(door: Door) -> None:
    body = b'age,town,prediction_yes\n30,Oslo,0.5\nold,Oslo,0.5\n31,"Ber\ngen",7\n32,Oslo,0.4\n?,Oslo,nil\n'
    job = door.predictions(body)
    assert job.state == JobState.ERROR
    assert job.message.removeprefix("Nothing was taken in. ").splitlines() == [
        "line 3, age: Expected a number, got the text 'old'.",
        "line 7, age: Expected a number, got the text '?'.",
        "line 7, prediction_yes: Expected a number, got the text 'nil'.",
    ]
    assert not Block.objects.filter(deployment_id=door.deployment.pk).exists()
    assert not IngestRequest.objects.filter(deployment=door.deployment).exists()


def test_the_first_hundred_bad_lines_are_told(door: Door) -> None:
    bad = [f"p{i}" if i % 2 else "0.5" for i in range(400)]
    job = door.predictions(pl.DataFrame({"prediction_yes": bad}))
    assert len(job.message.splitlines()) == 100
    assert job.message.splitlines()[-1].startswith("line 201, ")


def test_a_bad_value_far_down_is_found_where_it_is(door: Door) -> None:
    values = ["1"] * 12_000 + ["0.5", "x"]
    job = door.predictions(pl.DataFrame({"age": values, "prediction_yes": [0.5] * 12_002}))
    assert job.message == "Nothing was taken in. line 12003, age: Expected a number, got the text 'x'."


@pytest.mark.parametrize(
    ("rows", "place"),
    [
        ({"flight": ["f0", None], "outcome": ["yes", "no"]}, "line 3, flight: An actual needs an association id."),
        ({"flight": ["f0", "f1"], "outcome": ["yes", "maybe"]}, "line 3, outcome: 'maybe' is not one of the classes"),
        ({"flight": ["f" * 129, "f1"], "outcome": ["yes", "no"]}, "line 2, flight: An association id has 1 to 128"),
        (
            {"flight": ["f0", "f1"], "outcome": ["yes", "no"], "at": ["today", None]},
            "line 2, at: 'today' is not an RFC 3339 time.",
        ),
        (
            {"flight": ["f0", "f1"], "outcome": ["yes", "no"], "acted": ["true", "perhaps"]},
            "line 3, acted: Expected true or false, got 'perhaps'.",
        ),
    ],
)
def test_bad_actuals_are_told_and_none_is_taken(door: Door, rows: Mapping[str, Any], place: str) -> None:
    more = {"timestampColumn": "at"} if "at" in rows else {"wasActedOnColumn": "acted"} if "acted" in rows else {}
    job = door.actuals(pl.DataFrame(rows), **more)
    assert job.state == JobState.ERROR
    assert place in job.message
    assert not Block.objects.filter(deployment_id=door.deployment.pk).exists()


def test_actuals_that_may_not_wait_are_refused_one_by_one(door: Door) -> None:
    door.predictions(table(3))
    job = door.actuals(
        pl.DataFrame({"flight": ["f0", "ghost"], "outcome": ["yes", "no"]}), keepActualsWithoutPredictions=False
    )
    assert job.message == "1 matched, 0 waiting for their prediction, 1 refused."


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"associationIdColumn": "nothing"}, "associationIdColumn"),
        ({"timestampColumn": "nothing"}, "timestampColumn"),
        ({"datasetVersionId": UNKNOWN}, "datasetVersionId"),
        ({"password": "secret"}, "password"),
        ({"actualValueColumn": None}, "actualValueColumn"),
    ],
)
def test_what_can_be_seen_at_once_is_refused_at_once(door: Door, body: Mapping[str, Any], place: str) -> None:
    dataset = door.store(b"flight,outcome\nf0,yes\n")
    columns = {"associationIdColumn": "flight", "actualValueColumn": "outcome"}
    answer = door.post("actuals", dataset, **columns | dict(body))
    assert answer.status_code == 422
    assert place in answer.json()["errors"]


def test_a_dataset_of_someone_else_does_not_exist(door: Door) -> None:
    foreign = datasets.store(b"prediction_yes\n0.5\n", "rows.csv", "text/csv", make_user())
    answer = door.post("predictionInputs", foreign)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["datasetId"])


@pytest.mark.parametrize(("kind", "classes"), [("Binary", 1), ("Multiclass", 3)])
def test_actuals_beyond_the_hourly_limit_wait_for_the_next_hour(kind: str, classes: int, settings: Any) -> None:
    settings.ACTUALS_PER_HOUR = 5 * classes
    door = Door(make_deployment(kind))
    dataset = door.store(b"flight,outcome\n" + b"f,yes\n" * 3)
    columns = {"associationIdColumn": "flight", "actualValueColumn": "outcome"}
    assert door.post("actuals", dataset, **columns).status_code == 202
    refused = door.post("actuals", dataset, **columns)
    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= 3600
    assert Job.objects.filter(deployment=door.deployment).count() == 1


def test_the_same_key_starts_one_job_and_counts_once(door: Door) -> None:
    dataset, other = door.store(table(4)), door.store(table(5))
    key = {"headers": {"Idempotency-Key": "monday"}}
    first, again = door.post("predictionInputs", dataset, **key), door.post("predictionInputs", dataset, **key)
    assert first["Location"] == again["Location"]
    assert door.post("predictionInputs", other, **key).status_code == 409
    run(first)
    assert figures(door.deployment)[0] == 4


def test_a_dataset_that_a_job_has_yet_to_read_cannot_be_deleted(door: Door) -> None:
    dataset = door.store(table(4))
    answer = door.post("predictionInputs", dataset)
    path = f"/api/v2/datasets/{dataset.public_id}/"
    assert door.client.delete(path).status_code == 409
    run(answer)
    assert door.client.delete(path).status_code == 204


WORKER = """
from deployments import jobs, tasks
from deployments.ingest import datasets, processing, store
from importlib import import_module
for name in tasks.HANDLERS:
    import_module(name)
stop_after(*{
    "read": (datasets.datasets, "read"), "stored": (store, "insert"), "accepted": (store, "accept"),
    "matched": (processing, "_counted"),
}[sys.argv[1]])
jobs.run(int(sys.argv[2]))
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", ["read", "stored", "accepted", "matched"])
def test_a_worker_killed_in_the_middle_loses_and_doubles_nothing(moment: str) -> None:
    door = Door(make_deployment())
    door.predictions(table())
    rows = pl.DataFrame({"flight": [f"f{i}" for i in range(30)], "outcome": ["yes", "no"] * 15})
    dataset = door.store(rows)
    answer = door.post("actuals", dataset, associationIdColumn="flight", actualValueColumn="outcome")
    job = Job.objects.get(public_id=answer["Location"].rstrip("/").rpartition("/")[2])
    connection.close()
    kill(WORKER, moment, str(job.pk))
    assert not jobs.run(job.pk), "the dead worker's lease still holds"
    assert jobs.run(job.pk, now=timezone.now() + jobs.LEASE + timedelta(seconds=1))
    job.refresh_from_db()
    assert (job.state, job.attempts) == (JobState.COMPLETED, 2)
    assert job.message == "30 matched, 0 waiting for their prediction, 0 refused."
    assert figures(door.deployment)[-3:] == (30, 30, [15, 15])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", ["read", "stored", "accepted"])
def test_predictions_of_a_killed_worker_count_once(moment: str) -> None:
    door = Door(make_deployment())
    answer = door.post("predictionInputs", door.store(table()))
    job = Job.objects.get(public_id=answer["Location"].rstrip("/").rpartition("/")[2])
    connection.close()
    kill(WORKER, moment, str(job.pk))
    assert jobs.run(job.pk, now=timezone.now() + jobs.LEASE + timedelta(seconds=1))
    assert figures(door.deployment)[0] == 30
