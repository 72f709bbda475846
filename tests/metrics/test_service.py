"""Service sums, load and consumers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics import (
    EMPTY_LOAD,
    NO_CONSUMERS,
    Consumers,
    LoadCounts,
    PayloadError,
    consumer_hashes,
    consumers,
    decode_consumers,
    decode_load,
    load_counts,
    merge_consumers,
    merge_load,
    service_rates,
    service_sums,
)
from metrics.service import CONSUMERS_EXACT, column

MINUTES = st.lists(st.integers(0, 59), max_size=80)


def loaded(minutes: list[int]) -> LoadCounts:
    return load_counts(minutes, [0] * len(minutes), 1)[0]


def those(names: list[str]) -> Consumers:
    return consumers(consumer_hashes(names), [0] * len(names), 1)[0]


def test_rates_are_shares_of_all_requests() -> None:
    sums = service_sums([200, 404, 422, 503, 200], [10, 0, 0, 0, 5], [True, False, False, False, False], [0] * 5, 2)
    rates = service_rates(sums)
    assert column(sums, "predictions").tolist() == [15, 0]
    assert rates["userErrorRate"][0] == pytest.approx(0.4)
    assert rates["serverErrorRate"][0] == pytest.approx(0.2)
    assert rates["cacheHitRatio"][0] == pytest.approx(0.2)
    assert all(math.isnan(values[1]) for values in rates.values())


def test_throttled_and_refused_requests_are_user_errors() -> None:
    sums = service_sums([399, 400, 480, 499, 500, 599], [0] * 6, [0] * 6, [0] * 6, 1)
    assert (column(sums, "user_errors")[0], column(sums, "server_errors")[0]) == (3, 2)


@given(MINUTES)
def test_load_is_that_of_the_minutes_with_requests(minutes: list[int]) -> None:
    load = loaded(minutes)
    if not minutes:
        assert math.isnan(load.median())
        assert math.isnan(load.peak())
        return
    _, per_minute = np.unique(minutes, return_counts=True)
    assert load.median() == np.median(per_minute)
    assert load.peak() == per_minute.max()


@given(MINUTES, MINUTES)
def test_hours_merge_as_if_counted_together(first: list[int], second: list[int]) -> None:
    later = [60 + minute for minute in second]
    merged, together = merge_load([loaded(first), loaded(later)]), loaded(first + later)
    assert merged.loads.tolist() == together.loads.tolist()
    assert merged.minutes.tolist() == together.minutes.tolist()


@given(MINUTES)
def test_stored_load_reads_back_equal(minutes: list[int]) -> None:
    load = loaded(minutes)
    back = decode_load(load.encode())
    assert (back.loads.tolist(), back.minutes.tolist()) == (load.loads.tolist(), load.minutes.tolist())


def test_huge_loads_merge_too() -> None:
    huge = LoadCounts(np.array([3, 9_000_000]), np.array([2, 1]))
    merged = merge_load([huge, loaded([1, 1])])
    assert (merged.median(), merged.peak()) == (3, 9_000_000)


def test_loads_of_groups_are_kept_apart() -> None:
    first, second, third = load_counts([7, 7, 8, 7], [0, 0, 0, 2], 3)
    assert (first.median(), first.peak(), third.peak()) == (1.5, 2, 1)
    assert second.loads.size == 0
    assert merge_load([]) is EMPTY_LOAD
    assert load_counts([5], [-1], 1)[0].loads.size == 0


def test_a_consumer_is_counted_once() -> None:
    assert those(["ann", "bob", "ann"]).count() == 2
    assert merge_consumers([those(["ann", "bob"]), those(["bob", "cy"])]).count() == 3
    assert merge_consumers([]).count() == NO_CONSUMERS.count() == 0


def test_consumers_of_groups_are_kept_apart() -> None:
    found = consumers(consumer_hashes(["ann", "bob", "ann", "cy"]), [0, 0, 2, -1], 3)
    assert [group.count() for group in found] == [2, 0, 1]


@pytest.mark.parametrize("number", [CONSUMERS_EXACT, 3 * CONSUMERS_EXACT])
def test_many_consumers_are_estimated_well_and_merge(number: int) -> None:
    names = [f"user{i}@example.org" for i in range(number)]
    merged = merge_consumers([those(names[: number * 2 // 3]), those(names[number // 3 :]), those(names[:5])])
    assert (merged.sketch is None) == (number <= CONSUMERS_EXACT)
    assert merged.count() == pytest.approx(number, rel=0.04)
    again = decode_consumers(merged.encode())
    assert again.count() == merged.count()
    assert len(merged.encode()) <= 8 * CONSUMERS_EXACT + 1


def test_hashes_are_the_same_on_every_machine() -> None:
    assert consumer_hashes(["ann@example.org"]).tolist() == [consumer_hashes(["x", "ann@example.org"])[1]]
    assert consumer_hashes([]).size == 0


@pytest.mark.parametrize("payload", [b"", b"\x05abc", b"\x06abc", b"\x09" + b"\x00" * 8])
def test_foreign_bytes_are_not_consumers(payload: bytes) -> None:
    with pytest.raises(PayloadError):
        decode_consumers(payload)


@pytest.mark.parametrize("payload", [b"", b"\x06\x00\x00\x00\x00\x00"])
def test_foreign_bytes_are_not_load(payload: bytes) -> None:
    with pytest.raises(PayloadError):
        decode_load(payload)
