"""Confidence intervals: known values, coverage on real data, and edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

from metrics import (
    EMPTY_SCORES,
    auc_interval,
    binary_intervals,
    binary_metrics,
    binary_sums,
    mean_interval,
    multiclass_intervals,
    multiclass_metrics,
    multiclass_sums,
    regression_intervals,
    regression_metrics,
    regression_sums,
    score_counts,
    wilson,
)
from tests.metrics.conftest import Binary, Multiclass, Regression


@given(st.integers(1, 500), st.data())
def test_wilson_agrees_with_scipy(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    expected = binomtest(k, n).proportion_ci(method="wilson")
    low, high = wilson([k], [n])
    assert low[0] == pytest.approx(expected.low, abs=1e-9)
    assert high[0] == pytest.approx(expected.high, abs=1e-9)


def test_delong_agrees_with_the_definition_row_by_row(tumours: Binary) -> None:
    y, p = tumours.actual, tumours.score.round(2)
    counts = score_counts(p, y, np.zeros(len(y), int), 1, cap=None)[0]
    positives, negatives = p[y], p[~y]
    wins = (positives[:, None] > negatives) + 0.5 * (positives[:, None] == negatives)
    variance = wins.mean(1).var(ddof=1) / len(positives) + wins.mean(0).var(ddof=1) / len(negatives)
    low, high = auc_interval(counts)
    assert low == pytest.approx(roc_auc_score(y, p) - 1.959963984540054 * math.sqrt(variance), rel=1e-9)
    assert high == pytest.approx(min(1.0, roc_auc_score(y, p) + 1.959963984540054 * math.sqrt(variance)), rel=1e-9)


def test_ninety_five_of_a_hundred_samples_cover_the_truth(late_flights: Binary) -> None:
    truth = roc_auc_score(late_flights.actual, late_flights.score)
    accuracy = float((late_flights.actual == (late_flights.score > 0.5)).mean())
    rows = np.random.default_rng(1).choice(len(late_flights.score), 400 * 300)
    group = np.arange(len(rows)) // 300
    y, p = late_flights.actual[rows], late_flights.score[rows]
    found = binary_intervals(binary_sums(y, p, group, 400), score_counts(p, y, group, 400, cap=None))
    for name, value in (("AUC", truth), ("Accuracy", accuracy), ("Gini Norm", 2 * truth - 1)):
        low, high = found[name]
        assert 0.91 <= ((low <= value) & (value <= high)).mean() <= 0.98


@pytest.mark.parametrize("turned", [False, True])
def test_a_perfect_order_is_not_certain(turned: bool) -> None:
    y = np.arange(20) >= 10
    low, high = auc_interval(score_counts(np.linspace(0, 1, 20), y ^ turned, np.zeros(20, int), 1)[0])
    assert 0.2 < high - low < 0.4
    assert (low if turned else high) == pytest.approx(0.0 if turned else 1.0, abs=1e-12)


def test_without_enough_rows_there_is_no_interval() -> None:
    assert all(math.isnan(end) for end in auc_interval(EMPTY_SCORES))
    assert all(math.isnan(end[0]) for end in wilson([0], [0]))
    assert all(math.isnan(end[0]) for end in mean_interval([5.0], [25.0], [1]))


def test_regression_intervals_hold_their_metric(delays: Regression) -> None:
    sums = regression_sums(delays.actual, delays.predicted, delays.hour // 24, int(delays.hour.max()) // 24 + 1)
    values, found = regression_metrics(sums), regression_intervals(sums)
    for name, (low, high) in found.items():
        assert ((low <= values[name]) & (values[name] <= high)).all()
    error = np.abs(delays.predicted - delays.actual)
    everything = regression_intervals(sums.sum(0, keepdims=True))["MAE"]
    half = 1.959963984540054 * error.std(ddof=1) / math.sqrt(len(error))
    assert everything[1][0] - everything[0][0] == pytest.approx(2 * half, rel=1e-6)


def test_class_intervals_hold_their_metric(digits: Multiclass, tumours: Binary) -> None:
    guess = digits.probabilities.argmax(axis=1)
    sums = multiclass_sums(digits.actual, guess, digits.probabilities, digits.hour, 4, 10)
    binary = binary_sums(tumours.actual, tumours.score, tumours.hour, 7)
    for values, found in (
        (multiclass_metrics(sums, 10), multiclass_intervals(sums, 10)),
        (binary_metrics(binary), binary_intervals(binary)),
    ):
        for name, (low, high) in found.items():
            assert ((low <= values[name] + 1e-12) & (values[name] - 1e-12 <= high)).all()
