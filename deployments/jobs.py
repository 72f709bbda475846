"""Work that answers 202: a row here, carried out by a worker, asked about at `status/{id}/`.

The row is the truth and the queue only a hint: a message may get lost or come twice. A job is claimed by a conditional
update with a lease; a worker that dies lets the lease run out and another takes over. So handlers must be safe to run
again from the start. A handler returns the path of the resource that the finished job points to.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from deployments import wake
from deployments.models import Deployment, Job, JobState

logger = logging.getLogger(__name__)

Handler = Callable[[Job], str]

LEASE = timedelta(minutes=15)
MAX_ATTEMPTS = 3

JOBS: dict[str, Handler] = {}
"""Who carries out which kind of job; modules add theirs with `register`."""

PIECEWISE: set[str] = set()
"""The kinds whose handlers make their own transactions."""


class JobFailed(Exception):
    """The job cannot be done, and trying again would not help; the message is for people."""


class UnknownKind(LookupError):
    """A job of a kind that nobody registered."""


def register(kind: str, *, piecewise: bool = False) -> Callable[[Handler], Handler]:
    """Make a function the handler of a kind of job.

    A handler runs in one transaction, unless it is `piecewise`: then it commits piece by piece on its own.
    """

    def remember(handler: Handler) -> Handler:
        JOBS[kind] = handler
        if piecewise:
            PIECEWISE.add(kind)
        return handler

    return remember


def start(kind: str, deployment: Deployment | None, user: User | None, args: Mapping[str, Any]) -> Job:
    """Put a job down and wake a worker once the transaction commits."""
    if kind not in JOBS:
        raise UnknownKind(kind)
    job = Job.objects.create(kind=kind, deployment=deployment, created_by=user, args=dict(args))
    transaction.on_commit(lambda: wake.run_job(job.pk))
    return job


def done(kind: str, deployment: Deployment | None, user: User | None, result: str) -> Job:
    """A job whose work was small enough to be done within the request: finished from the first moment."""
    return Job.objects.create(
        kind=kind,
        deployment=deployment,
        created_by=user,
        state=JobState.COMPLETED,
        result=result,
        finished_at=timezone.now(),
    )


def waiting(now: datetime | None = None) -> list[int]:
    """Jobs that nobody works on: new ones, and those whose worker let its lease run out."""
    return list(_free(now or timezone.now()).order_by("pk").values_list("pk", flat=True)[:100])


def run(pk: int, now: datetime | None = None) -> bool:
    """Carry out one job; false if it is finished, gone or in other hands."""
    began = now or timezone.now()
    claimed = (
        _free(began).filter(pk=pk).update(state=JobState.RUNNING, lease_until=began + LEASE, attempts=F("attempts") + 1)
    )
    if not claimed:
        return False
    job = Job.objects.select_related("deployment", "created_by").get(pk=pk)
    try:
        with nullcontext() if job.kind in PIECEWISE else transaction.atomic():
            result = JOBS[job.kind](job)
            _finish(job, JobState.COMPLETED, message=job.message, result=result)
    except JobFailed as failure:
        _finish(job, JobState.ERROR, message=str(failure))
    except Exception:
        logger.exception("Job %s (%s) failed", job.public_id, job.kind)
        _give_up_or_wait(job)
    return True


def abort(job: Job) -> bool:
    """Stop a job that has not begun; false if it has."""
    stopped = Job.objects.filter(pk=job.pk, state=JobState.INITIALIZED).update(
        state=JobState.ABORTED, finished_at=timezone.now()
    )
    return bool(stopped)


def _free(now: datetime) -> QuerySet[Job]:
    return Job.objects.filter(Q(state=JobState.INITIALIZED) | Q(state=JobState.RUNNING, lease_until__lt=now)).exclude(
        state=JobState.INITIALIZED, lease_until__gt=now
    )


def _finish(job: Job, state: JobState, *, message: str = "", result: str = "") -> None:
    Job.objects.filter(pk=job.pk).update(
        state=state, message=message, result=result, finished_at=timezone.now(), lease_until=None
    )


def _give_up_or_wait(job: Job) -> None:
    """After an unforeseen error: try again a little later, a few times."""
    if job.attempts >= MAX_ATTEMPTS:
        _finish(job, JobState.ERROR, message="Something went wrong on the server.")
        return
    later = timezone.now() + timedelta(seconds=10 * 2**job.attempts)
    Job.objects.filter(pk=job.pk).update(state=JobState.INITIALIZED, lease_until=later)
