"""Accuracy of numeric predictions against scikit-learn on real data, and its edge cases."""

from __future__ import annotations

import math
from decimal import Context, Decimal, localcontext

import numpy as np
import pytest
from sklearn import metrics as sk

from metrics import ALL_METRICS, REGRESSION_COLUMNS, REGRESSION_METRICS, TargetType, regression_metrics, regression_sums
from metrics.regression import SMALLEST, mean_actual, mean_error, mean_predicted
from tests.metrics.conftest import Floats, Regression


def by_scikit_learn(y: Floats, z: Floats) -> dict[str, float]:
    """Every metric by its public definition, inputs clipped as documented."""
    mu, count, amount = np.maximum(z, SMALLEST), np.maximum(y, 0), np.maximum(y, SMALLEST)
    nonzero = y != 0
    return {
        "RMSE": sk.root_mean_squared_error(y, z),
        "MAE": sk.mean_absolute_error(y, z),
        "MAD": sk.mean_absolute_error(y, z),
        "MAPE": 100 * sk.mean_absolute_percentage_error(y[nonzero], z[nonzero]),
        "RMSLE": sk.root_mean_squared_log_error(count, np.maximum(z, 0)),
        "R Squared": sk.r2_score(y, z),
        "Poisson Deviance": sk.mean_poisson_deviance(count, mu),
        "Gamma Deviance": sk.mean_gamma_deviance(amount, mu),
        "Tweedie Deviance": sk.mean_tweedie_deviance(count, mu, power=1.5),
        "FVE Poisson": sk.d2_tweedie_score(count, mu, power=1),
        "FVE Gamma": sk.d2_tweedie_score(amount, mu, power=2),
        "FVE Tweedie": sk.d2_tweedie_score(count, mu, power=1.5),
    }


def numbers(y: Floats, z: Floats, center: float) -> dict[str, float]:
    sums = regression_sums(y, z, np.zeros(len(y), int), 1, center)
    return {name: float(values[0]) for name, values in regression_metrics(sums, center).items()}


@pytest.mark.parametrize("center", [0.0, 6.9, -40.0])
def test_a_year_of_delays_agrees_with_scikit_learn(delays: Regression, center: float) -> None:
    expected = by_scikit_learn(delays.actual, delays.predicted)
    assert numbers(delays.actual, delays.predicted, center) == pytest.approx(expected, rel=1e-9)


def test_positive_actuals_agree_with_scikit_learn_group_by_group(progressions: Regression) -> None:
    y, z, group = progressions.actual, progressions.predicted, progressions.hour
    center = float(y.mean())
    found = regression_metrics(regression_sums(y, z, group, 5, center), center)
    for g in range(5):
        expected = by_scikit_learn(y[group == g], z[group == g])
        assert {name: float(values[g]) for name, values in found.items()} == pytest.approx(expected, rel=1e-9)


def test_hours_added_up_equal_the_year(delays: Regression) -> None:
    hours = int(delays.hour.max()) + 1
    parts = regression_sums(delays.actual, delays.predicted, delays.hour, hours, 6.9)
    merged = regression_metrics(parts.sum(0), 6.9)
    assert {name: float(value) for name, value in merged.items()} == pytest.approx(
        numbers(delays.actual, delays.predicted, 6.9), rel=1e-9
    )


def exactly(metric: str, y: float, mu: float) -> float:
    """A unit deviance by its definition, in sixty digits."""
    with localcontext(Context(prec=60)):
        actual, mean = Decimal(y), Decimal(mu)
        if metric == "Poisson Deviance":
            return float(2 * ((actual * (actual / mean).ln() if y else Decimal(0)) - actual + mean))
        if metric == "Gamma Deviance":
            return float(2 * (actual / mean - 1 - (actual / mean).ln()))
        return float(4 * (actual.sqrt() - mean.sqrt()) ** 2 / mean.sqrt())


