"""Frozen bins: fitting, codes, tallies, storage."""

from __future__ import annotations

import json
import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics import (
    BinSpec,
    CategoricalBins,
    NumericBins,
    TextBins,
    count_by_group,
    fit_categorical,
    fit_numeric,
    fit_text,
    spec_from_dict,
)
from metrics.binning import range_edges
from metrics.words import words_of

NUMBERS = st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), max_size=60)


def test_deciles_of_real_distances_hold_about_a_tenth_each(flights: pl.DataFrame) -> None:
    air_time = flights["air_time"].drop_nulls().to_numpy().astype(float)
    bins = fit_numeric(air_time)
    counts = bins.tally(air_time, np.zeros(len(air_time), int), 1)[0]
    assert bins.size == 13
    assert counts[[0, 11, 12]].tolist() == [0, 0, 0]
    assert counts[1:11] / len(air_time) == pytest.approx(np.full(10, 0.1), abs=0.01)


def test_ranges_are_open_on_the_left_and_closed_on_the_right() -> None:
    bins = fit_numeric(np.arange(101.0))
    assert bins.uppers[0] == 10
    assert bins.codes([-1, 0, 10, 10.5, 100, 100.5, math.nan]).tolist() == [0, 1, 1, 2, 10, 11, 12]


def test_infinities_lie_below_and_above() -> None:
    assert fit_numeric([1.0, 2.0]).codes([-math.inf, math.inf]).tolist() == [0, 3]


def test_few_distinct_values_get_a_bin_each() -> None:
    bins = fit_numeric([3, 1, 1, 2, math.nan])
    assert bins.uppers == (1.0, 2.0, 3.0)
    assert bins.labels == ["Below training range", "1", "1 to 2", "2 to 3", "Above training range", "Missing"]
    assert bins.codes([1, 2, 3]).tolist() == [1, 2, 3]


def test_a_value_that_fills_several_deciles_is_one_bin_of_its_own() -> None:
    values = np.concatenate([np.zeros(600), np.linspace(1, 50, 400)])
    bins = fit_numeric(values)
    counts = bins.tally(values, np.zeros(1000, int), 1)[0]
    assert bins.uppers[0] == 0
    assert bins.labels[1] == "0"
    assert counts[1] == 600
    assert len(bins.uppers) == 5


def test_a_column_without_training_values_counts_every_value_as_low() -> None:
    bins = fit_numeric([math.nan])
    assert bins.size == len(bins.labels) == 3
    assert bins.codes([-5, 5, math.nan]).tolist() == [0, 0, 2]
    assert range_edges(bins).shape == (0, 2)


def test_range_edges_give_both_ends() -> None:
    assert range_edges(NumericBins(0.0, (1.0, 4.0))).tolist() == [[0, 1], [1, 4]]


@given(NUMBERS, NUMBERS)
def test_every_number_lies_in_exactly_one_bin(training: list[float], live: list[float]) -> None:
    bins = fit_numeric(np.array(training))
    codes = bins.codes(np.array(live))
    assert bins.size == len(bins.labels) <= 13
    assert ((codes >= 0) & (codes < bins.size)).all()
    assert bins.tally(np.array(live), np.zeros(len(live), int), 1).sum() == len(live)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60))
def test_training_values_are_neither_low_nor_high(training: list[float]) -> None:
    bins = fit_numeric(np.array(training))
    codes = bins.codes(np.array(training))
    assert codes.min() >= 1
    assert codes.max() <= len(bins.uppers)


def test_the_most_frequent_levels_have_bins_and_the_rest_is_other_or_new(flights: pl.DataFrame) -> None:
    bins = fit_categorical(flights["dest"].to_list())
    assert len(bins.levels) == 25
    top = flights["dest"].value_counts(sort=True)["dest"][0]
    assert bins.levels[0] == top
    rare = bins.known[0]
    assert bins.codes([top, rare, "XXX", None, ""]).tolist() == [0, 25, 26, 27, 27]
    assert bins.labels[25:] == ["Other", "New level", "Missing"]


def test_equally_frequent_levels_are_ordered_by_name() -> None:
    assert fit_categorical(["b", "a", "c", "c"], categories=2) == CategoricalBins(("c", "a"), ("b",))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, set()),
        ("  --  ", set()),
        ("The plane, the PLANE!", {"the", "plane"}),
        ("wasn't 2 late", {"wasn't", "2", "late"}),
        ("東京 night", {"東", "京", "night"}),
        ("すし", {"す", "し"}),
        ("éclair_x", {"éclair", "x"}),
        ("gate12東", {"gate12", "東"}),
    ],
)
def test_words_of_a_text(text: str | None, words: set[str]) -> None:
    assert words_of(text) == words


def test_text_counts_rows_that_contain_a_word_once() -> None:
    bins = fit_text(["late late late", "late again", "on time"], words=3)
    assert bins.words == ("late", "again", "on")
    counts = bins.tally(["late again late", "late", None, "unheard of"], [0, 1, 1, 1], 2)
    assert counts.tolist() == [[1, 1, 0], [1, 0, 0]]


@pytest.mark.parametrize(
    "spec",
    [
        fit_numeric([0.1, 0.2, 5]),
        fit_numeric([]),
        fit_categorical(["a", "b", None, "ü"], categories=1),
        fit_text(["some words 東京"]),
    ],
)
def test_a_stored_spec_reads_back_equal(spec: BinSpec) -> None:
    assert spec_from_dict(json.loads(json.dumps(spec.to_dict()))) == spec


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="spline"):
        spec_from_dict({"kind": "spline"})


def test_rows_without_a_group_or_a_code_are_not_counted() -> None:
    counts = count_by_group([0, 1, -1, 1], [0, 1, 1, -1], 2, 2)
    assert counts.tolist() == [[1, 0], [0, 1]]


def test_counting_nothing_gives_zeros() -> None:
    assert count_by_group([], [], 2, 3).tolist() == [[0, 0, 0], [0, 0, 0]]
    assert TextBins(()).tally(["x"], [0], 1).shape == (1, 0)
