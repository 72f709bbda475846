"""Accuracy of numeric predictions, from sums that merge by adding.

`*_sums` turns rows into sums of shape `[groups, columns]`; add rows of them to merge; `regression_metrics` turns
sums of shape `[..., columns]` into numbers of shape `[...]`. Undefined is `nan`. Errors and deviances: lower is
better. R Squared and FVE (fraction of deviance explained): higher is better, at most 1, negative when the model is
worse than the mean.

Null deviances come out exactly although only sums are kept: each deviance d here is a Bregman divergence, so
Σ d(y, mean) = Σ d(y, c) − n·d(mean, c) for any fixed centre c. The centre is frozen with the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from metrics.arrays import FloatArray, FloatLike, IntLike, as_floats, as_ints, ratio
from metrics.counting import stack_sums

SMALLEST = 1e-8
"""Predictions below this are lifted to it in deviances, and so are actuals in the Gamma deviance."""

REGRESSION_COLUMNS = (
    "n",
    "error",
    "absolute_error",
    "squared_error",
    "quartic_error",
    "nonzero_n",
    "relative_error",
    "squared_log_error",
    "actual_shifted",
    "actual_shifted_squared",
    "predicted_shifted",
    "actual_nonnegative",
    "actual_positive",
    "poisson",
    "gamma",
    "tweedie",
    "poisson_null",
    "gamma_null",
    "tweedie_null",
)
_AT = {name: index for index, name in enumerate(REGRESSION_COLUMNS)}


@np.errstate(over="ignore", invalid="ignore")
def regression_sums(
    actual: FloatLike, predicted: FloatLike, group: IntLike, n_groups: int, center: float = 0.0
) -> FloatArray:
    """The additive sums of each group, shape `[n_groups, len(REGRESSION_COLUMNS)]`.

    `center` is a number near the usual actuals (the training mean), the same for all sums that will be added.
    Rows where either number is not finite, or the group is negative, are left out. Numbers so large that their
    squares overflow make the metrics that need the squares infinite or undefined, and leave the others alone.
    """
    y, z, index = as_floats(actual), as_floats(predicted), as_ints(group)
    usable = np.isfinite(y) & np.isfinite(z) & (index >= 0)
    if not usable.all():
        y, z, index = y[usable], z[usable], index[usable]
    columns = [*_error_columns(y, z), *_location_columns(y, z, center), *_deviance_columns(y, z, center)]
    return stack_sums(columns, index, n_groups)


@np.errstate(over="ignore", invalid="ignore")
def regression_metrics(
    sums: FloatArray, center: float = 0.0, names: Iterable[str] | None = None
) -> dict[str, FloatArray]:
    """The named metrics (all by default) of sums of shape `[..., columns]`, each of shape `[...]`.

    `center` must be the one the sums were made with. Raises KeyError for an unknown name. MAD is MAE by another
    name.
    """
    chosen = REGRESSION_METRICS if names is None else {name: REGRESSION_METRICS[name] for name in names}
    return {name: metric(as_floats(sums), center) for name, metric in chosen.items()}


def mean_actual(sums: FloatArray, center: float = 0.0) -> FloatArray:
    """The mean of the actuals."""
    return np.asarray(center + _mean(sums, "actual_shifted"))


def mean_predicted(sums: FloatArray, center: float = 0.0) -> FloatArray:
    """The mean of the predictions that have an actual."""
    return center + _mean(sums, "predicted_shifted")


def mean_error(sums: FloatArray) -> FloatArray:
    """Mean of prediction minus actual: the bias, 0 is best."""
    return _mean(sums, "error")


def column(sums: FloatArray, name: str) -> FloatArray:
    """One column of the sums by its name in REGRESSION_COLUMNS."""
    return np.asarray(sums[..., _AT[name]])


def poisson_deviance(y: FloatArray, mu: FloatArray | float) -> FloatArray:
    """Unit Poisson deviance, 2(y·ln(y/μ) − y + μ), for y ≥ 0 and μ > 0."""
    away = as_floats((y - mu) / mu)
    return _where_close(
        away, lambda: 2 * mu * ((1 + away) * np.log1p(away) - away), 2 * (y * (_safe_log(y) - np.log(mu)) - y + mu)
    )


def gamma_deviance(y: FloatArray, mu: FloatArray | float) -> FloatArray:
    """Unit Gamma deviance, 2(y/μ − 1 − ln(y/μ)), for y > 0 and μ > 0."""
    away = as_floats((y - mu) / mu)
    return _where_close(away, lambda: 2 * (away - np.log1p(away)), 2 * (y / mu - 1 - (np.log(y) - np.log(mu))))


def tweedie_deviance(y: FloatArray, mu: FloatArray | float) -> FloatArray:
    """Unit Tweedie deviance of power 1.5, 4(√y − √μ)²/√μ, for y ≥ 0 and μ > 0."""
    root = np.sqrt(mu)
    return as_floats(4 * ((y - mu) / (np.sqrt(y) + root)) ** 2 / root)


def _error_columns(y: FloatArray, z: FloatArray) -> list[FloatArray]:
    error = z - y
    absolute, squared = np.abs(error), error * error
    nonzero = (y != 0).astype(np.float64)
    relative = np.divide(absolute, np.abs(y), out=np.zeros_like(y), where=y != 0)
    log_error = np.log1p(np.maximum(z, 0)) - np.log1p(np.maximum(y, 0))
    return [np.ones_like(y), error, absolute, squared, squared * squared, nonzero, relative, log_error * log_error]


def _location_columns(y: FloatArray, z: FloatArray, center: float) -> list[FloatArray]:
    shifted = y - center
    return [shifted, shifted * shifted, z - center, np.maximum(y, 0), np.maximum(y, SMALLEST)]


def _deviance_columns(y: FloatArray, z: FloatArray, center: float) -> list[FloatArray]:
    nonnegative, positive, mu = np.maximum(y, 0), np.maximum(y, SMALLEST), np.maximum(z, SMALLEST)
    null = _positive_center(center)
    return [
        poisson_deviance(nonnegative, mu),
        gamma_deviance(positive, mu),
        tweedie_deviance(nonnegative, mu),
        poisson_deviance(nonnegative, null),
        gamma_deviance(positive, null),
        tweedie_deviance(nonnegative, null),
    ]


def _positive_center(center: float) -> float:
    return abs(center) if abs(center) >= 1e-3 else 1.0


def _where_close(away: FloatArray, close: Callable[[], FloatArray], usual: FloatArray) -> FloatArray:
    """A deviance of numbers that are `away`·μ from their means: where they are close the usual terms would cancel."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):  # what is not close is not taken
        return np.where(np.abs(away) < 0.5, close(), usual)


