"""One feed at a time, in whole minutes, and the same minutes again after a crash."""

from datetime import UTC, datetime, timedelta

import pytest

from demo import clock, live
from demo.models import Replay

HORIZON = datetime(2026, 11, 23, 18, 50, tzinfo=UTC)
SHIFT = clock.shift_to(HORIZON)
MINUTE = timedelta(minutes=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def replay() -> Replay:
    replay = Replay.begin(HORIZON, SHIFT)
    Replay.objects.update(ready_at=HORIZON)
    return replay


def test_the_first_feed_begins_where_the_load_ended(replay: Replay) -> None:
    now = HORIZON + timedelta(minutes=3, seconds=20)
    assert live.claim(now) == live.Feed(HORIZON, HORIZON + 3 * MINUTE, SHIFT)


def test_while_one_feeds_nobody_else_does(replay: Replay) -> None:
    assert live.claim(HORIZON + MINUTE)
    assert live.claim(HORIZON + 2 * MINUTE) is None


def test_the_next_feed_begins_where_the_last_one_ended(replay: Replay) -> None:
    first = live.claim(HORIZON + MINUTE)
    assert first
    live.finish(first)
    second = live.claim(HORIZON + 5 * MINUTE)
    assert second == live.Feed(HORIZON + MINUTE, HORIZON + 5 * MINUTE, SHIFT)


def test_a_feed_that_was_cut_off_is_sent_again_as_it_was(replay: Replay) -> None:
    first = live.claim(HORIZON + MINUTE)
    again = live.claim(HORIZON + live.LEASE + 3 * MINUTE)
    assert first
    assert first == again
    assert first.name == again.name == "live-20261123T1850"


def test_a_feed_that_failed_can_be_taken_up_at_once(replay: Replay) -> None:
    first = live.claim(HORIZON + MINUTE)
    live.release()
    assert live.claim(HORIZON + 2 * MINUTE) == first


def test_after_a_long_pause_it_catches_up_in_steps(replay: Replay) -> None:
    feed = live.claim(HORIZON + timedelta(days=2))
    assert feed
    assert feed.until - feed.since == live.LONGEST_FEED


def test_within_the_same_minute_there_is_nothing_to_feed(replay: Replay) -> None:
    assert live.claim(HORIZON + timedelta(seconds=50)) is None
    assert Replay.objects.get().claimed_at is None


def test_nothing_is_fed_before_the_recent_weeks_are_loaded() -> None:
    assert live.claim(HORIZON) is None
    Replay.begin(HORIZON, SHIFT)
    assert live.claim(HORIZON + MINUTE) is None


def test_a_second_load_keeps_the_horizon_of_the_first(replay: Replay) -> None:
    assert Replay.begin(HORIZON + timedelta(days=9), SHIFT + clock.WEEK) == replay
    assert Replay.objects.get().horizon == HORIZON
