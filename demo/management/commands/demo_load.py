"""`manage.py demo_load`: load the demo into a running Vitals; `manage.py demo` runs it by itself."""

import os
import time
from typing import Any

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from demo import access, watching
from demo.client import Client, Refused
from demo.data import DataMissing
from demo.extras import EXTRAS, add_all
from demo.load import Say, load_older, load_recent, prepare, wait_for_rollup, wait_for_watcher
from demo.story import STORIES


class Command(BaseCommand):
    help = "Load real flights and real models through the API of a running Vitals."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", default=None, help="where Vitals answers, without /api/v2")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()

        def say(text: str) -> None:
            self.stdout.write(f"demo {time.monotonic() - started:5.1f} s  {text}")
            self.stdout.flush()

        url = (options["url"] or os.environ.get("VITALS_LOCAL_URL") or settings.PUBLIC_URL).rstrip("/")
        try:
            self.load(access.granted(url), say)
        except (Refused, DataMissing, httpx.TransportError) as problem:
            raise CommandError(f"The demo could not be loaded: {problem}") from problem
        say("All of the year is loaded; the flights of this hour follow by themselves")

    def load(self, way_in: access.Access, say: Say) -> None:
        """The recent weeks, then how to get in, then the other areas, then the rest."""
        with Client(way_in.apiUrl, way_in.apiToken) as client:
            sender = prepare(client, timezone.now(), say)
            load_recent(sender, say)
            wait_for_rollup(say)
            source = watching.watch(way_in.apiUrl, way_in.apiToken)
            wait_for_watcher(source.pk, len(STORIES), say)
            self.stdout.write(way_in.box)
            add_all(sender, say)
            load_older(sender, say)
            add_all(sender, say, [extra for extra in EXTRAS if extra.again])
