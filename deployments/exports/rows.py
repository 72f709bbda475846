"""Stored predictions, piece by piece, in the columns in which the bulk door takes them.

Columns: `timestamp`, `association_id`, `model_id`, of batches `batch_id`, then `prediction` (regression) or
`prediction_<class>`, with actuals `actual_value`, `was_acted_on` and `actual_timestamp`, then features and segment
attributes by name. A feature or attribute whose name is taken already has its kind added in brackets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import polars as pl
from django.db import connection

from deployments.blocks import FEATURE, OVERRIDE, RULE, SEGMENT, WARNING, decode
from deployments.ingest.prepared import microseconds
from deployments.ingest.shape import CONSUMER, Shape, shape_of
from deployments.models import Block, BlockKind, DeployedModel, FeatureType, HumilityRule

UTC_TIME = pl.Datetime("us", "UTC")
OUTCOMES = ("actual_value", "was_acted_on", "actual_timestamp")
END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"
OUTSIDE = {
    SEGMENT + CONSUMER: "consumer",
    "d": "forecast_distance",
    OVERRIDE: "overridden_prediction",
    WARNING: "prediction_warning",
}
_INTERNAL = frozenset({"at", "id", "skip", "received"})


@dataclass(frozen=True)
class Wanted:
    """Which rows: those of a model from `start` to before `end`, in these batches (their ids by key) or in none.

    `day`: only blocks of this UTC day.
    """

    model: DeployedModel
    start: datetime | None
    end: datetime | None
    batches: Mapping[int, str] = field(default_factory=dict)
    with_actuals: bool = False
    day: date | None = None

    @property
    def blocks(self) -> Any:
        """The blocks that may hold such rows."""
        found = Block.objects.filter(
            deployment_id=self.model.deployment_id,
            kind=BlockKind.PREDICTIONS,
            model_id=self.model.pk,
            collected=True,
        )
        found = found.filter(batch_id__in=list(self.batches)) if self.batches else found.filter(batch_id=None)
        if self.day is not None:
            found = found.filter(day=self.day)
        if self.start is not None:
            found = found.filter(last_at__gte=self.start)
        return found if self.end is None else found.filter(first_at__lt=self.end)

    def inside(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Only the rows of the period; `at` in microseconds."""
        if self.start is not None:
            rows = rows.filter(pl.col("at") >= microseconds(self.start))
        return rows if self.end is None else rows.filter(pl.col("at") < microseconds(self.end))


@dataclass(frozen=True)
class Column:
    """A column of the file, what it is called inside a block, and its type."""

    name: str
    inside: str
    dtype: pl.DataType | type[pl.DataType]


def columns_of(wanted: Wanted) -> list[Column]:
    """The columns of an export; segment attributes are those that any of the blocks has."""
    shape = shape_of(wanted.model)
    found = [Column("timestamp", "at", UTC_TIME), Column("association_id", "id", pl.String)]
    found.append(Column("model_id", "model_id", pl.String))
    if wanted.batches:
        found.append(Column("batch_id", "batch_id", pl.String))
    found += [Column(name, name, type_of(shape)) for name in prediction_names(shape)]
    if wanted.with_actuals:
        found += outcome_columns(shape)
    taken = {column.name for column in found}
    for name, kind in shape.features.items():
        of_feature = pl.Float64 if kind is FeatureType.NUMERIC else pl.String
        found.append(Column(_free(name, "feature", taken), FEATURE + name, of_feature))
    known = {FEATURE + name for name in shape.features} | set(shape.target.columns) | _INTERNAL
    rules = {str(key): name for key, name in _rules(wanted.model)}
    for inside, dtype in sorted(_stored(wanted).items()):
        if inside not in known:
            outside = OUTSIDE.get(inside) or inside.removeprefix(SEGMENT).removeprefix(FEATURE)
            if inside.startswith(RULE):
                outside = f"humility rule {rules.get(inside.removeprefix(RULE), inside)}"
            found.append(Column(_free(outside, "segment", taken), inside, dtype))
    return found


def outcome_columns(shape: Shape) -> list[Column]:
    """The columns of an actual."""
    value = outcome_type(shape)
    dtypes: tuple[pl.DataType | type[pl.DataType], ...] = (value, pl.Boolean, UTC_TIME)
    return [Column(name, name, dtype) for name, dtype in zip(OUTCOMES, dtypes, strict=True)]


