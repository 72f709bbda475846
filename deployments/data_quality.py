"""Generated texts for people: searched, filtered and sorted over a period, a page at a time.

Without a search the page is found by the headers of the blocks, and only the stretches that it touches are read. With
one, the columns that are searched or sorted by are read of all stretches; of the rows themselves only the page is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import polars as pl
from django.db import connection
from numpy.typing import NDArray

from deployments import rows
from deployments.blocks import CONTEXTS, FEATURE, keys_of
from deployments.models import CustomKinds, CustomMetric, CustomRow
from deployments.rollups.copying import copy_out
from deployments.rows import Asked, Stretch

POOLED = 0
TRIES = 5


class Unsettled(RuntimeError):
    """Rows came in faster than they could be looked at, several times in a row."""


class Order(StrEnum):
    """What rows are sorted by; equal ones by time."""

    TIMESTAMP = "timestamp"
    ASSOCIATION_ID = "associationId"
    CUSTOM_METRICS = "customMetrics"


@dataclass(frozen=True)
class Search:
    """What is looked for. `prompt`: the column of the prompts. Words are found in any case, all of them in a row."""

    asked: Asked
    prompt: str
    prediction_words: tuple[str, ...] = ()
    prompt_words: tuple[str, ...] = ()
    actual_words: tuple[str, ...] = ()
    order: Order = Order.TIMESTAMP
    descending: bool = False
    order_metric: CustomMetric | None = None
    filter_metric: CustomMetric | None = None
    filter_value: str = ""

    @property
    def model_pk(self) -> int:
        """The model whose rows they are."""
        return self.asked.models[0]

    @property
    def patterns(self) -> dict[str, tuple[str, ...]]:
        """Words by the column in which they are looked for."""
        found = {"p": self.prediction_words, FEATURE + self.prompt: self.prompt_words, "y": self.actual_words}
        return {column: words for column, words in found.items() if words}

    @property
    def is_plain(self) -> bool:
        """Whether headers suffice to find a page."""
        return not self.patterns and self.filter_metric is None and self.order is Order.TIMESTAMP


@dataclass(frozen=True)
class Page:
    """The rows of a page in order (`at`, `id`, `p`, `y`, the prompt, contexts), and how many there are in all."""

    rows: pl.DataFrame
    total: int


def page(search: Search, offset: int, limit: int) -> Page:
    """The rows from `offset` on, at most `limit`."""
    all_stretches = rows.stretches(search.asked)
    if search.is_plain:
        return _plain(search, all_stretches, offset, limit)
    for _ in range(TRIES):
        places = _places(search, all_stretches)
        found = _at_places(search, all_stretches, places.slice(offset, limit))
        if found is not None:
            return Page(found, places.height)
        all_stretches = rows.stretches(search.asked)
    raise Unsettled


def _at_places(search: Search, all_stretches: Sequence[Stretch], chosen: pl.DataFrame) -> pl.DataFrame | None:
    """The rows at these places; None if rows have come in meanwhile, so that others lie there now."""
    parts = []
    for number in chosen["stretch"].unique().to_list():
        wanted = chosen.filter(pl.col("stretch") == number)
        table = _load(search, all_stretches[number])
        if (wanted["row"] >= table.height).any():
            return None
        part = table[wanted["row"].to_list()].with_columns(place=wanted["place"])
        if not part["at"].equals(wanted["at"]):
            return None
        parts.append(part)
    return pl.concat(parts, how="diagonal_relaxed").sort("place") if parts else pl.DataFrame()


def metric_values(search: Search, ids: Sequence[str]) -> dict[str, list[CustomRow]]:
    """The values of custom metrics of the rows with these association ids; one query."""
    if not ids:
        return {}
    found: dict[str, list[CustomRow]] = {}
    keys = keys_of(pl.Series(ids, dtype=pl.String)).tolist()
    stored = CustomRow.objects.filter(
        deployment_id=search.asked.deployment_id, key__in=keys, model_id__in=[search.model_pk, POOLED]
    )
    for row in stored.order_by("metric_id", "model_id"):
        found.setdefault(row.association_id, []).append(row)
    return found


def _plain(search: Search, all_stretches: Sequence[Stretch], offset: int, limit: int) -> Page:
    """Newest or oldest first: whole stretches before and after the page are only counted."""
    total, parts, still = 0, [], limit
    for stretch in reversed(all_stretches) if search.descending else all_stretches:
        passed = total + stretch.rows <= offset or not still
        if stretch.whole and passed:
            total += stretch.rows
            continue
        table = rows.load(search.asked, stretch, ()) if passed else _load(search, stretch)
        if not passed:
            ordered = table.reverse() if search.descending else table
            part = ordered.slice(max(0, offset - total), still)
            parts.append(part)
            still -= part.height
        total += table.height
    return Page(pl.concat(parts, how="diagonal_relaxed") if parts else pl.DataFrame(), total)


def _load(search: Search, stretch: Stretch) -> pl.DataFrame:
    return rows.load(search.asked, stretch, ["p", FEATURE + search.prompt, CONTEXTS], actuals=True)


def _places(search: Search, all_stretches: Sequence[Stretch]) -> pl.DataFrame:
    """Where every row that is found lies, in order: stretch, row in it, and place."""
    wanted = [column for column in search.patterns if column != "y"]
    keep = _with_value(search.filter_metric, search.model_pk, search.filter_value) if search.filter_metric else None
    sorting = _values(search.order_metric, search.model_pk) if search.order_metric else None
    parts = [_none_found()]
    for number, stretch in enumerate(all_stretches):
        table = rows.load(search.asked, stretch, wanted, actuals="y" in search.patterns)
        table = table.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
        for column, words in search.patterns.items():
            table = table.filter(_matches(column, words))
        if keep is not None or sorting is not None:
            table = _joined(table, keep, sorting)
        if search.order is not Order.CUSTOM_METRICS:
            table = table.with_columns(value=pl.lit(None, pl.Float64))
        ids = pl.col("id") if search.order is Order.ASSOCIATION_ID else pl.lit(None, pl.String)
        parts.append(table.select(pl.lit(number, pl.Int64).alias("stretch"), "row", "at", "value", ids.alias("id")))
    by = {Order.TIMESTAMP: "at", Order.ASSOCIATION_ID: "id", Order.CUSTOM_METRICS: "value"}[search.order]
    down = [search.descending, search.descending, search.descending, search.descending]
    found = pl.concat(parts).sort([by, "at", "stretch", "row"], descending=down, nulls_last=True)
    return found.select("stretch", "row", "at").with_row_index("place")


def _none_found() -> pl.DataFrame:
    kinds = {"stretch": pl.Int64, "row": pl.Int64, "at": pl.Int64, "value": pl.Float64, "id": pl.String}
    return pl.DataFrame(schema=kinds)


def _matches(column: str, words: Sequence[str]) -> pl.Expr:
    text = pl.col(column).cast(pl.String).str.to_lowercase()
    found = pl.lit(True)
    for word in words:
        found &= text.str.contains(word.lower(), literal=True)
    return found.fill_null(False)


def _joined(table: pl.DataFrame, keep: NDArray[np.int64] | None, sorting: pl.DataFrame | None) -> pl.DataFrame:
    """Only rows with a wanted key, and each with its value."""
    keyed = table.with_columns(key=pl.Series(_keys(table["id"])))
    if keep is not None:
        keyed = keyed.filter(pl.col("key").is_in(keep.tolist()))
    return keyed if sorting is None else keyed.join(sorting, on="key", how="left", maintain_order="left")


def _keys(ids: pl.Series) -> list[int | None]:
    """The hash of each association id; null without one."""
    hashed = iter(keys_of(ids.drop_nulls()).tolist())
    return [None if missing else next(hashed) for missing in ids.is_null().to_list()]


def _values(metric: CustomMetric, model_pk: int) -> pl.DataFrame:
    """All values of a metric by key."""
    with connection.cursor() as cursor:
        found = copy_out(
            cursor,
            "SELECT key, value FROM deployments_customrow WHERE value IS NOT NULL "  # noqa: S608
            f"AND deployment_id = {int(metric.deployment_id)} AND metric_id = {int(metric.pk)} "
            f"AND model_id IN ({int(model_pk)}, {POOLED})",
            {"key": "bigint", "value": "double precision"},
        )
    return pl.DataFrame({"key": found["key"], "value": found["value"]}).unique("key", keep="last", maintain_order=True)


def _with_value(metric: CustomMetric, model_pk: int, value: str) -> NDArray[np.int64]:
    """The keys of the rows whose value of a metric is this one; none for what is no number."""
    rows_of = CustomRow.objects.filter(
        deployment_id=metric.deployment_id, metric_id=metric.pk, model_id__in=[model_pk, POOLED]
    )
    if metric.kind == CustomKinds.CATEGORICAL:
        return np.array(list(rows_of.filter(category=value).values_list("key", flat=True)), np.int64)
    return np.array(list(rows_of.filter(value=float(value)).values_list("key", flat=True)), np.int64)


def names_of(metrics: Sequence[CustomMetric]) -> Mapping[int, CustomMetric]:
    """Metrics by key."""
    return {metric.pk: metric for metric in metrics}
