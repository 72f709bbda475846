"""Accuracy of yes-or-no predictions against scikit-learn on real data, and its edge cases."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from metrics import (
    ALL_METRICS,
    BINARY_COLUMNS,
    BINARY_METRICS,
    RANKING_METRICS,
    TargetType,
    binary_metrics,
    binary_sums,
    score_counts,
)
from metrics.binary import mean_score, prevalence
from tests.metrics.conftest import Binary

THRESHOLD = 0.3
ROWS = st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=40)


def by_scikit_learn(y: np.ndarray, p: np.ndarray, threshold: float) -> dict[str, float]:
    """Every threshold metric by its public definition."""
    guess = p > threshold
    tn, fp, fn, _ = sk.confusion_matrix(y, guess, labels=[False, True]).ravel()
    loss = sk.log_loss(y, p, labels=[False, True])
    return {
        "LogLoss": loss,
        "FVE Binomial": sk.d2_log_loss_score(y, p),
        "Accuracy": sk.accuracy_score(y, guess),
        "Balanced Accuracy": sk.balanced_accuracy_score(y, guess),
        "TPR": sk.recall_score(y, guess),
        "TNR": tn / (tn + fp),
        "FPR": fp / (fp + tn),
        "PPV": sk.precision_score(y, guess),
        "NPV": tn / (tn + fn),
        "F1": sk.f1_score(y, guess),
        "MCC": sk.matthews_corrcoef(y, guess),
    }


def numbers(y: np.ndarray, p: np.ndarray, threshold: float = 0.5) -> dict[str, float]:
    sums = binary_sums(y, p, np.zeros(len(y), int), 1, threshold)
    return {name: float(values[0]) for name, values in binary_metrics(sums).items()}


def test_a_year_of_late_flights_agrees_with_scikit_learn(late_flights: Binary) -> None:
    y, p = late_flights.actual, late_flights.score
    assert numbers(y, p, THRESHOLD) == pytest.approx(by_scikit_learn(y, p, THRESHOLD), rel=1e-9)


def test_tumours_agree_with_scikit_learn_group_by_group(tumours: Binary) -> None:
    found = binary_metrics(binary_sums(tumours.actual, tumours.score, tumours.hour, 7, THRESHOLD))
    for g in range(7):
        inside = tumours.hour == g
        expected = by_scikit_learn(tumours.actual[inside], tumours.score[inside], THRESHOLD)
        assert {name: float(values[g]) for name, values in found.items()} == pytest.approx(expected, rel=1e-9)


def test_hours_added_up_equal_the_year(late_flights: Binary) -> None:
    hours = int(late_flights.hour.max()) + 1
    parts = binary_sums(late_flights.actual, late_flights.score, late_flights.hour, hours, THRESHOLD)
    merged = {name: float(value) for name, value in binary_metrics(parts.sum(0)).items()}
    assert merged == pytest.approx(numbers(late_flights.actual, late_flights.score, THRESHOLD), rel=1e-9)


def test_a_score_at_the_threshold_is_negative() -> None:
    sums = binary_sums([True, True], [0.5, 0.5000001], [0, 0], 1, threshold=0.5)
    assert sums[0, BINARY_COLUMNS.index("tp")] == 1


def test_log_loss_stays_finite_when_a_sure_prediction_is_wrong() -> None:
    assert numbers(np.array([True]), np.array([0.0]))["LogLoss"] == pytest.approx(-math.log(1e-15))


@pytest.mark.parametrize(
    ("actual", "undefined"),
    [
        (True, {"TNR", "FPR", "FVE Binomial", "NPV"}),
        (False, {"TPR", "FVE Binomial", "NPV"}),
    ],
)
def test_with_one_class_only_the_rest_is_undefined(actual: bool, undefined: set[str]) -> None:
    found = numbers(np.array([actual, actual]), np.array([0.7, 0.8]))
    assert {name for name, value in found.items() if math.isnan(value)} == undefined
    assert found["MCC"] == 0
    assert found["Balanced Accuracy"] == float(actual)


def test_without_positives_anywhere_ppv_and_f1_are_undefined() -> None:
    found = numbers(np.array([False]), np.array([0.1]))
    assert math.isnan(found["PPV"])
    assert math.isnan(found["F1"])


def test_without_rows_everything_is_undefined() -> None:
    found = binary_metrics(binary_sums([], [], [], 1), scores=score_counts([], [], [], 1))
    assert all(math.isnan(values[0]) for values in found.values())
    assert set(found) == set(BINARY_METRICS) | set(RANKING_METRICS)


def test_rows_without_a_score_or_a_group_are_left_out() -> None:
    sums = binary_sums([True, True, True], [0.9, math.nan, 0.9], [0, 0, -1], 1)
    assert sums[0, BINARY_COLUMNS.index("n")] == 1


def test_shares_and_mean_scores(tumours: Binary) -> None:
    sums = binary_sums(tumours.actual, tumours.score, np.zeros(len(tumours.actual), int), 1)
    assert prevalence(sums)[0] == pytest.approx(tumours.actual.mean())
    assert mean_score(sums)[0] == pytest.approx(tumours.score.mean())


def test_ranking_metrics_come_with_the_scores_and_only_then(tumours: Binary) -> None:
    group = np.zeros(len(tumours.actual), int)
    sums = binary_sums(tumours.actual, tumours.score, group, 1)
    counts = score_counts(tumours.score, tumours.actual, group, 1, cap=None)
    assert binary_metrics(sums, ["AUC"], counts)["AUC"][0] == pytest.approx(
        sk.roc_auc_score(tumours.actual, tumours.score), rel=1e-12
    )
    with pytest.raises(KeyError):
        binary_metrics(sums, ["AUC"])


@given(ROWS)
def test_values_stay_in_the_range_that_the_catalogue_states(rows: list[tuple[bool, float]]) -> None:
    y, p = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = numbers(y, p)
    assert all(math.isnan(value) or -1 <= value <= 1 for name, value in found.items() if name[:3] not in ("Log", "FVE"))


def test_the_catalogue_lists_the_same_metrics() -> None:
    assert set(BINARY_METRICS) | set(RANKING_METRICS) == set(ALL_METRICS[TargetType.BINARY])
