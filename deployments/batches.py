"""Monitoring batches: create, change, delete. Their rows are rolled up by the batch instead of by time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max, Min
from django.utils import timezone

from deployments.audit import record
from deployments.custom_metrics.definitions import forget_batch
from deployments.models import (
    ActualBlock,
    BatchModel,
    Block,
    BlockState,
    Deployment,
    DirtyBucket,
    Grain,
    MonitoringBatch,
    PredictionKey,
    State,
)

MAX_BATCHES_PER_DAY = 100


class NotPossible(ValueError):
    """The change is against the rules; the message is for people."""


def created_today(deployment: Deployment) -> int:
    """How many batches were made since midnight UTC."""
    midnight = datetime.combine(timezone.now().astimezone(UTC).date(), time(), tzinfo=UTC)
    return deployment.batches.filter(created_at__gte=midnight, created_at__lt=midnight + timedelta(days=1)).count()


@transaction.atomic
def create(deployment: Deployment, user: User, fields: Mapping[str, Any]) -> MonitoringBatch:
    """A new batch; raises NotPossible without batch monitoring, for a name in use, and beyond the daily limit."""
    if not deployment.batch_monitoring:
        raise NotPossible("Batch monitoring is not switched on for this deployment.")
    if created_today(deployment) >= MAX_BATCHES_PER_DAY:
        raise NotPossible(f"At most {MAX_BATCHES_PER_DAY} batches a day.")
    if deployment.batches.filter(name=fields["name"]).exists():
        raise NotPossible(f"There is a batch called {fields['name']} already.")
    batch = MonitoringBatch.objects.create(deployment=deployment, created_by=user, **fields)
    record(deployment, user, "batch.created", {}, {"id": batch.public_id, **fields})
    return batch


@transaction.atomic
def update(batch: MonitoringBatch, user: User, fields: Mapping[str, Any]) -> None:
    """Change name, description, link or lock; raises NotPossible for a name in use."""
    if not fields:
        return
    others = batch.deployment.batches.exclude(pk=batch.pk)
    if "name" in fields and others.filter(name=fields["name"]).exists():
        raise NotPossible(f"There is a batch called {fields['name']} already.")
    before = {name: getattr(batch, name) for name in fields}
    MonitoringBatch.objects.filter(pk=batch.pk).update(**fields)
    record(batch.deployment, user, "batch.updated", before, dict(fields))


@transaction.atomic
def set_times(row: BatchModel, user: User, start: datetime, end: datetime) -> None:
    """Set by hand when a model's data in a batch begins and ends; the batch follows. Raises NotPossible."""
    if start > end:
        raise NotPossible("Must not lie after the end.")
    before = {"startTime": row.start_at.isoformat(), "endTime": row.end_at.isoformat()}
    BatchModel.objects.filter(pk=row.pk).update(start_at=start, end_at=end)
    spans = BatchModel.objects.filter(batch=row.batch).aggregate(first=Min("start_at"), last=Max("end_at"))
    MonitoringBatch.objects.filter(pk=row.batch_id).update(
        earliest_prediction_at=spans["first"], latest_prediction_at=spans["last"]
    )
    after = {"startTime": start.isoformat(), "endTime": end.isoformat()}
    record(row.batch.deployment, user, "batch.model.updated", before, after)


@transaction.atomic
def delete(batch: MonitoringBatch, user: User) -> None:
    """Remove a batch with its rows, keys and states; raises NotPossible while rows of it wait for their roll-up."""
    deployment_id = batch.deployment.pk
    blocks = Block.objects.filter(deployment_id=deployment_id, batch_id=batch.pk)
    if blocks.exclude(state=BlockState.ROLLED).exists():
        raise NotPossible("Rows of this batch are still being worked on; try again in a moment.")
    blocks.delete()
    for table in (ActualBlock, PredictionKey, DirtyBucket, State):
        table.objects.filter(deployment_id=deployment_id, grain=Grain.BATCH, bucket=batch.pk).delete()
    forget_batch(deployment_id, batch.pk, Grain.BATCH)
    record(batch.deployment, user, "batch.deleted", {"name": batch.name}, {})
    batch.delete()
