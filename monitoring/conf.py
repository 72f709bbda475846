"""Limits of the watcher that nobody needs to set; what an installation may choose is in `config.settings`."""

from __future__ import annotations

from datetime import timedelta

#: Without any answer for this long a deployment is marked as stale.
STALE_AFTER = timedelta(minutes=15)
#: A claim that was not given back for this long is free again: its worker has died.
LEASE = timedelta(minutes=10)
#: Once the breaker opened, nobody calls a source for this long; doubled by each further failure.
BREAKER_FIRST, BREAKER_LONGEST = timedelta(seconds=30), timedelta(minutes=15)
#: Failed calls in a row that open the breaker.
BREAKER_FAILURES = 5
#: Largest body that is read from a source; a longer one is an error of its own.
MAX_BODY = 16 * 1024 * 1024
#: Most pages of one list that are followed.
MAX_PAGES = 1000
#: Fewer rows give no verdict (the reference's rule).
MIN_ROWS = 100
#: Features whose drift over time is polled, highest impact and starred first; others when a page asks.
TOP_FEATURES = 10
#: Finished questions, commands and runs are forgotten after this long.
KEEP_RUNS = timedelta(days=30)
KEEP_FINISHED = timedelta(days=7)
#: Rows that a page asked for: they are of people, and the source has them.
KEEP_ROWS = timedelta(days=1)
#: What was done for a period, and which buttons of mails have acted: longer than either can come again.
KEEP_DONE = timedelta(days=90)
