"""Reported values, from JSON or from a dataset, checked as a whole before anything is stored.

Both give a table with the columns `at` (microseconds), `value` or `category`, `samples`, `batch`, `id`, `metadata`, and
`s:<attribute>` for segments; what was not given is null.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from django.conf import settings
from numpy.typing import NDArray

from deployments.blocks import SEGMENT
from deployments.custom_metrics.bodies import DatasetBody, ReportedValue, ValuesBody
from deployments.custom_metrics.definitions import checked_format
from deployments.ingest import values
from deployments.ingest.columns import check_ids
from deployments.ingest.errors import Problems, Refused, TooMuch
from deployments.ingest.places import Places
from deployments.ingest.prepared import AHEAD, Times, microseconds
from deployments.ingest.tables import BadColumn, as_numbers, as_times, as_words
from deployments.models import CustomKinds, CustomMetric, Deployment, SegmentAttribute

LARGEST = 1e100
LONGEST_CATEGORY = 200
MOST_SAMPLES = 2_000_000_000


@dataclass(frozen=True)
class Columns:
    """Where a dataset holds what; "" where it holds it not."""

    value: str
    timestamp: str
    time_format: str
    samples: str
    batch: str
    association_id: str
    segments: tuple[tuple[str, str], ...]


def from_json(deployment: Deployment, metric: CustomMetric, body: ValuesBody, now: datetime) -> pl.DataFrame:
    """The values of a body. Raises Refused with what is wrong, TooMuch beyond MAX_JSON_ROWS."""
    if len(body.buckets) > settings.MAX_JSON_ROWS:
        raise TooMuch(f"At most {settings.MAX_JSON_ROWS} values a request (MAX_JSON_ROWS).")
    places = Places.of(deployment, (one.batch_id for one in body.buckets), now)
    problems = places.problems
    table = pl.DataFrame(
        [
            pl.Series("at", _times(body.buckets, now, problems), pl.Int64),
            *_values_of([one.value for one in body.buckets], metric, problems),
            pl.Series("samples", [one.sample_size for one in body.buckets], pl.Int64),
            pl.Series("batch", _batches(body.buckets, places), pl.Int64),
            pl.Series("id", [one.association_id for one in body.buckets], pl.String),
            pl.Series("metadata", [one.metadata for one in body.buckets], pl.String),
            *_segments(deployment, body.buckets, problems),
        ]
    )
    problems.check()
    return table


def _times(rows: Sequence[ReportedValue], now: datetime, problems: Problems) -> NDArray[np.int64]:
    here = now.isoformat()
    texts = [one.timestamp or here for one in rows]
    for number, one in enumerate(rows):
        if one.timestamp is None and one.batch_id is None:
            problems.add(f"buckets[{number}].timestamp", "Needed unless there is a batchId.")
    at = values.times(texts, "buckets[{row}].timestamp", problems)
    kept_times(now).check(at, "buckets[{row}].timestamp", problems)
    return at


def kept_times(now: datetime) -> Times:
    """The times that values may have: as long as days are kept, whatever rows are."""
    return Times(microseconds(now - timedelta(days=settings.RETENTION_DAYS_DAYS)), microseconds(now + AHEAD))


def _values_of(given: Sequence[float | bool | str], metric: CustomMetric, problems: Problems) -> list[pl.Series]:
    place = "buckets[{row}].value"
    if metric.kind == CustomKinds.CATEGORICAL:
        words = [values.spelled(value) for value in given]
        for row, word in enumerate(words):
            if not word or len(word) > LONGEST_CATEGORY:
                problems.add(place.format(row=row), f"A category has 1 to {LONGEST_CATEGORY} characters.")
        return [pl.Series("value", [None] * len(words), pl.Float64), pl.Series("category", words, pl.String)]
    for row, value in enumerate(given):
        if isinstance(value, str):
            problems.add(place.format(row=row), f"Expected a number, got the text {value[:60]!r}.")
    numbers = [0.0 if isinstance(value, str) else float(value) for value in given]
    return [pl.Series("value", numbers, pl.Float64), pl.Series("category", [None] * len(numbers), pl.String)]


def _batches(rows: Sequence[ReportedValue], places: Places) -> list[int | None]:
    return [places.batch(one.batch_id, f"buckets[{number}].batchId") for number, one in enumerate(rows)]


def _segments(deployment: Deployment, rows: Sequence[ReportedValue], problems: Problems) -> list[pl.Series]:
    known = followed(deployment)
    found: dict[str, list[str | None]] = {}
    for number, one in enumerate(rows):
        for place, segment in enumerate(one.segments):
            if segment.name not in known:
                problems.add(f"buckets[{number}].segments[{place}].name", _not_followed(segment.name))
            found.setdefault(segment.name, [None] * len(rows))[number] = segment.value
    return [pl.Series(SEGMENT + name, texts, pl.String) for name, texts in found.items()]


def followed(deployment: Deployment) -> set[str]:
    """The attributes by which this deployment is segmented."""
    return set(
        SegmentAttribute.objects.filter(deployment=deployment, active=True, is_place=False).values_list(
            "name", flat=True
        )
    )


def _not_followed(name: str) -> str:
    return f"{name} is not a segment attribute that is switched on here."


# --- Datasets ---------------------------------------------------------------------------------------------------


def columns_of(metric: CustomMetric, body: DatasetBody, available: Sequence[str]) -> Columns:
    """Which columns are read: as the body says, else the metric, else those with the usual names."""

    def named(given: str | None, of_metric: str, usual: str) -> str:
        return given or of_metric or (usual if usual in available else "")

    def of(one: object) -> str | None:
        return getattr(one, "column_name", None)

    time_format = checked_format(body.timestamp) if body.timestamp is not None else metric.timestamp_format
    return Columns(
        value=named(of(body.value), metric.value_column, "value") or "value",
        timestamp=named(of(body.timestamp), metric.timestamp_column, "timestamp"),
        time_format=time_format,
        samples=named(of(body.sample_count), metric.sample_count_column, "sample_count"),
        batch=named(of(body.batch), metric.batch_column, "batch"),
        association_id=of(body.association_id) or "",
        segments=tuple((one.name, one.column) for one in body.segments),
    )


def check_columns(deployment: Deployment, columns: Columns, available: Sequence[str]) -> None:
    """Raise Refused for columns that the dataset does not have, and for attributes that are not followed."""
    problems, known = Problems(), followed(deployment)
    fields = {
        "value": columns.value,
        "timestamp": columns.timestamp,
        "sampleCount": columns.samples,
        "batch": columns.batch,
        "associationId": columns.association_id,
    }
    for field, column in fields.items():
        if column and column not in available:
            problems.add(f"{field}.columnName", f"The dataset has no column {column!r}.")
    if not columns.timestamp and not columns.batch:
        problems.add("timestamp.columnName", "Values need a time or a batch.")
    for number, (name, column) in enumerate(columns.segments):
        if name not in known:
            problems.add(f"segments[{number}].name", _not_followed(name))
        if column not in available:
            problems.add(f"segments[{number}].column", f"The dataset has no column {column!r}.")
    problems.check()


def from_table(
    deployment: Deployment, metric: CustomMetric, columns: Columns, table: pl.DataFrame, now: datetime
) -> pl.DataFrame:
    """The values of a dataset; rows without a value are left out. Raises Refused with what is wrong, by row."""
    batches = _read(table, columns.batch, as_words)
    places = Places.of(deployment, batches.drop_nulls().unique().to_list(), now)
    problems = places.problems
    ids = _read(table, columns.association_id, as_words)
    check_ids(ids, f"{columns.association_id}[{{row}}]", problems)
    keys = {text: places.batch(text, f"{columns.batch}[{text}]") for text in batches.drop_nulls().unique().to_list()}
    found = pl.DataFrame(
        [
            _moments(table, columns, batches, now, problems),
            *_numbers_or_words(table, columns.value, metric, problems),
            _samples(table, columns.samples, problems),
            pl.Series("batch", [keys.get(text) for text in batches.to_list()], pl.Int64),
            ids.alias("id"),
            pl.Series("metadata", [None] * table.height, pl.String),
            *(_read(table, column, as_words).alias(SEGMENT + name) for name, column in columns.segments),
        ]
    )
    problems.check()
    return found.filter(pl.col("value").is_not_null() | pl.col("category").is_not_null())


def _moments(table: pl.DataFrame, columns: Columns, batches: pl.Series, now: datetime, problems: Problems) -> pl.Series:
    if not columns.timestamp:
        at = pl.Series("at", [microseconds(now)] * table.height, pl.Int64)
    elif columns.time_format:
        at = _formatted(table, columns.timestamp, columns.time_format, problems)
    else:
        at = _read(table, columns.timestamp, as_times)
    missing = at.is_null() & batches.is_null()
    if missing.any():
        problems.add(f"{columns.timestamp or columns.batch}[{missing.arg_max()}]", "Values need a time or a batch.")
    at = at.fill_null(microseconds(now)).alias("at")
    kept_times(now).check(at.to_numpy(), f"{columns.timestamp}[{{row}}]", problems)
    return at


def _formatted(table: pl.DataFrame, column: str, time_format: str, problems: Problems) -> pl.Series:
    """Times as `strptime` reads them; naive ones are UTC. Each distinct text is read once."""
    texts = _read(table, column, as_words)
    known: dict[str, int] = {}
    for text in texts.drop_nulls().unique(maintain_order=True).to_list():
        try:
            moment = datetime.strptime(text, time_format)  # noqa: DTZ007
            known[text] = microseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
        except ValueError:
            row = (texts == text).arg_max()
            problems.add(f"{column}[{row}]", f"{text[:60]!r} is not a time of the format {time_format!r}.")
            known[text] = microseconds(datetime(2000, 1, 1, tzinfo=UTC))
    return pl.Series("at", [None if text is None else known[text] for text in texts.to_list()], pl.Int64)


def _numbers_or_words(table: pl.DataFrame, column: str, metric: CustomMetric, problems: Problems) -> list[pl.Series]:
    nothing = [None] * table.height
    if metric.kind == CustomKinds.CATEGORICAL:
        words = _read(table, column, as_words)
        wrong = (words.str.len_chars() > LONGEST_CATEGORY) | (words == "")
        if wrong.any():
            problems.add(f"{column}[{wrong.arg_max()}]", f"A category has 1 to {LONGEST_CATEGORY} characters.")
        return [pl.Series("value", nothing, pl.Float64), words.alias("category")]
    numbers = _read(table, column, as_numbers)
    wrong = ~numbers.is_finite() | (numbers.abs() > LARGEST)
    if wrong.any():
        problems.add(f"{column}[{wrong.arg_max()}]", "Expected a finite number.")
    return [numbers.alias("value"), pl.Series("category", nothing, pl.String)]


def _samples(table: pl.DataFrame, column: str, problems: Problems) -> pl.Series:
    if not column:
        return pl.Series("samples", [1] * table.height, pl.Int64)
    numbers = _read(table, column, as_numbers).fill_null(1.0)
    wrong = ~((numbers >= 1) & (numbers <= MOST_SAMPLES) & (numbers == numbers.floor()))
    if wrong.any():
        problems.add(f"{column}[{wrong.arg_max()}]", "A sample count is a whole number from 1 on.")
        return pl.Series("samples", [1] * table.height, pl.Int64)
    return numbers.cast(pl.Int64).alias("samples")


def _read(table: pl.DataFrame, column: str, read: Callable[[pl.Series], pl.Series]) -> pl.Series:
    if not column:
        return pl.Series(column, [None] * table.height, pl.String)
    try:
        return read(table[column])
    except BadColumn as error:
        raise Refused({column if error.row < 0 else f"{column}[{error.row}]": str(error)}) from None
