"""The rows to train on: the retraining dataset, and stored requests whose outcome is known.

A dataset that has the target's column is taken as it is. One without it is joined with the collected actuals by the
association id (the column that the settings name, else `association_id`). Stored requests are those of champions, the
newest first, up to MOST_ROWS rows in all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import polars as pl
from django.db import connection

from deployments import datasets
from deployments.blocks import FEATURE, HOUR_US, decode
from deployments.ingest.shape import Shape, shape_of_package
from deployments.ingest.tables import BadColumn, as_numbers, as_words
from deployments.models import BlockKind, Dataset, Deployment, FeatureType, Grain, ModelPackage, ModelRole
from deployments.settings_schema import Settings, parse
from metrics import day_start

MOST_ROWS = 200_000
LEAST_ROWS = 100
ID = "association_id"

Tell = Callable[[float, str], None]


class NoData(ValueError):
    """There are not enough rows to train on; the message is for people."""


def collect(
    deployment: Deployment, package: ModelPackage, dataset: Dataset | None, *, use_actuals: bool, tell: Tell
) -> pl.DataFrame:
    """Features and target, each row with an outcome. Raises NoData."""
    shape = shape_of_package(package.pk)
    parts: list[pl.DataFrame] = []
    given = None if dataset is None else _read(dataset)
    joined = given is not None and package.target_name not in given.columns
    if given is not None:
        parts.append(_of_dataset(given, deployment, package, shape, joined=joined))
    if use_actuals and not joined:
        left = MOST_ROWS - sum(part.height for part in parts)
        parts += _stored(deployment, package, shape, left, tell)
    if not parts:
        raise NoData("There is nothing to train on: name a dataset in the retraining settings, or collect actuals.")
    rows = pl.concat(parts, how="vertical").drop_nulls(package.target_name).head(MOST_ROWS)
    if rows.height < LEAST_ROWS:
        raise NoData(f"{rows.height} rows with an outcome; at least {LEAST_ROWS} are needed.")
    return rows


def _read(dataset: Dataset) -> pl.DataFrame:
    try:
        return datasets.read(dataset)
    except FileNotFoundError:
        raise NoData("The file of the retraining dataset is gone.") from None


def _of_dataset(
    given: pl.DataFrame, deployment: Deployment, package: ModelPackage, shape: Shape, *, joined: bool
) -> pl.DataFrame:
    if not joined:
        return _typed(given.head(MOST_ROWS), package, shape, given[package.target_name].head(MOST_ROWS))
    names = [*parse(Settings, deployment.settings).association_id.column_names, ID]
    column = next((name for name in names if name in given.columns), None)
    if column is None:
        raise NoData(f"The dataset has neither the target {package.target_name!r} nor association ids ({names[0]!r}).")
    known = pl.concat([actuals for _, _, actuals in _actual_blocks(deployment)] or [_none()], how="vertical")
    last = known.sort("seq").unique("id", keep="last", maintain_order=True).select("id", "y")
    # joined by the numbers of the rows: the dataset may have columns of its own that are called `id` or `y`
    ids = pl.DataFrame({"id": as_words(given[column])}).with_row_index("row")
    found = ids.join(last, on="id", how="inner", maintain_order="left").head(MOST_ROWS)
    return _typed(given[found["row"]], package, shape, found["y"])


def _typed(rows: pl.DataFrame, package: ModelPackage, shape: Shape, outcome: pl.Series) -> pl.DataFrame:
    """The features in their types and the target spelled as the package spells it; rows of other classes are null."""
    columns = []
    for name, kind in shape.features.items():
        wanted = pl.Float64 if kind is FeatureType.NUMERIC else pl.String
        try:
            column = None if name not in rows.columns else _cast(rows[name], kind)
        except BadColumn as error:
            raise NoData(f"Column {name!r} of the dataset: {error}") from None
        columns.append((pl.Series([None] * rows.height, dtype=wanted) if column is None else column).alias(name))
    try:
        if shape.target.classes:
            words = as_words(outcome)
            target = words.replace_strict(dict(shape.labels), default=None, return_dtype=pl.String)
        else:
            target = as_numbers(outcome)
    except BadColumn as error:
        raise NoData(f"The target {package.target_name!r}: {error}") from None
    return pl.DataFrame([*columns, target.alias(package.target_name)])


def _cast(column: pl.Series, kind: FeatureType) -> pl.Series:
    return as_numbers(column) if kind is FeatureType.NUMERIC else as_words(column)


# --- Stored requests --------------------------------------------------------------------------------------------


def _stored(deployment: Deployment, package: ModelPackage, shape: Shape, most: int, tell: Tell) -> list[pl.DataFrame]:
    """Requests with an outcome, newest day first, until there are enough."""
    parts: list[pl.DataFrame] = []
    rows = 0
    for grain, bucket, actuals in _actual_blocks(deployment):
        if rows >= most:
            break
        requests = _requests(deployment, grain, bucket)
        if requests is None:
            continue
        last = actuals.sort("seq").unique(["hour", "id"], keep="last", maintain_order=True).select("hour", "id", "y")
        found = requests.unique(["hour", "id"], keep="last", maintain_order=True).join(
            last, on=["hour", "id"], how="inner", maintain_order="left"
        )
        found = found.head(most - rows)
        # features alone: one of them may be called like a column of ours
        names = {name: name.removeprefix(FEATURE) for name in found.columns if name.startswith(FEATURE)}
        parts.append(_typed(found.select(list(names)).rename(names), package, shape, found["y"]))
        rows += parts[-1].height
        tell(min(rows / most, 1.0), f"{rows} stored requests with an outcome")
    return parts


def _actual_blocks(deployment: Deployment) -> Iterator[tuple[Grain, int, pl.DataFrame]]:
    """Matched actuals by day or batch, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT grain, bucket, max(day) OVER (PARTITION BY grain, bucket) AS last "
            "FROM deployments_actualblock WHERE deployment_id = %s ORDER BY last DESC, bucket DESC",
            [deployment.pk],
        )
        spots = cursor.fetchall()
    for grain, bucket, _last in spots:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT payload FROM deployments_actualblock WHERE deployment_id = %s AND grain = %s AND bucket = %s "
                "ORDER BY id",
                [deployment.pk, grain, bucket],
            )
            tables = [decode(row[0]) for row in cursor.fetchall()]
        if tables:
            yield Grain(grain), bucket, pl.concat(tables, how="vertical_relaxed").select("id", "y", "hour", "seq")


