"""Models of time series: what they forecast, how far ahead, and for which series.

A forecast is made at a *forecast point* for a *forecast date*; the *forecast distance* is the number of steps between
them. Rows of several series are told apart by the values of the series id columns.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
import polars as pl

from deployments.ingest.errors import Problems
from deployments.ingest.shape import DISTANCE, SERIES, series_word
from deployments.ingest.tables import as_words

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
MOST_DISTANCES = 1000
MOST_STEPS = 100_000


class TimeSeriesSpec(msgspec.Struct, rename="camel"):
    """The part of a registration that makes a model one of time series."""

    datetime_column: Name
    forecast_distances: list[int]
    forecast_unit: Literal["SECOND", "MINUTE", "HOUR", "DAY", "WEEK"] = "DAY"
    series_id_columns: list[Name] = []
    forecast_distance_column: Name = "forecast_distance"
    forecast_point_column: Name = "forecast_point"


def check(spec: TimeSeriesSpec, training: pl.DataFrame | None, problems: Problems) -> None:
    """Note what is wrong, by its place in the body."""
    distances = spec.forecast_distances
    if not 0 < len(distances) <= MOST_DISTANCES or len(set(distances)) != len(distances):
        problems.add("timeSeries.forecastDistances", f"Expected 1 to {MOST_DISTANCES} different numbers of steps.")
    elif not all(0 <= distance <= MOST_STEPS for distance in distances):
        problems.add("timeSeries.forecastDistances", f"A distance lies within 0 and {MOST_STEPS} steps.")
    if len(set(spec.series_id_columns)) != len(spec.series_id_columns):
        problems.add("timeSeries.seriesIdColumns", "A column is there twice.")
    if training is None:
        return
    if spec.datetime_column not in training.columns:
        problems.add("timeSeries.datetimeColumn", f"The training data has no column {spec.datetime_column!r}.")
    for place, name in enumerate(spec.series_id_columns):
        if name not in training.columns:
            problems.add(f"timeSeries.seriesIdColumns[{place}]", f"The training data has no column {name!r}.")


def attributes(spec: TimeSeriesSpec | None, table: pl.DataFrame) -> dict[str, pl.Series]:
    """The automatic segment attributes of the rows of a table: the distance, and the series where there are several."""
    found: dict[str, pl.Series] = {}
    if spec is None:
        return found
    if spec.forecast_distance_column in table.columns:
        found[DISTANCE] = as_words(table[spec.forecast_distance_column])
    if spec.series_id_columns and set(spec.series_id_columns) <= set(table.columns):
        found[SERIES] = series_word([as_words(table[name]) for name in spec.series_id_columns])
    return found
