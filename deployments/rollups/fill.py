"""The one engine: take what is new, file it, recompute what it touched.

`run` works in steps, each a transaction that holds the deployment's lock:
1. file new predictions and service events, 2. file new actuals, 3. recompute a piece of the dirty states from their
rows and delete the marks. A process that is killed leaves whole steps behind and its lock is gone with its connection;
the next run goes on, and since states are recomputed and never added to, nothing can count twice.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import connection, transaction

from deployments.models import Deployment
from deployments.rollups import assign, compact, recompute, summary

Step = Callable[[int], bool]

STEPS: tuple[Step, ...] = (assign.file_rows, assign.file_actuals, recompute.next_piece)
_LOCKS = 0x726F6C6C


def run(deployment_id: int, now: datetime) -> bool:
    """Work until nothing is left. False if another process is at this deployment already."""
    worked = False
    while (done := _step(deployment_id)) is not None:
        if not done:
            break
        worked = True
    if done is None:
        return False
    if worked:
        _close(deployment_id, now)
    return True


def waiting_deployments() -> list[int]:
    """The deployments with new blocks or dirty states."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT deployment_id FROM deployments_block WHERE state = 1 "
            "UNION SELECT DISTINCT deployment_id FROM deployments_dirtybucket"
        )
        found = [row[0] for row in cursor.fetchall()]
    return list(Deployment.objects.filter(pk__in=found).values_list("pk", flat=True))


def locked(deployment_id: int) -> bool:
    """Take the deployment's lock until the transaction ends; false if another process has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [_LOCKS, deployment_id])
        return bool(cursor.fetchone()[0])


def _step(deployment_id: int) -> bool | None:
    """One step; false when there is nothing to do, None when another process holds the lock."""
    with transaction.atomic():
        if not locked(deployment_id):
            return None
        return any(step(deployment_id) for step in STEPS)


def _close(deployment_id: int, now: datetime) -> None:
    """Small blocks are put together, and the deployment's own figures and verdicts follow the new states."""
    from deployments import health

    with transaction.atomic():
        if locked(deployment_id):
            compact.small_blocks(deployment_id)
    summary.refresh(deployment_id, now)
    health.refresh(deployment_id, now)
