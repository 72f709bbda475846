"""Stored datasets as a source of rows: jobs that read a file, check all of it, and store all of it or nothing.

A job reads its dataset, turns it into an `Intake` and stores that under a request id of its own, in one transaction.
A worker that dies leaves either nothing or everything behind: the job that starts again finds its request id taken.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import polars as pl
from django.contrib.auth.models import User

from deployments import datasets, jobs, wake
from deployments.ingest import files, processing, store
from deployments.ingest.errors import Clash, Refused, TooMuch
from deployments.ingest.prepared import Intake
from deployments.ingest.reading import place_of
from deployments.ingest.tables import Format
from deployments.models import BlockKind, Dataset, Deployment, IngestRequest, Job, JobState

T = TypeVar("T")

PREDICTIONS = "predictionInputs.fromDataset"
ACTUALS = "actuals.fromDataset"


def start(
    kind: str, deployment: Deployment, dataset: Dataset, user: User | None, key: str | None = None, **args: Any
) -> Job:
    """A job that takes the rows of a dataset in; `key` is the sender's own id of the request, if there is one."""
    return jobs.start(kind, deployment, user, {"dataset": dataset.pk, "key": key, **args})


def started(kind: str, deployment: Deployment, dataset: Dataset, key: str | None) -> Job | None:
    """The job that the same request started before. Raises Clash if that was about another dataset."""
    if key is None:
        return None
    known = Job.objects.filter(deployment=deployment, kind=kind, args__key=key).order_by("pk").first()
    if known is not None and known.args["dataset"] != dataset.pk:
        raise Clash(f"The key {key} was used before for another dataset.")
    return known


def waited_for(dataset: Dataset) -> bool:
    """Whether a job still needs the dataset."""
    unfinished = (JobState.INITIALIZED, JobState.RUNNING)
    return Job.objects.filter(args__dataset=dataset.pk, state__in=unfinished).exists()


def dataset_of(job: Job) -> Dataset:
    """The dataset of a job; JobFailed if it is gone."""
    found = Dataset.objects.filter(pk=job.args["dataset"]).first()
    if found is None:
        raise jobs.JobFailed("The dataset was deleted before it was read.")
    return found


def checked(dataset: Dataset, take: Callable[[pl.DataFrame], T]) -> T:
    """What `take` makes of the dataset's rows; JobFailed that tells the lines if some are bad."""
    try:
        return take(datasets.read(dataset))
    except Refused as problem:
        raise jobs.JobFailed(told(dataset, problem)) from None
    except TooMuch as problem:
        raise jobs.JobFailed(str(problem)) from None
    except OSError as problem:
        raise jobs.JobFailed(f"The file of the dataset cannot be read: {problem.strerror}.") from None


def told(dataset: Dataset, problem: Refused) -> str:
    """What is wrong with a file, one bad place a line; lines count from 1 and include a header."""
    places = [(*place_of(place), text) for place, text in problem.errors.items()]
    lines = _lines(dataset, sorted({row for _, row, _ in places if row is not None}))
    word = "row" if dataset.media_type == datasets.TYPE_OF[Format.PARQUET] else "line"
    sentences = [
        f"{name}: {text}" if row is None else f"{word} {lines[row]}, {name}: {text}" for name, row, text in places
    ]
    return "Nothing was taken in. " + "\n".join(sentences)


def _lines(dataset: Dataset, rows: Sequence[int]) -> dict[int, int]:
    """The line on which each row begins; a row of Parquet has only its number, from 1."""
    if not rows or dataset.media_type == datasets.TYPE_OF[Format.PARQUET]:
        return {row: row + 1 for row in rows}
    wanted, found = set(rows), {}
    with dataset.file.open("rb") as file, io.TextIOWrapper(file, "utf-8", newline="") as text:
        is_csv = dataset.media_type == datasets.TYPE_OF[Format.CSV]
        starts = _csv_starts(text) if is_csv else (n for n, line in enumerate(text, 1) if line.strip())
        for row, line in enumerate(starts):
            if row in wanted:
                found[row] = line
            if row >= rows[-1]:
                break
    return {row: found.get(row, row + 1) for row in rows}


def _csv_starts(text: io.TextIOWrapper) -> Any:
    """The line on which each record after the header begins; a quoted field may hold line breaks."""
    reader = csv.reader(text)
    begins = 1
    for number, _ in enumerate(reader):
        if number:
            yield begins
        begins = reader.line_num + 1


def _store(job: Job, kind: BlockKind, take: Callable[[pl.DataFrame], Intake]) -> IngestRequest:
    """Store the rows of the job's dataset, once however often the job runs."""
    assert job.deployment is not None
    request_id = job.args["key"] or f"job-{job.public_id}"
    dataset = dataset_of(job)
    request = store.Request(kind, dataset.digest[:32], request_id, job.created_at)
    try:
        if store.answered(job.deployment, request) is None:
            intake = checked(dataset, take)
            answer = {"requestId": request_id, "rows": intake.n_rows, "ignoredColumns": intake.ignored}
            store.accept(job.deployment, request, intake, lambda row: answer)
    except Clash as problem:
        raise jobs.JobFailed(str(problem)) from None
    return IngestRequest.objects.get(deployment=job.deployment, request_id=request_id)


@jobs.register(PREDICTIONS, piecewise=True)
def take_predictions(job: Job) -> str:
    """Predictions from a dataset; returns the deployment's address."""
    deployment = job.deployment
    assert deployment is not None
    home = files.Home()
    row = _store(
        job, BlockKind.PREDICTIONS, lambda table: files.take_predictions(deployment, table, home, job.created_at)
    )
    wake.roll_up(deployment.pk)
    job.message = f"{row.rows:,} rows taken in." + _ignored(row)
    return f"/api/v2/deployments/{deployment.public_id}/"


@jobs.register(ACTUALS, piecewise=True)
def take_actuals(job: Job) -> str:
    """Actuals from a dataset, done when they are matched or wait; returns the deployment's address."""
    deployment = job.deployment
    assert deployment is not None
    columns = files.ActualColumns(**job.args["columns"])
    row = _store(
        job,
        BlockKind.ACTUALS,
        lambda table: files.take_actuals(
            deployment, table, job.created_at, keep_unmatched=job.args["keep"], columns=columns
        ),
    )
    job.message = processing.rolled_up(deployment, row.pk)
    return f"/api/v2/deployments/{deployment.public_id}/"


def _ignored(row: IngestRequest) -> str:
    columns = row.answer.get("ignoredColumns", [])
    return f" Columns that the model does not know: {', '.join(columns)}." if columns else ""
