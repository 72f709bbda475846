"""Where a word may stand beside its dot without covering anything."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dashboard.charts.columns import Array

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in px."""
Spot = tuple[str, float, float, Box]
"""The anchor of a text, how far it stands from its dot in px, and its ground."""
_BAND = 64


def spots_around(at: tuple[float, float], wide: float) -> list[Spot]:
    """Right, left, above, below: where a text of width ``wide`` may stand beside a dot, the best first."""
    a, b = at
    return [
        ("start", 10.0, 4.0, (a + 9, b - 7, a + 9 + wide, b + 7)),
        ("end", -10.0, 4.0, (a - 9 - wide, b - 7, a - 9, b + 7)),
        ("start", 4.0, -9.0, (a, b - 21, a + wide, b - 8)),
        ("start", 4.0, 18.0, (a, b + 8, a + wide, b + 21)),
        ("end", -4.0, -9.0, (a - wide, b - 21, a, b - 8)),
    ]


def free_spots(
    spots: Sequence[Sequence[Spot]], taken: Sequence[Box], line: float, width: float, tall: float
) -> tuple[list[list[int]], list[list[int]]]:
    """For each dot the spots inside the plot that cover nothing, and those of them that leave out the limit's line.

    All at once: five spots of five hundred features against a box each are a million comparisons.
    """
    boxes = np.array([[spot[3] for spot in around] for around in spots], np.float64).reshape(-1, 4)
    inside = (boxes[:, 0] >= 0) & (boxes[:, 2] <= width) & (boxes[:, 1] >= 0) & (boxes[:, 3] <= tall)
    free, quiet = inside.copy(), inside.copy()
    free[inside] = ~covered(boxes[inside], np.array(taken, np.float64))
    quiet[inside] = free[inside] & ~covered(boxes[inside], np.array([(0.0, line - 1, width, line + 1)]))
    return _listed(free, len(spots)), _listed(quiet, len(spots))


def _listed(true: npt.NDArray[np.bool_], n: int) -> list[list[int]]:
    return [[at for at, one in enumerate(row) if one] for row in true.reshape(n, -1).tolist()] if n else []


def covered(boxes: Array, others: Array) -> npt.NDArray[np.bool_]:
    """Which boxes share ground with any of the others; compared by bands of the height, where few others reach in."""
    found = np.zeros(len(boxes), np.bool_)
    order = np.argsort(boxes[:, 1])
    for band in np.split(order, range(_BAND, len(order), _BAND)):
        some = boxes[band]
        top, bottom = some[:, 1].min(initial=np.inf), some[:, 3].max(initial=-np.inf)
        near = others[(others[:, 1] < bottom) & (others[:, 3] > top)]
        one, other = some[:, None, :], near[None, :, :]
        across = (one[..., 0] < other[..., 2]) & (other[..., 0] < one[..., 2])
        down = (one[..., 1] < other[..., 3]) & (other[..., 1] < one[..., 3])
        found[band] = np.any(across & down, axis=1)
    return found


def overlap(one: Box, other: Box) -> bool:
    """Whether two boxes share ground."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
