"""The decision to write, as a table."""

from __future__ import annotations

import pytest

from monitoring.mail import why_notify
from monitoring.models import NotifyReason, Status

P, W, F = Status.PASSING, Status.WARNING, Status.FAILING
GREY = (Status.UNKNOWN, Status.NOT_STARTED, Status.UNAVAILABLE)

CASES = [
    # nothing was ever told: only trouble is news
    (None, P, NotifyReason.NONE),
    (None, W, NotifyReason.FIRST),
    (None, F, NotifyReason.FIRST),
    # the last mail said that all is well
    (P, P, NotifyReason.NONE),
    (P, W, NotifyReason.FIRST),
    (P, F, NotifyReason.FIRST),
    # the last mail said at risk
    (W, P, NotifyReason.RESOLVED),
    (W, W, NotifyReason.NONE),
    (W, F, NotifyReason.WORSE),
    # the last mail said failing
    (F, P, NotifyReason.RESOLVED),
    (F, W, NotifyReason.BETTER),
    (F, F, NotifyReason.NONE),
    # an absence of data is neither trouble nor recovery, whatever was told
    *((told, grey, NotifyReason.NONE) for told in (None, P, W, F) for grey in GREY),
]


@pytest.mark.parametrize(("told", "now", "expected"), CASES)
def test_why_notify(told: Status | None, now: Status, expected: NotifyReason) -> None:
    assert why_notify(told, now) is expected
