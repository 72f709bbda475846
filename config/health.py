"""Whether this installation can do its work: each part is asked, none of them can make the question fail.

Answers are short words for a probe or a person; details (addresses, tracebacks) go to the log only.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import redis
from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor

logger = logging.getLogger(__name__)

OK = "ok"


def check() -> dict[str, str]:
    """`{"database": "ok" | what is wrong, "redis": …, "migrations": …}`."""
    return {name: probe() for name, probe in PROBES.items()}


def healthy(parts: dict[str, str]) -> bool:
    return all(state == OK for state in parts.values())


def database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
    except Error:
        logger.warning("The database does not answer.", exc_info=True)
        return "does not answer"
    return OK


def redis_server() -> str:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
    try:
        client.ping()
    except (redis.RedisError, OSError):
        logger.warning("Redis does not answer.", exc_info=True)
        return "does not answer"
    finally:
        client.close()
    return OK


def migrations() -> str:
    """Once a process has seen all migrations applied, it does not look again."""
    if _applied:
        return OK
    try:
        executor = MigrationExecutor(connection)
        missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except Error:
        return "unknown"
    if missing:
        return f"{missing} to apply: run manage.py migrate"
    _applied.append(True)
    return OK


_applied: list[bool] = []
PROBES: dict[str, Callable[[], str]] = {"database": database, "redis": redis_server, "migrations": migrations}
