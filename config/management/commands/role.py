"""`manage.py role web|worker|poller|beat|prepare`: one role alone, in the foreground; what a container runs."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from config import first_run, roles
from config.preparation import prepare
from config.processes import ProcessSpec

PREPARE = "prepare"
NAMES = ("web", "worker", "poller", "beat", PREPARE)


class Command(BaseCommand):
    help = "Run one role: web, worker (ingest, roll-ups), poller (polls, mail, jobs), beat; or prepare the database."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", choices=NAMES)
        parser.add_argument("--host", default="127.0.0.1", help="web: address to listen on")
        parser.add_argument("--port", type=int, default=8000, help="web: port to listen on")
        parser.add_argument("--queues", default="", help="worker, poller: other queues than the usual, by commas")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["name"] == PREPARE:
            prepare(self.stdout.write)
            # Only a stated address is sure: by hand, without one, nobody knows where `up` listens.
            if os.environ.get("SERVICE_URL"):
                first_run.follow(settings.SERVICE_URL, self.stdout.write)
            return
        spec = role(options["name"], options["host"], options["port"], options["queues"])
        os.execve(spec.argv[0], list(spec.argv), dict(spec.env or os.environ))


def role(name: str, host: str, port: int, queues: str) -> ProcessSpec:
    """The same command line as below `manage.py up`."""
    env = dict(os.environ)
    if name == "web":
        return roles.web(roles.Web(host, port, settings.WEB_WORKERS, settings.WEB_THREADS), env)
    if name == "beat":
        return roles.beat(env)
    usual = roles.WORKER_QUEUES if name == "worker" else roles.POLLER_QUEUES
    wanted = tuple(queues.split(",")) if queues else usual
    return roles.worker(name, wanted, settings.WORKER_CONCURRENCY, env)
