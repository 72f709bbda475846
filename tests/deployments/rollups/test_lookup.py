"""The last row of each name, and where names are: compared with a dictionary."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from deployments.rollups.levels import places_in
from deployments.rollups.lookup import Latest, Named
from deployments.rollups.numbering import distinct, places

ROWS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["a", "b", "ab", "", "é"])), max_size=40)


def named(rows: list[tuple[int, str]], kinds: int | None = None) -> Named:
    """With `kinds`, no more than so many hashes: most rows meet in one slot."""
    found = Named.of(
        np.array([place for place, _ in rows], np.int64), pl.Series([name for _, name in rows], dtype=pl.String)
    )
    return found if kinds is None else Named(found.place, found.name, found.hashes % np.uint64(kinds))


@given(ROWS, ROWS, st.sampled_from([None, 1, 3]), st.randoms())
def test_the_last_row_of_each_name_is_kept_and_found_whatever_hashes_say(
    rows: list[tuple[int, str]], asked: list[tuple[int, str]], kinds: int | None, chance: object
) -> None:
    order = list(range(len(rows)))
    chance.shuffle(order)  # type: ignore[attr-defined]
    last = {rows[number]: number for number in order}
    latest = Latest(named(rows, kinds), np.array(order, np.int64))
    assert set(np.flatnonzero(~latest.beaten).tolist()) == set(last.values())
    found = latest.find(named(asked, kinds), np.arange(len(asked)))
    assert found.tolist() == [last.get(row, -1) for row in asked]


def test_only_rows_that_take_part_are_found() -> None:
    rows = named([(0, "a"), (0, "b"), (1, "a")])
    latest = Latest(rows, np.array([2]))
    assert latest.find(rows, np.array([2, 0])).tolist() == [2, -1]


def test_many_rows_are_parted_as_polars_parts_them() -> None:
    random = np.random.default_rng(3)
    place, ids = random.integers(0, 50, 30_000), pl.Series(random.integers(0, 2_000, 30_000)).cast(pl.String)
    kept = pl.DataFrame({"place": place, "id": ids, "row": np.arange(30_000)}).unique(["place", "id"], keep="last")
    latest = Latest(Named.of(place, ids), np.arange(30_000))
    assert np.flatnonzero(~latest.beaten).tolist() == sorted(kept["row"].to_list())


@given(st.lists(st.integers(-5, 10**12)), st.sets(st.integers(-5, 10**12) | st.integers(0, 50), max_size=20))
def test_numbers_are_placed_as_in_a_list(numbers: list[int], buckets: set[int]) -> None:
    known = sorted(buckets)
    numbers += known[:3]
    expected = [known.index(number) if number in buckets else -1 for number in numbers]
    assert places(np.array(numbers, np.int64), known).tolist() == expected


@given(st.lists(st.integers(-50, 50) | st.integers(-(10**12), 10**12)))
def test_distinct_numbers_rise_and_every_row_knows_its_own(numbers: list[int]) -> None:
    found, place = distinct(np.array(numbers, np.int64))
    assert found.tolist() == sorted(set(numbers))
    assert found[place].tolist() == numbers


def test_words_are_placed_among_known_ones_and_others_after_them() -> None:
    many = [f"level {number}" for number in range(300)]
    words = pl.Series(["level 255", None, "", "new", "level 0", "level 299"], dtype=pl.String)
    assert places_in(words, many).tolist() == [255, 300, 300, 300, 0, 299]
    assert places_in(words, many[:256]).tolist() == [255, 256, 256, 256, 0, 256]
    assert places_in(words, []).tolist() == [0] * 6
    assert places_in(pl.Series([None, None]), ["a"]).tolist() == [1, 1]
    assert places_in(pl.Series([], dtype=pl.String), ["a"]).tolist() == []
