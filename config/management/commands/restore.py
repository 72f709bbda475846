"""`manage.py restore FILE`: the reverse of `backup`, on a stopped Vitals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config import backup, up


class Command(BaseCommand):
    help = "Put a backup in place of an empty installation (or, with --replace, of this one)."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--replace", action="store_true", help="drop what the database and the files hold now")

    def handle(self, *args: Any, **options: Any) -> None:
        if where := up.running():
            raise CommandError(f"Vitals runs at {where}: stop it first.")
        try:
            backup.read(options["file"].absolute(), replace=options["replace"])
        except backup.BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write("Restored. A newer version of Vitals brings the database up to date at its next start.")
