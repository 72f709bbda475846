"""The job of a deletion: day by day, batch by batch, then everything that they touched is counted again."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Max, Min, Sum, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from deployments import health, jobs
from deployments.audit import record
from deployments.deletions import rows
from deployments.deletions.rows import Doomed
from deployments.models import (
    BatchModel,
    Block,
    BlockKind,
    BlockState,
    DeployedModel,
    Deployment,
    Job,
    MonitoringBatch,
)
from deployments.rollups import fill, summary

KIND = "monitoringDataDeletion"
PATIENCE = 600
"""How often to look again, a tenth of a second apart, while another worker is at the deployment."""


class Busy(RuntimeError):
    """Another worker is still at the deployment; the job is tried again later."""


def start(model: DeployedModel, start: datetime | None, end: datetime | None, user: User) -> Job:
    """Put the deletion down."""
    what = {"modelId": model.public_id, "start": _text(start), "end": _text(end)}
    with transaction.atomic():
        record(model.deployment, user, "monitoringData.deleted", {}, what)
        args = {"model": model.pk, "start": _text(start), "end": _text(end)}
        return jobs.start(KIND, model.deployment, user, args)


@jobs.register(KIND, piecewise=True)
def delete(job: Job) -> str:
    """Take the rows out; whatever was done by an attempt before this one is not there to be done again."""
    model = DeployedModel.objects.select_related("deployment", "package").get(pk=job.args["model"])
    doomed = Doomed(model, _moment(job.args["start"]), _moment(job.args["end"]))
    days = list(doomed.blocks.filter(batch_id=None).values_list("day", flat=True).distinct().order_by("day"))
    batches = list(
        doomed.blocks.exclude(batch_id=None).values_list("batch_id", flat=True).distinct().order_by("batch_id")
    )
    gone, pieces = 0, len(days) + len(batches) + 1
    for number, day in enumerate(days):
        jobs.progress(job, number / pieces, f"{gone} rows deleted")
        gone += _locked(model, lambda day=day: rows.of_day(doomed, day))  # type: ignore[misc]
    for number, batch_id in enumerate(batches, len(days)):
        jobs.progress(job, number / pieces, f"{gone} rows deleted")
        gone += _locked(model, lambda batch_id=batch_id: _of_batch(doomed, batch_id))  # type: ignore[misc]
    _locked(model, lambda: _close(doomed))
    jobs.progress(job, (pieces - 1) / pieces, f"{gone} rows deleted")
    _roll_up(model.deployment_id)
    return f"/api/v2/deployments/{model.deployment.public_id}/"


def _locked(model: DeployedModel, work: Callable[[], int]) -> int:
    """One piece in one transaction, nobody else being at the deployment."""
    for _ in range(PATIENCE):
        with transaction.atomic():
            if fill.locked(model.deployment_id):
                return work()
        time.sleep(0.1)
    raise Busy


def _of_batch(doomed: Doomed, batch_id: int) -> int:
    before = _predictions(batch_id)
    gone = rows.of_batch(doomed, batch_id)
    left = Block.objects.filter(deployment_id=doomed.model.deployment_id, batch_id=batch_id, state=BlockState.ROLLED)
    span = left.filter(kind=BlockKind.PREDICTIONS).aggregate(first=Min("first_at"), last=Max("last_at"))
    MonitoringBatch.objects.filter(pk=batch_id).update(
        earliest_prediction_at=span["first"],
        latest_prediction_at=span["last"],
        predictions_count=Greatest(F("predictions_count") - (before - _predictions(batch_id)), Value(0)),
    )
    _recount(doomed.model, batch_id)
    return gone


def _recount(model: DeployedModel, batch_id: int) -> None:
    """What is left of the model in the batch."""
    own = Block.objects.filter(
        deployment_id=model.deployment_id,
        batch_id=batch_id,
        model_id=model.pk,
        kind=BlockKind.PREDICTIONS,
        state=BlockState.ROLLED,
    )
    left = own.aggregate(first=Min("first_at"), last=Max("last_at"), rows=Sum("rows"))
    row = BatchModel.objects.filter(batch_id=batch_id, model=model)
    if left["rows"]:
        row.update(start_at=left["first"], end_at=left["last"], predictions_count=left["rows"])
    else:
        row.delete()


def _predictions(batch_id: int) -> int:
    filed = Block.objects.filter(batch_id=batch_id, kind=BlockKind.PREDICTIONS, state=BlockState.ROLLED)
    return sum(filed.values_list("rows", flat=True))


def _close(doomed: Doomed) -> int:
    """States without rows, and the times that the deployment shows."""
    rows.leftovers(doomed)
    deployment_id = doomed.model.deployment_id
    filed = Block.objects.filter(deployment_id=deployment_id, state=BlockState.ROLLED).exclude(kind=BlockKind.ACTUALS)
    made = filed.filter(predictions__gt=0).aggregate(first=Min("first_at"), last=Max("last_at"))
    asked = filed.filter(kind=BlockKind.SERVICE).aggregate(last=Max("last_at"))
    known = Deployment.objects.get(pk=deployment_id)
    changes = {
        name: found
        for name, found in (
            ("first_prediction_at", made["first"]),
            ("last_prediction_at", made["last"]),
            ("last_request_at", asked["last"]),
        )
        if _inside(getattr(known, name), doomed)
    }
    if changes:
        Deployment.objects.filter(pk=deployment_id).update(**changes)
    return 0


def _inside(at: datetime | None, doomed: Doomed) -> bool:
    if at is None:
        return False
    return (doomed.start is None or at >= doomed.start) and (doomed.end is None or at < doomed.end)


def _roll_up(deployment_id: int) -> None:
    now = timezone.now()
    for _ in range(PATIENCE):
        if fill.run(deployment_id, now):
            summary.refresh(deployment_id, now)
            health.refresh(deployment_id, now)
            return
        time.sleep(0.1)
    raise Busy


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
