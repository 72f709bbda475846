"""Loading the demo: models first, then the newest weeks, then the watcher, then the older months.

Every step looks whether it is done already, so a second load starts in seconds and one that was
cut off goes on where it stopped. Everything goes through HTTP, as a customer's data would.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from django.utils import timezone

from demo import store
from demo.client import Client
from demo.clock import shift_to
from demo.models import LoadedWeek, Replay
from demo.registration import ensure_all
from demo.sending import Sender, oldest_week
from demo.story import STORIES, Story
from deployments.models import Block, BlockState
from monitoring.models import Watched
from monitoring.tasks import discover_sources

Say = Callable[[str], None]

RECENT_WEEKS = 6
"""Enough for 30 days of history behind today wherever today lies in the last week."""
SENDERS = 2
PATIENCE = 60.0
"""Seconds to wait for workers; the load goes on without them, and they catch up."""


def prepare(client: Client, now: datetime, say: Say, stories: Sequence[Story] = STORIES) -> Sender:
    """Read the flights, train and deploy."""
    say("Reading the flights of 2013")
    flights = store.flights()
    if not store.trained(stories):
        say(f"Training {sum(len(story.reigns) for story in stories)} models")
    models = store.models(stories)
    replay = Replay.begin(now.replace(second=0, microsecond=0), shift_to(now))
    say("Looking for models and deployments, and making what is missing")
    sender = Sender(client, ensure_all(client, stories, models, flights, replay.shift), models, flights)
    for story in stories:
        if story.by_batch:
            # in the order of the months, though the newest are filled first: the last batch made is the latest one
            sender.batches(story, story.since + replay.shift, now)
    return sender


def load_recent(sender: Sender, say: Say, stories: Sequence[Story] = STORIES) -> None:
    """Load the newest weeks of every deployment; then the live feed may begin."""
    load_weeks(sender, range(RECENT_WEEKS), say, "recent weeks", stories)
    Replay.objects.filter(ready_at=None).update(ready_at=timezone.now())


def load_older(sender: Sender, say: Say, stories: Sequence[Story] = STORIES) -> None:
    """Load the rest, newest first."""
    load_weeks(sender, range(RECENT_WEEKS, 1 + max(map(oldest_week, stories))), say, "older months", stories)


def load_weeks(sender: Sender, weeks: range, say: Say, what: str, stories: Sequence[Story] = STORIES) -> int:
    """Load the weeks that are not loaded yet, newest first; answers the predictions sent.

    While one week is being sent the next one is scored.
    """
    loaded = set(LoadedWeek.objects.values_list("slug", "week"))
    replay = Replay.objects.get()
    served = [(week, story) for week in weeks for story in stories if week <= oldest_week(story)]
    wanted = [(week, story) for week, story in served if (story.slug, week) not in loaded]
    rows = 0
    with ThreadPoolExecutor(SENDERS) as pool:
        sending = pool.map(lambda one: sender.week(one[1], one[0], replay), wanted)
        for done, ((week, story), sent) in enumerate(zip(wanted, sending, strict=True), 1):
            LoadedWeek.objects.get_or_create(slug=story.slug, week=week)
            rows += sent
            if done == len(wanted) or wanted[done][0] != week:
                say(f"Replaying {what}: {done / len(wanted):.0%}, {rows:,} predictions")
    return rows


def wait_for_rollup(say: Say) -> None:
    """Wait until nothing that was sent waits for its roll-up, so that the watcher's first look sees all of it."""
    pending = Block.objects.filter(state=BlockState.PENDING)
    deadline = time.monotonic() + PATIENCE
    while (left := pending.count()) and time.monotonic() < deadline:
        say(f"Rolling up: {left} blocks to go")
        time.sleep(1)


def wait_for_watcher(source_id: int, expected: int, say: Say) -> None:
    """Look for new deployments now instead of within the minute, and wait until each has been polled once."""
    discover_sources.delay()
    polled = Watched.objects.filter(source_id=source_id, polled_at__isnull=False)
    deadline = time.monotonic() + PATIENCE
    seen = -1
    while seen < expected and time.monotonic() < deadline:
        if (found := polled.count()) != seen:
            say(f"Watching {found} of {expected} deployments")
            seen = found
        time.sleep(0.3)
