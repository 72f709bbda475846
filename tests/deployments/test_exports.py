"""Exports: exactly what was ingested comes back, whatever cut it off on the way."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from deployments import batches, datasets, jobs
from deployments.exports import files, outcomes, work
from deployments.ingest import files as doors
from deployments.ingest.tables import Format
from deployments.models import (
    Augmentation,
    DataExport,
    Dataset,
    Deployment,
    ExportKind,
    ExportStatus,
    Job,
    JobState,
    Role,
)
from deployments.rollups import fill
from tests.deployments.api.conftest import client_of, member
from tests.deployments.factories import HOUR, NOW, make_deployment, roll_up, send_actuals, send_predictions
from tests.deployments.killing import kill

IDS = [f"id{number}" for number in range(12)]


def export(deployment: Deployment, kind: ExportKind = ExportKind.PREDICTIONS, **fields: Any) -> DataExport:
    """An export that was carried out."""
    assert deployment.champion is not None
    made = work.start(work.make(kind, deployment, deployment.champion, created_by=deployment.created_by, **fields))
    assert made.job is not None
    assert jobs.run(made.job.pk)
    made.refresh_from_db()
    return made


def table(made: DataExport) -> pl.DataFrame:
    """The rows of the file."""
    assert made.status == ExportStatus.SUCCEEDED, made.error
    assert made.dataset is not None
    found = datasets.read(made.dataset)
    assert found.height == made.dataset.row_count
    assert found.columns == [column["name"] for column in made.dataset.columns]
    return found


@pytest.fixture
def deployment(db: None) -> Deployment:
    """Ten predictions in two hours, some actuals, one of them for an id that comes twice."""
    made = make_deployment()
    send_predictions(
        made,
        [[0.9, 0.1], [0.2, 0.8], [0.5, 0.5], None],
        at=[HOUR + timedelta(minutes=minute) for minute in range(4)],
        ids=["a", "b", "c", None],
        ages=[30, None, 31.5, 44],
        towns=["Oslo", "Bergen", None, 'Os"lo,\nSør'],
    )
    send_predictions(
        made,
        [[0.3, 0.7]],
        at=HOUR + timedelta(hours=1),
        ids=["b"],
        segments=[
            {"name": "consumer", "values": ["me"]},
            {"name": "age", "values": ["old"]},
        ],
    )
    send_actuals(made, {"a": "no", "b": "yes", "waits": "yes"})
    roll_up(made)
    return made


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_predictions_come_back_in_the_columns_of_the_bulk_door(deployment: Deployment, kind: str) -> None:
    rows = table(export(deployment, format=kind, augmentation=Augmentation.ACTUALS))
    assert rows.columns == [
        *("timestamp", "association_id", "model_id", "prediction_no", "prediction_yes"),
        *("actual_value", "was_acted_on", "actual_timestamp"),
        *("age", "town", "consumer", "age (segment)"),
    ]
    assert rows["association_id"].to_list() == ["a", "b", "c", None, "b"]
    assert rows["prediction_yes"].to_list() == [0.1, 0.8, 0.5, None, 0.7]
    assert rows["age"].to_list() == [30, None, 31.5, 44, None]
    assert rows["town"].to_list() == ["Oslo", "Bergen", None, 'Os"lo,\nSør', None]
    assert rows["consumer"].to_list() == [None] * 4 + ["me"]
    assert set(rows["model_id"]) == {deployment.champion.public_id if deployment.champion else ""}
    # of the two predictions of "b" the later one is scored
    assert rows["actual_value"].to_list() == ["no", None, None, None, "yes"]


def test_the_period_is_exact(deployment: Deployment) -> None:
    within = table(export(deployment, start=HOUR + timedelta(minutes=1), end=HOUR + timedelta(minutes=3)))
    assert within["association_id"].to_list() == ["b", "c"]
    assert table(export(deployment, start=NOW)).height == 0


def test_actuals_come_with_the_prediction_that_they_are_scored_against(deployment: Deployment) -> None:
    send_actuals(deployment, {"a": "yes"})
    roll_up(deployment)
    matched = table(export(deployment, ExportKind.ACTUALS)).sort("association_id")
    assert matched.select("association_id", "actual_value", "prediction_yes").rows() == [
        ("a", "yes", 0.1),
        ("b", "yes", 0.7),
    ]
    everything = table(export(deployment, ExportKind.ACTUALS, only_matched=False)).sort("association_id")
    assert everything["association_id"].to_list() == ["a", "b", "waits"]
    assert everything["timestamp"].null_count() == 1


def test_rows_of_batches_are_exported_by_batch(db: None) -> None:
    deployment = make_deployment(batch_monitoring=True)
    assert deployment.created_by is not None
    made = [batches.create(deployment, deployment.created_by, {"name": name}) for name in ("May", "June")]
    for number, batch in enumerate(made):
        send_predictions(deployment, [[0.5, 0.5]], ids=[f"x{number}"], batchId=batch.public_id)
    send_predictions(deployment, [[0.1, 0.9]], ids=["alone"])
    send_actuals(deployment, {"x0": "yes", "alone": "no"})
    roll_up(deployment)
    assert table(export(deployment))["association_id"].to_list() == ["alone"]
    chosen = [{"pk": made[0].pk, "id": made[0].public_id, "name": "May"}]
    rows = table(export(deployment, batches=chosen, augmentation=Augmentation.ACTUALS))
    assert rows.select("association_id", "batch_id", "actual_value").rows() == [("x0", made[0].public_id, "yes")]
    actual = table(export(deployment, ExportKind.ACTUALS)).sort("association_id")
    assert actual.select("association_id", "batch_id").rows() == [("alone", None), ("x0", made[0].public_id)]


def test_a_regression_and_several_classes_come_back(db: None) -> None:
    plain, many = make_deployment("Regression"), make_deployment("Multiclass")
    send_predictions(plain, [1.25, None], ids=["a", "b"])
    send_predictions(many, [[0.2, 0.3, 0.5]], ids=["a"])
    for deployment, value in ((plain, 7.5), (many, "blue")):
        send_actuals(deployment, {"a": value})
        roll_up(deployment)
    assert table(export(plain))["prediction"].to_list() == [1.25, None]
    assert table(export(plain, ExportKind.ACTUALS))["actual_value"].to_list() == [7.5]
    rows = table(export(many, augmentation=Augmentation.ACTUALS))
    assert rows.select("prediction_red", "prediction_green", "prediction_blue").rows() == [(0.2, 0.3, 0.5)]
    assert rows["actual_value"].to_list() == ["blue"]


def test_generated_texts_come_back_as_texts(db: None) -> None:
    deployment = make_deployment("TextGeneration")
    send_predictions(deployment, ["It is so.", None], ids=["a", "b"])
    send_actuals(deployment, {"a": "It is."})
    roll_up(deployment)
    rows = table(export(deployment, augmentation=Augmentation.ACTUALS))
    assert rows.select("association_id", "prediction", "actual_value").rows() == [
        ("a", "It is so.", "It is."),
        ("b", None, None),
    ]
    assert table(export(deployment, ExportKind.ACTUALS))["actual_value"].to_list() == ["It is."]


def test_rows_that_were_not_to_be_collected_are_in_no_export(db: None) -> None:
    deployment = make_deployment(more_settings={"predictionsDataCollection": {"enabled": False}})
    send_predictions(deployment, [[0.5, 0.5]], ids=["a"])
    assert table(export(deployment)).height == 0


_row = st.tuples(
    st.floats(0, 1),
    st.integers(0, 3 * 3600),
    st.one_of(st.none(), st.sampled_from(IDS)),
    st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
    st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1)),
)


@pytest.mark.django_db(transaction=True)
@hypothesis_settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(_row, min_size=1, max_size=30), cut=st.integers(0, 30))
def test_what_went_in_comes_out_and_goes_in_again(rows: list[Any], cut: int) -> None:
    first, second = make_deployment(), make_deployment()
    for part in (rows[:cut], rows[cut:]):
        if part:
            send_predictions(
                first,
                [[1 - p, p] for p, *_ in part],
                at=[HOUR + timedelta(seconds=second) for _, second, *_ in part],
                ids=[row[2] for row in part],
                ages=[row[3] for row in part],
                towns=[row[4] for row in part],
            )
    names = {"at": "timestamp", "id": "association_id", "p": "prediction_yes", "f:age": "age", "f:town": "town"}
    out = table(export(first, format="parquet"))
    expected = [
        (HOUR + timedelta(seconds=second), name, p, None if age is None else float(age), town)
        for p, second, name, age, town in rows
    ]
    assert sorted(out.select(names.values()).rows(), key=repr) == sorted(expected, key=repr)
    assert as_texts(export(first, format="csv")) == [
        (name, p, age, town) for _, name, p, age, town in out.select(names.values()).rows()
    ]
    intake = doors.take_predictions(second, out.drop("model_id"), doors.Home(), NOW)
    again = pl.concat([part.rows for part in intake.parts]).with_columns(pl.col("at").cast(pl.Datetime("us", "UTC")))
    assert again.rename(names).select(names.values()).equals(out.select(names.values()))


def as_texts(made: DataExport) -> list[tuple[Any, ...]]:
    """What a CSV file says, read by Python's own reader; nothing is guessed from how a text looks."""
    assert made.dataset is not None
    with made.dataset.file.open("rb") as file:
        rows = list(csv.DictReader(io.StringIO(file.read().decode(), newline="")))
    return [
        (
            row["association_id"] or None,
            float(row["prediction_yes"]),
            float(row["age"]) if row["age"] else None,
            row["town"] or None,
        )
        for row in rows
    ]


