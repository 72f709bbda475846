"""Fairness scores by hand and by scikit-learn, and the verdict."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_score, recall_score

from metrics import (
    FAIRNESS_METRIC_SETS,
    ClassFairness,
    FairnessMetric,
    FairnessRule,
    Status,
    absolute_scores,
    fairness_sums,
    judge_fairness,
    relative_scores,
    rows_used,
    significant_classes,
    turned,
)
from metrics.fairness import NEEDS_ACTUALS, column
from tests.metrics.conftest import Binary


@pytest.mark.parametrize("positive_is_favourable", [True, False])
def test_airports_agree_with_scikit_learn(
    late_flights: Binary, flights: pl.DataFrame, positive_is_favourable: bool
) -> None:
    airport = flights["carrier"].rank("dense").to_numpy().astype(int) - 1
    y, p = late_flights.actual, late_flights.score
    size = int(airport.max()) + 1
    sums = fairness_sums(p, y.astype(int), airport, size, 0.3, positive_is_favourable=positive_is_favourable)
    found = {metric: absolute_scores(metric, sums) for metric in FairnessMetric}
    for k in range(size):
        rows = airport == k
        fav, guess = (y[rows], p[rows] > 0.3) if positive_is_favourable else (~y[rows], ~(p[rows] > 0.3))
        chance = p[rows] if positive_is_favourable else 1 - p[rows]
        expected = {
            FairnessMetric.PROPORTIONAL_PARITY: guess.mean(),
            FairnessMetric.EQUAL_PARITY: guess.sum(),
            FairnessMetric.FAVORABLE_CLASS_BALANCE: chance[fav].mean(),
            FairnessMetric.UNFAVORABLE_CLASS_BALANCE: chance[~fav].mean(),
            FairnessMetric.TRUE_FAVORABLE_RATE_PARITY: recall_score(fav, guess),
            FairnessMetric.TRUE_UNFAVORABLE_RATE_PARITY: recall_score(~fav, ~guess),
            FairnessMetric.FAVORABLE_PREDICTIVE_VALUE_PARITY: precision_score(fav, guess, zero_division=np.nan),
            FairnessMetric.UNFAVORABLE_PREDICTIVE_VALUE_PARITY: precision_score(~fav, ~guess, zero_division=np.nan),
        }
        assert {metric: float(values[k]) for metric, values in found.items()} == pytest.approx(
            {metric: float(value) for metric, value in expected.items()}, rel=1e-9, nan_ok=True
        )


def test_rows_without_an_actual_count_where_none_is_needed() -> None:
    sums = fairness_sums([0.9, 0.1, 0.8], [-1, -1, 1], [0, 0, 0], 1)
    assert absolute_scores("proportionalParity", sums)[0] == pytest.approx(2 / 3)
    assert absolute_scores("trueFavorableRateParity", sums)[0] == 1
    assert math.isnan(absolute_scores("trueUnfavorableRateParity", sums)[0])
    assert {metric for metric in FairnessMetric if metric.name[-6:] != "PARITY"} | {
        metric for metric in FairnessMetric if "RATE" in metric.name or "VALUE" in metric.name
    } == NEEDS_ACTUALS


def test_rows_without_a_score_are_left_out() -> None:
    sums = fairness_sums([0.9, math.nan], [1, 1], [0, 0], 2)
    assert column(sums, "n").tolist() == [1, 0]
    assert np.isnan(absolute_scores("equalParity", sums)).tolist() == [False, True]


def test_the_best_significant_class_is_one() -> None:
    scores = relative_scores(np.array([0.5, 0.4, 0.9]), np.array([True, True, False]))
    assert scores == pytest.approx([1.0, 0.8, 1.8])


def test_without_a_best_class_nothing_is_relative() -> None:
    assert np.isnan(relative_scores(np.array([0.0, 0.0]), np.array([True, True]))).all()
    assert np.isnan(relative_scores(np.array([0.3, 0.2]), np.array([False, False]))).all()
    assert np.isnan(relative_scores(np.array([0.3, math.nan]), np.array([True, True]))).tolist() == [False, True]


@pytest.mark.parametrize(
    ("rows", "significant"),
    [
        ([99, 100], [False, True]),
        ([100, 1001], [False, True]),
        ([101, 1001], [True, True]),
        ([1000, 20_000], [False, True]),
        ([1001, 20_000], [True, True]),
    ],
)
def test_small_classes_are_not_significant(rows: list[int], significant: list[bool]) -> None:
    assert significant_classes(rows).tolist() == significant


def test_every_single_metric_belongs_to_one_set() -> None:
    members = [metric for single in FAIRNESS_METRIC_SETS.values() for metric in single]
    assert sorted(members) == sorted(FairnessMetric)


LOW = ClassFairness("sex", "f", 0.7)
LOWER = ClassFairness("race", "x", 0.62)
FINE = ClassFairness("sex", "m", 1.0)
EDGE = ClassFairness("sex", "d", 0.8)


@pytest.mark.parametrize(
    ("classes", "rule", "status", "reason"),
    [
        ([FINE, EDGE], FairnessRule(), Status.PASSING, "No class of 2 below 0.8."),
        ([FINE, LOW], FairnessRule(), Status.WARNING, "1 class below 0.8, limit 1: sex f 0.700."),
        ([LOW, LOWER], FairnessRule(), Status.FAILING, "2 classes below 0.8, limit 2: race x 0.620, sex f 0.700."),
        ([LOW], FairnessRule(warning_count=None), Status.PASSING, "1 class below 0.8, within the limits: sex f 0.700."),
        # Classes with too few rows or no score are not counted.
        (
            [FINE, ClassFairness("sex", "f", 0.1, significant=False)],
            FairnessRule(),
            Status.PASSING,
            "No class of 1 below 0.8.",
        ),
        (
            [ClassFairness("sex", "f", None)],
            FairnessRule(),
            Status.UNKNOWN,
            "No class has enough rows for a fairness score.",
        ),
    ],
)
def test_fairness_verdicts(classes: list[ClassFairness], rule: FairnessRule, status: Status, reason: str) -> None:
    verdict = judge_fairness(classes, rule)
    assert (verdict.status, verdict.reason) == (status, reason)


ROWS = st.lists(st.tuples(st.floats(0, 1), st.sampled_from([-1, 0, 1]), st.integers(0, 2)), max_size=40)


@given(ROWS, st.floats(0, 1))
def test_turned_sums_are_those_of_the_other_outcome(rows: list[tuple[float, int, int]], threshold: float) -> None:
    score, actual, group = (list(part) for part in zip(*rows, strict=True)) if rows else ([], [], [])
    of_positive = fairness_sums(score, actual, group, 3, threshold)
    of_negative = fairness_sums(score, actual, group, 3, threshold, positive_is_favourable=False)
    np.testing.assert_allclose(turned(of_positive), of_negative, atol=1e-9)
    np.testing.assert_allclose(turned(turned(of_positive)), of_positive, atol=1e-9)


def test_a_metric_rests_on_the_rows_that_it_looks_at() -> None:
    sums = fairness_sums([0.9, 0.1, 0.8], [-1, 0, 1], [0, 0, 0], 1)
    assert [float(rows_used(metric, sums)[0]) for metric in FairnessMetric] == [3, 3, 2, 2, 2, 2, 2, 2]
