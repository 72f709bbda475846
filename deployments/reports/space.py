"""Space: predictions, drift and accuracy by cell of the globe, live beside the same cells of training and holdout.

Live rows and baseline are shown at one resolution: the finest at which neither has more than MOST_CELLS cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from deployments.models import Area, ModelPackage, PlaceBaseline, SegmentAttribute
from deployments.reports import accuracy, drift, predictions
from deployments.reports.drift import Tracked
from deployments.rollups import space
from deployments.rollups.read import Bucket, Scope, stored
from deployments.rollups.space import NOTHING, Cells
from metrics import MOST_CELLS, fitting_resolution, hexagons


@dataclass(frozen=True)
class Sides:
    """Live rows and their baseline by the same cells."""

    live: Cells
    baseline: Cells


def places(scope: Scope) -> list[SegmentAttribute]:
    """The geospatial features that are, or were, followed; first those that are, in the order of their time."""
    rows = SegmentAttribute.objects.filter(deployment=scope.deployment, is_place=True)
    return list(rows.order_by("-active", "pk"))


def predicted(scope: Scope, place: SegmentAttribute, period: Bucket) -> Sides:
    """The predictions of a period, and those on the holdout."""
    return _sides(_live(scope, Area.SPACE, place, period), _frozen(scope, place, "holdout"))


def scored(scope: Scope, place: SegmentAttribute, period: Bucket) -> Sides:
    """The predictions with actuals of a period, and those of the holdout."""
    return _sides(_live(scope, Area.SPACE_ACCURACY, place, period), _frozen(scope, place, "accuracy"))


def drifted(scope: Scope, place: SegmentAttribute, period: Bucket, feature: Tracked) -> Sides:
    """The rows of a period, and those that a feature is compared with: training, or for the target the holdout."""
    baseline = _frozen(scope, place, "holdout" if feature.is_target else "training")
    return _sides(_live(scope, Area.SPACE, place, period), baseline)


def trackable(package: ModelPackage) -> dict[str, Tracked]:
    """What is counted by cell: the target first, then the most important features."""
    known = {one.name: one for one in drift.tracked_features(package, None)}
    target, layout = drift.tracked_target(package, None), space.layout_of(package)
    return {target.name: target, **{name: known[name] for name in layout.names}}


def prediction_rows(package: ModelPackage, cells: Cells, classes: Sequence[str]) -> list[dict[str, Any]]:
    """The predictions of each cell."""
    layout = space.layout_of(package)
    return [
        {"hexagon": name, **predictions.bucket(package, layout.state(cells, place), classes, False)}
        for place, name in enumerate(hexagons(cells.cells))
    ]


def versus_rows(package: ModelPackage, cells: Cells, classes: Sequence[str]) -> list[dict[str, Any]]:
    """Predicted beside actual in each cell."""
    return [
        {"hexagon": name, **predictions.versus(package, space.accuracy_state(package, cells, place), classes)}
        for place, name in enumerate(hexagons(cells.cells))
    ]


def accuracy_rows(package: ModelPackage, cells: Cells, metric: str) -> list[dict[str, Any]]:
    """One metric in each cell, and of several classes each class's own."""
    states = [space.accuracy_state(package, cells, place) for place in range(len(cells.cells))]
    found = accuracy.measure(package, states, metric, package.class_names)
    return [
        {
            "hexagon": name,
            "value": found.values[place],
            "sampleSize": int(states[place].n_actual),
            "perClass": accuracy.per_class_json(found.by_class[place]),
            "errorBound": found.bounds[place],
        }
        for place, name in enumerate(hexagons(cells.cells))
    ]


def drift_rows(package: ModelPackage, sides: Sides, feature: Tracked, metric: str) -> list[dict[str, Any]]:
    """The drift of a feature in each cell that has live rows, against the same cell of training or holdout."""
    layout = space.layout_of(package)
    known = {int(cell): place for place, cell in enumerate(sides.baseline.cells.tolist())}
    rows = []
    for place, (cell, name) in enumerate(zip(sides.live.cells.tolist(), hexagons(sides.live.cells), strict=True)):
        home = known.get(cell)
        before = (
            None
            if home is None or feature.bins is None
            else drift.live_counts(feature, [layout.state(sides.baseline, home)])[0]
        )
        own = replace(feature, counts=before if before is not None and before.any() else None)
        live = layout.state(sides.live, place)
        rows.append(
            {
                "hexagon": name,
                "driftScore": drift.scores(own, [live], metric)[0],
                "sampleSize": drift.sample_size(own, live),
                "baselineSampleSize": 0 if before is None else int(before.sum()),
            }
        )
    return rows


def _live(scope: Scope, area: Area, place: SegmentAttribute, period: Bucket) -> Cells:
    payloads = stored(scope, area, [period], (place.pk, space.ALL_VALUES))[0]
    return space.merge([space.decode(raw) for raw in payloads])


def _frozen(scope: Scope, place: SegmentAttribute, part: str) -> Cells:
    row = PlaceBaseline.objects.filter(feature__package=scope.model.package, feature__name=place.name).first()
    raw = bytes(getattr(row, part)) if row is not None else b""
    return space.decode(raw) if raw else NOTHING


def _sides(live: Cells, baseline: Cells) -> Sides:
    filled = [side for side in (live, baseline) if side.cells.size]
    if not filled:
        return Sides(NOTHING, NOTHING)
    shared = min(side.resolution for side in filled)
    both = [space.at_resolution([side], shared) for side in filled]
    resolution = min(fitting_resolution(side.cells, MOST_CELLS) for side in both)
    return Sides(space.at_resolution([live], resolution), space.at_resolution([baseline], resolution))
