"""The JSON bodies of custom metrics, as types. Unknown keys are ignored; a wrong type is named by its place."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from deployments.ingest.bodies import Id, Text

Name = Annotated[str, Meta(min_length=1, max_length=200)]
ColumnText = Annotated[str, Meta(min_length=1, max_length=300)]
Number = Annotated[float, Meta(ge=-1e100, le=1e100)]
Kind = Literal["average", "categorical", "gauge", "sum"]
Direction = Literal["higherIsBetter", "lowerIsBetter"]
Category = Annotated[str, Meta(min_length=1, max_length=200)]
Categories = Annotated[list[Category], Meta(max_length=50)]


class ColumnName(Struct, rename="camel", frozen=True):
    """The column of a dataset that holds something."""

    column_name: ColumnText


class TimestampColumn(ColumnName, rename="camel", frozen=True):
    """The column with the times, and their format as `strptime` reads it; without one RFC 3339 is read."""

    time_format: Annotated[str, Meta(max_length=100)] | None = None


class BaselineValue(Struct, frozen=True):
    """A value to compare with."""

    value: Number


Baselines = Annotated[list[BaselineValue], Meta(max_length=100)]


class MetricCreate(Struct, rename="camel"):
    """A new metric. `directionality` may be left out for categories only."""

    name: Name
    type: Kind
    directionality: Direction | None = None
    is_model_specific: bool = True
    description: Annotated[str, Meta(max_length=10_000)] | None = None
    units: Annotated[str, Meta(max_length=100)] | None = None
    time_step: Literal["hour"] = "hour"
    baseline_values: Baselines = []
    categories: Categories = []
    display_chart: bool = True
    value: ColumnName | None = None
    sample_count: ColumnName | None = None
    timestamp: TimestampColumn | None = None
    batch: ColumnName | None = None


class MetricUpdate(Struct, rename="camel"):
    """What can be changed; null clears."""

    name: Name | UnsetType = UNSET
    type: Kind | UnsetType = UNSET
    directionality: Direction | UnsetType = UNSET
    description: Annotated[str, Meta(max_length=10_000)] | UnsetType | None = UNSET
    units: Annotated[str, Meta(max_length=100)] | UnsetType | None = UNSET
    baseline_values: Baselines | UnsetType = UNSET
    categories: Categories | UnsetType = UNSET
    display_chart: bool | UnsetType = UNSET
    value: ColumnName | UnsetType | None = UNSET
    sample_count: ColumnName | UnsetType | None = UNSET
    timestamp: TimestampColumn | UnsetType | None = UNSET
    batch: ColumnName | UnsetType | None = UNSET


class SegmentOfValue(Struct):
    """The value of a segment attribute."""

    name: Text
    value: Text


class ReportedValue(Struct, rename="camel"):
    """One value: a number, or the name of a category. `timestamp` may be left out in a batch only."""

    value: Number | bool | str
    timestamp: str | None = None
    sample_size: Annotated[int, Meta(ge=1, le=2_000_000_000)] = 1
    batch_id: Id | None = None
    association_id: Id | None = None
    metadata: Annotated[str, Meta(max_length=10_000)] | None = None
    segments: Annotated[list[SegmentOfValue], Meta(max_length=10)] = []


class ValuesBody(Struct, rename="camel"):
    """`fromJSON`."""

    buckets: Annotated[list[ReportedValue], Meta(min_length=1)]
    model_id: Id | None = None
    model_package_id: Id | None = None
    dry_run: bool = False
    request_id: Id | None = None


class SegmentColumn(Struct, frozen=True):
    """The column that holds the values of a segment attribute."""

    name: Text
    column: ColumnText


class DatasetBody(Struct, rename="camel"):
    """`fromDataset`: the columns of a dataset; what is not named is as the metric says."""

    dataset_id: Id
    model_id: Id | None = None
    model_package_id: Id | None = None
    value: ColumnName | None = None
    sample_count: ColumnName | None = None
    timestamp: TimestampColumn | None = None
    batch: ColumnName | None = None
    association_id: ColumnName | None = None
    segments: Annotated[list[SegmentColumn], Meta(max_length=10)] = []
    request_id: Id | None = None
