"""The command line of each role, the same for `up` and for containers."""

from __future__ import annotations

import os
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from config.processes import ProcessSpec

BASE_DIR = Path(__file__).resolve().parent.parent
# Two workers, so that neither a long job nor a heavy roll-up keeps polls and mail waiting.
WORKER_QUEUES = ("ingest", "rollup")
POLLER_QUEUES = ("poll", "mail", "jobs")
# Quiet: its greeting is thirty lines long, after which nobody sees the address and the setup code any more.
CELERY = ("-m", "celery", "--quiet", "-A", "config.celery")
# Celery would run Django's system checks, which load every page and form, and then drop what they found.
NO_CHECKS = {"CELERY_SKIP_CHECKS": "1"}


@dataclass(frozen=True)
class Web:
    """Where and how wide the web process runs."""

    host: str
    port: int
    workers: int
    threads: int


def web(settings: Web, env: Mapping[str, str]) -> ProcessSpec:
    """Django under granian, WSGI."""
    argv = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", settings.host]
    argv += ["--port", str(settings.port), "--workers", str(settings.workers), "--no-ws", "--log-level", "warning"]
    argv += ["--blocking-threads", str(settings.threads), "--respawn-failed-workers"]
    argv += ["--workers-kill-timeout", "5", "--backlog", "1024", "config.wsgi:application"]
    url = local_url(settings.host, settings.port) + "/healthz"
    return ProcessSpec("web", argv, env=env, cwd=BASE_DIR, kill_after=8, ready=lambda: answers(url))


def worker(name: str, queues: Sequence[str], processes: int, env: Mapping[str, str]) -> ProcessSpec:
    """A Celery worker. SIGQUIT is its soft stop: a few seconds for running tasks, then they go back to the queue."""
    argv = [sys.executable, *CELERY, "worker", "-n", f"{name}@%h", "-Q", ",".join(queues)]
    argv += ["--concurrency", str(processes), "--loglevel", "WARNING", "--without-gossip", "--without-mingle"]
    return ProcessSpec(name, argv, env={**env, **NO_CHECKS}, cwd=BASE_DIR, stop_signal=signal.SIGQUIT, kill_after=8)


def beat(env: Mapping[str, str]) -> ProcessSpec:
    """The one process that says when; it keeps no file but its heartbeat."""
    argv = [sys.executable, *CELERY, "beat", "--loglevel", "WARNING", "--pidfile="]
    return ProcessSpec("beat", argv, env={**env, **NO_CHECKS}, cwd=BASE_DIR, kill_after=5)


def command(arguments: Sequence[str], env: Mapping[str, str]) -> ProcessSpec:
    """One of our own management commands."""
    argv = [sys.executable, str(BASE_DIR / "manage.py"), *arguments]
    return ProcessSpec(arguments[0], argv, env=env, cwd=BASE_DIR, kill_after=5)


def environment(**changes: str) -> dict[str, str]:
    """Our environment for a child: unbuffered words, and grandchildren that die with it."""
    return {**os.environ, "PYTHONUNBUFFERED": "1", "VITALS_CHILD": "1", **changes}


def local_url(host: str, port: int) -> str:
    """The address under which this machine reaches what listens on `host`."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 (compared, not bound)
    return f"http://{reachable}:{port}"


def answers(url: str, timeout: float = 3) -> bool:
    """Whether a GET answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as response:  # noqa: S310 (our own http address)
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
