"""Whether a change of verdict is told, and why. Pure; the rule is the table in its test."""

from __future__ import annotations

from monitoring.models import NotifyReason, Status

_DEGREE = {Status.WARNING: 1, Status.FAILING: 2}


def why_notify(told: Status | None, now: Status) -> NotifyReason:
    """`told`: the status that was last told about this area, None if none ever was.

    Grey is never told: an absence of data is neither trouble nor recovery, and what was told before still stands.
    """
    if not now.is_verdict:
        return NotifyReason.NONE
    before, after = _DEGREE.get(told, 0) if told is not None else 0, _DEGREE.get(now, 0)
    if after == before:
        return NotifyReason.NONE
    if after > before:
        return NotifyReason.FIRST if before == 0 else NotifyReason.WORSE
    return NotifyReason.RESOLVED if after == 0 else NotifyReason.BETTER