def _requests(deployment: Deployment, grain: Grain, bucket: int) -> pl.DataFrame | None:
    """The stored requests of a day (or batch) that have an id, with their hour (batches: -1)."""
    apart = deployment.models.filter(role__in=(ModelRole.CHALLENGER, ModelRole.REMOVED)).values_list("pk", flat=True)
    where, value = "batch_id = %s", bucket
    day: date | int = bucket
    if grain is Grain.DAY:
        where, day = "batch_id IS NULL AND day = %s", day_start(value).date()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT payload FROM deployments_block WHERE deployment_id = %s AND kind = %s AND NOT is_replay "  # noqa: S608
            f"AND collected AND model_id <> ALL(%s) AND {where} ORDER BY id",
            [deployment.pk, int(BlockKind.PREDICTIONS), list(apart), day],
        )
        tables = [decode(row[0]) for row in cursor.fetchall()]
    if not tables:
        return None
    rows = pl.concat(tables, how="diagonal_relaxed").filter(pl.col("id").is_not_null())
    hour = pl.col("at") // HOUR_US if grain is Grain.DAY else pl.lit(-1, pl.Int64)
    return rows.with_columns(hour=hour)


def _none() -> pl.DataFrame:
    return pl.DataFrame(schema={"id": pl.String, "y": pl.String, "hour": pl.Int64, "seq": pl.Int64})
