"""The JSON bodies of ingest, as types. Unknown keys are ignored; a wrong type is named by its place."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

Id = Annotated[str, Meta(min_length=1, max_length=128)]
Text = Annotated[str, Meta(max_length=500)]


class Column(Struct):
    """A named column; its values are decoded when its type is known."""

    name: Text
    values: msgspec.Raw


class Passage(Struct):
    """A passage that a text was generated from, and where it is from."""

    context: str
    link: str | None = None


class PredictionColumns(Struct, rename="camel"):
    """Predictions of one model as parallel columns."""

    predictions: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)
    timestamp: str | None = None
    timestamps: list[str] | None = None
    model_id: Id | None = None
    features: list[Column] = []
    association_ids: list[str | int | None] | None = None
    class_names: list[str] | None = None
    segments: list[Column] = []
    batch_id: Id | None = None
    prompts: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)
    contexts: list[list[Passage | str] | None] | None = None
    # of time series
    forecast_distances: list[int | None] | None = None
    forecast_point: str | None = None
    forecast_points: list[str | None] | None = None
    series_ids: list[str | int | None] | None = None


class PredictionsBody(Struct, rename="camel"):
    """`predictionInputs/fromJSON`."""

    data: Annotated[list[PredictionColumns], Meta(min_length=1, max_length=1000)]
    skip_drift_tracking: bool = False
    skip_accuracy_tracking: bool = False
    request_id: Id | None = None


class ServiceEvent(Struct, rename="camel"):
    """One request that a prediction server answered."""

    timestamp: str
    num_predictions: Annotated[int, Meta(ge=0, le=2_000_000_000)] = 0
    execution_time: Annotated[float, Meta(ge=0)] | None = None
    response_time: Annotated[float, Meta(ge=0)] | None = None
    user_error: bool = False
    system_error: bool = False
    status_code: Annotated[int, Meta(ge=100, le=599)] | None = None
    consumer: Text | None = None
    remote_ip: Text | None = None
    host_ip: Text | None = None
    cache_hit: bool = False
    model_id: Id | None = None
    batch_id: Id | None = None
    request_id: Id | None = None

    @property
    def status(self) -> int:
        """The HTTP status: as given, else by the two flags."""
        if self.status_code is not None:
            return self.status_code
        return 500 if self.system_error else 400 if self.user_error else 200


class ServiceBody(Struct, rename="camel"):
    """`predictionRequests/fromJSON`."""

    data: Annotated[list[ServiceEvent], Meta(min_length=1)]
    request_id: Id | None = None


class Actual(Struct, rename="camel"):
    """What really happened."""

    association_id: Annotated[str, Meta(min_length=1, max_length=128)] | int
    actual_value: str | int | float | bool
    was_acted_on: bool | None = None
    timestamp: str | None = None


class ActualsBody(Struct, rename="camel"):
    """`actuals/fromJSON`."""

    data: Annotated[list[Actual], Meta(min_length=1)]
    keep_actuals_without_predictions: bool = True
    request_id: Id | None = None
