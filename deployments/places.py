"""Baselines by cell of the globe: training rows and holdout predictions at the places of each geospatial feature."""

from __future__ import annotations

import numpy as np
import polars as pl

from deployments.baselines import Holdout
from deployments.blocks import FEATURE
from deployments.ingest.points import cells_of
from deployments.ingest.shape import target_of
from deployments.ingest.tables import as_numbers, as_words
from deployments.models import FeatureType, ModelPackage, PlaceBaseline
from deployments.registry import baseline_of, target_spec
from deployments.rollups import compute, space
from deployments.rollups.space import NOTHING, Cells
from metrics import NumericBins, rows_by_group


def freeze(
    package: ModelPackage, training: pl.DataFrame | None, holdout: pl.DataFrame | None, held: Holdout | None
) -> None:
    """Count the package's data by cell and keep it with its geospatial features."""
    for feature in package.features.filter(kind=FeatureType.GEOSPATIAL):
        kept = PlaceBaseline(feature=feature)
        if training is not None and feature.name in training.columns:
            kept.training = _training(package, training, cells_of(as_words(training[feature.name]))).encode()
        if holdout is not None and held is not None and feature.name in holdout.columns:
            rows = holdout.filter(pl.col(package.target_name).is_not_null())
            cells = cells_of(as_words(rows[feature.name]))
            kept.holdout, kept.accuracy = (part.encode() for part in _holdout(package, held, cells))
        kept.save()


def _training(package: ModelPackage, table: pl.DataFrame, cells: space.Counts) -> Cells:
    """The bins of the features; the model has not predicted these rows."""
    baseline, layout = baseline_of(package), space.layout_of(package)
    bins = {name: baseline.features[name].bins for name in layout.names}
    rows = pl.DataFrame(
        [
            (as_numbers if isinstance(spec, NumericBins) else as_words)(table[name]).alias(FEATURE + name)
            for name, spec in bins.items()
        ]
    )
    if not bins:
        rows = pl.DataFrame({"row": np.arange(table.height)})
    return _counted(rows, cells, compute.Model(target_of(package), bins, None, target_tracked=False), layout)


def _holdout(package: ModelPackage, held: Holdout, cells: space.Counts) -> tuple[Cells, Cells]:
    target, layout = target_of(package), space.layout_of(package)
    z = held.predicted[:, None] if held.probabilities is None else held.probabilities
    z = z[:, 1:] if target.is_binary else z
    model = compute.Model(target, {}, target_spec(package), package.center)
    rows = pl.DataFrame({name: z[:, place] for place, name in enumerate(target.columns)})
    parts = [NOTHING]
    for groups in space.groups_of(cells, np.zeros(len(cells), np.int64)):
        total = rows_by_group(groups.group, groups.n)
        parts.append(space.accuracy(groups, total, held.actual[groups.rows], z[groups.rows], model))
    return _counted(rows, cells, model, layout), space.merge(parts)


def _counted(rows: pl.DataFrame, cells: space.Counts, model: compute.Model, layout: space.Layout) -> Cells:
    columns = compute.Columns.of(rows, model)
    groups = space.groups_of(cells, np.zeros(len(cells), np.int64))
    return space.merge([NOTHING, *(space.predictions(one, columns, layout) for one in groups)])
