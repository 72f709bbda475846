"""Sketches of quantiles: rank error, merging, storage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from datasketches import kll_doubles_sketch
from hypothesis import given
from hypothesis import strategies as st

from metrics import PayloadError, decode_quantiles, encoded_sketches, merge_quantiles, quantile_sketches
from metrics.quantiles import SKETCH_SIZE
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


@given(st.lists(st.tuples(st.integers(-1, 4), st.floats(allow_nan=True, allow_infinity=True)), max_size=60))
def test_sketches_written_together_are_read_as_those_of_the_library(rows: list[tuple[int, float]]) -> None:
    group, values = [group for group, _ in rows], [value for _, value in rows]
    together, alone = encoded_sketches(values, group, 5), quantile_sketches(values, group, 5)
    assert [raw == b"" for raw in together] == [one.n == 0 for one in alone]
    for raw, one in zip(together, alone, strict=True):
        if raw:
            again = decode_quantiles(raw)
            assert again.n == one.n
            assert again.quantiles(SHARES).tolist() == one.quantiles(SHARES).tolist()
            assert again.quantiles([0, 1]).tolist() == one.quantiles([0, 1]).tolist()


@pytest.mark.parametrize("size", [1, 2, 3, SKETCH_SIZE - 1, SKETCH_SIZE])
def test_a_sketch_that_keeps_all_its_numbers_has_the_bytes_of_the_library(size: int) -> None:
    numbers = np.random.default_rng(size).normal(size=size)
    sketch = kll_doubles_sketch(SKETCH_SIZE)
    sketch.update(numbers)
    assert encoded_sketches(np.repeat(numbers, 2), np.tile([0, 1], size), 2) == [bytes(sketch.serialize())] * 2


def test_sketches_that_were_written_together_merge() -> None:
    numbers = np.random.default_rng(5).normal(size=3_000)
    parts = encoded_sketches(numbers, np.arange(3_000) % 20, 20)
    merged = merge_quantiles([decode_quantiles(part) for part in parts])
    assert merged.n == 3_000
    assert max(rank_errors(numbers, merged.quantiles(SHARES))) <= 0.01


def test_a_group_of_very_many_numbers_is_a_sketch_beside_small_ones() -> None:
    numbers = np.random.default_rng(6).normal(size=50_000)
    many, few = encoded_sketches(numbers, np.repeat([0, 1], [49_990, 10]), 2)
    assert len(many) < 12_000
    assert max(rank_errors(numbers[:49_990], decode_quantiles(many).quantiles(SHARES))) <= 0.01
    assert decode_quantiles(few).quantiles([0, 1]).tolist() == [numbers[-10:].min(), numbers[-10:].max()]
