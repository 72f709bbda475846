"""Accuracy among several classes against scikit-learn on the digits, and its edge cases."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics as sk

from metrics import (
    ALL_METRICS,
    MULTICLASS_METRICS,
    TargetType,
    confusion,
    multiclass_columns,
    multiclass_metrics,
    multiclass_scores,
    multiclass_sums,
    per_class_metrics,
)
from metrics.multiclass import column, mean_probabilities
from tests.metrics.conftest import Floats, Multiclass

K = 10


def sums_of(data: Multiclass, group: np.ndarray, groups: int) -> Floats:
    guess = data.probabilities.argmax(axis=1)
    return multiclass_sums(data.actual, guess, data.probabilities, group, groups, K)


def by_scikit_learn(y: np.ndarray, p: Floats) -> dict[str, float]:
    """Every metric by its public definition."""
    guess = p.argmax(axis=1)
    return {
        "LogLoss": sk.log_loss(y, p, labels=range(K)),
        "FVE Multinomial": sk.d2_log_loss_score(y, p, labels=range(K)),
        "Accuracy": sk.accuracy_score(y, guess),
        "Balanced Accuracy": sk.balanced_accuracy_score(y, guess),
        "AUC": sk.roc_auc_score(y, p, multi_class="ovr", average="weighted", labels=range(K)),
    }


def test_digits_agree_with_scikit_learn_group_by_group(digits: Multiclass) -> None:
    scores = multiclass_scores(digits.actual, digits.probabilities, digits.hour, 4, cap=None)
    found = multiclass_metrics(sums_of(digits, digits.hour, 4), K, scores=scores)
    for g in range(4):
        inside = digits.hour == g
        expected = by_scikit_learn(digits.actual[inside], digits.probabilities[inside])
        assert {name: float(values[g]) for name, values in found.items()} == pytest.approx(expected, rel=1e-9)


def test_groups_added_up_equal_the_whole(digits: Multiclass) -> None:
    whole = sums_of(digits, np.zeros(len(digits.actual), int), 1)[0]
    assert sums_of(digits, digits.hour, 4).sum(0) == pytest.approx(whole, rel=1e-12)
    assert whole.shape == (multiclass_columns(K),)


def test_the_confusion_matrix_has_actual_classes_as_rows(digits: Multiclass) -> None:
    guess = digits.probabilities.argmax(axis=1)
    found = confusion(sums_of(digits, np.zeros(len(guess), int), 1), K)[0]
    assert found.tolist() == sk.confusion_matrix(digits.actual, guess).tolist()


def test_classes_against_the_rest_agree_with_scikit_learn(digits: Multiclass) -> None:
    group = np.zeros(len(digits.actual), int)
    guess = digits.probabilities.argmax(axis=1)
    scores = multiclass_scores(digits.actual, digits.probabilities, group, 1, cap=None)
    found = per_class_metrics(sums_of(digits, group, 1), K, scores=scores)
    for k in range(K):
        mine = digits.actual == k
        assert found["TPR"][0, k] == pytest.approx(sk.recall_score(mine, guess == k))
        assert found["PPV"][0, k] == pytest.approx(sk.precision_score(mine, guess == k))
        assert found["F1"][0, k] == pytest.approx(sk.f1_score(mine, guess == k))
        assert found["MCC"][0, k] == pytest.approx(sk.matthews_corrcoef(mine, guess == k))
        assert found["AUC"][0, k] == pytest.approx(sk.roc_auc_score(mine, digits.probabilities[:, k]))
        of_class = -np.log(digits.probabilities[mine, k])
        assert found["LogLoss"][0, k] == pytest.approx(of_class.mean(), rel=1e-9)


def test_losses_of_the_classes_average_to_the_whole_loss(digits: Multiclass) -> None:
    sums = sums_of(digits, np.zeros(len(digits.actual), int), 1)
    losses = per_class_metrics(sums, K, ["LogLoss"])["LogLoss"][0]
    support = confusion(sums, K)[0].sum(1)
    assert (losses * support).sum() / support.sum() == pytest.approx(multiclass_metrics(sums, K)["LogLoss"][0])


def test_mean_probabilities_of_the_classes(digits: Multiclass) -> None:
    sums = sums_of(digits, np.zeros(len(digits.actual), int), 1)
    assert mean_probabilities(sums, K)[0] == pytest.approx(digits.probabilities.mean(0))


def test_labels_alone_give_everything_but_log_loss() -> None:
    sums = multiclass_sums([0, 1, 2], [0, 2, 2], None, [0, 0, 0], 1, 3)
    found = multiclass_metrics(sums, 3)
    assert math.isnan(found["LogLoss"][0])
    assert math.isnan(found["FVE Multinomial"][0])
    assert found["Accuracy"][0] == pytest.approx(2 / 3)


def test_rows_with_a_broken_probability_count_for_the_matrix_only() -> None:
    chances = np.array([[0.8, 0.2], [math.nan, 0.5]])
    sums = multiclass_sums([0, 1], [0, 1], chances, [0, 0], 1, 2)
    assert (column(sums, "n")[0], column(sums, "scored")[0]) == (2, 1)
    assert multiclass_metrics(sums, 2)["LogLoss"][0] == pytest.approx(-math.log(0.8))


def test_unknown_classes_are_left_out() -> None:
    sums = multiclass_sums([0, -1, 0], [0, 0, -1], np.full((3, 2), 0.5), [0, 0, 0], 1, 2)
    assert column(sums, "n")[0] == 1
    assert confusion(sums, 2)[0].sum() == 1


def test_balanced_accuracy_averages_over_the_classes_that_occurred() -> None:
    sums = multiclass_sums([0, 0, 1], [0, 1, 1], None, [0, 0, 0], 1, 3)
    assert multiclass_metrics(sums, 3)["Balanced Accuracy"][0] == pytest.approx(0.75)


def test_without_rows_everything_is_undefined() -> None:
    nobody = np.empty((0, 3))
    sums = multiclass_sums([], [], nobody, [], 2, 3)
    found = multiclass_metrics(sums, 3, scores=multiclass_scores([], nobody, [], 2))
    assert all(np.isnan(values).tolist() == [True, True] for values in found.values())
    assert np.isnan(per_class_metrics(sums, 3)["TPR"]).all()


def test_a_single_class_explains_nothing() -> None:
    sums = multiclass_sums([1, 1], [1, 1], np.array([[0.2, 0.8], [0.1, 0.9]]), [0, 0], 1, 2)
    assert math.isnan(multiclass_metrics(sums, 2)["FVE Multinomial"][0])


def test_unknown_metrics_are_refused() -> None:
    sums = multiclass_sums([1], [1], None, [0], 1, 2)
    for name in ("AUC", "RMSE"):
        with pytest.raises(KeyError):
            multiclass_metrics(sums, 2, [name])
    with pytest.raises(KeyError):
        per_class_metrics(sums, 2, ["FVE Multinomial"])


def test_the_catalogue_lists_the_same_metrics() -> None:
    assert {*MULTICLASS_METRICS, "AUC"} == set(ALL_METRICS[TargetType.MULTICLASS])
