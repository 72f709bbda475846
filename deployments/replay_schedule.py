"""When challengers are replayed by themselves."""

from __future__ import annotations

from datetime import datetime

import msgspec
from django.contrib.auth.models import User
from django.db import transaction

from deployments import audit, jobs, replay, schedules
from deployments.challengers import ERASE
from deployments.models import DeployedModel, Deployment, DeploymentStatus, ModelRole, ReplaySettings
from deployments.schedules import Schedule


def stored(deployment: Deployment) -> ReplaySettings:
    """The deployment's settings; off and without a schedule while nobody set them."""
    return ReplaySettings.objects.filter(deployment=deployment).first() or ReplaySettings(deployment=deployment)


@transaction.atomic
def change(
    deployment: Deployment, enabled: bool | None, schedule: Schedule | None, user: User | None, now: datetime
) -> ReplaySettings:
    """Switch the schedule on or off, or change it; what is None stays."""
    Deployment.objects.select_for_update(of=("self",)).get(pk=deployment.pk)
    row = stored(deployment)
    before = {"enabled": row.enabled, "schedule": row.schedule}
    row.enabled = row.enabled if enabled is None else enabled
    row.schedule = row.schedule if schedule is None else schedules.as_json(schedule)
    row.next_at = _next(row, now)
    row.save()
    audit.record(
        deployment, user, "challengerReplaySettings.updated", before, {"enabled": row.enabled, "schedule": row.schedule}
    )
    return row


def run_due(now: datetime) -> int:
    """Start every replay that is due, each once however many workers ask; returns how many were started."""
    started = 0
    for row in ReplaySettings.objects.filter(next_at__lte=now).select_related("deployment").order_by("next_at")[:1000]:
        with transaction.atomic():
            taken = ReplaySettings.objects.filter(pk=row.pk, next_at=row.next_at).update(next_at=_next(row, now))
            if taken and row.deployment.deleted_at is None and row.deployment.status == DeploymentStatus.ACTIVE:
                started += _start(row.deployment)
    return started


def go_on_removing() -> None:
    """A removal that was stopped or given up is taken up again."""
    for model in DeployedModel.objects.filter(role=ModelRole.REMOVED).select_related("deployment"):
        if jobs.running(ERASE, model.deployment) is None:
            jobs.start(ERASE, model.deployment, None, {"model": model.pk})


def _start(deployment: Deployment) -> bool:
    try:
        replay.start(deployment, deployment.created_by, None)
    except (replay.Running, replay.NotPossible):
        return False
    return True


def _next(row: ReplaySettings, now: datetime) -> datetime | None:
    if not row.enabled or row.schedule is None:
        return None
    return schedules.next_due(msgspec.convert(row.schedule, Schedule), now)
