"""Counting rows by group: the step that turns a table into additive state.

A *group* is whatever the caller rolls up by (an hour, an hour of one segment value, a batch), numbered from 0.
One call handles thousands of groups. Rows with a negative code or a negative group are left out.
"""

from __future__ import annotations

import numpy as np

from metrics.arrays import FloatArray, FloatLike, IntArray, IntLike, as_floats, as_ints


def count_by_group(codes: IntLike, group: IntLike, n_groups: int, size: int) -> IntArray:
    """How often each code occurs in each group.

    `codes` in `[0, size)` and `group` in `[0, n_groups)`, both of shape `[n]`. Returns `[n_groups, size]`; all
    zeros for no rows.
    """
    cells, keep = as_ints(group) * size + as_ints(codes), _inside(codes, group)
    counted = np.bincount(cells if keep is None else cells[keep], minlength=n_groups * size)
    return counted.astype(np.int64, copy=False).reshape(n_groups, size)


def sum_by_group(values: FloatLike, group: IntLike, n_groups: int) -> FloatArray:
    """The sum of `values` in each group, shape `[n_groups]`; 0 for a group without rows."""
    index, numbers = as_ints(group), as_floats(values)
    if index.size and int(index.min()) < 0:
        keep = index >= 0
        index, numbers = index[keep], numbers[keep]
    return np.bincount(index, weights=numbers, minlength=n_groups).astype(np.float64, copy=False)


def rows_by_group(group: IntLike, n_groups: int) -> IntArray:
    """The number of rows in each group, shape `[n_groups]`."""
    index = as_ints(group)
    return np.bincount(index[index >= 0], minlength=n_groups).astype(np.int64, copy=False)


def stack_sums(columns: list[FloatArray], group: IntLike, n_groups: int) -> FloatArray:
    """Sum several columns at once: shape `[n_groups, len(columns)]`."""
    return np.stack([sum_by_group(column, group, n_groups) for column in columns], axis=-1)


def distinct_by_group(keys: IntLike, group: IntLike, n_groups: int) -> tuple[IntArray, IntArray, IntArray]:
    """The distinct keys of each group with the number of their rows: sparse counting.

    `keys` are not negative. Returns keys (rising inside a group) and counts of all groups one after another, and the
    `n_groups + 1` places where the groups begin and end.
    """
    numbers, index = as_ints(keys), as_ints(group)
    if index.size and int(index.min()) < 0:
        numbers, index = numbers[index >= 0], index[index >= 0]
    width = int(numbers.max()) + 1 if numbers.size else 1
    cells, counts = np.unique(index * width + numbers, return_counts=True)
    edges = np.searchsorted(cells, np.arange(n_groups + 1) * width)
    return as_ints(cells % width), as_ints(counts), as_ints(edges)


def _inside(codes: IntLike, group: IntLike) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]] | None:
    code, index = as_ints(codes), as_ints(group)
    if not code.size or (int(code.min()) >= 0 and int(index.min()) >= 0):
        return None
    return (code >= 0) & (index >= 0)
