"""The course of one incident: how moves change its facts, and what is to be told about it. Pure.

`Course` holds the facts that decisions need, under the names that `monitoring.models.Incident` gives them, so that the
engine and the backtest go by the same rules.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from monitoring.incidents.machine import DEGREE, Move
from monitoring.incidents.policy import REMINDERS, Policy
from monitoring.models import EventKind, Held, NoticeKind, Severity, Status


@dataclass(frozen=True, slots=True)
class Course:
    """`told` is the status that was last told, "" before anything was; passing once the end was told.

    `first_told_at` is when the present trouble was first told. `size` counts the deployments of a fleet incident,
    `told_size` how many of them the last message told; 0 once that no longer holds.
    """

    status: Status
    worst: Status
    severity: Severity
    began_at: datetime
    opened_at: datetime
    status_since: datetime
    resolved_at: datetime | None = None
    reopened: int = 0
    recovering_since: datetime | None = None
    flapping_since: datetime | None = None
    dark_since: datetime | None = None
    acknowledged_at: datetime | None = None
    snoozed_until: datetime | None = None
    snoozed_status: str = ""
    told: str = ""
    told_at: datetime | None = None
    first_told_at: datetime | None = None
    escalated_at: datetime | None = None
    reminders: int = 0
    size: int = 1
    told_size: int = 0

    @property
    def was_told(self) -> bool:
        """Somebody knows of the present trouble."""
        return self.told not in ("", Status.PASSING)


def opened(move: Move, began: datetime, severity: Severity) -> Course:
    """A new incident."""
    return Course(move.status, move.status, severity, began, move.at, move.at)


def moved(course: Course, move: Move, severity: Severity) -> Course:
    """The course after a move; `severity` is that of the move's status."""
    kind = move.kind
    if kind is EventKind.REOPENED:
        course = replace(course, resolved_at=None, reopened=course.reopened + 1, escalated_at=None, first_told_at=None)
        course = replace(course, acknowledged_at=None)
    elif kind is EventKind.RECOVERING:
        course = replace(course, recovering_since=move.at)
    elif kind is EventKind.RELAPSED:
        course = replace(course, recovering_since=None)
    elif kind is EventKind.RESOLVED:
        course = replace(course, resolved_at=move.at, recovering_since=None, flapping_since=None, dark_since=None)
        course = replace(course, snoozed_until=None, snoozed_status="")
    elif kind in (EventKind.FLAPPING, EventKind.CALM):
        course = replace(course, flapping_since=move.at if kind is EventKind.FLAPPING else None)
    elif kind in (EventKind.DARK, EventKind.LIGHT):
        course = replace(course, dark_since=move.at if kind is EventKind.DARK else None)
    return _at_status(course, move, severity)


def _at_status(course: Course, move: Move, severity: Severity) -> Course:
    if course.status == move.status and move.kind is not EventKind.REOPENED:
        return course
    is_worse = DEGREE[move.status] > DEGREE[course.worst]
    return replace(
        course,
        status=move.status,
        status_since=move.at,
        worst=move.status if is_worse else course.worst,
        severity=max(severity, course.severity) if DEGREE[move.status] else course.severity,
    )


# --- Telling ------------------------------------------------------------------------------------------------------


def what_to_tell(course: Course, now: datetime, policy: Policy, held: Held | None = None) -> NoticeKind | None:
    """What is to be told now; None for nothing. The first rule that holds decides.

    1. The end of what was told is always told. 2. What is held back is told later, if it still holds then. 3. While it
    recovers there is nothing to say. 4. New trouble, or trouble again. 5. Worse: also through a snooze. 6. Snoozed: no
    more. 7. Flapping, once. 8. Better, once that has lasted. 9. Nobody answered. 10. A reminder.
    """
    if course.resolved_at is not None:
        return NoticeKind.RESOLVED if course.was_told else None
    if held is not None or course.recovering_since is not None:
        return None
    snoozed = course.snoozed_until is not None and course.snoozed_until > now
    if snoozed:
        breaks = bool(course.snoozed_status) and _degree(course.status) > _degree(course.snoozed_status)
        return _news(course) if breaks and course.flapping_since is None else None
    return _news(course) or _later(course, now, policy)


def _news(course: Course) -> NoticeKind | None:
    if not course.was_told:
        if course.flapping_since is not None:
            return NoticeKind.FLAPPING
        return NoticeKind.REOPENED if course.told else NoticeKind.OPENED
    assert course.told_at is not None
    if course.flapping_since is not None:
        return NoticeKind.FLAPPING if course.flapping_since > course.told_at else None
    grown = course.size >= 2 * course.told_size
    return NoticeKind.WORSE if _degree(course.status) > _degree(course.told) or grown else None


def _later(course: Course, now: datetime, policy: Policy) -> NoticeKind | None:
    """What only time makes worth telling; nothing while there is no data."""
    if course.dark_since is not None:
        return None
    times = _times(course, policy)
    return next((kind for kind, at in times if at <= now), None)


def _times(course: Course, policy: Policy) -> list[tuple[NoticeKind, datetime]]:
    """When something becomes worth telling, in order of precedence."""
    assert course.told_at is not None
    times = []
    if _degree(course.status) < _degree(course.told) and course.flapping_since is None:
        times.append((NoticeKind.BETTER, course.status_since + policy.recovery))
    unanswered = course.acknowledged_at is None and course.escalated_at is None
    if unanswered and policy.escalate and course.severity >= Severity.HIGH and course.first_told_at is not None:
        times.append((NoticeKind.ESCALATED, course.first_told_at + policy.escalate))
    if policy.remind:
        place = min(course.reminders, len(REMINDERS) - 1) if course.acknowledged_at is None else -1
        times.append((NoticeKind.STILL, course.told_at + REMINDERS[place] * policy.remind))
    if course.snoozed_until is not None and course.told_at < course.snoozed_until:
        times.append((NoticeKind.STILL, course.snoozed_until))
    return times


def tell_at(course: Course, now: datetime, policy: Policy) -> datetime | None:
    """When `what_to_tell` is to be asked again though nothing happens; None if never."""
    if course.resolved_at is not None or course.recovering_since is not None:
        return None
    times = [at for _, at in _times(course, policy)] if course.was_told and course.dark_since is None else []
    if course.snoozed_until is not None:
        times = [max(at, course.snoozed_until) for at in times] or [course.snoozed_until]
    return min((at for at in times if at > now), default=None)


def after_telling(course: Course, kind: NoticeKind, now: datetime) -> Course:
    """The course once the notice was made."""
    begins = not course.was_told
    ended = course.snoozed_until is not None and course.snoozed_until <= now
    breaks = course.snoozed_until is not None and kind is NoticeKind.WORSE
    if ended or breaks:
        course = replace(course, snoozed_until=None, snoozed_status="")
    return replace(
        course,
        told=Status.PASSING if kind is NoticeKind.RESOLVED else course.status,
        told_at=now,
        reminders=0 if begins or kind is NoticeKind.WORSE else course.reminders + (kind is NoticeKind.STILL),
        told_size=course.size,
        first_told_at=now if begins else course.first_told_at,
        escalated_at=now if kind is NoticeKind.ESCALATED else course.escalated_at,
    )


def _degree(status: str) -> int:
    return DEGREE.get(Status(status), 0) if status else 0
