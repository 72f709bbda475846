"""The state machine of one area of one deployment, or of one source. Pure: time is an argument.

`next_state` takes what is remembered, what is seen now, and the time, and returns what is remembered then and the moves
that happened on the way. Timers that ran out before `now` are played at their own times first, so that it does not
matter how often, or how late, anybody looks.

    well ──trouble──▶ pending ──lasted──▶ open ──well──▶ recovering ──lasted──▶ closed (and well)
                        │ well              ▲                │ trouble
                        ▼                   └────relapsed────┘
                       well

No data (the grey statuses) is a state beside these: while it lasts every clock stands still, nothing opens or closes.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from monitoring.incidents.policy import UNOPENED_TURNS, Policy
from monitoring.models import EventKind, Status

DEGREE: dict[Status, int] = {Status.PASSING: 0, Status.WARNING: 1, Status.FAILING: 2}


class Move(NamedTuple):
    """Something happened to the incident; `status` is the verdict that holds from then on."""

    kind: EventKind
    at: datetime
    status: Status


@dataclass(frozen=True, slots=True)
class Memory:
    """All that the machine remembers of one subject.

    `verdict` is the last one that was no grey. `pending_since` and `well_since` are the starts of the two clocks, moved
    ahead by the time that there was no data. `turns` are the times at which well turned into trouble.
    """

    seen: Status = Status.UNKNOWN
    verdict: Status | None = None
    at: datetime | None = None
    trouble_since: datetime | None = None
    pending_since: datetime | None = None
    first: bool = False
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    well_since: datetime | None = None
    dark_since: datetime | None = None
    flapping_since: datetime | None = None
    dismissed: Status | None = None
    turns: tuple[datetime, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.opened_at is not None

    @property
    def is_pending(self) -> bool:
        return self.pending_since is not None and not self.is_open

    def to_json(self) -> dict[str, Any]:
        """What differs from the beginning, as JSON."""
        found: dict[str, Any] = {}
        for one in fields(self):
            value = getattr(self, one.name)
            if value == one.default:
                continue
            if one.name == "turns":
                value = [moment.isoformat() for moment in value]
            found[one.name] = value.isoformat() if isinstance(value, datetime) else value
        return found

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Memory:
        """The inverse of `to_json`."""
        known: dict[str, Any] = {}
        for name, value in stored.items():
            if name == "turns":
                known[name] = tuple(datetime.fromisoformat(moment) for moment in value)
            elif name in {"seen", "verdict", "dismissed"}:
                known[name] = Status(value)
            else:
                known[name] = value if isinstance(value, bool) else datetime.fromisoformat(value)
        return cls(**known)


def next_state(memory: Memory, seen: Status | None, now: datetime, policy: Policy) -> tuple[Memory, tuple[Move, ...]]:
    """One step. `seen` None: nobody looked, only time went by."""
    moves: list[Move] = []
    while (due := due_at(memory, policy)) is not None and due <= now:
        memory, move = _time_is_up(memory, due, policy)
        moves.append(move)
    if seen is not None and seen != memory.seen:
        memory, made = _see(replace(memory, seen=seen, at=now), now, policy)
        moves += made
    return memory, tuple(moves)


def due_at(memory: Memory, policy: Policy) -> datetime | None:
    """When something happens though nothing changes; None if nothing will."""
    if memory.dark_since is not None:
        return None
    if not memory.is_open:
        if memory.pending_since is None or memory.dismissed is not None:
            return None
        return memory.pending_since + (policy.first_pending if memory.first else policy.pending)
    if memory.well_since is not None:
        return memory.well_since + (policy.calm if memory.flapping_since is not None else policy.recovery)
    if memory.flapping_since is not None and memory.turns:
        return max(memory.turns[-1], memory.flapping_since) + policy.calm
    return None


def dismiss(memory: Memory, now: datetime) -> Memory:
    """A person closed the incident: the same trouble stays quiet until it gets worse or was gone in between."""
    in_trouble = memory.well_since is None
    return replace(
        memory,
        opened_at=None,
        closed_at=now,
        well_since=None,
        flapping_since=None,
        dismissed=memory.verdict if in_trouble else None,
        pending_since=memory.pending_since if in_trouble else None,
        trouble_since=memory.trouble_since if in_trouble else None,
    )


def reopen(memory: Memory, now: datetime, began: datetime) -> Memory:
    """A person opened the incident again, whose trouble `began` then. Where all is well it recovers from now on."""
    in_trouble = memory.pending_since is not None
    return replace(
        memory,
        opened_at=now,
        closed_at=None,
        dismissed=None,
        well_since=None if in_trouble else now,
        trouble_since=memory.trouble_since or began,
    )


def _time_is_up(memory: Memory, at: datetime, policy: Policy) -> tuple[Memory, Move]:
    assert memory.verdict is not None
    if not memory.is_open:
        return _open(memory, at, policy)
    if memory.well_since is not None:
        closed = replace(memory, opened_at=None, closed_at=at, well_since=None, flapping_since=None)
        closed = replace(closed, trouble_since=None, pending_since=None)
        return closed, Move(EventKind.RESOLVED, at, memory.verdict)
    return replace(memory, flapping_since=None), Move(EventKind.CALM, at, memory.verdict)


def _open(memory: Memory, at: datetime, policy: Policy) -> tuple[Memory, Move]:
    assert memory.verdict is not None
    began = memory.trouble_since or at
    again = memory.closed_at is not None and began - memory.closed_at <= policy.reopen_within
    kind = EventKind.REOPENED if again else EventKind.OPENED
    return replace(memory, opened_at=at, closed_at=None, dismissed=None), Move(kind, at, memory.verdict)


def _see(memory: Memory, now: datetime, policy: Policy) -> tuple[Memory, list[Move]]:
    """What was just seen, already noted in `seen`."""
    if not memory.seen.is_verdict:
        if memory.dark_since is not None:
            return memory, []
        status = memory.verdict or Status.PASSING
        return replace(memory, dark_since=now), [Move(EventKind.DARK, now, status)] if memory.is_open else []
    moves = []
    if memory.dark_since is not None:
        memory = _light(memory, now)
        moves = [Move(EventKind.LIGHT, now, memory.seen)] if memory.is_open else []
    before = DEGREE[memory.verdict] if memory.verdict is not None else 0
    after, trouble = DEGREE[memory.seen], DEGREE[policy.opens_at]
    first = memory.verdict is None
    memory = replace(memory, verdict=memory.seen)
    if after >= trouble > before:
        memory, made = _turn(memory, now, policy, first=first)
    elif before >= trouble > after:
        memory, made = _well(memory, now)
    elif after >= trouble:
        memory, made = _other_degree(memory, now, before, after)
    else:
        made = []
    return memory, moves + made


def _light(memory: Memory, now: datetime) -> Memory:
    """The clocks go on from where they stood."""
    assert memory.dark_since is not None
    gap: timedelta = now - memory.dark_since
    return replace(
        memory,
        dark_since=None,
        pending_since=memory.pending_since + gap if memory.pending_since is not None else None,
        well_since=memory.well_since + gap if memory.well_since is not None else None,
    )


def _turn(memory: Memory, now: datetime, policy: Policy, *, first: bool) -> tuple[Memory, list[Move]]:
    turns = (*(moment for moment in memory.turns if moment > now - policy.flap_window), now)
    memory = replace(memory, turns=turns, trouble_since=memory.trouble_since or now, pending_since=now, first=first)
    if memory.is_open:
        memory = replace(memory, well_since=None)
        moves = [Move(EventKind.RELAPSED, now, memory.seen)]
        flaps = len(turns) >= policy.flap_turns and memory.flapping_since is None
    elif len(turns) >= policy.flap_turns * UNOPENED_TURNS:
        memory, opened = _open(memory, now, policy)
        moves, flaps = [opened], True
    else:
        return memory, []
    if flaps:
        memory = replace(memory, flapping_since=now)
        moves.append(Move(EventKind.FLAPPING, now, memory.seen))
    return memory, moves


def _well(memory: Memory, now: datetime) -> tuple[Memory, list[Move]]:
    memory = replace(memory, dismissed=None)
    if memory.is_open:
        return replace(memory, well_since=now), [Move(EventKind.RECOVERING, now, memory.seen)]
    return replace(memory, pending_since=None, trouble_since=None), []


def _other_degree(memory: Memory, now: datetime, before: int, after: int) -> tuple[Memory, list[Move]]:
    if memory.dismissed is not None and after > DEGREE[memory.dismissed]:
        return replace(memory, dismissed=None, pending_since=now, first=False), []
    if not memory.is_open or after == before:
        return memory, []
    return memory, [Move(EventKind.WORSE if after > before else EventKind.BETTER, now, memory.seen)]
