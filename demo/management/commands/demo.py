"""`manage.py demo`: start everything, load the demo, print how to get in, stay until Ctrl-C."""

import subprocess
import sys
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = "Run Vitals with real flights and real models in it."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--remove", action="store_true", help="take the demo's data away and end")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["remove"]:
            raise SystemExit(subprocess.run([sys.executable, sys.argv[0], "demo_remove"], check=False).returncode)
        call_command("up", host=options["host"], port=options["port"], quiet=True, run=["demo_load"])
