"""Custom metrics: values that users report, kept as additive state of which every kind of metric can be read.

One state serves sums, averages, gauges and categories, so that a metric's kind may be changed without losing its
history. Merging is associative and commutative: `merge_custom` of any parts in any order gives the same state (sums up
to the rounding of floats). The empty state is its neutral element.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from metrics.accuracy import Direction, percent_change

Last = tuple[int, int, float]
NEVER: Last = (-1, -1, -math.inf)


class CustomKind(StrEnum):
    """How the values of a metric are put together, spelled as in the reference."""

    SUM = "sum"
    AVERAGE = "average"
    GAUGE = "gauge"
    CATEGORICAL = "categorical"


@dataclass(frozen=True)
class CustomState:
    """Reported values of one bucket.

    `n` values, of `samples` samples altogether. `total`: Σ value; `weighted`: Σ value·samples. `last`: time of the
    latest value and of its receipt (both in microseconds), and the value. `counts`: samples by category; `unknown`:
    samples of categories that the metric does not know.
    """

    n: int = 0
    samples: int = 0
    total: float = 0.0
    weighted: float = 0.0
    last: Last = NEVER
    counts: Mapping[str, int] = field(default_factory=dict)
    unknown: int = 0


NO_VALUES = CustomState()


def merge_custom(parts: Sequence[CustomState]) -> CustomState:
    """All values of the parts together; of several gauges the latest, of equally late ones that received last."""
    if len(parts) <= 1:
        return parts[0] if parts else NO_VALUES
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(part.counts)
    return CustomState(
        n=sum(part.n for part in parts),
        samples=sum(part.samples for part in parts),
        total=math.fsum(part.total for part in parts),
        weighted=math.fsum(part.weighted for part in parts),
        last=max(part.last for part in parts),
        counts=dict(counts),
        unknown=sum(part.unknown for part in parts),
    )


def custom_value(state: CustomState, kind: CustomKind) -> float:
    """The value of a metric; `nan` without values, and for categories, which have no single value.

    Sum: Σ value. Average: Σ value·samples / Σ samples. Gauge: the latest value.
    """
    if not state.n or kind is CustomKind.CATEGORICAL:
        return math.nan
    if kind is CustomKind.SUM:
        return state.total
    if kind is CustomKind.GAUGE:
        return state.last[2]
    return state.weighted / state.samples if state.samples else math.nan


def custom_categories(state: CustomState, known: Collection[str]) -> tuple[dict[str, int], int]:
    """Samples of each known category, in their order, and of all others together."""
    counted = {name: state.counts.get(name, 0) for name in known}
    return counted, state.unknown + sum(count for name, count in state.counts.items() if name not in counted)


def custom_change(value: float | None, baseline: float | None, direction: Direction) -> float | None:
    """How much better (positive) or worse (negative) than the baseline, in percent; see `percent_change`."""
    return percent_change(value, baseline, direction)
