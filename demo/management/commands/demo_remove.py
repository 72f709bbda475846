"""`manage.py demo_remove`: take the demo's data away; `manage.py demo --remove` runs it."""

from typing import Any

from django.core.management.base import BaseCommand

from demo.removal import remove


class Command(BaseCommand):
    help = "Delete the demo's deployments, models, user, team and files."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Removed {remove()} deployments of the demo.")
