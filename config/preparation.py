"""What must be true before the first request: the schema is current and the static files are in place."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import redis
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import OperationalError, connection, connections
from django.db.migrations.executor import MigrationExecutor

from config.embedded.servers import FileLock

Say = Callable[[str], None]


OLDEST_POSTGRES = 16
# How long the web process waits for a migration of much data; then it starts, and says what is missing.
PATIENCE = 3600.0


class Gate:
    """Keeps the web process back until all is prepared; meanwhile it loads its code. Open if whoever closed it dies."""

    def __init__(self, folder: Path) -> None:
        self._lock = FileLock(folder / "prepare.lock")

    def close(self) -> None:
        """Nobody passes from now on; waits for those who are just passing."""
        if not self._lock.acquire(timeout=5):
            raise RuntimeError("Another start is preparing this data folder.")

    def open(self) -> None:
        self._lock.release()

    def wait(self) -> None:
        """Return when it is open."""
        self._lock.acquire(shared=True, timeout=PATIENCE)
        self._lock.release()


def prepare(say: Say) -> None:
    """Migrate and collect, each only if something changed."""
    check_stores()
    migrate(say)
    collect_static(say)
    # The supervisor forks: it must not hold a connection that its children would inherit.
    connections.close_all()


def check_stores() -> None:
    """One sentence where a database or a Redis is named that does not answer, or is too old."""
    try:
        connection.ensure_connection()
    except OperationalError as error:
        raise ImproperlyConfigured(f"The database of DATABASE_URL does not answer: {_first_line(error)}") from error
    found = connection.get_database_version()[0]
    if found < OLDEST_POSTGRES:
        raise ImproperlyConfigured(f"DATABASE_URL names PostgreSQL {found}: it must be {OLDEST_POSTGRES} or newer.")
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=10, socket_connect_timeout=10)
    try:
        client.ping()
    except redis.RedisError as error:
        raise ImproperlyConfigured(f"The Redis of REDIS_URL does not answer: {_first_line(error)}") from error
    finally:
        client.close()


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def migrate(say: Say) -> None:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        say(f"bringing the database up to date ({len(plan)} steps)")
        call_command("migrate", interactive=False, verbosity=0)


def collect_static(say: Say) -> None:
    """Copy static files under names that carry their hash, if any of them changed since the last time."""
    stamp = Path(settings.STATIC_ROOT) / ".stamp"
    wanted = static_signature()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say("collecting static files")
    try:
        call_command("collectstatic", interactive=False, verbosity=0, clear=True, stdout=io.StringIO())
        stamp.write_text(wanted)
    except OSError as error:
        # The error itself may name another file than the one that STATIC_ROOT says.
        raise ImproperlyConfigured(
            f"Static files cannot be collected in {settings.STATIC_ROOT} (STATIC_ROOT): {error.strerror}."
        ) from error


def static_signature() -> str:
    """A hash over the name and content of every static file; an image keeps no exact times, so these do not count."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            content = hashlib.sha256(Path(storage.path(name)).read_bytes()).hexdigest()
            digest.update(f"{name}\0{content}\n".encode())
    return digest.hexdigest()
