"""`manage.py healthcheck --role …`: exit status 0 if that role on this host does its work; for container probes."""

from __future__ import annotations

import os
import socket
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config import roles
from config.beat import heartbeat_file
from config.celery import app

# Beat touches its file at least every two seconds.
STALE_BEAT = 30.0


class Command(BaseCommand):
    help = "Exit status 0 if a role on this host does its work."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--role", choices=("web", "worker", "poller", "beat"), required=True)
        parser.add_argument("--url", default=os.environ.get("VITALS_LOCAL_URL", "http://127.0.0.1:8000"))

    def handle(self, *args: Any, **options: Any) -> None:
        role = options["role"]
        problem = web(options["url"]) if role == "web" else beat(time.time()) if role == "beat" else worker(role)
        if problem:
            raise CommandError(f"{role}: {problem}")
        self.stdout.write(f"{role}: ok")


def web(url: str) -> str | None:
    """What is wrong with the web process, None if nothing."""
    return None if roles.answers(f"{url}/healthz") else f"{url}/healthz does not answer 200"


def worker(name: str) -> str | None:
    """What is wrong with the worker of that name on this host."""
    node = f"{name}@{socket.gethostname()}"
    replies = app.control.ping(destination=[node], timeout=5)
    return None if replies else f"{node} does not answer"


def beat(now: float) -> str | None:
    """What is wrong with beat: it leaves its mark on every turn."""
    try:
        age = now - heartbeat_file().stat().st_mtime
    except FileNotFoundError:
        return "has not started"
    return None if age < STALE_BEAT else f"has been still for {age:.0f} s"
