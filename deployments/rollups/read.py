"""States for reports: of a model, a segment and any buckets of time, or of batches.

Whole UTC days come from day states, the hours at the edges of a bucket from hour states; one SQL statement in all.
A bucket without data has the empty state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

import numpy as np
from django.db import connection

from deployments.models import Area, DeployedModel, Deployment, Grain, ModelPackage, MonitoringBatch, SegmentValue
from deployments.registry import baseline_of, target_spec
from deployments.rollups.states import (
    AccuracyState,
    Layout,
    PredictionState,
    ServiceState,
    decode_accuracy,
    decode_predictions,
    decode_service,
    merge_accuracy,
    merge_predictions,
    merge_service,
)
from metrics import (
    BINARY_COLUMNS,
    EMPTY_SCORES,
    REGRESSION_COLUMNS,
    TargetType,
    cover,
    merge_quantiles,
    multiclass_columns,
)
from metrics.buckets import Cover

S = TypeVar("S", ServiceState, PredictionState, AccuracyState)
Bucket = tuple[datetime, datetime]
Spot = tuple[int, int]
"""A grain and a bucket number."""

NO_SUCH_SEGMENT = (-1, -1)


@dataclass(frozen=True)
class Segment:
    """The rows whose attribute has this value; "" is the missing value."""

    attribute: str
    value: str


@dataclass(frozen=True)
class Scope:
    """Whose states are asked."""

    deployment: Deployment
    model: DeployedModel
    segment: Segment | None = None


def service_over(scope: Scope, buckets: Sequence[Bucket]) -> list[ServiceState]:
    """One state a bucket; the buckets begin and end on whole hours."""
    return _over(scope, Area.SERVICE, buckets, decode_service, merge_service)


def predictions_over(scope: Scope, buckets: Sequence[Bucket]) -> list[PredictionState]:
    """One state a bucket; the buckets begin and end on whole hours."""
    layout = layout_of(scope.model)
    found = _over(scope, Area.PREDICTIONS, buckets, lambda raw: decode_predictions(raw, layout), merge_predictions)
    return [shaped_predictions(state, scope.model.package, layout) for state in found]


def accuracy_over(scope: Scope, buckets: Sequence[Bucket]) -> list[AccuracyState]:
    """One state a bucket; the buckets begin and end on whole hours."""
    found = _over(scope, Area.ACCURACY, buckets, decode_accuracy, merge_accuracy)
    return [shaped_accuracy(state, scope.model.package) for state in found]


def service_by_batch(scope: Scope, batches: Sequence[MonitoringBatch]) -> list[ServiceState]:
    """One state a batch."""
    return _by_batch(scope, Area.SERVICE, batches, decode_service, merge_service)


def predictions_by_batch(scope: Scope, batches: Sequence[MonitoringBatch]) -> list[PredictionState]:
    """One state a batch."""
    layout = layout_of(scope.model)
    found = _by_batch(scope, Area.PREDICTIONS, batches, lambda raw: decode_predictions(raw, layout), merge_predictions)
    return [shaped_predictions(state, scope.model.package, layout) for state in found]


def accuracy_by_batch(scope: Scope, batches: Sequence[MonitoringBatch]) -> list[AccuracyState]:
    """One state a batch."""
    found = _by_batch(scope, Area.ACCURACY, batches, decode_accuracy, merge_accuracy)
    return [shaped_accuracy(state, scope.model.package) for state in found]


def service_of_batches(scope: Scope, batches: Sequence[MonitoringBatch]) -> ServiceState:
    """All batches as one state."""
    return merge_service(service_by_batch(scope, batches))


def predictions_of_batches(scope: Scope, batches: Sequence[MonitoringBatch]) -> PredictionState:
    """All batches as one state."""
    return merged_predictions(predictions_by_batch(scope, batches), scope.model)


def accuracy_of_batches(scope: Scope, batches: Sequence[MonitoringBatch]) -> AccuracyState:
    """All batches as one state."""
    return merged_accuracy(accuracy_by_batch(scope, batches), scope.model.package)


def merged_service(states: Sequence[ServiceState]) -> ServiceState:
    """Several states as one."""
    return merge_service(states)


def merged_predictions(states: Sequence[PredictionState], model: DeployedModel) -> PredictionState:
    """Several states as one, of full shape even if there are none."""
    return shaped_predictions(merge_predictions(states), model.package, layout_of(model))


def merged_accuracy(states: Sequence[AccuracyState], package: ModelPackage) -> AccuracyState:
    """Several states as one, of full shape even if there are none."""
    return shaped_accuracy(merge_accuracy(states), package)


def layout_of(model: DeployedModel) -> Layout:
    """The order of the model's features and their numbers of bins."""
    features = baseline_of(model.package).features
    return Layout(tuple(features), tuple(feature.bins.size for feature in features.values()))