def test_few_actuals_at_a_time_give_the_same_files(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = table(export(deployment, augmentation=Augmentation.ACTUALS))
    alone = table(export(deployment, ExportKind.ACTUALS))
    monkeypatch.setattr(outcomes, "MOST_ROWS", 1)
    assert table(export(deployment, augmentation=Augmentation.ACTUALS)).equals(whole)
    assert table(export(deployment, ExportKind.ACTUALS)).sort("association_id").equals(alone.sort("association_id"))


@pytest.mark.parametrize("kind", list(files.FORMATS))
def test_pieces_are_written_as_they_come_and_none_is_kept(kind: Format, tmp_path: Path) -> None:
    made = 0

    def pieces() -> Iterator[pl.DataFrame]:
        nonlocal made
        for number in range(50):
            made += 1
            yield pl.DataFrame({"number": [number] * 1000})

    path = tmp_path / f"rows.{kind}"
    with files.opened(path, kind, pl.Schema({"number": pl.Int64})) as writer:
        for piece in pieces():
            writer.write(piece)
    read = pl.read_csv(path) if kind is Format.CSV else pl.read_parquet(path)
    assert read["number"].to_list() == [number for number in range(50) for _ in range(1000)]


@pytest.mark.parametrize("kind", list(files.FORMATS))
def test_a_file_that_is_given_up_leaves_no_thread_behind(kind: Format, tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def write(path: Path, pieces: int, end: Exception | None = None) -> None:
        with files.opened(path, kind, pl.Schema({"number": pl.Int64})) as writer:
            for number in range(pieces):
                writer.write(pl.DataFrame({"number": [number]}))
            if end is not None:
                raise end

    before = threading.active_count()
    with pytest.raises(Stop):
        write(tmp_path / "rows", 1, Stop())
    with pytest.raises(OSError):
        write(tmp_path / "no" / "such" / "rows", 10)
    assert threading.active_count() == before


def test_training_data_come_back_as_they_were_registered(deployment: Deployment) -> None:
    assert deployment.champion is not None
    assert deployment.created_by is not None
    content = b"age,town\n20,Oslo\n21,Bergen\n"
    package = deployment.champion.package
    package.training_dataset = datasets.store(content, "training.csv", "text/csv", deployment.created_by)
    package.save()
    made = export(deployment, ExportKind.TRAINING)
    assert made.dataset is not None
    with made.dataset.file.open("rb") as file:
        assert file.read() == content
    listed = client_of(deployment.created_by).get(f"/api/v2/deployments/{deployment.public_id}/trainingDataExports/")
    assert [row["data"]["id"] for row in listed.json()["data"]] == [made.dataset.public_id]


def test_the_file_is_for_all_users_of_the_deployment_and_nobody_else(deployment: Deployment) -> None:
    made = export(deployment)
    assert made.dataset is not None
    address = f"/api/v2/datasets/{made.dataset.public_id}/"
    assert b"association_id" in b"".join(member(deployment, Role.USER).get(f"{address}file/"))
    assert member(deployment, Role.CONSUMER).get(f"{address}file/").status_code == 404
    assert member(make_deployment(), Role.OWNER).get(address).status_code == 404
    assert member(deployment, Role.USER).delete(address).status_code == 404


def test_an_export_can_be_cancelled_until_it_is_finished(deployment: Deployment) -> None:
    assert deployment.created_by is not None
    client = client_of(deployment.created_by)
    one = f"/api/v2/deployments/{deployment.public_id}/predictionDataExports/"
    started = client.post(one, {}, format="json").json()
    cancelled = client.patch(f"{one}{started['id']}/", {"status": "CANCELLED"}, format="json")
    assert cancelled.status_code == 204
    assert client.get(f"{one}{started['id']}/").json()["status"] == "CANCELLED"
    finished = export(deployment)
    refused = client.patch(f"{one}{finished.public_id}/", {"status": "CANCELLED"}, format="json")
    assert refused.status_code == 422
    listed = client.get(f"{one}?status=SUCCEEDED&batch=false").json()
    assert [row["id"] for row in listed["data"]] == [finished.public_id]
    assert client.get(f"{one}?batch=true").json()["totalCount"] == 0


def test_a_running_export_stops_between_two_pieces_and_leaves_nothing(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = jobs.progress

    def cancelled_meanwhile(job: Job, *args: Any, **more: Any) -> None:
        jobs.cancel(job)
        said(job, *args, **more)

    monkeypatch.setattr(jobs, "progress", cancelled_meanwhile)
    made = export(deployment)
    assert (made.status, made.dataset) == (ExportStatus.CANCELLED, None)
    assert not Dataset.objects.exists()


def test_deleting_an_export_removes_its_file(
    deployment: Deployment, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    made = export(deployment, ExportKind.ACTUALS)
    assert made.dataset is not None
    storage, name = made.dataset.file.storage, str(made.dataset.file.name)
    assert storage.exists(name)
    with django_capture_on_commit_callbacks(execute=True):
        work.delete(made)
    assert not storage.exists(name)
    assert not DataExport.objects.exists()
    assert not Dataset.objects.exists()


def test_an_export_that_fails_tells_why(deployment: Deployment) -> None:
    made = export(deployment, ExportKind.TRAINING)
    assert (made.status, "without training data" in made.error) == (ExportStatus.FAILED, True)


WORKER = """
from deployments import jobs
from deployments.exports import work
stop_after(*{
    "rows": (work.rows, "shown"), "file": (work, "_digest"), "storage": (work.default_storage, "save"),
}[sys.argv[1]])
jobs.run(int(sys.argv[2]))
"""
MOMENTS = [
    *((ExportKind.PREDICTIONS, moment) for moment in ("rows", "file", "storage")),
    *((ExportKind.ACTUALS, moment) for moment in ("rows", "storage")),
    *((ExportKind.TRAINING, moment) for moment in ("file", "storage")),
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("kind", "moment"), MOMENTS)
def test_an_export_killed_in_the_middle_is_completed_after_its_lease(kind: ExportKind, moment: str) -> None:
    deployment = make_deployment()
    assert deployment.champion is not None
    ids = [f"x{number}" for number in range(20)]
    send_predictions(deployment, [[0.5, 0.5]] * 20, ids=ids)
    send_actuals(deployment, dict.fromkeys(ids, "yes"))
    roll_up(deployment)
    package = deployment.champion.package
    content = pl.DataFrame({"association_id": ids}).write_csv().encode()
    assert deployment.created_by is not None
    package.training_dataset = datasets.store(content, "training.csv", "text/csv", deployment.created_by)
    package.save()
    made = work.start(work.make(kind, deployment, deployment.champion))
    assert made.job is not None
    connection.close()
    kill(WORKER, moment, str(made.job.pk))
    assert not jobs.run(made.job.pk)
    assert jobs.run(made.job.pk, timezone.now() + jobs.LEASE + timedelta(minutes=1))
    made.refresh_from_db()
    assert sorted(table(made)["association_id"]) == sorted(ids)
    assert Dataset.objects.exclude(pk=package.training_dataset.pk).count() == 1
    _, stored = made.dataset.file.storage.listdir("exports") if made.dataset else ([], [])
    assert [name for name in stored if made.public_id in name] == [f"{made.public_id}.csv"]
    assert Job.objects.get(pk=made.job.pk).state == JobState.COMPLETED


@pytest.mark.django_db(transaction=True)
def test_rows_that_are_put_together_meanwhile_are_exported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = make_deployment()
    for number in range(20):
        send_predictions(deployment, [[0.5, 0.5]], ids=[f"x{number}"])
    said = jobs.progress

    def meanwhile(job: Job, *args: Any, **more: Any) -> None:
        fill.run(deployment.pk, NOW)
        said(job, *args, **more)

    monkeypatch.setattr(jobs, "progress", meanwhile)
    assert table(export(deployment))["association_id"].to_list() == [f"x{number}" for number in range(20)]
