"""Values into a few classes of colour, each with its words: for maps, whose legend is these classes."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dashboard.charts import words
from dashboard.charts.scales import nice_step

Text = Callable[[float | None], str]
AROUND = (0.02, 0.1, 0.25)
"""How far from the middle, as a share of it, the classes of a diverging ramp reach."""
BEYOND = (1 / 3, 2 / 3, 1.0, 3.3, 6.7, 20.0)
_DIVERGING = (1, 3, 4, 5, 6, 7, 9)
COUNTS = 5
LEAST = 1e-9
"""Smaller differences are no differences."""


@dataclass(frozen=True, slots=True)
class Ramp:
    """`bounds[i]` parts class i from class i + 1; a value on a bound is in the class above. One token a class."""

    bounds: tuple[float, ...]
    tokens: tuple[str, ...]
    labels: tuple[str, ...]

    def token(self, value: float) -> str:
        """The colour of a value."""
        return self.tokens[bisect_right(self.bounds, value)]


def amounts(values: Sequence[float], text: Text) -> Ramp:
    """Counts from few to many: each class holds about as many cells as the others, on round bounds."""
    known = sorted(v for v in values if math.isfinite(v))
    cuts = [known[len(known) * i // COUNTS] for i in range(1, COUNTS)] if known else []
    bounds = sorted({_round(cut) for cut in cuts if cut > LEAST})
    return _sequential([b for b in bounds if known and known[0] < b <= known[-1]], text)


def levels(values: Sequence[float], text: Text) -> Ramp:
    """A quantity without a good or a bad end, in even steps."""
    known = [v for v in values if math.isfinite(v)]
    if not known or max(known) - min(known) < LEAST:
        return _sequential([], text)
    step = nice_step(max(known) - min(known), COUNTS)
    first = math.floor(min(known) / step) + 1
    bounds = [round(first * step + i * step, 12) for i in range(9)]
    return _sequential([b for b in bounds if b < max(known)][:6], text)


def around(middle: float, better: int, text: Text) -> Ramp:
    """A score against that of all rows: the worse end is brown, the better one blue."""
    size = abs(middle)
    if not size:
        return _sequential([], text)
    bounds = [middle + sign * share * size for sign, shares in ((-1, AROUND[::-1]), (1, AROUND)) for share in shares]
    tokens = [f"div-{i}" for i in (_DIVERGING if better > 0 else _DIVERGING[::-1])]
    return Ramp(tuple(bounds), tuple(tokens), _labels(bounds, text))


def against(limit: float, text: Text) -> Ramp:
    """A score with a limit: quiet colours up to it, then a jump."""
    bounds = [bound * limit + 1e-9 for bound in BEYOND]
    return Ramp(tuple(bounds), tuple(f"heat-{i}" for i in range(1, 8)), _labels(bounds, text))


def _sequential(bounds: Sequence[float], text: Text) -> Ramp:
    steps = {0: (4,), 1: (2, 5), 2: (2, 4, 6), 3: (2, 3, 5, 6), 4: (2, 3, 4, 5, 6), 5: (2, 3, 4, 5, 6, 7)}
    chosen = steps.get(len(bounds), (1, 2, 3, 4, 5, 6, 7))
    return Ramp(tuple(bounds), tuple(f"seq-{i}" for i in chosen), _labels(bounds, text))


def _labels(bounds: Sequence[float], text: Text) -> tuple[str, ...]:
    if not bounds:
        return ("all",)
    between = [f"{text(a)} – {text(b)}" for a, b in pairwise(bounds)]
    return (f"below {text(bounds[0])}", *between, f"{text(bounds[-1])} and more")


def _round(value: float) -> float:
    """One or two significant digits: 1, 1.5, 2, 3, 5, 7 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return words.rounded(min((1, 1.5, 2, 3, 5, 7, 10), key=lambda m: abs(math.log(value / (m * power)))) * power)