def shaped_predictions(state: PredictionState, package: ModelPackage, layout: Layout) -> PredictionState:
    """The same state with zeros where nothing was counted, so that states can be stacked."""
    bins, classes = target_spec(package), len(package.class_names)
    several = package.kind is TargetType.MULTICLASS
    features = {
        name: state.feature_counts.get(name, np.zeros(size, np.int64))
        for name, size in zip(layout.names, layout.sizes, strict=True)
    }
    target = state.target_counts
    return replace(
        state,
        feature_counts=features,
        target_counts=np.zeros(bins.size, np.int64) if bins is not None and not target.size else target,
        class_counts=state.class_counts if state.class_counts.size else np.zeros(classes, np.int64),
        sums=state.sums if state.sums.size else np.zeros(classes if several else 1),
        quantiles=state.quantiles or merge_quantiles([]),
    )


def shaped_accuracy(state: AccuracyState, package: ModelPackage) -> AccuracyState:
    """The same state with zeros where nothing was scored, so that states can be stacked."""
    if state.sums.size:
        return state
    classes = len(package.class_names)
    width, scores = {
        TargetType.REGRESSION: (len(REGRESSION_COLUMNS), 0),
        TargetType.BINARY: (len(BINARY_COLUMNS), 1),
        TargetType.MULTICLASS: (multiclass_columns(classes), classes),
        TargetType.TEXT_GENERATION: (0, 0),
    }[package.kind]
    none = np.zeros(classes, np.int64)
    return replace(
        state,
        sums=np.zeros(width),
        scores=(EMPTY_SCORES,) * scores,
        actual_class_counts=none,
        predicted_class_counts=none,
    )


def _over(
    scope: Scope,
    area: Area,
    buckets: Sequence[Bucket],
    decode: Callable[[bytes], S],
    merge: Callable[[Sequence[S]], S],
) -> list[S]:
    return _merged(scope, area, [spots_of(bucket) for bucket in buckets], decode, merge)


def stored(
    scope: Scope, area: Area, buckets: Sequence[Bucket], numbers: tuple[int, int] | None = None
) -> list[list[bytes]]:
    """The encoded states of each bucket; `numbers`: attribute and value, by default those of the scope's segment."""
    spots = [spots_of(bucket) for bucket in buckets]
    found = _load(scope, area, {spot for wanted in spots for spot in wanted}, numbers)
    return [[found[spot] for spot in wanted if spot in found] for wanted in spots]


def spots_of(bucket: Bucket) -> list[Spot]:
    """The day and hour states that make up a period of whole hours."""
    covered: Cover = cover(*bucket)
    at_edges: list[Spot] = [(int(Grain.HOUR), hour) for hour in covered.hours]
    return [*((int(Grain.DAY), day) for day in covered.days), *at_edges]


def _by_batch(
    scope: Scope,
    area: Area,
    batches: Sequence[MonitoringBatch],
    decode: Callable[[bytes], S],
    merge: Callable[[Sequence[S]], S],
) -> list[S]:
    return _merged(scope, area, [[(int(Grain.BATCH), batch.pk)] for batch in batches], decode, merge)


def _merged(
    scope: Scope,
    area: Area,
    spots: Sequence[Sequence[Spot]],
    decode: Callable[[bytes], S],
    merge: Callable[[Sequence[S]], S],
) -> list[S]:
    stored = _load(scope, area, {spot for wanted in spots for spot in wanted})
    return [merge([decode(stored[spot]) for spot in wanted if spot in stored]) for wanted in spots]


def _load(scope: Scope, area: Area, spots: Iterable[Spot], numbers: tuple[int, int] | None = None) -> dict[Spot, bytes]:
    segment = _segment_numbers(scope) if numbers is None else numbers
    by_grain: dict[int, list[int]] = {}
    for grain, bucket in spots:
        by_grain.setdefault(grain, []).append(bucket)
    if not by_grain or segment == NO_SUCH_SEGMENT:
        return {}
    one = (
        "SELECT grain, bucket, payload FROM deployments_state WHERE deployment_id = %s AND area = %s AND grain = %s "
        "AND model_id = %s AND attribute_id = %s AND value_id = %s AND bucket BETWEEN %s AND %s AND bucket = ANY(%s)"
    )
    params: list[int | list[int]] = []
    for grain, wanted in by_grain.items():
        params += [scope.deployment.pk, int(area), grain, scope.model.pk, *segment, min(wanted), max(wanted), wanted]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join([one] * len(by_grain)), params)
        return {(grain, bucket): bytes(payload) for grain, bucket, payload in cursor.fetchall()}


def _segment_numbers(scope: Scope) -> tuple[int, int]:
    if scope.segment is None:
        return 0, 0
    found = SegmentValue.objects.filter(
        deployment=scope.deployment,
        attribute__name=scope.segment.attribute,
        text=scope.segment.value,
    )
    # a real value goes before the rest of all values, should both be called the same
    return found.order_by("is_other").values_list("attribute_id", "pk").first() or NO_SUCH_SEGMENT
