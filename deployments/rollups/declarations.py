"""What is rolled up: one entry an area, and what each needs. The engine in `fill` goes by this list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deployments.ingest.shape import CONSUMER, HOST_IP, REMOTE_IP
from deployments.models import Area, BlockKind


@dataclass(frozen=True)
class Rollup:
    """States of `area` are made of blocks of `source`; `fixed` attributes are those that no setting names.

    `only_fixed`: the attributes that the settings name do not part this area's rows.
    """

    area: Area
    source: BlockKind
    fixed: frozenset[str]
    only_fixed: bool = False


ROLLUPS: Mapping[Area, Rollup] = {
    rollup.area: rollup
    for rollup in (
        Rollup(Area.SERVICE, BlockKind.SERVICE, frozenset({CONSUMER, REMOTE_IP, HOST_IP}), only_fixed=True),
        Rollup(Area.PREDICTIONS, BlockKind.PREDICTIONS, frozenset({CONSUMER})),
        Rollup(Area.ACCURACY, BlockKind.PREDICTIONS, frozenset({CONSUMER})),
    )
}

FED_BY: Mapping[BlockKind, tuple[Area, ...]] = {
    BlockKind.PREDICTIONS: (Area.PREDICTIONS, Area.ACCURACY),
    BlockKind.SERVICE: (Area.SERVICE,),
}
"""Which areas a new block makes out of date."""
