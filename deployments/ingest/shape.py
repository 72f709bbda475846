"""What the rows of a model look like: its target and the kinds of its features. Cached, since packages never change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deployments.models import DeployedModel, Feature, FeatureType, ModelPackage
from metrics import TargetType

Labels = NDArray[np.int64]

CONSUMER = "DataRobot-Consumer"
REMOTE_IP = "DataRobot-Remote-IP"
HOST_IP = "DataRobot-Host-IP"
DISTANCE = "Forecast Distance"
SERIES = "series id"
"""The attributes that models of time series are split by without being told."""


@dataclass(frozen=True)
class Target:
    """What a model predicts. `classes` in the order of its probabilities; of two classes the positive one is last."""

    kind: TargetType
    classes: tuple[str, ...] = ()
    threshold: float = 0.5

    @property
    def is_binary(self) -> bool:
        """Whether there are two classes."""
        return self.kind is TargetType.BINARY

    @property
    def is_text(self) -> bool:
        """Whether the predictions are texts, not numbers."""
        return self.kind is TargetType.TEXT_GENERATION

    @property
    def columns(self) -> list[str]:
        """The columns of a block that hold the predictions."""
        if self.kind is TargetType.MULTICLASS:
            return [f"p{number}" for number in range(len(self.classes))]
        return ["p"]

    def labels(self, predicted: NDArray[np.float64]) -> Labels:
        """The predicted class of each row of shape `[n, columns]`; -1 where there is no prediction."""
        known = np.asarray(~np.isnan(predicted).any(axis=1), dtype=np.bool_)
        if self.is_binary:
            chosen = (predicted[:, 0] > self.threshold).astype(np.int64)
        else:
            chosen = np.argmax(np.where(known[:, None], predicted, 0.0), axis=1)
        return np.where(known, chosen, -1)


STEPS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86_400, "WEEK": 604_800}


@dataclass(frozen=True)
class Series:
    """What a model of time series calls its columns, and how far it looks ahead; `step` is in microseconds."""

    date: str
    ids: tuple[str, ...]
    distance: str
    point: str
    distances: frozenset[int]
    step: int

    @property
    def columns(self) -> frozenset[str]:
        """The columns that are read whether or not they are features."""
        return frozenset({self.date, self.distance, self.point, *self.ids})


def series_of(package: ModelPackage) -> Series | None:
    """The time series of a package; None for other models."""
    known = package.time_series
    if not known:
        return None
    return Series(
        known["datetimeColumn"],
        tuple(known["seriesIdColumns"]),
        known["forecastDistanceColumn"],
        known["forecastPointColumn"],
        frozenset(known["forecastDistances"]),
        STEPS[known["forecastUnit"]] * 1_000_000,
    )


@dataclass(frozen=True)
class Shape:
    """The columns of a model. `order`: the classes as its users know them; `prompt`: the feature with the prompts."""

    target: Target
    order: tuple[str, ...]
    features: Mapping[str, FeatureType]
    segments: tuple[str, ...]
    labels: Mapping[str, str]
    prompt: str = ""
    target_name: str = ""
    series: Series | None = None

    def reads(self, name: str) -> bool:
        """Whether a column that is no feature says something about a forecast."""
        return self.series is not None and (name == self.target_name or name in self.series.columns)

    @property
    def positive(self) -> int:
        """Where the positive class stands in `order`; binary targets only."""
        return self.order.index(self.target.classes[1])


def shape_of(model: DeployedModel) -> Shape:
    """The shape of a deployed model."""
    return shape_of_package(model.package_id)


@lru_cache(maxsize=1024)
def shape_of_package(package_pk: int) -> Shape:
    """The shape of a package's rows."""
    package = ModelPackage.objects.get(pk=package_pk)
    features = Feature.objects.filter(package=package).order_by("position").values_list("name", "kind")
    target = target_of(package)
    return Shape(
        target=target,
        order=tuple(package.class_names),
        features={name: FeatureType(kind) for name, kind in features},
        segments=tuple(package.segment_attributes),
        labels=labels_of(target),
        prompt=package.prompt_name,
        target_name=package.target_name,
        series=series_of(package),
    )


def target_of(package: ModelPackage) -> Target:
    """What the package predicts; of two classes the positive one comes last."""
    kind = TargetType(package.target_type)
    classes = tuple(package.class_names)
    if kind is TargetType.BINARY:
        positive = package.positive_class or classes[-1]
        classes = (next(name for name in classes if name != positive), positive)
    return Target(kind, classes, package.prediction_threshold)


def labels_of(target: Target) -> dict[str, str]:
    """Which class a given actual means: its name, and for two classes also true, false, 1 and 0.

    Where the classes are themselves spelled so (`"True"`, `"1"`), that spelling decides; else 1 is the positive class.
    """
    labels: dict[str, str] = {}
    if target.is_binary:
        negative, positive = target.classes
        swapped = positive.lower() in ("0", "0.0", "false")
        yes, no = (negative, positive) if swapped else (positive, negative)
        labels |= {"1": yes, "1.0": yes, "true": yes, "True": yes, "0": no, "0.0": no, "false": no, "False": no}
    for name in target.classes:
        labels[name] = name
    return labels


def series_word(columns: list[pl.Series]) -> pl.Series:
    """One word for a series: the values of its columns, joined by ` / `; missing where one is missing."""
    if len(columns) == 1:
        return columns[0].alias(SERIES)
    named = pl.DataFrame([column.alias(f"c{place}") for place, column in enumerate(columns)])
    return named.select(pl.concat_str(pl.all(), separator=" / ").alias(SERIES))[SERIES]
