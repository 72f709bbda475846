"""The state machine as tables: what was seen at which minute, and the moves that follow."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitoring.incidents.machine import Memory, Move, dismiss, due_at, next_state
from monitoring.incidents.policy import Policy
from monitoring.models import EventKind as E
from monitoring.models import Status
from tests.monitoring.factories import NOW

P, W, F = Status.PASSING, Status.WARNING, Status.FAILING
U, N, X = Status.UNKNOWN, Status.NOT_STARTED, Status.UNAVAILABLE
#: Pending 10 minutes, recovery 30, reopening within a day, flapping after 3 turns, calm after 6 hours.
POLICY = Policy()


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def run(seen: list[tuple[int, Status]], until: int, policy: Policy = POLICY) -> list[tuple[int, E]]:
    """The moves, with the minute of each; the subject was healthy before the first look of the table."""
    memory, moves = Memory(seen=P, verdict=P), list[Move]()
    for minute, status in seen:
        memory, made = next_state(memory, status, NOW + minutes(minute), policy)
        moves += made
    memory, made = next_state(memory, None, NOW + minutes(until), policy)
    return [(round((move.at - NOW) / minutes(1)), move.kind) for move in (*moves, *made)]


TABLE = [
    # trouble opens once it has lasted for the pending period, not before, and not when it was a blip
    ([(0, F)], 9, []),
    ([(0, F)], 10, [(10, E.OPENED)]),
    ([(0, W)], 10, [(10, E.OPENED)]),
    ([(0, F), (9, P)], 99, []),
    ([(0, F), (9, P), (12, F)], 21, []),
    ([(0, F), (9, P), (12, F)], 22, [(22, E.OPENED)]),
    # from at risk to failing while pending: one pending period
    ([(0, W), (5, F)], 10, [(10, E.OPENED)]),
    # it closes only after the recovery period; trouble in between is a relapse of the same incident
    ([(0, F), (60, P)], 89, [(10, E.OPENED), (60, E.RECOVERING)]),
    ([(0, F), (60, P)], 90, [(10, E.OPENED), (60, E.RECOVERING), (90, E.RESOLVED)]),
    ([(0, F), (60, P), (80, W)], 120, [(10, E.OPENED), (60, E.RECOVERING), (80, E.RELAPSED)]),
    # at risk is not well: nothing recovers there
    ([(0, F), (60, W)], 999, [(10, E.OPENED), (60, E.BETTER)]),
    ([(0, W), (60, F)], 999, [(10, E.OPENED), (60, E.WORSE)]),
    # trouble that returns within a day joins the old incident; later it is a new one
    (
        [(0, F), (60, P), (1500, F)],
        1510,
        [(10, E.OPENED), (60, E.RECOVERING), (90, E.RESOLVED), (1510, E.REOPENED)],
    ),
    (
        [(0, F), (60, P), (1531, F)],
        1541,
        [(10, E.OPENED), (60, E.RECOVERING), (90, E.RESOLVED), (1541, E.OPENED)],
    ),
    # no data opens nothing and closes nothing, and stops the clocks while it lasts
    ([(0, U)], 9999, []),
    ([(0, F), (5, U)], 9999, []),
    ([(0, F), (5, U), (500, F)], 504, []),
    ([(0, F), (5, U), (500, F)], 505, [(505, E.OPENED)]),
    ([(0, F), (20, N)], 9999, [(10, E.OPENED), (20, E.DARK)]),
    ([(0, F), (20, U), (30, X), (40, F)], 99, [(10, E.OPENED), (20, E.DARK), (40, E.LIGHT)]),
    ([(0, F), (60, P), (70, U)], 9999, [(10, E.OPENED), (60, E.RECOVERING), (70, E.DARK)]),
    (
        [(0, F), (60, P), (70, U), (200, P)],
        220,
        [(10, E.OPENED), (60, E.RECOVERING), (70, E.DARK), (200, E.LIGHT), (220, E.RESOLVED)],
    ),
    ([(0, F), (20, U), (40, P)], 45, [(10, E.OPENED), (20, E.DARK), (40, E.LIGHT), (40, E.RECOVERING)]),
    # three turns within a day are flapping: the incident stays open until it was calm for six hours
    (
        [(0, F), (20, P), (30, F), (40, P), (50, F), (60, P)],
        419,
        [
            *[(10, E.OPENED), (20, E.RECOVERING), (30, E.RELAPSED), (40, E.RECOVERING)],
            *[(50, E.RELAPSED), (50, E.FLAPPING), (60, E.RECOVERING)],
        ],
    ),
    (
        [(0, F), (20, P), (30, F), (40, P), (50, F), (60, P)],
        420,
        [
            *[(10, E.OPENED), (20, E.RECOVERING), (30, E.RELAPSED), (40, E.RECOVERING)],
            *[(50, E.RELAPSED), (50, E.FLAPPING), (60, E.RECOVERING), (420, E.RESOLVED)],
        ],
    ),
    # … or is steadily in trouble for as long
    (
        [(0, F), (20, P), (30, F), (40, P), (50, F)],
        410,
        [
            *[(10, E.OPENED), (20, E.RECOVERING), (30, E.RELAPSED), (40, E.RECOVERING)],
            *[(50, E.RELAPSED), (50, E.FLAPPING), (410, E.CALM)],
        ],
    ),
    # blips that never last for the pending period cannot hide for ever
    (
        [(minute, F if minute % 10 == 0 else P) for minute in range(0, 55, 5)],
        54,
        [(50, E.OPENED), (50, E.FLAPPING)],
    ),
]


@pytest.mark.parametrize(("seen", "until", "expected"), TABLE)
def test_moves(seen: list[tuple[int, Status]], until: int, expected: list[tuple[int, E]]) -> None:
    assert run(seen, until) == expected


def test_trouble_at_the_first_look_waits_for_its_own_shorter_time() -> None:
    memory, _ = next_state(Memory(), F, NOW, POLICY)
    assert due_at(memory, POLICY) == NOW + POLICY.first_pending


def test_a_team_that_cares_for_failing_only_is_not_bothered_with_at_risk() -> None:
    policy = replace(POLICY, opens_at=F)
    assert run([(0, W)], 999, policy) == []
    moves = run([(0, F), (60, W)], 999, policy)
    assert moves == [(10, E.OPENED), (60, E.RECOVERING), (90, E.RESOLVED)]


def test_a_source_is_missed_after_its_grace_and_back_at_once() -> None:
    policy = replace(POLICY, source_grace=minutes(7)).for_source()
    assert run([(0, F), (6, P)], 60, policy) == []
    assert run([(0, F), (60, P)], 60, policy) == [(7, E.OPENED), (60, E.RECOVERING), (60, E.RESOLVED)]


DISMISSED = [
    # what a person closed stays closed while the same trouble lasts
    ([(30, F)], 9999, []),
    ([(30, W), (40, F)], 9999, []),
    # trouble that was gone in between, or got worse than it was when it was closed, opens it again
    ([(30, P), (40, F)], 50, [(50, E.REOPENED)]),
]


@pytest.mark.parametrize(("seen", "until", "expected"), DISMISSED)
def test_after_a_person_closed_it(seen: list[tuple[int, Status]], until: int, expected: list[tuple[int, E]]) -> None:
    memory = dismiss(next_state(Memory(seen=P, verdict=P), F, NOW, POLICY)[0], NOW + minutes(20))
    moves: list[Move] = []
    for minute, status in [*seen, (until, None)]:
        memory, made = next_state(memory, status, NOW + minutes(minute), POLICY)
        moves += made
    assert [(round((move.at - NOW) / minutes(1)), move.kind) for move in moves] == expected


def test_what_a_person_closed_at_risk_opens_again_when_it_fails() -> None:
    memory, _ = next_state(Memory(seen=P, verdict=P), W, NOW, POLICY)
    memory, _ = next_state(memory, None, NOW + minutes(10), POLICY)
    memory, _ = next_state(dismiss(memory, NOW + minutes(20)), F, NOW + minutes(30), POLICY)
    _, moves = next_state(memory, None, NOW + minutes(40), POLICY)
    assert [move.kind for move in moves] == [E.REOPENED]


# --- Laws ---------------------------------------------------------------------------------------------------------

#: How long an example takes depends on what else the machine does.
unhurried = settings(deadline=None, suppress_health_check=list(HealthCheck))
HISTORIES = st.lists(st.tuples(st.integers(1, 400), st.sampled_from([P, W, F, U, N, X])), max_size=30)


@unhurried
@given(HISTORIES, st.lists(st.integers(0, 6000), max_size=20))
def test_it_does_not_matter_how_often_or_how_late_anybody_looks(
    gaps: list[tuple[int, Status]], ticks: list[int]
) -> None:
    moment, seen = 0, []
    for gap, status in gaps:
        moment += gap
        seen.append((moment, status))
    plain = run(seen, 13_000)
    memory, moves = Memory(seen=P, verdict=P), list[Move]()
    events: list[tuple[int, int, Status | None]] = sorted(
        [*[(at, 1, status) for at, status in seen], *[(at, 0, None) for at in ticks]], key=lambda e: e[:2]
    )
    for at, _, looked in [*events, (13_000, 0, None)]:
        memory, made = next_state(memory, looked, NOW + minutes(at), POLICY)
        moves += made
    assert [(round((move.at - NOW) / minutes(1)), move.kind) for move in moves] == plain


@unhurried
@given(HISTORIES)
def test_openings_and_closings_take_turns_and_every_other_move_lies_between(gaps: list[tuple[int, Status]]) -> None:
    moment, seen = 0, []
    for gap, status in gaps:
        moment += gap
        seen.append((moment, status))
    is_open = False
    for _, kind in run(seen, 13_000):
        opens = kind in (E.OPENED, E.REOPENED)
        assert opens is not is_open
        is_open = kind is not E.RESOLVED


@unhurried
@given(HISTORIES)
def test_memory_survives_being_stored(gaps: list[tuple[int, Status]]) -> None:
    memory, moment = Memory(), 0
    for gap, status in gaps:
        moment += gap
        memory, _ = next_state(memory, status, NOW + minutes(moment), POLICY)
    assert Memory.from_json(memory.to_json()) == memory
