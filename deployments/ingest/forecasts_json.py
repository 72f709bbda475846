"""What a JSON item says about its forecasts: from its own fields, and from columns that are named by the model."""

from __future__ import annotations

import numpy as np
import polars as pl

from deployments.ingest import values
from deployments.ingest.bodies import Column, PredictionColumns
from deployments.ingest.errors import Problems
from deployments.ingest.forecasts import Given, Note, Rules
from deployments.ingest.shape import Series, Shape, series_word
from deployments.ingest.tables import BadColumn, Reader, as_times
from metrics import TargetType


def given_in(item: PredictionColumns, shape: Shape, rules: Rules, place: str, problems: Problems) -> Given:
    """Dates, points, distances, series and targets of an item, as far as they are there."""
    columns = {column.name: column for column in item.features}
    date_name = rules.date_column(shape)
    date = columns.get(date_name) if date_name is not None else None
    dates = None if date is None else _times(date, rules.as_dates, place, problems)
    if shape.series is None:
        return Given(dates)
    return Given(
        dates,
        _points(item, columns.get(shape.series.point), 1 if dates is None else len(dates), place, problems),
        _distances(item, columns.get(shape.series.distance), place, problems),
        _series(item, [columns[name] for name in shape.series.ids if name in columns], shape.series, place, problems),
        _targets(columns.get(shape.target_name), shape, place, problems),
    )


def noting(problems: Problems, place: str) -> Note:
    """Notes the first wrong row of a column."""

    def note(name: str, wrong: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], text: str) -> None:
        if wrong.any():
            problems.add(f"{place}.features[{name}][{int(wrong.argmax())}]", text)

    return note


def _times(column: Column, read: Reader, place: str, problems: Problems) -> pl.Series:
    where = f"{place}.features[{column.name}]"
    words = values.words(column.values, where, problems)
    try:
        return read(words)
    except BadColumn as error:
        problems.add(f"{where}[{error.row}]", str(error))
        return pl.Series([None] * len(words), dtype=pl.Int64)


def _points(
    item: PredictionColumns, column: Column | None, rows: int, place: str, problems: Problems
) -> pl.Series | None:
    """The forecast point of each row; one for all is repeated, as often as there are distances, times or dates."""
    if column is not None:
        return _times(column, as_times, place, problems)
    if item.forecast_points is not None:
        words = pl.Series(item.forecast_points, dtype=pl.String)
        where = f"{place}.forecastPoints"
    elif item.forecast_point is not None:
        rows = len(item.forecast_distances or item.timestamps or ()) or rows
        words, where = pl.Series([item.forecast_point] * rows, dtype=pl.String), f"{place}.forecastPoint"
    else:
        return None
    try:
        return as_times(words)
    except BadColumn as error:
        problems.add(where if item.forecast_points is None else f"{where}[{error.row}]", str(error))
        return None


def _distances(item: PredictionColumns, column: Column | None, place: str, problems: Problems) -> pl.Series | None:
    if column is None:
        found = item.forecast_distances
        return None if found is None else pl.Series(found, dtype=pl.Int64, strict=False)
    where = f"{place}.features[{column.name}]"
    numbers = values.numbers(column.values, where, problems)
    broken = (numbers != numbers.floor()).fill_null(False) | (numbers.abs() > 2**31).fill_null(False)
    if broken.any():
        problems.add(f"{where}[{broken.arg_max()}]", "A forecast distance is a whole number.")
        return None
    return numbers.cast(pl.Int64, strict=False)


def _series(
    item: PredictionColumns, columns: list[Column], series: Series, place: str, problems: Problems
) -> pl.Series | None:
    if item.series_ids is not None:
        return pl.Series([None if word is None else str(word) for word in item.series_ids], dtype=pl.String)
    if not columns or len(columns) < len(series.ids):
        return None
    parts = [values.words(one.values, f"{place}.features[{one.name}]", problems) for one in columns]
    if len({len(part) for part in parts}) > 1:
        problems.add(f"{place}.features[{columns[0].name}]", "The series id columns differ in length.")
        return None
    return series_word(parts)


def _targets(column: Column | None, shape: Shape, place: str, problems: Problems) -> pl.Series | None:
    if column is None or column.name in shape.features:
        return None
    where = f"{place}.features[{column.name}]"
    if shape.target.kind is TargetType.REGRESSION:
        return values.numbers(column.values, where, problems)
    words = values.words(column.values, where, problems)
    labels = words.replace_strict(dict(shape.labels), default=None, return_dtype=pl.String)
    strange = labels.is_null() & words.is_not_null()
    if strange.any():
        row = strange.arg_max() or 0
        problems.add(f"{where}[{row}]", f"{words[row]!r} is not one of the classes {', '.join(shape.order[:10])}.")
    return labels
