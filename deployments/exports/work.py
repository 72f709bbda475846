"""The job behind an export: rows to a file, the file to a dataset.

Done again from the start if it was cut off: the dataset is linked in the transaction that makes it, and its file has
the export's name, so a second attempt writes over what the first one left.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Sum

from deployments import jobs
from deployments.datasets import TYPE_OF
from deployments.exports import files, outcomes, rows
from deployments.exports.rows import Column, Wanted
from deployments.ingest.shape import shape_of
from deployments.ingest.tables import Format
from deployments.models import (
    Augmentation,
    DataExport,
    Dataset,
    DeployedModel,
    Deployment,
    ExportKind,
    ExportStatus,
    Job,
    JobState,
)

KINDS = {
    ExportKind.PREDICTIONS: "predictionDataExport",
    ExportKind.ACTUALS: "actualsDataExport",
    ExportKind.TRAINING: "trainingDataExport",
}
PATHS = {kind: f"{name}s" for kind, name in KINDS.items()}
MEGABYTE = 1 << 20
STATUS_OF = {
    JobState.COMPLETED: ExportStatus.SUCCEEDED,
    JobState.ERROR: ExportStatus.FAILED,
    JobState.ABORTED: ExportStatus.CANCELLED,
}
Piece = tuple[pl.DataFrame, float]
"""Rows of the file, and how much is done after them."""


@transaction.atomic
def start(export: DataExport) -> DataExport:
    """Store the export and put its job down."""
    export.save()
    kind = KINDS[ExportKind(export.kind)]
    export.job = jobs.start(kind, export.deployment, export.created_by, {"export": export.pk})
    export.save(update_fields=["job"])
    return export


def address(export: DataExport) -> str:
    """Where the export is found."""
    tail = PATHS[ExportKind(export.kind)]
    return f"/api/v2/deployments/{export.deployment.public_id}/{tail}/{export.public_id}/"


def ended(job: Job) -> None:
    """The export's own status, which outlives the job."""
    failed = job.message if job.state == JobState.ERROR else ""
    status = STATUS_OF[JobState(job.state)]
    DataExport.objects.filter(pk=job.args["export"]).update(status=status, error=failed)


@jobs.register(KINDS[ExportKind.PREDICTIONS], piecewise=True, ended=ended)
def predictions(job: Job) -> str:
    """Write the predictions that an export asks for."""
    export = _begin(job)
    wanted = wanted_of(export)
    columns = rows.columns_of(wanted)
    return _store(job, export, columns, _predictions(wanted, columns))


@jobs.register(KINDS[ExportKind.ACTUALS], piecewise=True, ended=ended)
def actuals(job: Job) -> str:
    """Write the actuals that an export asks for."""
    export = _begin(job)
    wanted = wanted_of(export)
    columns = outcomes.columns_of(wanted, batches=export.deployment.batch_monitoring)
    return _store(job, export, columns, _actuals(wanted, columns, export))


@jobs.register(KINDS[ExportKind.TRAINING], piecewise=True, ended=ended)
def training(job: Job) -> str:
    """Copy the data that a model was trained on."""
    export = _begin(job)
    source = export.model.package.training_dataset
    if source is None or not source.file:
        raise jobs.JobFailed("The model was registered without training data, or they were deleted.")
    with source.file.open("rb") as file:
        return _keep(job, export, file, f"{export.public_id}.{_format_of(source)}", source.row_count, source.columns)


def wanted_of(export: DataExport) -> Wanted:
    """The rows that an export asks for."""
    batches = {int(batch["pk"]): str(batch["id"]) for batch in export.batches}
    with_actuals = export.augmentation == Augmentation.ACTUALS
    return Wanted(export.model, export.start, export.end, batches, with_actuals)


def delete(export: DataExport) -> None:
    """Stop the export and remove it with its file."""
    with transaction.atomic():
        if export.job is not None:
            jobs.cancel(export.job)
        locked = DataExport.objects.select_for_update(of=("self",)).get(pk=export.pk)
        dataset = locked.dataset
        locked.delete()
        if dataset is not None:
            name = dataset.file.name
            dataset.delete()
            transaction.on_commit(lambda: default_storage.delete(str(name)))


