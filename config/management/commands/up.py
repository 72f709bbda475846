"""`manage.py up`: web, workers, beat and, where none are named, the embedded servers, as one tree of processes."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config import up


class Command(BaseCommand):
    help = "Run everything as one tree of processes until Ctrl-C."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--web-workers", type=int, default=0, help="web processes (WEB_WORKERS)")
        parser.add_argument("--workers", type=int, default=0, help="processes of each Celery worker")
        parser.add_argument("--quiet", action="store_true", help="show warnings only; the rest goes to log/up.log")
        parser.add_argument(
            "--run", action="append", default=[], metavar="COMMAND", help="a management command to run once all is up"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = up.Options(
            host=options["host"],
            port=options["port"],
            web_workers=options["web_workers"],
            workers=options["workers"],
            quiet=options["quiet"],
            run=tuple(options["run"]),
        )
        raise SystemExit(up.up(wanted))
