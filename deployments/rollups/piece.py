"""The rows of a piece, with all that the areas count in them; what several areas need is worked out once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deployments.blocks import FEATURE
from deployments.ingest.points import cells_of
from deployments.ingest.shape import shape_of
from deployments.models import DeployedModel, Grain
from deployments.registry import baseline_of, target_spec
from deployments.rollups import compute, keys, scoring
from deployments.rollups.cuts import Attribute, Cut, by_bucket, by_segment
from deployments.rollups.numbering import distinct, places
from deployments.rollups.scoring import Scored
from deployments.rollups.write import Row
from deployments.settings_schema import Settings, parse
from metrics import rows_by_group

Numbers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Piece:
    """Rows of some buckets: `numbers` is each row's hour (or batch), `place` its bucket's place in `buckets`, or -1."""

    model: DeployedModel
    grain: Grain
    table: pl.DataFrame
    numbers: Numbers
    place: Numbers
    buckets: Sequence[int]
    actuals: pl.DataFrame

    @cached_property
    def counted(self) -> compute.Model:
        """What is counted, as the deployment's settings say."""
        package, settings = self.model.package, parse(Settings, self.model.deployment.settings)
        features = baseline_of(package).features if settings.feature_drift.enabled else {}
        return compute.Model(
            shape_of(self.model).target,
            {name: feature.bins for name, feature in features.items()},
            target_spec(package),
            package.center,
            settings.target_drift.enabled,
        )

    @cached_property
    def columns(self) -> compute.Columns:
        """What is counted of each row."""
        return compute.Columns.of(self.table, self.counted)

    @cached_property
    def scored(self) -> Scored:
        """The predictions with their actuals: looked for hour by hour (or in the batch), also when days are counted."""
        spots, place = distinct(self.numbers)
        superseded: list[tuple[int, int]] = []
        given = self.actuals.with_columns(place=pl.lit(0, pl.Int64))
        if self.grain is not Grain.BATCH:
            found = keys.superseded_in(self.model.deployment_id, self.model.pk, spots.tolist())
            at = {hour: index for index, hour in enumerate(spots.tolist())} if found else {}
            superseded = [(at[hour], key) for hour, key in found if hour in at]
            given = self.actuals.with_columns(place=pl.Series(places(self.actuals["hour"].to_numpy(), spots.tolist())))
        return scoring.match(self.table, place, given, self.counted.target, superseded)

    @cached_property
    def known_cells(self) -> dict[str, Numbers]:
        """What `cells` has worked out, by feature."""
        return {}

    def cells(self, feature: str) -> Numbers:
        """The cell of each row's place, 0 without one; all areas and days ask, and places are read once."""
        if feature not in self.known_cells:
            column = FEATURE + feature
            there = column in self.table.columns
            self.known_cells[feature] = cells_of(self.table[column]) if there else np.zeros(self.table.height, np.int64)
        return self.known_cells[feature]

    def by_day(self, place: Numbers, days: Sequence[int]) -> Piece:
        """The same rows of hours by day; what was worked out of the rows alone is kept."""
        piece = replace(self, grain=Grain.DAY, place=place, buckets=days)
        kept = {
            name: value for name, value in vars(self).items() if name in ("counted", "columns", "scored", "known_cells")
        }
        vars(piece).update(kept)
        return piece

    def cuts(self, followed: Sequence[Attribute]) -> list[Cut]:
        """All rows by bucket, then those of each attribute by bucket and value."""
        parted = [by_segment(self.table, self.place, self.buckets, one) for one in followed]
        return [by_bucket(self.place, self.buckets), *(cut for cut in parted if cut is not None)]

    def labelled(self, cuts: Sequence[Cut], states: Sequence[Sequence[bytes | None]]) -> Iterable[Row]:
        """The states of the groups of cuts, with what each group stands for; buckets without any row have none."""
        for cut, payloads in zip(cuts, states, strict=True):
            filled = rows_by_group(cut.group, cut.n_groups).tolist()
            for value, bucket, payload, rows in zip(cut.values, cut.buckets, payloads, filled, strict=True):
                if rows and payload is not None:
                    yield cut.attribute_id, value, bucket, payload
