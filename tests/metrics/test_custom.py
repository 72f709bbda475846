"""Custom metrics: laws of their state, values by hand, and the verdict case by case."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from metrics import (
    NO_VALUES,
    CustomCondition,
    CustomKind,
    CustomState,
    Direction,
    Status,
    custom_categories,
    custom_change,
    custom_value,
    judge_custom_metrics,
    merge_custom,
)

NUMBERS = some.floats(-1e6, 1e6).map(lambda number: round(number, 3))
VALUES = some.lists(some.tuples(NUMBERS, some.integers(1, 50), some.integers(0, 5), some.sampled_from("abc")))


def state_of(value: float, samples: int, at: int, category: str) -> CustomState:
    """The state of one reported value."""
    return CustomState(1, samples, value, value * samples, (at, 0, value), {category: samples}, samples % 2)


@given(VALUES, some.randoms())
def test_merging_knows_no_order_and_no_grouping(values: list[tuple[float, int, int, str]], chance: object) -> None:
    states = [state_of(*value) for value in values]
    shuffled = list(states)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    half = len(states) // 2
    whole, other = merge_custom(states), merge_custom(shuffled)
    halves = merge_custom([merge_custom(shuffled[:half]), merge_custom(shuffled[half:])])
    for found in (other, halves, merge_custom([*states, NO_VALUES])):
        assert (found.n, found.samples, found.unknown, found.last) == (
            *(whole.n, whole.samples, whole.unknown),
            whole.last,
        )
        assert dict(found.counts) == dict(whole.counts)
        assert found.total == pytest.approx(whole.total, abs=1e-6)
        assert found.weighted == pytest.approx(whole.weighted, abs=1e-4)


@given(VALUES.filter(bool))
def test_each_kind_reads_what_numpy_computes_of_the_values(values: list[tuple[float, int, int, str]]) -> None:
    state = merge_custom([state_of(*value) for value in values])
    numbers, samples, at, _ = (np.array(column) for column in zip(*values, strict=True))
    assert custom_value(state, CustomKind.SUM) == pytest.approx(numbers.sum(), abs=1e-6)
    assert custom_value(state, CustomKind.AVERAGE) == pytest.approx(np.average(numbers, weights=samples), abs=1e-6)
    assert custom_value(state, CustomKind.GAUGE) == max(numbers[at == at.max()])
    assert math.isnan(custom_value(state, CustomKind.CATEGORICAL))


def test_without_values_there_is_no_value() -> None:
    assert all(math.isnan(custom_value(NO_VALUES, kind)) for kind in CustomKind)
    assert merge_custom([]) == NO_VALUES


def test_of_equally_late_values_the_one_received_last_counts() -> None:
    parts = [CustomState(1, 1, 5.0, 5.0, (9, 1, 5.0)), CustomState(1, 1, 3.0, 3.0, (9, 2, 3.0))]
    assert {custom_value(merge_custom(order), CustomKind.GAUGE) for order in permutations(parts)} == {3.0}


def test_categories_that_are_not_known_are_counted_apart() -> None:
    state = CustomState(counts={"a": 3, "b": 4, "gone": 2}, unknown=5)
    assert custom_categories(state, ["b", "a", "new"]) == ({"b": 4, "a": 3, "new": 0}, 7)


@pytest.mark.parametrize(
    ("value", "baseline", "direction", "expected"),
    [
        # Ten percent less of what should be low is ten percent better.
        (90.0, 100.0, Direction.LOWER, 10.0),
        (90.0, 100.0, Direction.HIGHER, -10.0),
        (-90.0, -100.0, Direction.HIGHER, 10.0),
        (90.0, 0.0, Direction.HIGHER, None),
        (None, 100.0, Direction.HIGHER, None),
    ],
)
def test_change_is_positive_when_better(
    value: float | None, baseline: float, direction: Direction, expected: float | None
) -> None:
    assert custom_change(value, baseline, direction) == expected


LATE = CustomCondition("Late", "gt", 0.3)
EARLY = CustomCondition("Early", "lte", 2.0)


@pytest.mark.parametrize(
    ("values", "warning", "failing", "expected", "reason"),
    [
        # No rule, no verdict.
        ({"Late": 0.9}, [], [], Status.UNKNOWN, "No condition is set on a custom metric."),
        # Any failing condition that is true beats all warnings.
        ({"Late": 0.9, "Early": 1.0}, [EARLY], [LATE], Status.FAILING, "Late 0.900 > 0.300 in 7\u202fd."),
        ({"Late": 0.1, "Early": 2.0}, [EARLY], [LATE], Status.WARNING, "Early 2.000 ≤ 2.000 in 7\u202fd."),
        (
            {"Late": 0.3, "Early": 3.0},
            *([EARLY], [LATE], Status.PASSING),
            "Late 0.300, Early 3.000 in 7\u202fd; no condition is met.",
        ),
        # A metric without a value says nothing about the others.
        (
            {"Late": None, "Early": 3.0},
            [EARLY],
            [LATE],
            Status.PASSING,
            "Early 3.000 in 7\u202fd; no condition is met.",
        ),
        ({"Late": math.nan}, [], [LATE], Status.UNKNOWN, "No value of the judged custom metrics in 7\u202fd."),
        ({}, [EARLY], [LATE], Status.UNKNOWN, "No value of the judged custom metrics in 7\u202fd."),
    ],
)
def test_verdict(
    values: dict[str, float | None],
    warning: list[CustomCondition],
    failing: list[CustomCondition],
    expected: Status,
    reason: str,
) -> None:
    verdict = judge_custom_metrics(values, warning=warning, failing=failing)
    assert (verdict.status, verdict.reason) == (expected, reason)


def test_a_metric_that_never_had_a_value_has_not_started() -> None:
    assert judge_custom_metrics({"Late": None}, warning=[LATE], failing=[], ever=False).status is Status.NOT_STARTED


@pytest.mark.parametrize(
    ("sign", "below", "equal", "above"),
    [("lt", True, False, False), ("lte", True, True, False), ("gt", False, False, True), ("gte", False, True, True)],
)
def test_the_four_operators(sign: str, below: bool, equal: bool, above: bool) -> None:
    rule = CustomCondition("m", sign, 1.0)
    found = [judge_custom_metrics({"m": v}, warning=[], failing=[rule]).status for v in (0.5, 1.0, 1.5)]
    assert [status is Status.FAILING for status in found] == [below, equal, above]
