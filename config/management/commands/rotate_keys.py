"""`manage.py rotate_keys`: every encrypted value under the newest key."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config import rotation, up


class Command(BaseCommand):
    help = (
        "Encrypt the tokens of sources with the newest key. With generated keys a new one is made and the old one "
        "is forgotten; with VITALS_FERNET_KEYS put the new key first, run this, then remove the old one."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not rotation.keys_are_generated():
            count = rotation.encrypt_again(settings.FERNET_KEYS)
            self.stdout.write(f"{count} values are encrypted with the first of VITALS_FERNET_KEYS now.")
            return
        if where := up.running():
            raise CommandError(f"Vitals runs at {where} with the old key in its memory: stop it first.")
        count = rotation.new_generated_key()
        self.stdout.write(f"{count} values are encrypted with a new key now; the old one is forgotten.")
