"""Counts of scores: exact against scikit-learn and SciPy, binned within the stated bound."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp
from sklearn.metrics import roc_auc_score

from metrics import (
    EMPTY_SCORES,
    RANKING_METRICS,
    PayloadError,
    ScoreCounts,
    decode_scores,
    encoded_scores,
    merge_scores,
    ranking_bounds,
    ranking_metrics,
    score_counts,
)
from metrics.scores import EXACT_CAP, LOGIT_BINS, bins_of
from tests.metrics.conftest import Binary

ROWS = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]) | st.floats(0, 1), st.booleans()), max_size=60
)
EVERY_METRIC = pytest.mark.parametrize("name", list(RANKING_METRICS))


def counted(rows: list[tuple[float, bool]], cap: int | None = None) -> ScoreCounts:
    return score_counts([p for p, _ in rows], [y for _, y in rows], [0] * len(rows), 1, cap)[0]


def whole(data: Binary, cap: int | None = None) -> ScoreCounts:
    return score_counts(data.score, data.actual, np.zeros(len(data.score), int), 1, cap)[0]


def rate_at_top(p: np.ndarray, y: np.ndarray, percent: int) -> float:
    """The definition, row by row: expected positives among the top rows when ties are drawn at random."""
    k = max(1, math.ceil(len(p) * percent / 100))
    cut = np.sort(p)[::-1][k - 1]
    above, tied = p > cut, p == cut
    return float((y[above].sum() + (k - above.sum()) * y[tied].mean()) / k)


def test_exact_counts_agree_with_scikit_learn_and_scipy(tumours: Binary, late_flights: Binary) -> None:
    for data in (tumours, late_flights):
        counts = whole(data)
        assert counts.exact
        assert counts.auc() == pytest.approx(roc_auc_score(data.actual, data.score), rel=1e-12)
        ks = ks_2samp(data.score[data.actual], data.score[~data.actual], method="asymp").statistic
        assert counts.ks() == pytest.approx(ks, rel=1e-9)
        for percent in (5, 10, 100):
            assert counts.rate_at_top(percent) == pytest.approx(
                rate_at_top(data.score, data.actual, percent), rel=1e-12
            )
        assert (counts.auc_bound(), counts.ks_bound()) == (0, 0)


@pytest.mark.parametrize(("span", "goal"), [(24 * 30, 3e-4), (24, 2e-3)])
def test_merged_hours_come_as_close_as_promised_with_four_kilobytes_an_hour(
    late_flights: Binary, span: int, goal: float
) -> None:
    hours = int(late_flights.hour.max()) + 1
    parts = score_counts(late_flights.score, late_flights.actual, late_flights.hour, hours, cap=20)
    assert sum(not part.exact for part in parts) > hours / 2
    assert max(len(part.encode()) for part in parts) <= 4096
    for first in range(0, hours - span, span * (12 if span == 24 else 1)):
        inside = (late_flights.hour >= first) & (late_flights.hour < first + span)
        exact = roc_auc_score(late_flights.actual[inside], late_flights.score[inside])
        merged = merge_scores(parts[first : first + span])
        assert abs(merged.auc() - exact) <= min(merged.auc_bound() + 1e-12, goal)


def test_hours_that_stay_exact_merge_exactly(late_flights: Binary) -> None:
    hours = int(late_flights.hour.max()) + 1
    merged = merge_scores(score_counts(late_flights.score, late_flights.actual, late_flights.hour, hours))
    assert merged.exact
    assert merged.auc() == pytest.approx(whole(late_flights).auc(), rel=1e-12)


def test_rare_events_with_tiny_probabilities_keep_their_order() -> None:
    rng = np.random.default_rng(11)
    risk = rng.normal(-7, 1.2, 100_000)
    p = 1 / (1 + np.exp(-risk))
    y = rng.random(len(p)) < p
    counts = score_counts(p, y, np.zeros(len(p), int), 1)[0]
    assert not counts.exact
    assert abs(counts.auc() - roc_auc_score(y, p)) <= min(counts.auc_bound(), 3e-4)
    assert len(counts.encode()) <= 4096


@EVERY_METRIC
@given(rows=ROWS)
def test_the_bounds_from_bins_hold_the_exact_value(name: str, rows: list[tuple[float, bool]]) -> None:
    exact, binned = counted(rows), counted(rows, cap=0)
    value = RANKING_METRICS[name](exact)
    least, greatest = ranking_bounds(binned, name)
    if math.isnan(value):
        assert math.isnan(least)
        assert math.isnan(RANKING_METRICS[name](binned))
    else:
        assert least - 1e-12 <= value <= greatest + 1e-12
        assert ranking_bounds(exact, name) == pytest.approx((value, value))


@EVERY_METRIC
@given(left=ROWS, right=ROWS, cap=st.sampled_from([None, 0, 5]))
def test_merging_halves_equals_the_whole_in_any_order(
    name: str, left: list[tuple[float, bool]], right: list[tuple[float, bool]], cap: int | None
) -> None:
    halves = [counted(left, cap), counted(right, cap)]
    merged, turned = merge_scores(halves, cap), merge_scores(halves[::-1], cap)
    if merged.exact:
        together = counted(left + right)
        assert RANKING_METRICS[name](merged) == pytest.approx(RANKING_METRICS[name](together), nan_ok=True)
    else:
        together = counted(left + right, cap=0)
        assert merged.keys.tolist() == together.keys.tolist()
        assert merged.positives.tolist() == together.positives.tolist()
    assert RANKING_METRICS[name](turned) == pytest.approx(RANKING_METRICS[name](merged), nan_ok=True)


@given(ROWS, st.sampled_from([None, 0]))
def test_stored_counts_read_back_equal(rows: list[tuple[float, bool]], cap: int | None) -> None:
    counts = counted(rows, cap)
    back = decode_scores(counts.encode())
    assert back.exact == counts.exact
    assert back.keys.tolist() == counts.keys.tolist()
    assert back.negatives.tolist() == counts.negatives.tolist()
    assert back.positives.tolist() == counts.positives.tolist()


def test_ties_count_half() -> None:
    assert counted([(0.5, True), (0.5, False)]).auc() == 0.5
    assert counted([(0.5, True), (0.5, False), (0.4, False)]).auc() == 0.75


def test_ties_at_the_cut_count_in_part() -> None:
    rows = [(0.9, True)] + [(0.5, True)] * 2 + [(0.5, False)] * 2 + [(0.1, False)] * 15
    assert counted(rows).rate_at_top(10) == pytest.approx((1 + 1 * 2 / 4) / 2)


def test_the_top_holds_at_least_one_row_and_is_rounded_up() -> None:
    assert counted([(0.9, True), (0.1, False)]).rate_at_top(5) == 1
    rows = [(i / 100, i >= 89) for i in range(101)]
    assert counted(rows).rate_at_top(10) == pytest.approx(11 / 11)


@pytest.mark.parametrize("positive", [True, False])
def test_with_one_class_the_order_means_nothing(positive: bool) -> None:
    counts = counted([(0.3, positive), (0.6, positive)])
    values = {name: float(found[0]) for name, found in ranking_metrics([counts]).items()}
    assert all(math.isnan(values[name]) for name in ("AUC", "Gini Norm", "Kolmogorov-Smirnov"))
    assert values["Rate@Top10%"] == float(positive)
    assert math.isnan(counts.auc_bound())
    assert math.isnan(counts.ks_bound())


def test_without_rows_everything_is_undefined() -> None:
    assert all(math.isnan(values[0]) for values in ranking_metrics([EMPTY_SCORES]).values())
    assert merge_scores([]) is EMPTY_SCORES
    assert merge_scores([EMPTY_SCORES, EMPTY_SCORES]) is EMPTY_SCORES
    assert [counts.n for counts in score_counts([], [], [], 3)] == [0, 0, 0]


def test_rows_without_a_score_or_a_group_are_left_out() -> None:
    assert score_counts([0.1, math.nan, 0.2], [True, True, True], [0, 0, -1], 1)[0].n == 1


def test_past_the_cap_an_hour_is_binned() -> None:
    p = np.linspace(0.01, 0.99, EXACT_CAP + 1)
    y = np.arange(len(p)) % 3 == 0
    group = np.zeros(len(p), int)
    assert not score_counts(p, y, group, 1)[0].exact
    assert score_counts(p[1:], y[1:], group[1:], 1)[0].exact
    assert len(score_counts(p[1:], y[1:], group[1:], 1)[0].encode()) <= 4096


def test_the_tails_and_the_middle_have_their_bins() -> None:
    assert bins_of([0.0, 1e-12, 0.5, 1.0, 1 - 1e-12]).tolist() == [
        0,
        0,
        LOGIT_BINS // 2 + 1,
        LOGIT_BINS + 1,
        LOGIT_BINS + 1,
    ]


def test_binned_scores_stand_for_the_middle_of_their_bin() -> None:
    p = np.array([0.001, 0.2, 0.5, 0.93])
    counts = counted([(value, True) for value in p], cap=0)
    assert counts.scores() == pytest.approx(p, rel=0.01)
    tails = counted([(0.0, True), (1.0, False)], cap=0)
    assert tails.scores().tolist() == [0, 1]


@pytest.mark.parametrize("payload", [b"", b"\x00" * 3, b"\x07\x03" + b"\x00" * 4 + b"\x00" * 3, b"x" * 40])
def test_foreign_bytes_are_refused(payload: bytes) -> None:
    with pytest.raises(PayloadError):
        decode_scores(payload)


def test_many_summaries_encoded_together_equal_each_encoded_alone(late_flights: Binary) -> None:
    hours = int(late_flights.hour.max()) + 1
    counts = score_counts(late_flights.score, late_flights.actual, late_flights.hour, hours, cap=20)
    assert {one.exact for one in counts} == {True, False}
    together = encoded_scores(late_flights.score, late_flights.actual, late_flights.hour, hours, cap=20)
    assert together == [one.encode() for one in counts]


def test_beyond_any_radix_sort_the_same_scores_are_counted() -> None:
    """Above 65,536 groups another sort is used."""
    scores, actual = np.array([0.5, 0.25, 0.5, 0.75]), np.array([True, False, False, True])
    few = encoded_scores(scores, actual, np.array([1, 1, 1, 0]), 2)
    many = encoded_scores(scores, actual, np.array([70_000, 70_000, 70_000, 3]), 70_001)
    assert (many[3], many[70_000]) == (few[0], few[1])
    assert set(many) == {*few, score_counts([], [], [], 1)[0].encode()}
