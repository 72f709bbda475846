"""The built-in recipes. Each makes one number of a whole hour of a model, or None where there is nothing to measure.

They read states, and for the label lag the actuals of the hour; so they cost the same however many rows there were.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from deployments.blocks import HOUR_US, decode
from deployments.models import ActualBlock, CustomJob, CustomKinds, DeployedModel, Directionality, Grain
from deployments.reports import drift
from deployments.reports.drift import BinRole
from deployments.rollups import read
from deployments.rollups.read import Scope
from deployments.rollups.states import PredictionState
from metrics import BinKind
from metrics.buckets import Bucket, hour_start

HOURS = 24


@dataclass(frozen=True)
class Value:
    """A number, and of how many rows it was made."""

    value: float
    samples: int


@dataclass(frozen=True)
class Hour:
    """One whole hour (since 1970) of a model."""

    model: DeployedModel
    number: int

    @property
    def scope(self) -> Scope:
        return Scope(self.model.deployment, self.model)

    @property
    def bucket(self) -> Bucket:
        return hour_start(self.number), hour_start(self.number + 1)

    def predictions(self) -> PredictionState:
        return read.predictions_over(self.scope, [self.bucket])[0]


def missing_rate(hour: Hour) -> Value | None:
    """The share of missing values among all values of the tracked numeric and categorical features; 0 to 1."""
    return _share_of(hour, BinRole.MISSING)


def share_of_new_levels(hour: Hour) -> Value | None:
    """The share of values that training never saw among those of the tracked categorical features; 0 to 1."""
    return _share_of(hour, BinRole.NEW)


def prediction_entropy(hour: Hour) -> Value | None:
    """How mixed the predicted classes are: the entropy of their shares in bits; 0 when all predictions agree."""
    counts = np.asarray(hour.predictions().class_counts, np.float64)
    if not counts.sum():
        return None
    shares = counts[counts > 0] / counts.sum()
    return Value(max(0.0, float(-(shares * np.log2(shares)).sum())), int(counts.sum()))


def duplicate_share(hour: Hour) -> Value | None:
    """The share of predictions whose association id another prediction has too, which is scored in their place."""
    state = read.accuracy_over(hour.scope, [hour.bucket])[0]
    return Value(state.n_duplicates / state.n_total, state.n_total) if state.n_total else None


def unlabelled_share(hour: Hour) -> Value | None:
    """The share of predictions that no actual has come for; 0 to 1."""
    state = read.accuracy_over(hour.scope, [hour.bucket])[0]
    return Value(1 - state.n_actual / state.n_total, state.n_total) if state.n_total else None


def label_lag(hour: Hour) -> Value | None:
    """The median of the hours from a prediction's hour to the time that its actual was given for, where one was."""
    blocks = ActualBlock.objects.filter(
        deployment_id=hour.model.deployment_id, grain=Grain.DAY, bucket=hour.number // HOURS
    )
    lags: dict[str, float] = {}
    for payload in blocks.order_by("id").values_list("payload", flat=True).iterator(chunk_size=1):
        rows = decode(payload).filter((pl.col("hour") == hour.number) & pl.col("given").is_not_null())
        for name, given in rows.select("id", "given").iter_rows():
            lags[name] = (given - hour.number * HOUR_US) / HOUR_US
    return Value(float(np.median(list(lags.values()))), len(lags)) if lags else None


@dataclass(frozen=True)
class Recipe:
    """A built-in recipe as people choose it."""

    name: str
    work: Callable[[Hour], Value | None]
    units: str
    directionality: Directionality = Directionality.LOWER

    @property
    def description(self) -> str:
        return (self.work.__doc__ or "").strip()


RECIPES: Mapping[str, Recipe] = {
    "missingRate": Recipe("Missing rate", missing_rate, "share"),
    "newLevelShare": Recipe("Share of new levels", share_of_new_levels, "share"),
    "predictionEntropy": Recipe("Prediction entropy", prediction_entropy, "bits", Directionality.HIGHER),
    "duplicateShare": Recipe("Duplicate share", duplicate_share, "share"),
    "unlabelledShare": Recipe("Share without a label", unlabelled_share, "share"),
    "labelLag": Recipe("Label lag", label_lag, "hours"),
}


def ensure() -> None:
    """The rows behind the recipes; their ids are the same in every installation."""
    rows = [
        CustomJob(
            public_id=hashlib.sha256(f"vitals/custom-job/{key}".encode()).hexdigest()[:24],
            name=recipe.name,
            description=recipe.description,
            built_in=key,
            kind=CustomKinds.AVERAGE,
            directionality=recipe.directionality,
            units=recipe.units,
        )
        for key, recipe in RECIPES.items()
    ]
    CustomJob.objects.bulk_create(rows, ignore_conflicts=True)


def _share_of(hour: Hour, wanted: BinRole) -> Value | None:
    state = hour.predictions()
    counted = found = 0
    for feature in drift.tracked_features(hour.model.package, None):
        if feature.bins is None or feature.bins.kind is BinKind.TEXT:
            continue
        roles = [one["kind"] for one in drift.bins(feature.bins)]
        if wanted.value in roles:
            counts = drift.live_counts(feature, [state])[0]
            counted += int(counts.sum())
            found += int(counts[[role == wanted.value for role in roles]].sum())
    return Value(found / counted, counted) if counted else None
