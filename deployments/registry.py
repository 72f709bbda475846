"""Registered models and what they become: baselines read back, deployments made, champions replaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import numpy as np
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from deployments import audit, segments
from deployments.models import (
    Challenger,
    DeployedModel,
    Deployment,
    DeploymentRole,
    FeatureType,
    Importance,
    ModelPackage,
    ModelRole,
    Reign,
    Role,
)
from metrics import BinSpec, CategoricalBins, NumericBins, TargetType, spec_from_dict
from metrics.arrays import IntArray

FEATURES_BY_CELL = 10

# Predicted probabilities are binned in tenths where no holdout tells their usual range.
PLAIN_PROBABILITIES = NumericBins(lowest=0.0, uppers=tuple(tenth / 10 for tenth in range(1, 11)))


@dataclass(frozen=True, eq=False)
class FeatureBaseline:
    """Bins frozen with a model, and how its training rows (of the target: holdout predictions) fall into them."""

    bins: BinSpec
    counts: IntArray
    rows: int


@dataclass(frozen=True, eq=False)
class SegmentBaseline:
    """The part of training and holdout that has one value of a segment attribute."""

    rows: int
    features: Mapping[str, IntArray]
    target: IntArray | None
    target_rows: int


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What the holdout, or a part of it, says: metrics, metrics by class, and what predictions look like."""

    rows: int
    accuracy: Mapping[str, float | None]
    by_class: Mapping[str, Mapping[str, float | None]]
    predictions: Mapping[str, Any]

    @property
    def class_counts(self) -> Mapping[str, float]:
        """How often each class occurred."""
        counts: Mapping[str, float] = self.predictions.get("actualClassCounts", {})
        return counts


def held_out(package: ModelPackage, segment: tuple[str, str] | None = None) -> HeldOut | None:
    """The holdout's baseline, or that of the rows with one value of an attribute; None if no row has it."""
    if segment is None:
        return HeldOut(
            package.holdout_rows, package.accuracy_baseline, package.accuracy_by_class, package.prediction_baseline
        )
    attribute, value = segment
    known = package.holdout_segments.get(attribute, {}).get(value)
    if known is None:
        return None
    return HeldOut(known["rows"], known["accuracy"], known["byClass"], known["predictions"])


@dataclass(frozen=True, eq=False)
class Baseline:
    """Everything that a package's live rows are compared with."""

    features: Mapping[str, FeatureBaseline]
    target: FeatureBaseline | None
    predictions: Mapping[str, Any]
    segments: Mapping[tuple[str, str], SegmentBaseline]
    bounds: Mapping[str, tuple[float, float]]
    """The usual range of numeric features in training."""
    by_cell: tuple[str, ...]
    """The features that are counted by cell of the globe: the most important ones with bins of bounded number."""

    def segment(self, attribute: str, value: str) -> SegmentBaseline | None:
        """The baseline of one segment; None where training had no such rows."""
        return self.segments.get((attribute, value))


def baseline_of(package: ModelPackage) -> Baseline:
    """The package's baselines, kept in memory: a package never changes."""
    return _baseline(package.pk)


def target_spec(package: ModelPackage) -> BinSpec | None:
    """The bins of what is predicted; plain ones for classes without a holdout, None for a regression without one."""
    known = baseline_of(package).target
    if known is not None:
        return known.bins
    if package.target_type == TargetType.MULTICLASS:
        return CategoricalBins(tuple(package.class_names))
    return PLAIN_PROBABILITIES if package.target_type == TargetType.BINARY else None


@lru_cache(maxsize=256)
def _baseline(pk: int) -> Baseline:
    package = ModelPackage.objects.prefetch_related("features").get(pk=pk)
    features: dict[str, FeatureBaseline] = {}
    bounds: dict[str, tuple[float, float]] = {}
    parts: dict[str, Mapping[str, Mapping[str, list[int]]]] = {}
    for feature in package.features.all():
        if feature.tracked:
            counts = _counts(feature.baseline["counts"])
            features[feature.name] = FeatureBaseline(spec_from_dict(feature.bins), counts, package.training_rows)
            parts[feature.name] = feature.baseline["segments"]
            if usual := feature.baseline.get("bounds"):
                bounds[feature.name] = (usual[0], usual[1])
    stored = package.target_baseline
    target = None
    if stored:
        target = FeatureBaseline(spec_from_dict(stored["bins"]), _counts(stored["counts"]), package.holdout_rows)
    return Baseline(features, target, package.prediction_baseline, _segments(package, parts), bounds, _by_cell(package))


