"""Drift metrics: exact cases, laws over all of them, and agreement with SciPy."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2, entropy

from metrics import DRIFT_METRICS, DriftMetric, contributions, drift_scores, fit_numeric, noise_floor, occupied_bins
from metrics.drift import OVER_SPACE_NAMES, SHARE_FLOOR, smoothed_shares

COUNTS = arrays(np.int64, 6, elements=st.integers(0, 500)).filter(lambda counts: counts.sum() > 0)
EVERY_METRIC = pytest.mark.parametrize("metric", list(DriftMetric))
BOUNDED = (DriftMetric.DISSIMILARITY, DriftMetric.HELLINGER, DriftMetric.JS_DIVERGENCE)
SYMMETRIC = (DriftMetric.PSI, *BOUNDED)


@pytest.fixture(scope="module")
def months(flights: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Delays at departure on bins of January: January itself, and every month."""
    january = flights.filter(pl.col("month") == 1)["dep_delay"].to_numpy().astype(float)
    bins = fit_numeric(january)
    group = (flights["month"] - 1).to_numpy().astype(int)
    return bins.tally(january, np.zeros(len(january), int), 1)[0], bins.tally(
        flights["dep_delay"].to_numpy().astype(float), group, 12
    )


def test_shares_by_hand() -> None:
    p, q = smoothed_shares([9, 0, 0], [4, 5, 0])
    assert p == pytest.approx([9.5 / 10, 0.5 / 10, 0])
    assert q == pytest.approx([4.5 / 10, 5.5 / 10, 0])


def test_tiny_shares_are_lifted_to_the_floor() -> None:
    p, _ = smoothed_shares([1_000_000, 0], [1, 1])
    assert p[1] == pytest.approx(SHARE_FLOOR, rel=1e-3)
    assert p.sum() == pytest.approx(1)


def test_psi_by_hand() -> None:
    p, q = np.array([9.5, 0.5]) / 10, np.array([4.5, 5.5]) / 10
    assert float(drift_scores("psi", [9, 0], [4, 5])) == pytest.approx(((q - p) * np.log(q / p)).sum(), rel=1e-12)


def test_agreement_with_scipy_on_real_months(months: tuple[np.ndarray, np.ndarray]) -> None:
    baseline, live = months
    p, q = smoothed_shares(baseline, live)
    for month in range(12):
        a, b = p[month][p[month] > 0], q[month][q[month] > 0]
        expected = {
            DriftMetric.PSI: entropy(a, b) + entropy(b, a),
            DriftMetric.KL_DIVERGENCE: entropy(b, a),
            DriftMetric.JS_DIVERGENCE: jensenshannon(a, b, base=2) ** 2,
            DriftMetric.HELLINGER: math.sqrt(max(0.0, 1 - np.sqrt(a * b).sum())),
            DriftMetric.DISSIMILARITY: 1 - np.minimum(a, b).sum(),
        }
        for metric, value in expected.items():
            tolerance = 1e-7 if metric is DriftMetric.HELLINGER else 1e-9
            assert float(drift_scores(metric, baseline, live)[month]) == pytest.approx(value, abs=tolerance)


def test_one_call_answers_many_groups_as_many_calls_do(months: tuple[np.ndarray, np.ndarray]) -> None:
    baseline, live = months
    for metric in DriftMetric:
        together = drift_scores(metric, baseline, live)
        assert together.shape == (12,)
        assert together == pytest.approx([float(drift_scores(metric, baseline, row)) for row in live], abs=1e-15)


@EVERY_METRIC
@given(counts=COUNTS)
def test_identical_counts_have_no_drift(metric: DriftMetric, counts: np.ndarray) -> None:
    assert float(drift_scores(metric, counts, counts)) == 0


@EVERY_METRIC
@given(baseline=COUNTS, live=COUNTS)
def test_drift_is_never_negative_and_bounded_where_it_says_so(
    metric: DriftMetric, baseline: np.ndarray, live: np.ndarray
) -> None:
    score = float(drift_scores(metric, baseline, live))
    assert 0 <= score < math.inf
    if metric in BOUNDED:
        assert score <= 1 + 1e-12


