"""`manage.py static_files`: collect what `role prepare` would, without a database; what the image's build runs."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from config.preparation import collect_static


class Command(BaseCommand):
    help = "Collect the static files in STATIC_ROOT if any of them changed; needs no database."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        collect_static(self.stdout.write)