def _by_cell(package: ModelPackage) -> tuple[str, ...]:
    kinds = (FeatureType.NUMERIC, FeatureType.CATEGORICAL)
    kept = [one for one in package.features.all() if one.tracked and one.kind in kinds]
    ordered = sorted(kept, key=lambda one: (one.feature_impact is None, -(one.feature_impact or 0), one.position))
    return tuple(one.name for one in ordered[:FEATURES_BY_CELL])


def _segments(
    package: ModelPackage, parts: Mapping[str, Mapping[str, Mapping[str, list[int]]]]
) -> dict[tuple[str, str], SegmentBaseline]:
    targets = package.target_baseline.get("segments", {})
    found = {}
    for attribute in {**package.segment_rows, **targets}:
        rows, held = package.segment_rows.get(attribute, {}), targets.get(attribute, {})
        for value in {**rows, **held}:
            counted = {name: _counts(part[attribute][value]) for name, part in parts.items() if value in rows}
            target = _counts(held[value]) if value in held else None
            found[attribute, value] = SegmentBaseline(
                rows.get(value, 0), counted, target, 0 if target is None else int(target.sum())
            )
    return found


def _counts(stored: list[int]) -> IntArray:
    return np.asarray(stored, dtype=np.int64)


@transaction.atomic
def create_deployment(
    package: ModelPackage,
    label: str,
    user: User | None,
    *,
    description: str = "",
    importance: Importance = Importance.LOW,
    started_at: datetime | None = None,
    batch_monitoring: bool = False,
    settings: Mapping[str, Any] | None = None,
    keep_rows_days: int | None = None,
    tags: list[dict[str, str]] | None = None,
) -> Deployment:
    """A deployment with the package as its champion, owned by `user`.

    Unless `settings` say otherwise, it is split by the attributes that the package has baselines for.
    """
    chosen = dict(settings or {})
    if package.segment_attributes:
        chosen.setdefault("segmentAnalysis", {"enabled": True, "attributes": package.segment_attributes})
    began = started_at or timezone.now()
    deployment = Deployment.objects.create(
        label=label,
        description=description,
        importance=importance,
        batch_monitoring=batch_monitoring,
        settings=chosen,
        keep_rows_days=keep_rows_days,
        tags=tags or [],
        created_by=user,
    )
    deployment.champion = DeployedModel.objects.create(deployment=deployment, package=package, started_at=began)
    deployment.save(update_fields=["champion"])
    Reign.objects.create(deployment=deployment, model=deployment.champion, started_at=began, user=user)
    if user is not None:
        DeploymentRole.objects.create(deployment=deployment, user=user, role=Role.OWNER)
    segments.sync(deployment, timezone.now())
    audit.record(deployment, user, "deployment.create", {}, {"label": label, "modelId": package.model_id})
    return deployment


@transaction.atomic
def replace_model(
    deployment: Deployment, package: ModelPackage, at: datetime, reason: str, user: User | None = None
) -> DeployedModel:
    """Make `package` the champion from `at` on; the former keeps its history. Raises ValueError if it is already.

    A challenger that is promoted is none any more; what was replayed with it stays its history.
    """
    locked = (
        Deployment.objects.select_for_update(of=("self",)).select_related("champion__package").get(pk=deployment.pk)
    )
    former = locked.champion
    if former is not None and former.package_id == package.pk:
        raise ValueError("This model is the champion already.")
    before = {}
    if former is not None:
        before = {"modelId": former.package.model_id}
        former.role, former.ended_at = ModelRole.FORMER, at
        former.save(update_fields=["role", "ended_at"])
        Reign.objects.filter(deployment=locked, ended_at=None).update(ended_at=at)
    champion, _ = DeployedModel.objects.update_or_create(
        deployment=locked,
        package=package,
        defaults={"role": ModelRole.CHAMPION, "started_at": at, "ended_at": None, "reason": reason},
    )
    Challenger.objects.filter(model=champion).delete()
    Reign.objects.create(deployment=locked, model=champion, started_at=at, reason=reason, user=user)
    locked.champion = deployment.champion = champion
    locked.save(update_fields=["champion"])
    audit.record(locked, user, "model.replace", before, {"modelId": package.model_id, "reason": reason})
    return champion