def type_of(shape: Shape) -> type[pl.DataType]:
    """What a prediction is in the file: a number, or generated text."""
    return pl.String if shape.target.is_text else pl.Float64


def outcome_type(shape: Shape) -> type[pl.DataType]:
    """What an actual is in the file: a number, or the name of a class, or text."""
    return pl.String if shape.target.classes or shape.target.is_text else pl.Float64


def schema_of(columns: Sequence[Column]) -> pl.Schema:
    """The schema of the file."""
    return pl.Schema({column.name: column.dtype for column in columns})


def pieces(wanted: Wanted) -> Iterator[pl.DataFrame]:
    """The rows of the period as they are stored, with `model_id`, `batch_id` and `hour` (batches: -1), block by block.

    The blocks of a day or batch are read by one cursor: a pass that puts them together meanwhile changes nothing here.
    """
    for day, batch_id in wanted.blocks.values_list("day", "batch_id").distinct().order_by("day", "batch_id"):
        together = wanted.blocks.filter(day=day, batch_id=batch_id).order_by("id").values_list("payload", flat=True)
        for payload in together.iterator(chunk_size=1):
            rows = wanted.inside(decode(payload))
            if rows.height:
                yield rows.with_columns(
                    pl.lit(wanted.model.public_id).alias("model_id"),
                    pl.lit(wanted.batches.get(batch_id or 0), pl.String).alias("batch_id"),
                    pl.lit(batch_id, pl.Int64).alias("bucket"),
                )


def shown(rows: pl.DataFrame, columns: Sequence[Column], shape: Shape) -> pl.DataFrame:
    """Rows of a block as rows of the file: every column, in its order, null where nothing was sent."""
    rows = with_predictions(rows, shape)
    return rows.select(
        (pl.col(column.inside) if column.inside in rows.columns else pl.lit(None))
        .cast(pl.Int64 if column.dtype == UTC_TIME and column.inside == "at" else column.dtype)
        .cast(column.dtype)
        .alias(column.name)
        for column in columns
    )


def prediction_names(shape: Shape) -> list[str]:
    """The prediction's columns in the file."""
    if not shape.target.classes:
        return ["prediction"]
    return [f"prediction_{name}" for name in shape.order]


def with_predictions(rows: pl.DataFrame, shape: Shape) -> pl.DataFrame:
    """The stored prediction under the names of the file; of two classes both probabilities."""
    stored = shape.target.columns
    if not set(stored) <= set(rows.columns):
        return rows
    if shape.target.is_text:
        return rows.with_columns(pl.col("p").cast(pl.String).alias("prediction"))
    if not shape.target.classes:
        named = [pl.col("p").alias("prediction")]
    elif shape.target.is_binary:
        negative, positive = shape.target.classes
        named = [(1 - pl.col("p")).alias(f"prediction_{negative}"), pl.col("p").alias(f"prediction_{positive}")]
    else:
        pairs = zip(stored, shape.target.classes, strict=True)
        named = [pl.col(inside).alias(f"prediction_{name}") for inside, name in pairs]
    return rows.with_columns(column.cast(pl.Float64).fill_nan(None) for column in named)


def _rules(model: DeployedModel) -> list[tuple[int, str]]:
    """Humility rules by their keys."""
    return list(HumilityRule.objects.filter(deployment_id=model.deployment_id).values_list("pk", "name"))


def _free(name: str, kind: str, taken: set[str]) -> str:
    chosen = name if name not in taken else f"{name} ({kind})"
    while chosen in taken:
        chosen += "_"
    taken.add(chosen)
    return chosen


def _stored(wanted: Wanted) -> dict[str, pl.DataType]:
    """The columns of all blocks, read from the heads of their streams: no row is decoded for it.

    A stream begins with a mark of four bytes, the length of the schema in four more (little-endian) and the schema.
    Source: "IPC Streaming Format" in the documentation of Apache Arrow.
    """
    query, params = wanted.blocks.values_list("payload").query.sql_with_params()
    size = " + ".join(f"(get_byte(payload, {4 + byte})::bigint << {8 * byte})" for byte in range(4))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT substring(payload for (8 + {size})::int) FROM ({query}) b", params)  # noqa: S608
        heads = [bytes(row[0]) for row in cursor.fetchall()]
    found: dict[str, pl.DataType] = {}
    for head in heads:
        found |= decode(head + END_OF_STREAM).schema
    return found
