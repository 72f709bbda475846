"""The job behind a request of actuals: done when they are matched or wait."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.contrib.auth.models import User
from django.utils import timezone

from deployments import jobs
from deployments.models import Block, BlockKind, BlockState, Deployment, IngestRequest, Job
from deployments.rollups import fill

KIND = "actuals"


PATIENCE = 240
"""How often to look again, half a second apart, while another worker is at the deployment."""


class Busy(RuntimeError):
    """Another worker is still at the deployment; the job is tried again later."""


def start(deployment: Deployment, request: IngestRequest, user: User | None) -> Job:
    """A job that follows the request."""
    return jobs.start(KIND, deployment, user, {"request": request.pk})


@jobs.register(KIND, piecewise=True)
def process(job: Job) -> str:
    """Roll the deployment up; returns the deployment's address."""
    assert job.deployment is not None
    job.message = rolled_up(job.deployment, job.args["request"])
    return f"/api/v2/deployments/{job.deployment.public_id}/"


def rolled_up(deployment: Deployment, request_key: int) -> str:
    """Work until the actuals of a request are matched or wait; says in words what became of them. Raises Busy."""
    pending = Block.objects.filter(
        deployment_id=deployment.pk, kind=BlockKind.ACTUALS, state=BlockState.PENDING, request_key=request_key
    )
    finish(deployment.pk, lambda: not pending.exists())
    return _counted(request_key)


def finish(deployment_id: int, is_done: Callable[[], bool] = lambda: False) -> None:
    """Roll a deployment up, unless `is_done`. Raises Busy if another worker stays at it for too long."""
    for _ in range(PATIENCE):
        if is_done() or fill.run(deployment_id, timezone.now()):
            return
        time.sleep(0.5)
    raise Busy


def _counted(request_key: int) -> str:
    """What became of the actuals, for people."""
    request = IngestRequest.objects.filter(pk=request_key).first()
    if request is None:
        return ""
    return f"{request.matched} matched, {request.waiting} waiting for their prediction, {request.refused} refused."
