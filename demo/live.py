"""The minutes that have just passed: what the desks asked and which flights arrived, sent as they happen.

1. Claim the replay by a conditional update; somebody else's claim is respected for `LEASE`.
2. Write down where this feed ends, unless an earlier feed that was cut off already did.
3. Send predictions, events and actuals of every deployment; request ids follow from the start.
4. Move the mark and give the claim back.

A feed that dies between 2 and 4 is sent again, the same minutes under the same ids: nothing is lost
or counted twice.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from demo.clock import spans
from demo.models import Replay
from demo.replay import arrived
from demo.sending import Sender
from demo.story import STORIES, Story

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
LONGEST_FEED = timedelta(hours=6)
"""After a long pause the feed catches up in steps of this length."""


@dataclass(frozen=True)
class Feed:
    """One claimed stretch of real time, `[since, until)`."""

    since: datetime
    until: datetime
    shift: timedelta

    @property
    def name(self) -> str:
        return f"live-{self.since:%Y%m%dT%H%M}"


def claim(now: datetime) -> Feed | None:
    """The next stretch to feed, in whole minutes; None when there is nothing to do or somebody is at it."""
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - LEASE)
    if not Replay.objects.filter(free, ready_at__isnull=False).update(claimed_at=now):
        return None
    replay = Replay.objects.get()
    until = replay.feeding_until or min(now.replace(second=0, microsecond=0), replay.fed_until + LONGEST_FEED)
    if until <= replay.fed_until:
        release()
        return None
    Replay.objects.update(feeding_until=until)
    return Feed(replay.fed_until, until, replay.shift)


def finish(feed: Feed) -> None:
    """Everything up to the feed's end is accepted."""
    Replay.objects.update(fed_until=feed.until, feeding_until=None, claimed_at=None)


def release() -> None:
    """Give the claim back; an end that was written down stays."""
    Replay.objects.update(claimed_at=None)


def send(sender: Sender, feed: Feed) -> int:
    """Send one feed for every deployment that is still there; answers the prediction rows sent."""
    present = [story for story in STORIES if story.slug in sender.deployed]
    sent = sum(send_story(sender, feed, story) for story in present)
    log.info("fed %s predictions from %s to %s", sent, feed.since, feed.until)
    return sent


def send_story(sender: Sender, feed: Feed, story: Story) -> int:
    """Predictions, events and actuals of one deployment."""
    rounds = spans(feed.since, feed.until, feed.shift)
    sent = sum(sender.predictions(story, span, f"{feed.name}-{number}") for number, span in enumerate(rounds))
    sender.actuals(story, arrived(story, sender.flights, feed.since, feed.until, feed.shift), feed.name)
    return sent