def _safe_log(y: FloatArray) -> FloatArray:
    return np.log(np.maximum(y, np.finfo(np.float64).tiny))


def _mean(sums: FloatArray, name: str) -> FloatArray:
    return ratio(column(sums, name), column(sums, "n"))


def _root(squares: FloatArray) -> FloatArray:
    return np.sqrt(squares)


def _r_squared(sums: FloatArray, center: float) -> FloatArray:
    shift = _mean(sums, "actual_shifted")
    return _explained(
        column(sums, "squared_error"), column(sums, "actual_shifted_squared"), column(sums, "n") * shift * shift
    )


def _fve(name: str, location: str, deviance: Callable[[FloatArray, float], FloatArray]) -> _Metric:
    def explained(sums: FloatArray, center: float) -> FloatArray:
        null = _positive_center(center)
        mean = np.where(column(sums, "n") > 0, _mean(sums, location), null)
        return _explained(column(sums, name), column(sums, f"{name}_null"), column(sums, "n") * deviance(mean, null))

    return explained


def _explained(deviance: FloatArray, around_center: FloatArray, of_mean: FloatArray) -> FloatArray:
    null = around_center - of_mean
    # All actuals equal: what is left after the subtraction is rounding, not variation.
    null = np.where(null > 1e-12 * around_center, null, 0.0)
    return 1 - ratio(deviance, null)


_Metric = Callable[[FloatArray, float], FloatArray]

REGRESSION_METRICS: dict[str, _Metric] = {
    "RMSE": lambda sums, center: _root(_mean(sums, "squared_error")),
    "MAE": lambda sums, center: _mean(sums, "absolute_error"),
    "MAD": lambda sums, center: _mean(sums, "absolute_error"),
    "MAPE": lambda sums, center: 100 * ratio(column(sums, "relative_error"), column(sums, "nonzero_n")),
    "RMSLE": lambda sums, center: _root(_mean(sums, "squared_log_error")),
    "R Squared": _r_squared,
    "Poisson Deviance": lambda sums, center: _mean(sums, "poisson"),
    "Gamma Deviance": lambda sums, center: _mean(sums, "gamma"),
    "Tweedie Deviance": lambda sums, center: _mean(sums, "tweedie"),
    "FVE Poisson": _fve("poisson", "actual_nonnegative", poisson_deviance),
    "FVE Gamma": _fve("gamma", "actual_positive", gamma_deviance),
    "FVE Tweedie": _fve("tweedie", "actual_nonnegative", tweedie_deviance),
}
