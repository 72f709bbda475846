"""2013 moved to today: whole weeks, so that Mondays stay Mondays and noon stays noon.

Today lies in the last week of the data. The load replays what lies before its `horizon` (the minute
at which the demo was first loaded); what lies after it is fed live at its own hour. When the week
runs out, it is fed again from its start, seven days later, and so on: the rounds.
All intervals are half-open, `[since, until)`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

WEEK = timedelta(days=7)
LAST_WEEK = datetime(2013, 12, 25, 5, tzinfo=UTC)
"""Midnight in New York at the start of the last seven days of the data."""
END = LAST_WEEK + WEEK


@dataclass(frozen=True)
class Span:
    """Flights of `[since, until)` in data time, whose times are moved by `shift`."""

    since: datetime
    until: datetime
    shift: timedelta


def shift_to(now: datetime) -> timedelta:
    """Whole weeks that move the last week of the data onto `now`."""
    return (now - LAST_WEEK) // WEEK * WEEK


def spans(since: datetime, until: datetime, shift: timedelta) -> Iterator[Span]:
    """What happens in `[since, until)` of real time, as spans of the data.

    `shift` belongs to the first round, which holds the whole year; each later round holds the last
    week once more.
    """
    if since < min(END + shift, until):
        yield Span(since - shift, min(until - shift, END), shift)
    start = END + shift
    while start < until:
        if since < min(start + WEEK, until):
            moved = start - LAST_WEEK
            yield Span(max(since, start) - moved, min(until, start + WEEK) - moved, moved)
        start += WEEK
