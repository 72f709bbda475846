"""Laws that hold for every kind of state: merging halves equals the whole, and the order of rows never matters."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import metrics as m

ROWS = 40
Rows = dict[str, np.ndarray]


def regression(rows: Rows) -> np.ndarray:
    return m.regression_sums(rows["y"], rows["z"], rows["group"], 3, 1.0)


def binary(rows: Rows) -> np.ndarray:
    return m.binary_sums(rows["y"] > 1, rows["p"], rows["group"], 3)


def multiclass(rows: Rows) -> np.ndarray:
    chances = np.stack([rows["p"], 1 - rows["p"]], axis=1)
    return m.multiclass_sums(rows["k"], 1 - rows["k"], chances, rows["group"], 3, 2)


def service(rows: Rows) -> np.ndarray:
    return m.service_sums(200 + 150 * rows["k"], rows["k"], rows["k"], rows["group"], 3)


def fairness(rows: Rows) -> np.ndarray:
    return m.fairness_sums(rows["p"], rows["k"] - 1, rows["group"], 3)


def numeric_bins(rows: Rows) -> np.ndarray:
    return m.fit_numeric([0.0, 0.5, 1.0]).tally(rows["y"], rows["group"], 3)


def text_bins(rows: Rows) -> np.ndarray:
    texts = ["late" if k else "on time" for k in rows["k"]]
    return m.fit_text(["late", "on time"]).tally(texts, rows["group"], 3)


ADDITIVE = (regression, binary, multiclass, service, fairness, numeric_bins, text_bins)


@st.composite
def some_rows(draw: st.DrawFn) -> Rows:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(0, ROWS))
    return {
        "y": rng.gamma(1.0, 2.0, n).round(1),
        "z": rng.gamma(1.0, 2.0, n),
        "p": rng.random(n).round(2),
        "k": rng.integers(0, 2, n),
        "group": rng.integers(-1, 3, n),
    }


def picked(rows: Rows, index: np.ndarray | slice) -> Rows:
    return {name: values[index] for name, values in rows.items()}


@pytest.mark.parametrize("state", ADDITIVE)
@given(rows=some_rows(), cut=st.integers(0, ROWS))
def test_adding_halves_equals_the_whole(state: Callable[[Rows], np.ndarray], rows: Rows, cut: int) -> None:
    halves = state(picked(rows, slice(cut))) + state(picked(rows, slice(cut, None)))
    assert halves == pytest.approx(state(rows), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("state", ADDITIVE)
@given(rows=some_rows(), seed=st.integers(0, 99))
def test_the_order_of_rows_does_not_matter(state: Callable[[Rows], np.ndarray], rows: Rows, seed: int) -> None:
    turned = picked(rows, np.random.default_rng(seed).permutation(len(rows["y"])))
    assert state(turned) == pytest.approx(state(rows), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("state", ADDITIVE)
@given(rows=some_rows())
def test_groups_in_one_call_equal_groups_one_by_one(state: Callable[[Rows], np.ndarray], rows: Rows) -> None:
    together = state(rows)
    for g in range(3):
        assert state(picked(rows, rows["group"] == g))[g] == pytest.approx(together[g], rel=1e-12, abs=1e-12)
