"""The demo's reader gets a digest a day, the first one now: what the flights did in the last 24 hours, worst first.

Only the preference is set; the digest itself is written by the same schedule that writes everybody's.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.utils import timezone

from demo import watching
from demo.sending import Sender
from monitoring.models import DigestPace, UserPreference


def add(sender: Sender) -> None:
    """Ask for the digest, unless that was done before or the reader chose otherwise meanwhile."""
    ask(User.objects.get(username=watching.USERNAME), timezone.now())


def ask(user: User, now: datetime) -> None:
    """A digest a day at the hour that has just begun, so that the first one is due at once."""
    preference, made = UserPreference.objects.get_or_create(user=user)
    if not made and preference.digest != DigestPace.WEEKLY:
        return
    preference.digest = DigestPace.DAILY
    preference.digest_hour = now.astimezone(ZoneInfo(preference.time_zone)).hour
    preference.save(update_fields=["digest", "digest_hour"])
