"""What is rolled up: one entry an area, and what each needs. The engine in `fill` goes by this list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from deployments.ingest.shape import CONSUMER, HOST_IP, REMOTE_IP
from deployments.models import Area, BlockKind


class By(Enum):
    """Which attributes of a deployment part the rows of an area, besides its fixed ones."""

    SEGMENTS = auto()  # those that the settings name
    NOTHING = auto()
    PROTECTED = auto()  # the protected features of fairness
    PLACES = auto()  # geospatial features


@dataclass(frozen=True)
class Rollup:
    """States of `area` are made of blocks of `source`; `fixed` attributes are those that no setting names.

    `beside`: the area has no marks of its own. It is made of the very rows of that area, in the same pass, and only
    by time; so it costs what its counting costs, not another reading of the rows.
    """

    area: Area
    source: BlockKind
    fixed: frozenset[str] = frozenset()
    by: By = By.SEGMENTS
    beside: Area | None = None


SERVED = frozenset({CONSUMER, REMOTE_IP, HOST_IP})

ROLLUPS: Mapping[Area, Rollup] = {
    rollup.area: rollup
    for rollup in (
        Rollup(Area.SERVICE, BlockKind.SERVICE, SERVED, By.NOTHING),
        Rollup(Area.PREDICTIONS, BlockKind.PREDICTIONS, frozenset({CONSUMER})),
        Rollup(Area.ACCURACY, BlockKind.PREDICTIONS, frozenset({CONSUMER})),
        Rollup(Area.HUMILITY, BlockKind.PREDICTIONS, SERVED, By.NOTHING, beside=Area.PREDICTIONS),
        Rollup(Area.FAIRNESS, BlockKind.PREDICTIONS, by=By.PROTECTED, beside=Area.ACCURACY),
        Rollup(Area.SPACE, BlockKind.PREDICTIONS, by=By.PLACES, beside=Area.PREDICTIONS),
        Rollup(Area.SPACE_ACCURACY, BlockKind.PREDICTIONS, by=By.PLACES, beside=Area.ACCURACY),
    )
}

FED_BY: Mapping[BlockKind, tuple[Area, ...]] = {
    BlockKind.PREDICTIONS: (Area.PREDICTIONS, Area.ACCURACY),
    BlockKind.SERVICE: (Area.SERVICE,),
}
"""Which areas a new block makes out of date; those beside them follow."""


def beside(area: Area) -> list[Rollup]:
    """What is made in the same pass as an area."""
    return [rollup for rollup in ROLLUPS.values() if rollup.beside is area]
