"""Calibration against the definition, row by row."""

from __future__ import annotations

import numpy as np
import pytest

from metrics import EMPTY_SCORES, calibration, score_counts
from tests.metrics.conftest import Binary


@pytest.mark.parametrize("cap", [None, 0])
def test_bins_hold_the_rows_their_mean_score_and_what_happened(late_flights: Binary, cap: int | None) -> None:
    y, p = late_flights.actual, late_flights.score
    counts = score_counts(p, y, np.zeros(len(p), int), 1, cap)[0]
    found = calibration(counts)
    assert sum(one.rows for one in found) == len(p)
    for one in found:
        inside = (p >= one.left) & (p < one.right)
        tolerance = 1e-9 if cap is None else 0.01
        assert one.rows == pytest.approx(inside.sum(), rel=tolerance if cap is None else 0.05)
        assert one.mean_score == pytest.approx(p[inside].mean(), rel=tolerance)
        assert one.positive_share == pytest.approx(y[inside].mean(), rel=tolerance, abs=tolerance)


def test_sure_scores_lie_in_the_outer_bins() -> None:
    first, last = calibration(score_counts([0.0, 1.0], [False, True], [0, 0], 1)[0])
    assert (first.left, first.positive_share, last.right, last.positive_share) == (0, 0, 1, 1)


def test_without_rows_there_are_no_bins() -> None:
    assert calibration(EMPTY_SCORES) == []
