"""Work that answers 202: a row here, carried out by a worker, asked about at `status/{id}/`.

The row is the truth and the queue only a hint: a message may get lost or come twice. A job is claimed by a conditional
update with a lease; a worker that dies lets the lease run out and another takes over. So handlers must be safe to run
again from the start. A handler returns the path of the resource that the finished job points to.

A long handler is `piecewise`: it commits piece by piece and calls `progress` between two pieces, which shows how far it
is, renews the lease and stops it where somebody asked for that. Each claim counts `attempts` up, and only the latest
claim may write: a worker that slept through its lease finds that out at its next word and stops.

    Halt
    ├── Cancelled   somebody asked the job to stop
    ├── Lost        the lease ran out and another worker has the job
    └── Unfinished  a part is done and the rest wants a turn of its own, so that no task runs for hours
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
Ending = Callable[[Job], None]

LEASE = timedelta(minutes=15)
MAX_ATTEMPTS = 3
MAX_CLAIMS = 6
"""A job whose worker died this often is given up: it would only kill the next one."""
UNFINISHED = (JobState.INITIALIZED, JobState.RUNNING)

JOBS: dict[str, Handler] = {}
"""Who carries out which kind of job; modules add theirs with `register`."""

PIECEWISE: set[str] = set()
"""The kinds whose handlers make their own transactions."""

ENDINGS: dict[str, Ending] = {}
"""What else is written when a job of a kind ends, however it ends: within the transaction that ends it."""


class JobFailed(Exception):
    """The job cannot be done, and trying again would not help; the message is for people."""


class Halt(Exception):
    """Why a handler must stop at once; it lets this pass, and whatever it committed stays."""


class Cancelled(Halt):
    """Somebody asked the job to stop."""


class Lost(Halt):
    """The lease ran out, and another worker has the job."""


class Unfinished(Halt):
    """A piecewise job has done a part; it is taken up again from what it committed."""


class UnknownKind(LookupError):
    """A job of a kind that nobody registered."""


def register(kind: str, *, piecewise: bool = False, ended: Ending | None = None) -> Callable[[Handler], Handler]:
    """Make a function the handler of a kind of job.

    A handler runs in one transaction, unless it is `piecewise`: then it commits piece by piece on its own. `ended` is
    called with the job in its last state, within the transaction that ends it.
    """

    def remember(handler: Handler) -> Handler:
        JOBS[kind] = handler
        if ended is not None:
            ENDINGS[kind] = ended
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
        progress=1.0,
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
        _carry_out(job)
    except Lost:
        logger.warning("Job %s (%s) is in other hands", job.public_id, job.kind)
    except Unfinished:
        _own(job).update(state=JobState.INITIALIZED, lease_until=None, attempts=0)
        wake.run_job(job.pk)
    except Cancelled:
        _finish(job, JobState.ABORTED, message="Cancelled.")
    except JobFailed as failure:
        _finish(job, JobState.ERROR, message=str(failure))
    except Exception:
        logger.exception("Job %s (%s) failed", job.public_id, job.kind)
        _give_up_or_wait(job)
    return True


def progress(job: Job, done: float, message: str = "", now: datetime | None = None) -> None:
    """Say between two pieces how much is done (0 to 1), and keep the job for another LEASE.

    Raises Cancelled if somebody asked the job to stop, Lost if it is in other hands.
    """
    job.progress, job.message = min(max(done, 0.0), 1.0), message
    until = (now or timezone.now()) + LEASE
    kept = _own(job).filter(cancel_asked=False)
    if kept.update(progress=job.progress, message=message, lease_until=until):
        return
    raise Cancelled if _own(job).exists() else Lost


def running(kind: str, deployment: Deployment) -> Job | None:
    """The oldest job of this kind that waits or runs at a deployment."""
    return Job.objects.filter(kind=kind, deployment=deployment, state__in=UNFINISHED).order_by("pk").first()


def cancel(job: Job) -> bool:
    """Stop a job: at once if it has not begun, else between its next two pieces. False if it is finished."""
    with transaction.atomic():
        row = Job.objects.select_for_update(of=("self",)).get(pk=job.pk)
        if row.state not in UNFINISHED:
            return False
        Job.objects.filter(pk=row.pk).update(cancel_asked=True)
        if row.state == JobState.INITIALIZED:
            _end(row, JobState.ABORTED, "Cancelled.")
    return True


def _carry_out(job: Job) -> None:
    if job.cancel_asked:
        raise Cancelled
    if job.attempts > MAX_CLAIMS:
        raise JobFailed("Given up: the worker died each time it tried.")
    with nullcontext() if job.kind in PIECEWISE else transaction.atomic():
        result = JOBS[job.kind](job)
        if not _finish(job, JobState.COMPLETED, message=job.message, result=result):
            raise Lost


def _free(now: datetime) -> QuerySet[Job]:
    return Job.objects.filter(Q(state=JobState.INITIALIZED) | Q(state=JobState.RUNNING, lease_until__lt=now)).exclude(
        state=JobState.INITIALIZED, lease_until__gt=now
    )


def _own(job: Job) -> QuerySet[Job]:
    """The job while it is still this claim's."""
    return Job.objects.filter(pk=job.pk, state=JobState.RUNNING, attempts=job.attempts)


def _finish(job: Job, state: JobState, *, message: str = "", result: str = "") -> bool:
    """End the job; false if it is in other hands by now."""
    with transaction.atomic():
        if not _own(job).select_for_update(of=("self",)).exists():
            return False
        _end(job, state, message, result)
    return True


def _end(job: Job, state: JobState, message: str, result: str = "") -> None:
    """Write the last state, and what else belongs to the end of a job of this kind."""
    job.state, job.message, job.result = state, message, result
    job.progress = 1.0 if state is JobState.COMPLETED else job.progress
    job.finished_at, job.lease_until = timezone.now(), None
    job.save(update_fields=["state", "message", "result", "progress", "finished_at", "lease_until"])
    if job.kind in ENDINGS:
        ENDINGS[job.kind](job)


def _give_up_or_wait(job: Job) -> None:
    """After an unforeseen error: try again a little later, a few times."""
    if job.attempts >= MAX_ATTEMPTS:
        _finish(job, JobState.ERROR, message="Something went wrong on the server.")
        return
    later = timezone.now() + timedelta(seconds=10 * 2**job.attempts)
    _own(job).update(state=JobState.INITIALIZED, lease_until=later)
