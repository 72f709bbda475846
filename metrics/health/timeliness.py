"""The verdict on silence: how long ago the last predictions or actuals came."""

from __future__ import annotations

from datetime import datetime, timedelta

from metrics.health.status import Status, Verdict
from metrics.wording import duration


def judge_timeliness(
    *, enabled: bool, expected: timedelta, last_event: datetime | None, now: datetime, what: str = "predictions"
) -> Verdict:
    """Passing while the last event is no older than `expected`, failing after that; there is no warning level."""
    evidence: dict[str, object] = {
        "expectedSeconds": int(expected.total_seconds()),
        "last": None if last_event is None else last_event.isoformat(),
    }
    if not enabled:
        return Verdict(Status.UNAVAILABLE, f"Timeliness of {what} is switched off.", evidence)
    if last_event is None:
        return Verdict(Status.NOT_STARTED, f"No {what} received yet; expected every {duration(expected)}.", evidence)
    age = now - last_event
    if age <= expected:
        return Verdict(
            Status.PASSING, f"Last {what} {duration(age)} ago, expected every {duration(expected)}.", evidence
        )
    return Verdict(Status.FAILING, f"No {what} for {duration(age)}, expected every {duration(expected)}.", evidence)