def _begin(job: Job) -> DataExport:
    related = DataExport.objects.select_related("deployment", "model__package__training_dataset", "created_by")
    export = related.filter(pk=job.args["export"]).first()
    if export is None:
        raise jobs.Cancelled
    DataExport.objects.filter(pk=export.pk, status=ExportStatus.CREATED).update(status=ExportStatus.SCHEDULED)
    return export


def _predictions(wanted: Wanted, columns: Sequence[Column]) -> Iterator[Piece]:
    total = wanted.blocks.aggregate(rows=Sum("rows"))["rows"] or 1
    shape, beside = shape_of(wanted.model), outcomes.Beside(wanted.model)
    done = 0
    for piece in rows.pieces(wanted):
        done += piece.height
        full = beside.add(piece) if wanted.with_actuals else piece
        yield rows.shown(full, columns, shape), done / total


def _actuals(wanted: Wanted, columns: Sequence[Column], export: DataExport) -> Iterator[Piece]:
    shape = shape_of(wanted.model)
    batches = dict(export.deployment.batches.values_list("pk", "public_id"))
    sources: list[Iterator[pl.DataFrame]] = [outcomes.rows_of(wanted)]
    if batches:
        of_batches = Wanted(wanted.model, wanted.start, wanted.end, batches)
        sources.append(outcomes.rows_of(of_batches))
    if not export.only_matched:
        sources.append(outcomes.waiting(wanted))
    for number, source in enumerate(sources):
        for piece in source:
            yield rows.shown(piece, columns, shape), number / len(sources)


def _store(job: Job, export: DataExport, columns: Sequence[Column], pieces: Iterator[Piece]) -> str:
    kind = Format(export.format)
    schema = rows.schema_of(columns)
    written = 0
    with tempfile.TemporaryDirectory(prefix="vitals-export-") as folder:
        path = Path(folder) / f"rows.{kind}"
        with files.opened(path, kind, schema) as writer:
            for piece, done in pieces:
                writer.write(piece)
                written += piece.height
                jobs.progress(job, 0.95 * done, f"{written} rows")
        described = [{"name": name, "type": str(dtype)} for name, dtype in schema.items()]
        with path.open("rb") as file:
            return _keep(job, export, file, f"{export.public_id}.{kind}", written, described)


def _keep(job: Job, export: DataExport, file: Any, name: str, n_rows: int, columns: list[dict[str, str]]) -> str:
    """The file as a dataset of the person who asked for it."""
    path = f"exports/{name}"
    digest, size = _digest(file, lambda: jobs.progress(job, 0.95, job.message))
    default_storage.delete(path)
    with transaction.atomic():
        jobs.progress(job, 0.99, f"{n_rows} rows")
        locked = DataExport.objects.select_for_update(of=("self",)).filter(pk=export.pk).first()
        if locked is None:
            raise jobs.Cancelled
        former = locked.dataset
        dataset = Dataset(
            name=f"{export.kind}-{name}",
            media_type=TYPE_OF[Format(name.rpartition(".")[2])],
            digest=digest,
            size=size,
            row_count=n_rows,
            columns=columns,
            owner=export.created_by,
        )
        dataset.file.name = default_storage.save(path, File(file))
        dataset.save()
        locked.dataset = dataset
        locked.save(update_fields=["dataset"])
        if former is not None:
            former.delete()
    return address(export)


def _digest(file: Any, between: Callable[[], None]) -> tuple[str, int]:
    hashed, size = hashlib.sha256(), 0
    file.seek(0)
    while part := file.read(16 * MEGABYTE):
        hashed.update(part)
        size += len(part)
        between()
    file.seek(0)
    return hashed.hexdigest(), size


def _format_of(dataset: Dataset) -> Format:
    return next(kind for kind, media_type in TYPE_OF.items() if media_type == dataset.media_type)


def make(kind: ExportKind, deployment: Deployment, model: DeployedModel, **fields: Any) -> DataExport:
    """An export that is not stored yet."""
    return DataExport(kind=kind, deployment=deployment, model=model, **{"format": Format.CSV, **fields})
