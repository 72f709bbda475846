"""Forecasts: their distance, series and date; the axis on which they count; and history that tells what happened.

Of forecast date, forecast point and distance two give the third; a distance alone counts from the time of the row. A
row with the target's value and no prediction is history: with automatic actuals it becomes the actual of its series and
date, for every forecast of them, whatever their distance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deployments.ingest.columns import LONGEST_ID, Columns
from deployments.ingest.prepared import Prepared, Times, microseconds
from deployments.ingest.shape import DISTANCE, SERIES, Series, Shape
from deployments.ingest.tables import BadColumn, as_times
from deployments.models import BlockKind, Deployment
from deployments.settings_schema import ByForecastDate, Settings, parse

Mask = NDArray[np.bool_]
Note = Callable[[str, Mask, str], None]
"""Notes rows that are wrong: the column, which rows, and the text."""

FURTHEST = timedelta(days=366)
"""How far ahead a date may lie where rows count by a date of theirs."""


@dataclass(frozen=True)
class Rules:
    """What the settings say about forecasts."""

    by_date: ByForecastDate
    automatic: bool

    @classmethod
    def of(cls, deployment: Deployment) -> Rules:
        settings = parse(Settings, deployment.settings)
        return cls(settings.predictions_by_forecast_date, settings.automatic_actuals.enabled)

    def date_column(self, shape: Shape) -> str | None:
        """The column that holds the date of a row; None where none is needed."""
        if self.by_date.enabled and self.by_date.column_name:
            return self.by_date.column_name
        return shape.series.date if shape.series is not None else None

    def times(self, kept: Times) -> Times:
        """The times that rows may have."""
        ahead = FURTHEST // timedelta(microseconds=1) if self.by_date.enabled else 0
        return Times(kept.first, kept.last + ahead)

    def as_dates(self, column: pl.Series) -> pl.Series:
        """Dates as microseconds since 1970, in the format of the settings if they name one. Raises BadColumn."""
        if self.by_date.datetime_format is None or column.dtype != pl.String:
            return as_times(column)
        found = column.str.to_datetime(self.by_date.datetime_format, time_unit="us", strict=False).to_physical()
        bad = found.is_null() & column.is_not_null()
        if bad.any():
            raise BadColumn.at(column, bad, f"{{value}} is no date of the form {self.by_date.datetime_format}.")
        return found


@dataclass(frozen=True)
class Given:
    """What a request says of each row besides predictions and features; None where it says nothing.

    Times are microseconds (Int64), `distances` Int64, `series` words, `targets` numbers or the names of classes.
    """

    dates: pl.Series | None = None
    points: pl.Series | None = None
    distances: pl.Series | None = None
    series: pl.Series | None = None
    targets: pl.Series | None = None

    @property
    def named(self) -> Mapping[str, pl.Series]:
        """The columns that are there."""
        return {name: column for name, column in vars(self).items() if column is not None}


@dataclass(frozen=True)
class Told:
    """Which rows are predictions, and what the others, history, tell of what happened, if that is wanted."""

    made: Mask
    happened: pl.DataFrame | None = None


def complete(columns: Columns, given: Given, shape: Shape, rules: Rules, note: Note) -> Told:
    """Work distance, series, date and axis out, and take history away.

    What is wrong goes to `note`; `columns` is then not to be used.
    """
    if shape.series is None:
        if rules.by_date.enabled:
            columns.at = _on(given.dates, rules.date_column(shape) or "", columns.at, note)
        return Told(np.ones(len(columns.at), np.bool_))
    dates, distances = _resolved(given, columns.at, shape.series)
    history = _history(columns, given)
    _check(distances, ~history, shape.series, note)
    columns.distance = distances.cast(pl.Int32, strict=False)
    columns.segments[DISTANCE] = distances.cast(pl.String)
    if shape.series.ids:
        columns.segments[SERIES] = (
            pl.Series([None] * len(dates), dtype=pl.String) if given.series is None else given.series
        )
    happened = None
    if rules.automatic:
        names = _names(columns.segments.get(SERIES), dates)
        _check_names(names, shape.series, note)
        columns.ids = names if columns.ids is None else columns.ids.fill_null(names)
        happened = _happened(names, given.targets, history)
    if rules.by_date.enabled:
        columns.at = _on(dates, shape.series.date, columns.at, note)
    columns.keep(~history)
    return Told(~history, happened)


def _resolved(given: Given, at: NDArray[np.int64], series: Series) -> tuple[pl.Series, pl.Series]:
    """Dates and distances of all rows; null where they are not known. A date between two steps has no distance."""
    nothing = pl.Series([None] * len(at), dtype=pl.Int64)
    dates = nothing if given.dates is None else given.dates
    distances = nothing if given.distances is None else given.distances
    points = nothing if given.points is None else given.points
    frame = pl.DataFrame({"date": dates, "distance": distances, "point": points, "at": at})
    between = pl.col("date") - pl.col("point")
    steps = pl.when(between % series.step == 0).then(between // series.step)
    found = frame.with_columns(distance=pl.coalesce("distance", steps)).with_columns(
        date=pl.coalesce("date", pl.coalesce("point", "at") + pl.col("distance") * series.step)
    )
    return found["date"], found["distance"]


def _history(columns: Columns, given: Given) -> Mask:
    """The rows that tell what happened and predict nothing."""
    if given.targets is None:
        return np.zeros(len(columns.at), np.bool_)
    known = given.targets.is_not_null().to_numpy()
    for column in columns.predictions:
        known = known & (column.is_null() | column.cast(pl.Float64).is_nan().fill_null(True)).to_numpy()
    return np.asarray(known, np.bool_)


def _check(distances: pl.Series, made: Mask, series: Series, note: Note) -> None:
    absent = distances.is_null().to_numpy()
    note(series.distance, made & absent, "A forecast needs its distance, or its date and its forecast point.")
    strange = ~distances.is_in(sorted(series.distances)).fill_null(True).to_numpy()
    note(series.distance, made & strange, "This is none of the model's forecast distances.")


def _names(series: pl.Series | None, dates: pl.Series) -> pl.Series:
    """The association id of a series and a date; null where one of them is not known."""
    moments = dates.cast(pl.Datetime("us")).dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ")
    if series is None:
        return moments.alias("id")
    return pl.DataFrame({"s": series, "d": moments}).select(pl.concat_str("s", "d", separator=" ").alias("id"))["id"]


def _check_names(names: pl.Series, series: Series, note: Note) -> None:
    long = (names.str.len_chars() > LONGEST_ID).fill_null(False)
    note(
        series.ids[0] if series.ids else series.date, long.to_numpy(), f"Series and date are longer than {LONGEST_ID}."
    )


def _happened(names: pl.Series, targets: pl.Series | None, history: Mask) -> pl.DataFrame | None:
    """The actuals of the history's rows whose series and date are known."""
    known = history & names.is_not_null().to_numpy()
    if targets is None or not known.any():
        return None
    n = int(known.sum())
    chosen = pl.Series(known)
    return pl.DataFrame(
        [
            names.filter(chosen).alias("id"),
            targets.filter(chosen).alias("y"),
            pl.Series("acted", [None] * n, pl.Boolean),
            pl.Series("given", [None] * n, pl.Int64),
        ]
    )


def _on(dates: pl.Series | None, name: str, at: NDArray[np.int64], note: Note) -> NDArray[np.int64]:
    """The dates as the rows' times."""
    found = pl.Series([None] * len(at), dtype=pl.Int64) if dates is None else dates
    note(name, found.is_null().to_numpy(), "Predictions count by this date, so every row needs one.")
    return found.fill_null(pl.Series(at)).to_numpy()


def automatic(happened: pl.DataFrame, now: datetime) -> Prepared:
    """What history told, as actuals to store; they belong to no model, and their time is that of receipt."""
    return Prepared(BlockKind.ACTUALS, 0, None, happened.with_columns(at=pl.lit(microseconds(now), pl.Int64)), own=True)