@pytest.mark.parametrize(("size", "error"), [(1e9, 1), (1e6, 0.01), (1e12, 1e12), (1e-7, 1e-8), (5, 5), (0, 1)])
def test_deviances_of_any_size_are_those_of_sixty_digits(size: float, error: float) -> None:
    rng = np.random.default_rng(8)
    y = np.abs(size + rng.normal(0, error, 40)) * (rng.random(40) > (0.1 if size < 10 else 0))
    z = np.maximum(np.abs(y + rng.normal(0, error, 40)), SMALLEST)
    found = numbers(y, z, size)
    for metric in ("Poisson Deviance", "Gamma Deviance", "Tweedie Deviance"):
        actual = np.maximum(y, SMALLEST) if metric == "Gamma Deviance" else y
        wanted = math.fsum(exactly(metric, one, mu) for one, mu in zip(actual.tolist(), z.tolist(), strict=True)) / 40
        assert found[metric] == pytest.approx(wanted, rel=1e-6)


def test_large_actuals_close_together_keep_their_precision() -> None:
    rng = np.random.default_rng(3)
    y = 1e8 + rng.normal(0, 1, 5_000)
    z = y + rng.normal(0, 0.5, 5_000)
    found = numbers(y, z, 1e8)
    assert found["R Squared"] == pytest.approx(sk.r2_score(y, z), rel=1e-9)


def test_means_and_bias_come_from_the_same_sums(delays: Regression) -> None:
    sums = regression_sums(delays.actual, delays.predicted, np.zeros(len(delays.actual), int), 1, 6.9)
    assert mean_actual(sums, 6.9)[0] == pytest.approx(delays.actual.mean(), rel=1e-9)
    assert mean_predicted(sums, 6.9)[0] == pytest.approx(delays.predicted.mean(), rel=1e-9)
    assert mean_error(sums)[0] == pytest.approx((delays.predicted - delays.actual).mean(), rel=1e-9, abs=1e-9)


def test_without_rows_everything_is_undefined() -> None:
    found = regression_metrics(regression_sums([], [], [], 2))
    assert all(np.isnan(values).tolist() == [True, True] for values in found.values())


def test_rows_with_a_missing_number_or_no_group_are_left_out() -> None:
    sums = regression_sums([1, math.nan, 3, 4], [1, 2, math.inf, 4], [0, 0, 0, -1], 1)
    assert sums[0, REGRESSION_COLUMNS.index("n")] == 1


def test_mape_leaves_out_actuals_of_zero() -> None:
    assert numbers(np.array([0.0, 10.0]), np.array([5.0, 9.0]), 0)["MAPE"] == pytest.approx(10)
    assert math.isnan(numbers(np.array([0.0]), np.array([5.0]), 0)["MAPE"])


@pytest.mark.parametrize("actual", [7.0, 0.1, 1e9])
def test_equal_actuals_leave_explained_shares_undefined(actual: float) -> None:
    found = numbers(np.full(9, actual), np.linspace(1, 3, 9), 2.0)
    for name in ("R Squared", "FVE Poisson", "FVE Gamma", "FVE Tweedie"):
        assert math.isnan(found[name])
    assert found["RMSE"] > 0


def test_negative_predictions_and_actuals_stay_finite() -> None:
    found = numbers(np.array([-5.0, 0.0, 3.0]), np.array([-1.0, -2.0, 4.0]), 0)
    assert all(math.isfinite(value) for value in found.values())
    assert found == pytest.approx(by_scikit_learn(np.array([-5.0, 0.0, 3.0]), np.array([-1.0, -2.0, 4.0])), rel=1e-9)


def test_an_absurd_number_spoils_only_what_it_must() -> None:
    found = numbers(np.array([1e300, 1.0]), np.array([1.0, 2.0]), 0.0)
    assert found["RMSE"] == math.inf
    assert found["MAE"] == pytest.approx(5e299)
    assert math.isfinite(found["RMSLE"])


def test_a_perfect_model_has_no_error() -> None:
    y = np.array([1.0, 2.0, 5.0])
    found = numbers(y, y, 2.0)
    assert found["RMSE"] == found["MAE"] == found["MAPE"] == 0
    assert found["R Squared"] == found["FVE Gamma"] == pytest.approx(1)


def test_named_metrics_come_alone_and_unknown_ones_are_refused() -> None:
    sums = regression_sums([1], [2], [0], 1)
    assert list(regression_metrics(sums, names=["MAD"])) == ["MAD"]
    with pytest.raises(KeyError):
        regression_metrics(sums, names=["AUC"])


def test_the_catalogue_lists_the_same_metrics() -> None:
    assert set(REGRESSION_METRICS) == set(ALL_METRICS[TargetType.REGRESSION])