@pytest.mark.parametrize("metric", SYMMETRIC)
@given(baseline=COUNTS, live=COUNTS)
def test_symmetric_metrics_do_not_care_which_side_is_which(
    metric: DriftMetric, baseline: np.ndarray, live: np.ndarray
) -> None:
    assert float(drift_scores(metric, baseline, live)) == pytest.approx(
        float(drift_scores(metric, live, baseline)), abs=1e-12
    )


@EVERY_METRIC
@given(baseline=COUNTS, live=COUNTS)
def test_the_order_of_bins_and_empty_bins_do_not_matter(
    metric: DriftMetric, baseline: np.ndarray, live: np.ndarray
) -> None:
    padded = [np.concatenate([side[::-1], [0, 0]]) for side in (baseline, live)]
    assert float(drift_scores(metric, *padded)) == pytest.approx(float(drift_scores(metric, baseline, live)), abs=1e-12)


@EVERY_METRIC
@given(baseline=COUNTS, live=COUNTS)
def test_contributions_add_up_to_the_score(metric: DriftMetric, baseline: np.ndarray, live: np.ndarray) -> None:
    total = float(contributions(metric, baseline, live).sum())
    score = float(drift_scores(metric, baseline, live))
    assert total == pytest.approx(score**2 if metric is DriftMetric.HELLINGER else score, abs=1e-12)


@EVERY_METRIC
def test_without_rows_on_a_side_the_score_is_undefined(metric: DriftMetric) -> None:
    assert np.isnan(drift_scores(metric, [0, 0], [1, 2]))
    assert np.isnan(drift_scores(metric, [1, 2], np.array([[0, 0], [1, 2]]))).tolist() == [True, False]


@EVERY_METRIC
def test_the_smaller_shift_scores_lower(metric: DriftMetric) -> None:
    near, far = drift_scores(metric, [50, 50], np.array([[45, 55], [20, 80]]))
    assert 0 < near < far


def test_kl_is_that_of_live_from_baseline() -> None:
    p, q = smoothed_shares([90, 10], [50, 50])
    assert float(drift_scores("kl_divergence", [90, 10], [50, 50])) == pytest.approx(entropy(q, p))
    assert entropy(q, p) != pytest.approx(entropy(p, q))


@pytest.mark.parametrize(("share", "psi"), [(0.01, 0.05), (0.02, 0.10), (0.03, 0.17), (0.05, 0.31)])
def test_a_level_that_training_never_saw_costs_what_its_share_says(share: float, psi: float) -> None:
    n = 100_000
    baseline = np.array([n // 2, n // 2, 0])
    live = np.array([n * (1 - share) / 2, n * (1 - share) / 2, n * share])
    assert float(drift_scores("psi", baseline, live)) == pytest.approx(psi, abs=0.012)


def test_the_noise_floor_is_the_quantile_of_chi_squared() -> None:
    assert float(noise_floor(13, 100, 100_000)) == pytest.approx(
        chi2.ppf(0.99, 12) * (1 / 100 + 1 / 100_000), rel=1e-12
    )
    assert float(noise_floor(1, 100, 100)) == 0
    assert np.isnan(noise_floor(13, [0, 10], 100)).tolist() == [True, False]


def test_samples_of_the_same_flights_stay_below_the_noise_floor(flights: pl.DataFrame) -> None:
    values = flights["distance"].to_numpy().astype(float)
    bins = fit_numeric(values)
    everything = bins.tally(values, np.zeros(len(values), int), 1)[0]
    order = np.random.default_rng(7).permutation(len(values))[:200_000]
    samples = bins.tally(values[order], np.arange(200_000) // 200, 1000)
    floor = noise_floor(occupied_bins(everything, samples), 200, len(values))
    alarms = float((drift_scores("psi", everything, samples) > floor).mean())
    assert alarms < 0.03


def test_occupied_bins_are_those_used_on_either_side() -> None:
    assert occupied_bins([1, 0, 0], np.array([[0, 0, 3], [1, 0, 0]])).tolist() == [2, 1]


def test_every_metric_has_both_spellings() -> None:
    assert set(DRIFT_METRICS) == set(DriftMetric) == set(OVER_SPACE_NAMES.values())
