"""Telling workers that there is work. A message is only a hint: beat finds what lies in the database within seconds,
so a queue that cannot be reached fails no request."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence

from celery import current_app
from django.core.cache import cache
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

EVERY = 3
"""Seconds within which one message for a deployment is enough, however many requests come in."""
ROLL_UP = "deployments.tasks.roll_up"
RUN_JOB = "deployments.tasks.run_job"
JUDGE = "deployments.tasks.judge"
JUDGED_EVERY = 240
"""Seconds after which a message to judge is stale: the next round sends it again."""


def roll_up(deployment_id: int) -> None:
    """There are rows to roll up; call it after the commit."""
    try:
        first = cache.add(f"roll-up:{deployment_id}", 1, timeout=EVERY)
    except (RedisError, OSError):
        first = True
    if first:
        _send(ROLL_UP, deployment_id, countdown=1)


def began(deployment_id: int) -> None:
    """A roll-up starts: whatever comes from now on needs another message."""
    with contextlib.suppress(RedisError, OSError):
        cache.delete(f"roll-up:{deployment_id}")


def run_job(pk: int) -> None:
    """A job waits; call it after the commit."""
    _send(RUN_JOB, pk)


def judge(pks: Sequence[int]) -> None:
    """The verdicts of these deployments are old; a message that waits for too long is repeated by the next round."""
    _send(JUDGE, list(pks), expires=JUDGED_EVERY)


def _send(task: str, key: int | list[int], countdown: float = 0, expires: float | None = None) -> None:
    try:
        current_app.send_task(task, args=[key], countdown=countdown, expires=expires, retry=False)
    except (OperationalError, RedisError, OSError) as error:
        logger.warning("%s(%s) waits for beat: the queue cannot be reached (%s).", task, key, error)
