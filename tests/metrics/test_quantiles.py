"""Sketches of quantiles: rank error, merging, storage."""

from __future__ import annotations

import math

import numpy as np
import pytest

from metrics import PayloadError, decode_quantiles, merge_quantiles, quantile_sketches
from tests.metrics.conftest import Regression

SHARES = [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99]


def rank_errors(values: np.ndarray, found: np.ndarray) -> list[float]:
    """How far the share of values up to each quantile is from the share that was asked; 0 within a tie."""
    ordered = np.sort(values)
    low = np.searchsorted(ordered, found, side="left") / len(values)
    high = np.searchsorted(ordered, found, side="right") / len(values)
    return [max(a - q, q - b, 0.0) for a, b, q in zip(low, high, SHARES, strict=True)]


def test_a_year_of_merged_hours_is_within_one_percent_of_rank(delays: Regression) -> None:
    hours = int(delays.hour.max()) + 1
    parts = quantile_sketches(delays.predicted, delays.hour, hours)
    merged = merge_quantiles(parts)
    assert merged.n == len(delays.predicted)
    assert max(rank_errors(delays.predicted, merged.quantiles(SHARES))) <= 0.01
    again = decode_quantiles(merged.encode())
    assert again.quantiles(SHARES).tolist() == merged.quantiles(SHARES).tolist()
    assert len(merged.encode()) < 12_000


def test_few_values_are_kept_exactly() -> None:
    sketch = quantile_sketches([5, 1, 3, 2, 4], [0] * 5, 1)[0]
    assert [sketch.quantile(q) for q in (0, 0.2, 0.5, 0.9, 1)] == [1, 1, 3, 5, 5]


def test_groups_are_kept_apart_and_missing_values_left_out() -> None:
    first, second, third = quantile_sketches([1, math.nan, 3, 4, 8], [0, 0, 2, -1, 2], 3)
    assert (first.n, second.n, third.n) == (1, 0, 2)
    assert third.quantiles([0, 1]).tolist() == [3, 8]


def test_without_values_a_quantile_is_undefined() -> None:
    assert math.isnan(merge_quantiles([]).quantile(0.5))
    assert math.isnan(quantile_sketches([], [], 1)[0].quantile(0.5))


def test_foreign_bytes_are_refused() -> None:
    for payload in (b"", b"abc", b"\xff" * 50):
        with pytest.raises(PayloadError):
            decode_quantiles(payload)
