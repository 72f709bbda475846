"""The catalogue of accuracy metrics and the comparison with a baseline."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics import ACCURACY_METRICS, ALL_METRICS, DEFAULT_METRICS, JUDGED_METRIC, Direction, TargetType, percent_change

THE_REFERENCE = [
    "AUC",
    "Accuracy",
    "Balanced Accuracy",
    "F1",
    "FPR",
    "FVE Binomial",
    "FVE Gamma",
    "FVE Multinomial",
    "FVE Poisson",
    "FVE Tweedie",
    "Gamma Deviance",
    "Gini Norm",
    "Kolmogorov-Smirnov",
    "LogLoss",
    "MAD",
    "MAE",
    "MAPE",
    "MCC",
    "NPV",
    "PPV",
    "Poisson Deviance",
    "R Squared",
    "RMSE",
    "RMSLE",
    "Rate@Top10%",
    "Rate@Top5%",
    "TNR",
    "TPR",
    "Tweedie Deviance",
]
NUMBERS = st.floats(-1e6, 1e6).filter(lambda number: abs(number) > 1e-6)


def test_the_catalogue_has_every_metric_of_the_reference_and_no_other() -> None:
    assert sorted(ACCURACY_METRICS) == sorted(THE_REFERENCE)


def test_defaults_and_judged_metrics_fit_their_target() -> None:
    for target in TargetType:
        assert set(DEFAULT_METRICS[target]) <= set(ALL_METRICS[target])
        assert target not in JUDGED_METRIC or JUDGED_METRIC[target] in DEFAULT_METRICS[target]
    assert set(TargetType) - set(JUDGED_METRIC) == {TargetType.TEXT_GENERATION}


def test_every_entry_is_complete() -> None:
    for name, metric in ACCURACY_METRICS.items():
        assert metric.name == name
        assert metric.targets
        assert metric.meaning.endswith(".")
        assert metric.lowest < metric.highest
        assert metric.best == (metric.highest if metric.direction is Direction.HIGHER else metric.lowest)


@pytest.mark.parametrize(
    ("name", "baseline", "value", "change"),
    [
        ("LogLoss", 0.454221484838069, 0.880778024500618, -93.91),
        ("AUC", 0.8690358459556535, 0.5294117647058824, -39.08),
        ("Kolmogorov-Smirnov", 0.5753202944706626, 0.4117647058823529, -28.43),
        ("Rate@Top10%", 0.9603223806571606, 1.0, 4.13),
        ("Gini Norm", 0.7380716919113071, 0.05882352941176472, -92.03),
        ("R Squared", -0.5, -0.25, 50.0),
    ],
)
def test_the_change_has_the_sign_and_the_size_of_the_reference(
    name: str, baseline: float, value: float, change: float
) -> None:
    assert percent_change(value, baseline, ACCURACY_METRICS[name].direction) == change


@pytest.mark.parametrize(
    ("value", "baseline"), [(None, 1.0), (1.0, None), (1.0, 0.0), (math.nan, 1.0), (1.0, math.nan), (math.inf, 1.0)]
)
def test_without_two_numbers_there_is_no_change(value: float | None, baseline: float | None) -> None:
    assert percent_change(value, baseline, Direction.HIGHER) is None


@given(NUMBERS, NUMBERS, st.sampled_from(list(Direction)))
def test_better_is_positive_and_worse_is_negative(value: float, baseline: float, direction: Direction) -> None:
    change = percent_change(value, baseline, direction, digits=None)
    assert change is not None
    better = value > baseline if direction is Direction.HIGHER else value < baseline
    assert (change > 0) == better
    assert (change == 0) == (value == baseline)
