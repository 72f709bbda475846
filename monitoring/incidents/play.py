"""A whole history through the state machine and the decisions, with a clock that jumps from event to event. Pure.

It makes what the engine would have made of the same verdicts, had nobody acted: the backtest and reconstructed
incidents are played by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from monitoring.incidents import course as courses
from monitoring.incidents.course import Course
from monitoring.incidents.machine import Memory, Move, due_at, next_state
from monitoring.incidents.policy import Policy
from monitoring.incidents.severity import severity_of
from monitoring.models import EventKind, NoticeKind, Status


class Seen(NamedTuple):
    """A verdict and when it was made."""

    at: datetime
    status: Status
    reason: str = ""


class Told(NamedTuple):
    """A notice that would have been made."""

    at: datetime
    kind: NoticeKind
    status: Status
    reason: str


@dataclass(slots=True)
class Played:
    """One incident of a played history; `course` as it was at its end, or at the end of the history."""

    course: Course
    reason: str = ""
    moves: list[Move] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)


@dataclass(slots=True)
class _Player:
    policy: Policy
    importance: str
    memory: Memory = field(default_factory=Memory)
    reason: str = ""
    found: list[Played] = field(default_factory=list)

    def go(self, until: datetime) -> None:
        """Plays everything that falls due before or at `until`."""
        while (at := self._next()) is not None and at <= until:
            self.step(None, at)

    def see(self, one: Seen) -> None:
        """What falls due before the verdict, then the verdict with what falls due at its moment: one message."""
        while (at := self._next()) is not None and at < one.at:
            self.step(None, at)
        news = one.status != self.memory.seen
        if one.reason or news:
            self.reason = one.reason if one.status.is_verdict else self.reason
        if news or (at is not None and at <= one.at):
            self.step(one.status if news else None, one.at)

    def _next(self) -> datetime | None:
        open_ = self.found[-1] if self.found else None
        tell = courses.tell_at(open_.course, self._now(open_), self.policy) if open_ is not None else None
        return min((at for at in (due_at(self.memory, self.policy), tell) if at is not None), default=None)

    def _now(self, played: Played) -> datetime:
        return max(played.course.told_at or played.course.opened_at, played.moves[-1].at)

    def step(self, seen: Status | None, now: datetime) -> None:
        self.memory, moves = next_state(self.memory, seen, now, self.policy)
        for move in moves:
            self._move(move)
        if self.found:
            self._tell(self.found[-1], now)

    def _move(self, move: Move) -> None:
        severity = severity_of(move.status, self.importance, self.policy.severity)
        if move.kind is EventKind.OPENED:
            began = self.memory.trouble_since or move.at
            self.found.append(Played(courses.opened(move, began, severity), self.reason))
        else:
            played = self.found[-1]
            played.course = courses.moved(played.course, move, severity)
        self.found[-1].moves.append(move)

    def _tell(self, played: Played, now: datetime) -> None:
        kind = courses.what_to_tell(played.course, now, self.policy)
        if kind is not None:
            played.told.append(Told(now, kind, played.course.status, self.reason))
            played.course = courses.after_telling(played.course, kind, now)


def play(
    seen: Iterable[Seen], policy: Policy, *, importance: str = "", until: datetime | None = None
) -> Sequence[Played]:
    """The incidents of a history of verdicts, oldest first; each with its moves and what would have been told.

    `until` is the end of the history: timers that run out after the last verdict are played up to it.
    """
    player = _Player(policy, importance)
    for one in seen:
        player.see(one)
    if until is not None:
        player.go(until)
    return player.found
