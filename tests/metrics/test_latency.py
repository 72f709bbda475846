"""Response times: quantiles, slow requests, merging and storage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics import EMPTY_LATENCY, LatencyCounts, PayloadError, decode_latency, latency_counts, merge_latency
from metrics.latency import keys_of, milliseconds

TIMES = st.lists(st.floats(0, 200_000) | st.integers(0, 12_000).map(float), max_size=60)
SOME_TIMES = st.lists(st.floats(0, 200_000), min_size=1, max_size=60)


def counted(times: list[float]) -> LatencyCounts:
    return latency_counts(times, [0] * len(times), 1)[0]


@given(SOME_TIMES, st.sampled_from([0.0, 0.1, 0.5, 0.9, 0.95, 0.99, 1.0]))
def test_a_quantile_lies_at_most_a_millisecond_or_a_hundredth_above_the_exact_one(times: list[float], q: float) -> None:
    exact = float(np.quantile(times, q, method="inverted_cdf"))
    found = counted(times).quantile(q)
    assert exact - 1e-6 <= found <= max(math.ceil(exact), exact * 1.0101)


@given(TIMES, st.integers(0, 9_999))
def test_requests_slower_than_whole_milliseconds_are_counted_exactly(times: list[float], threshold: int) -> None:
    assert counted(times).slow(threshold) == sum(time > threshold for time in times)


@given(TIMES, TIMES)
def test_merging_halves_equals_the_whole(left: list[float], right: list[float]) -> None:
    merged, together = merge_latency([counted(left), counted(right)]), counted(left + right)
    assert merged.keys.tolist() == together.keys.tolist()
    assert merged.counts.tolist() == together.counts.tolist()


@given(TIMES)
def test_stored_counts_read_back_equal(times: list[float]) -> None:
    counts = counted(times)
    back = decode_latency(counts.encode())
    assert back.keys.tolist() == counts.keys.tolist()
    assert back.counts.tolist() == counts.counts.tolist()


def test_groups_are_kept_apart_and_unknown_times_left_out() -> None:
    first, second, third = latency_counts([5, 7, math.nan, 9, 11], [0, 2, 2, -1, 0], 3)
    assert (first.n, second.n, third.n) == (2, 0, 1)
    assert first.quantiles([0, 1]).tolist() == [5, 11]


def test_without_requests_a_quantile_is_undefined() -> None:
    assert math.isnan(EMPTY_LATENCY.quantile(0.5))
    assert EMPTY_LATENCY.slow(0) == 0
    assert merge_latency([]) is EMPTY_LATENCY


def test_a_tenth_of_thirty_requests_are_three() -> None:
    assert counted([float(ms) for ms in range(1, 31)]).quantile(0.1) == 3


def test_buckets_above_ten_seconds_grow_by_a_hundredth() -> None:
    times = np.geomspace(10_001, 1e9, 500)
    ends = milliseconds(keys_of(times))
    assert (ends >= times * (1 - 1e-9)).all()
    assert (ends <= times * 1.0101).all()


def test_absurd_and_negative_times_have_a_bucket() -> None:
    assert keys_of([-3.0, 1e30]).tolist() == [0, int(keys_of([1e12])[0])]


def test_an_hour_of_many_requests_is_small() -> None:
    times = np.random.default_rng(5).lognormal(4.5, 0.5, 100_000)
    payload = latency_counts(times, np.zeros(len(times), int), 1)[0].encode()
    assert len(payload) < 2_500


@pytest.mark.parametrize("payload", [b"", b"\x01\x02", b"\x05\x00\x00\x00\x00\x00"])
def test_foreign_bytes_are_refused(payload: bytes) -> None:
    with pytest.raises(PayloadError):
        decode_latency(payload)
