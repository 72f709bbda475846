"""Adding reported values to what is there, in the caller's transaction and under the metric's lock.

A value of a batch counts in the batch, any other in its hour and in its day; with segments also there. Since the
request is filed in the same transaction, a value that was added is never added again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import polars as pl
from django.db import connection

from deployments.blocks import DAY_US, HOUR_US, SEGMENT, keys_of
from deployments.ingest.errors import Refused
from deployments.ingest.prepared import moment
from deployments.models import CustomKinds, CustomMetric, Grain, SegmentAttribute
from deployments.rollups import attributes
from metrics import CustomState, merge_custom

MOST_CATEGORIES = 50
EVERYTHING = 0
Spot = tuple[int, int, int, int]
"""Grain, attribute, value of the attribute, and bucket."""

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(dict[str, int])
COLUMNS = (
    "n, samples, total, weighted, last_at, last_received, last_value, unknown, counts"  # those of one state, in order
)
_TYPES = ("int8", "int8", "float8", "float8", "int8", "int8", "float8", "int8", "bytea")
_GROUPS = ["grain", "attribute", "segment", "bucket"]


def add(metric: CustomMetric, model_pk: int, values: pl.DataFrame, received_at: int) -> None:
    """Add values of one model (0: pooled), received then (microseconds). Raises Refused if the type has changed."""
    if not values.height:
        return
    locked = CustomMetric.objects.select_for_update(no_key=True).get(pk=metric.pk)
    if (locked.kind == CustomKinds.CATEGORICAL) != (metric.kind == CustomKinds.CATEGORICAL):
        raise Refused({"value": "The type of the metric has just been changed."})
    known = _categories(locked, values)
    numbered = values.with_row_index("row").with_columns(unknown=~pl.col("category").is_in(known))
    fresh = _states(_spread(locked.deployment_id, numbered), locked.kind == CustomKinds.CATEGORICAL, received_at)
    _merge(locked, model_pk, fresh)
    _remember_rows(locked, model_pk, values.filter(pl.col("id").is_not_null()))


def encode(state: CustomState) -> list[Any]:
    """The columns of a state."""
    at, received, value = state.last
    numbers = [state.n, state.samples, state.total, state.weighted, at, received, value, state.unknown]
    return [*numbers, _ENCODER.encode(dict(state.counts)) if state.counts else b""]


def decode(row: Sequence[Any]) -> CustomState:
    """What `encode` gave."""
    n, samples, total, weighted, at, received, value, unknown, counts = row
    found = _DECODER.decode(counts) if counts else {}
    return CustomState(n, samples, total, weighted, (at, received, value), found, unknown)


def _categories(metric: CustomMetric, values: pl.DataFrame) -> list[str]:
    """The categories that count by name; while none are declared, new ones are learned up to a limit."""
    known = list(metric.categories)
    if metric.kind == CustomKinds.CATEGORICAL and not metric.categories_declared:
        seen = values["category"].drop_nulls().unique(maintain_order=True).to_list()
        fresh = [name for name in seen if name not in known][: MOST_CATEGORIES - len(known)]
        if fresh:
            metric.categories = known = known + fresh
            metric.save(update_fields=["categories"])
    return known


def _spread(deployment_id: int, values: pl.DataFrame) -> pl.DataFrame:
    """Each value once for every place in which it counts."""
    timed, batched = values.filter(pl.col("batch").is_null()), values.filter(pl.col("batch").is_not_null())
    placed = pl.concat(
        [
            timed.with_columns(grain=pl.lit(int(Grain.HOUR)), bucket=pl.col("at") // HOUR_US),
            timed.with_columns(grain=pl.lit(int(Grain.DAY)), bucket=pl.col("at") // DAY_US),
            batched.with_columns(grain=pl.lit(int(Grain.BATCH)), bucket=pl.col("batch")),
        ]
    )
    parts = [placed.with_columns(attribute=pl.lit(EVERYTHING), segment=pl.lit(EVERYTHING))]
    names = [name.removeprefix(SEGMENT) for name in values.columns if name.startswith(SEGMENT)]
    for row in SegmentAttribute.objects.filter(
        deployment_id=deployment_id, active=True, is_place=False, name__in=names
    ):
        given = placed.filter(pl.col(SEGMENT + row.name).is_not_null())
        numbers, other = attributes.numbered(row, given[SEGMENT + row.name].unique().to_list())
        codes = pl.col(SEGMENT + row.name).replace_strict(
            list(numbers), list(numbers.values()), default=other or -1, return_dtype=pl.Int64
        )
        parts.append(given.with_columns(attribute=pl.lit(row.pk), segment=codes))
    wanted = [*_GROUPS, "row", "at", "value", "category", "samples", "unknown"]
    return pl.concat([part.select(wanted).with_columns(pl.col(_GROUPS).cast(pl.Int64)) for part in parts])


def _states(values: pl.DataFrame, categorical: bool, received_at: int) -> dict[Spot, CustomState]:
    """What the values add up to, by place."""
    summed = (
        values.sort("at", "row")
        .group_by(_GROUPS)
        .agg(
            n=pl.len(),
            samples=pl.col("samples").sum(),
            total=pl.col("value").sum(),
            weighted=(pl.col("value") * pl.col("samples")).sum(),
            last_at=pl.col("at").last(),
            last_value=pl.col("value").last(),
            unknown=pl.col("samples").filter(pl.col("unknown")).sum(),
        )
    )
    counts = _counts(values) if categorical else {}
    found: dict[Spot, CustomState] = {}
    for *spot, n, samples, total, weighted, at, value, unknown in summed.iter_rows():
        place = (spot[0], spot[1], spot[2], spot[3])
        last = (at, received_at, 0.0 if value is None else value)
        named = counts.get(place, {})
        found[place] = CustomState(n, samples, total, weighted, last, named, unknown if categorical else 0)
    return found


def _counts(values: pl.DataFrame) -> dict[Spot, dict[str, int]]:
    named = values.filter(~pl.col("unknown")).group_by([*_GROUPS, "category"]).agg(pl.col("samples").sum())
    found: dict[Spot, dict[str, int]] = {}
    for grain, attribute, segment, bucket, category, samples in named.sort([*_GROUPS, "category"]).iter_rows():
        found.setdefault((grain, attribute, segment, bucket), {})[category] = samples
    return found


def _merge(metric: CustomMetric, model_pk: int, fresh: Mapping[Spot, CustomState]) -> None:
    """Put the sum of what is there and what came in the place of what is there."""
    spots = list(fresh)
    columns = [[spot[place] for spot in spots] for place in range(4)]
    place = (
        "v.deployment_id = %s AND v.metric_id = %s AND v.model_id = %s AND v.grain = w.grain "
        "AND v.attribute_id = w.attribute_id AND v.value_id = w.value_id AND v.bucket = w.bucket"
    )
    wanted = "unnest(%s::smallint[], %s::int[], %s::int[], %s::int[]) AS w(grain, attribute_id, value_id, bucket)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM deployments_customvalue v USING {wanted} WHERE {place} "  # noqa: S608
            f"RETURNING v.grain, v.attribute_id, v.value_id, v.bucket, {COLUMNS}",
            [*columns, metric.deployment_id, metric.pk, model_pk],
        )
        before = {tuple(row[:4]): decode(row[4:]) for row in cursor.fetchall()}
    merged = {spot: merge_custom([before[spot], state] if spot in before else [state]) for spot, state in fresh.items()}
    _write(metric, model_pk, merged.items())


def _write(metric: CustomMetric, model_pk: int, states: Iterable[tuple[Spot, CustomState]]) -> None:
    key = "deployment_id, metric_id, model_id, grain, attribute_id, value_id, bucket"
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY deployments_customvalue ({key}, {COLUMNS}) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.set_types(["int4", "int4", "int4", "int2", "int4", "int4", "int4", *_TYPES])
        for spot, state in states:
            copy.write_row([metric.deployment_id, metric.pk, model_pk, *spot, *encode(state)])


def _remember_rows(metric: CustomMetric, model_pk: int, values: pl.DataFrame) -> None:
    """The values of single predictions; a later one takes the place of an earlier one."""
    if not values.height:
        return
    latest = values.unique("id", keep="last", maintain_order=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO deployments_customrow "
            "(deployment_id, key, metric_id, model_id, association_id, at, value, category, metadata) "
            "SELECT %s, k, %s, %s, i, a, v, c, m FROM unnest(%s::bigint[], %s::varchar[], %s::timestamptz[], "
            "%s::float8[], %s::varchar[], %s::text[]) AS r(k, i, a, v, c, m) "
            "ON CONFLICT (deployment_id, key, metric_id, model_id, association_id) DO UPDATE "
            "SET at = excluded.at, value = excluded.value, category = excluded.category, metadata = excluded.metadata",
            [
                *(metric.deployment_id, metric.pk, model_pk, keys_of(latest["id"]).tolist(), latest["id"].to_list()),
                [moment(at) for at in latest["at"].to_list()],
                *(latest[name].to_list() for name in ("value", "category", "metadata")),
            ],
        )
