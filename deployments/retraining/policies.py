"""Policies: made, changed, deleted, and started when their trigger says so."""

from __future__ import annotations

from datetime import datetime, timedelta

from dateutil.relativedelta import relativedelta
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from deployments import audit, jobs, schedules
from deployments.models import UNFINISHED_RUNS, Deployment, DeploymentStatus, RetrainingPolicy, RetrainingRun
from deployments.retraining import options, run
from deployments.retraining.options import BadPolicy, Cause, Policy, PolicyPatch, Trigger
from metrics import parse_duration
from metrics.health import Status

MOST_POLICIES = 20
DECLINED = (Status.WARNING, Status.FAILING)
LEAST_INTERVAL = "P1D"
"""Between runs of a policy that goes on while a decline lasts, unless it says another: else each follows the last."""


@transaction.atomic
def create(deployment: Deployment, policy: Policy, user: User, now: datetime) -> RetrainingPolicy:
    """A new policy. Raises BadPolicy by field."""
    Deployment.objects.select_for_update(of=("self",)).get(pk=deployment.pk)
    options.check(policy, deployment)
    if RetrainingPolicy.objects.filter(deployment=deployment).count() >= MOST_POLICIES:
        raise BadPolicy({"name": f"At most {MOST_POLICIES} policies."})
    row = RetrainingPolicy(deployment=deployment, created_by=user)
    _set(row, policy, now)
    audit.record(deployment, user, "retrainingPolicy.created", {}, row.options)
    return row


@transaction.atomic
def change(row: RetrainingPolicy, patch: PolicyPatch, user: User, now: datetime) -> RetrainingPolicy:
    """Change some of a policy. Raises BadPolicy by field."""
    locked = (
        RetrainingPolicy.objects.select_for_update(of=("self",))
        .select_related("deployment__champion__package")
        .get(pk=row.pk)
    )
    before = locked.options
    policy = options.merged(before, patch)
    options.check(policy, locked.deployment)
    _set(locked, policy, now)
    audit.record(locked.deployment, user, "retrainingPolicy.updated", before, locked.options)
    return locked


@transaction.atomic
def delete(row: RetrainingPolicy, user: User) -> None:
    """Remove a policy with its history; a run that is not finished is stopped."""
    for one in row.runs.filter(status__in=UNFINISHED_RUNS).select_related("job"):
        if one.job is not None:
            jobs.cancel(one.job)
    audit.record(row.deployment, user, "retrainingPolicy.deleted", row.options, {})
    row.delete()


def cancel(one: RetrainingRun) -> bool:
    """Stop a run: at once if it has not begun, else between its next two steps. False if it is finished."""
    return one.status in UNFINISHED_RUNS and one.job is not None and jobs.cancel(one.job)


def run_due(now: datetime) -> int:
    """Start the runs whose trigger says so; returns how many. Each once, however many workers ask."""
    rows = RetrainingPolicy.objects.filter(
        deployment__deleted_at=None, deployment__status=DeploymentStatus.ACTIVE
    ).exclude(options__trigger__type=Cause.MANUAL.value)
    return sum(_run_if_due(key, now) for key in rows.values_list("pk", flat=True))


@transaction.atomic
def _run_if_due(key: int, now: datetime) -> bool:
    row = (
        RetrainingPolicy.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("deployment", "created_by")
        .filter(pk=key)
        .first()
    )
    if row is None:
        return False
    trigger = options.read(row.options).trigger
    due = _is_scheduled(row, now) if trigger.type is Cause.SCHEDULE else _has_declined(row, trigger)
    started = due and not _too_soon(row, trigger, now) and _started(row, trigger, now)
    if due and started is False and trigger.type is not Cause.SCHEDULE:
        # a decline that came during a run, or too soon after it, is reacted to once that is over
        return False
    row.seen_status = _status(row.deployment, trigger)
    row.next_at = _next(trigger, now) if row.next_at is None or row.next_at <= now else row.next_at
    row.save(update_fields=["seen_status", "next_at"])
    return started is True


def _started(row: RetrainingPolicy, trigger: Trigger, now: datetime) -> bool | None:
    """Whether a run was started; None if none can be, which is noted as a failed one."""
    try:
        run.start(row, trigger.type, now)
    except run.Running:
        return False
    except run.NotPossible as problem:
        run.refuse(row, trigger.type, str(problem), now)
        return None
    return True


def _is_scheduled(row: RetrainingPolicy, now: datetime) -> bool:
    return row.next_at is not None and row.next_at <= now


def _has_declined(row: RetrainingPolicy, trigger: Trigger) -> bool:
    status, seen = _status(row.deployment, trigger), row.seen_status
    if trigger.status_still_in_decline and status in DECLINED:
        return True
    if trigger.status_declines_to_failing and status == Status.FAILING and seen != Status.FAILING:
        return True
    return trigger.status_declines_to_warning and status == Status.WARNING and seen not in DECLINED


def _status(deployment: Deployment, trigger: Trigger) -> str:
    if trigger.type is Cause.DRIFT:
        return deployment.model_status
    return deployment.accuracy_status if trigger.type is Cause.ACCURACY else ""


def _too_soon(row: RetrainingPolicy, trigger: Trigger, now: datetime) -> bool:
    last = row.runs.order_by("-started_at").values_list("started_at", flat=True).first()
    lasting = trigger.type is not Cause.SCHEDULE and trigger.status_still_in_decline
    interval = trigger.min_interval_between_runs or (LEAST_INTERVAL if lasting else None)
    if last is None or interval is None:
        return False
    length = parse_duration(interval)
    return now < last + timedelta(hours=length.hours) + relativedelta(months=length.months)


def _next(trigger: Trigger, now: datetime) -> datetime | None:
    return None if trigger.schedule is None else schedules.next_due(trigger.schedule, now)


def _set(row: RetrainingPolicy, policy: Policy, now: datetime) -> None:
    """What a policy says now; a status that it finds is none that it reacts to, only one that comes is."""
    row.name, row.options = policy.name, options.as_json(policy)
    row.next_at, row.seen_status = _next(policy.trigger, now), _status(row.deployment, policy.trigger)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise BadPolicy({"name": "Another policy has this name."}) from None
