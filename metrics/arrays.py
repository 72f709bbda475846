"""The array types that the whole package speaks.

Counts are 64-bit integers, numbers are 64-bit floats, `nan` means "undefined". Nothing here computes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
HashArray = NDArray[np.uint64]

FloatLike = FloatArray | Sequence[float] | NDArray[np.floating] | NDArray[np.integer]
IntLike = IntArray | Sequence[int] | NDArray[np.integer]


def as_floats(values: FloatLike) -> FloatArray:
    """`values` as a float64 array, without a copy when it is one already."""
    return np.asarray(values, dtype=np.float64)


def as_ints(values: IntLike | FloatArray) -> IntArray:
    """`values` as an int64 array, without a copy when it is one already."""
    return np.asarray(values, dtype=np.int64)


def ratio(numerator: FloatLike | IntLike | float, denominator: FloatLike | IntLike | float) -> FloatArray:
    """Element-wise quotient; `nan` wherever the denominator is 0 (an undefined metric)."""
    top, bottom = np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64)
    shape = np.broadcast_shapes(top.shape, bottom.shape)
    out = np.full(shape, np.nan)
    np.divide(top, bottom, out=out, where=np.broadcast_to(bottom != 0, shape))
    return out
