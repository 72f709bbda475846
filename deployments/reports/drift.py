"""Drift: live rows against training data (features) and against the holdout's predictions (target)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from deployments.models import FeatureType, ModelPackage
from deployments.registry import baseline_of
from deployments.reports.numbers import finite
from deployments.rollups.read import Segment
from deployments.rollups.states import PredictionState
from metrics import BinKind, BinSpec, CategoricalBins, NumericBins, TargetType, contributions, drift_scores
from metrics.arrays import IntArray
from metrics.binning import range_edges

TARGET_IMPACT = 1.0
TARGET_TYPES = {TargetType.MULTICLASS: "categorical", TargetType.TEXT_GENERATION: "text"}
TYPES = {
    FeatureType.NUMERIC: "numeric",
    FeatureType.CATEGORICAL: "categorical",
    FeatureType.TEXT: "text",
    FeatureType.DATE: "date",
    FeatureType.GEOSPATIAL: "geospatial",
}


class BinRole(StrEnum):
    """What a bin holds."""

    RANGE = "range"
    BELOW = "below"
    ABOVE = "above"
    LEVEL = "level"
    OTHER = "other"
    NEW = "new"
    MISSING = "missing"
    WORD = "word"


@dataclass(frozen=True)
class Tracked:
    """A feature, or the target, with its bins and its baseline on them; no counts where there is no baseline."""

    name: str
    type: str
    impact: float | None
    bins: BinSpec | None = None
    counts: IntArray | None = None
    rows: int = 0
    is_target: bool = False


def tracked_features(package: ModelPackage, segment: Segment | None) -> list[Tracked]:
    """The features in order of impact, the unknown last; in a segment the baseline is the training data's same part."""
    baseline = baseline_of(package)
    part = None if segment is None else baseline.segment(segment.attribute, segment.value)
    found = []
    for row in package.features.all():
        name = row.name
        whole = baseline.features.get(name)
        feature = Tracked(name, TYPES[FeatureType(row.kind)], row.feature_impact)
        if whole is not None and segment is None:
            feature = _with_baseline(feature, whole.bins, whole.counts, whole.rows)
        elif whole is not None and part is not None and name in part.features:
            feature = _with_baseline(feature, whole.bins, part.features[name], part.rows)
        elif whole is not None:
            feature = _with_baseline(feature, whole.bins, None, 0)
        found.append(feature)
    return sorted(found, key=lambda one: (one.impact is None, -(one.impact or 0), one.name))


def tracked_target(package: ModelPackage, segment: Segment | None) -> Tracked:
    """The target: predicted value, probability of the positive class, predicted class, or generated text."""
    kind = TARGET_TYPES.get(package.kind, "numeric")
    target = Tracked(package.target_name, kind, TARGET_IMPACT, is_target=True)
    baseline = baseline_of(package)
    if baseline.target is None:
        return target
    if segment is None:
        return _with_baseline(target, baseline.target.bins, baseline.target.counts, baseline.target.rows)
    part = baseline.segment(segment.attribute, segment.value)
    if part is None or part.target is None:
        return _with_baseline(target, baseline.target.bins, None, 0)
    return _with_baseline(target, baseline.target.bins, part.target, part.target_rows)


def _with_baseline(feature: Tracked, bins: BinSpec, counts: Any, rows: int) -> Tracked:
    known = None if counts is None else np.asarray(counts, dtype=np.int64)
    return Tracked(feature.name, feature.type, feature.impact, bins, known, rows, feature.is_target)


def live_counts(feature: Tracked, states: Sequence[PredictionState]) -> IntArray:
    """Live rows by bin, shape `[states, bins]`; zeros where the feature was not counted."""
    assert feature.bins is not None
    empty = np.zeros(feature.bins.size, dtype=np.int64)
    rows = [state.target_counts if feature.is_target else state.feature_counts.get(feature.name) for state in states]
    return np.stack([empty if row is None or not row.size else row for row in rows]) if rows else empty[None, :0]


def scores(feature: Tracked, states: Sequence[PredictionState], metric: str) -> list[float | None]:
    """The drift of a feature in each state; None without live rows or without a baseline."""
    if feature.counts is None or not states:
        return [None] * len(states)
    return [finite(score) for score in drift_scores(metric, feature.counts, live_counts(feature, states))]


def sample_size(feature: Tracked, state: PredictionState) -> int:
    """Live rows that were counted for a feature; for text all rows, since a row counts once for each of its words."""
    if feature.bins is None:
        return 0
    if feature.bins.kind is BinKind.TEXT:
        return int(state.n_rows)
    return int(live_counts(feature, [state]).sum())


def row(feature: Tracked, state: PredictionState, metric: str) -> dict[str, Any]:
    """One feature of `featureDrift/`."""
    return {
        "name": feature.name,
        "type": feature.type,
        "driftScore": scores(feature, [state], metric)[0],
        "featureImpact": feature.impact,
        "sampleSize": sample_size(feature, state),
        "baselineSampleSize": feature.rows,
    }


def series(feature: Tracked, states: Sequence[PredictionState], metric: str) -> list[dict[str, Any]]:
    """One feature over several states, to which the caller adds period or batch."""
    return [
        {
            "featureName": feature.name,
            "driftScore": score,
            "featureImpact": feature.impact,
            "sampleSize": sample_size(feature, state),
            "baselineSampleSize": feature.rows,
        }
        for score, state in zip(scores(feature, states, metric), states, strict=True)
    ]


def distribution(feature: Tracked, state: PredictionState) -> dict[str, Any]:
    """The bins (of text: the words) of a feature with baseline and live counts, and what each adds to the PSI."""
    answer: dict[str, Any] = {
        "featureName": feature.name,
        "featureType": feature.type,
        "baselineSampleSize": feature.rows,
        "sampleSize": sample_size(feature, state),
        "bins": [],
    }
    if feature.bins is None:
        return answer
    live = live_counts(feature, [state])[0].tolist()
    base = [None] * len(live) if feature.counts is None else feature.counts.tolist()
    parts = [math.nan] * len(live) if feature.counts is None else contributions("psi", feature.counts, live).tolist()
    answer["bins"] = [
        {**shape, "baselineCount": before, "count": now, "contribution": finite(part)}
        for shape, before, now, part in zip(bins(feature.bins), base, live, parts, strict=True)
    ]
    return answer


def bins(spec: BinSpec) -> list[dict[str, Any]]:
    """The bins of a spec in order: kind, label, and the ends of ranges."""
    if isinstance(spec, NumericBins):
        edges = range_edges(spec)
        lowest, highest = (float(edges[0][0]), float(edges[-1][1])) if len(edges) else (None, None)
        ends = [(None, lowest), *((float(low), float(high)) for low, high in edges), (highest, None), (None, None)]
        roles = [BinRole.BELOW, *[BinRole.RANGE] * len(edges), BinRole.ABOVE, BinRole.MISSING]
    elif isinstance(spec, CategoricalBins):
        roles = [*[BinRole.LEVEL] * len(spec.levels), BinRole.OTHER, BinRole.NEW, BinRole.MISSING]
        ends = [(None, None)] * spec.size
    else:
        roles, ends = [BinRole.WORD] * spec.size, [(None, None)] * spec.size
    return [
        {"kind": role.value, "label": label, "low": low, "high": high}
        for role, label, (low, high) in zip(roles, spec.labels, ends, strict=True)
    ]


def by_name(features: Sequence[Tracked]) -> Mapping[str, Tracked]:
    """Features by their names."""
    return {feature.name: feature for feature in features}
