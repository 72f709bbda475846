"""What the rows of a file say about their forecasts, by the columns that the model names."""

from __future__ import annotations

import numpy as np
import polars as pl

from deployments.ingest.forecasts import Given, Rules
from deployments.ingest.reading import Part
from deployments.ingest.shape import Shape, series_word
from deployments.ingest.tables import as_numbers, as_times, as_words
from metrics import TargetType


def given_in(part: Part, shape: Shape, rules: Rules) -> Given:
    """Dates, points, distances, series and targets of a part, as far as its columns are there."""
    date = rules.date_column(shape)
    dates = part.read(date, rules.as_dates, pl.Int64) if date is not None and part.has(date) else None
    series = shape.series
    if series is None:
        return Given(dates)
    ids = [part.read(name, as_words) for name in series.ids if part.has(name)]
    return Given(
        dates,
        part.read(series.point, as_times) if part.has(series.point) else None,
        _distances(part, series.distance) if part.has(series.distance) else None,
        series_word(ids) if ids and len(ids) == len(series.ids) else None,
        _targets(part, shape) if part.has(shape.target_name) and shape.target_name not in shape.features else None,
    )


def _distances(part: Part, name: str) -> pl.Series:
    numbers = part.read(name, as_numbers)
    given = numbers.fill_null(0).to_numpy()
    with np.errstate(invalid="ignore"):
        wrong = ~((given == np.floor(given)) & (np.abs(given) < 2**31))
    part.note(name, wrong, "A forecast distance is a whole number.")
    return numbers.set(pl.Series(wrong), None).cast(pl.Int64)


def _targets(part: Part, shape: Shape) -> pl.Series:
    if shape.target.kind is TargetType.REGRESSION:
        return part.read(shape.target_name, as_numbers)
    words = part.read(shape.target_name, as_words)
    labels = words.replace_strict(dict(shape.labels), default=None, return_dtype=pl.String)
    strange = (labels.is_null() & words.is_not_null()).to_numpy()
    part.note(shape.target_name, strange, f"{{value}} is not one of the classes {', '.join(shape.order[:10])}.")
    return labels
