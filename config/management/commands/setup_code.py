"""`manage.py setup_code`: the code with which the first person of an empty installation comes in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.first_run import setup_code


class Command(BaseCommand):
    help = "Print the code that the first-run page asks for; made if there is none."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DASHBOARD_ENABLED:
            raise CommandError("DASHBOARD_ENABLED is false: there are no pages to set up.")
        found = setup_code()
        if found is None:
            raise CommandError("Somebody has an account here already; manage.py createsuperuser makes another.")
        self.stdout.write(found)
