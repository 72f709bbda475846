"""The demo's Celery task."""

from celery import shared_task
from django.utils import timezone

from demo.models import Replay


@shared_task
def feed_live() -> None:
    """Feed what has passed since the last feed; without a loaded demo nothing is even imported."""
    if Replay.objects.filter(ready_at__isnull=False).exists():
        from demo.feeding import feed_now

        feed_now(timezone.now())
