"""Columns as bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.packing import PayloadError, gaps, pack, pack_each, unpack

COUNTS = st.lists(st.integers(0, 2**63 - 1) | st.integers(0, 300), max_size=200)


@given(COUNTS, st.integers(0, 127))
def test_what_was_packed_comes_back(counts: list[int], tag: int) -> None:
    numbers = np.array(counts, dtype=np.int64)
    scores = numbers / 7
    found, columns = unpack(pack(tag, [numbers, scores]))
    assert found == tag
    assert columns[0].tolist() == counts
    assert columns[1].tolist() == scores.tolist()


@given(st.lists(st.lists(st.integers(0, 2**63 - 1) | st.integers(0, 300), max_size=9), min_size=1, max_size=9))
def test_parts_packed_together_equal_the_parts_packed_one_by_one(parts: list[list[int]]) -> None:
    edges = np.cumsum([0, *map(len, parts)])
    numbers = np.array([number for part in parts for number in part], dtype=np.int64)
    alone = [pack(1, [np.array(part, dtype=np.int64), np.array(part, dtype=np.int64) / 7]) for part in parts]
    assert pack_each(1, [numbers, numbers / 7], edges) == alone


def test_long_parts_packed_together_are_compressed_too() -> None:
    zeros = np.zeros(20_000, dtype=np.int64)
    assert pack_each(1, [zeros], np.array([0, 9_000, 20_000])) == [pack(1, [zeros[:9_000]]), pack(1, [zeros[9_000:]])]


@pytest.mark.parametrize(("largest", "width"), [(255, 1), (256, 2), (65_536, 4), (2**32, 8)])
def test_a_column_takes_the_narrowest_type(largest: int, width: int) -> None:
    empty = len(pack(1, [np.array([], dtype=np.int64)]))
    assert len(pack(1, [np.array([0, largest])])) == empty + 2 * width


def test_long_columns_are_compressed_when_that_pays() -> None:
    assert len(pack(1, [np.zeros(10_000, dtype=np.int64)])) < 200


def test_gaps_give_the_keys_back() -> None:
    keys = np.array([3, 4, 90, 4000])
    assert gaps(keys).tolist() == [3, 1, 86, 3910]
    assert np.cumsum(gaps(keys)).tolist() == keys.tolist()


def test_cut_off_and_damaged_bytes_are_refused() -> None:
    plain = pack(1, [np.arange(9)])
    small = pack(1, [np.zeros(5_000, dtype=np.int64)])
    for broken in (b"", plain[:4], plain[:-1], plain + b"x", small[:-3], small[:8] + b"\x00" * 9):
        with pytest.raises(PayloadError):
            unpack(broken)
