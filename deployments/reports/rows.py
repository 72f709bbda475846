"""Stored rows as JSON and as CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import polars as pl

from deployments.blocks import CONTEXTS, FEATURE
from deployments.ingest.prepared import moment
from deployments.ingest.shape import Target
from deployments.models import CustomMetric, CustomRow
from deployments.rollups.columns import matrix

CSV_HEADER = ("timestamp", "modelId", "associationId", "predicted", "actual", "forecastDistance")


def results(rows: pl.DataFrame, targets: Mapping[int, Target], names: Mapping[int, str]) -> list[dict[str, Any]]:
    """Rows of `predictionResults/`; `targets` and `names` by the key of the model."""
    table = tabular(rows, targets, names)
    classes = [name for name in table.columns if name.startswith("prediction_")]
    found = []
    for row in table.iter_rows(named=True):
        shares = [
            {"className": name.removeprefix("prediction_"), "value": row[name]}
            for name in classes
            if row[name] is not None
        ]
        found.append({name: row[name] for name in CSV_HEADER} | {"classProbabilities": shares})
    return found


def tabular(rows: pl.DataFrame, targets: Mapping[int, Target], names: Mapping[int, str]) -> pl.DataFrame:
    """Rows as a table in their order: the columns of CSV_HEADER, and `prediction_<class>` for classes."""
    indexed = rows.with_row_index("place")
    parts = []
    for (model,), part in indexed.partition_by("model", as_dict=True, maintain_order=True).items():
        key = int(str(model))
        predicted = _predicted(part, targets[key])
        actual = part["y"].cast(pl.String) if targets[key].classes or targets[key].is_text else _number(part["y"])
        fixed = [
            part["place"],
            pl.Series("timestamp", [f"{moment(at):%Y-%m-%dT%H:%M:%S.%fZ}" for at in part["at"].to_list()], pl.String),
            pl.Series("modelId", [names[key]] * part.height, pl.String),
            part["id"].cast(pl.String).alias("associationId"),
            predicted[0].alias("predicted"),
            actual.alias("actual"),
            pl.Series("forecastDistance", [None] * part.height, pl.Int64),
        ]
        parts.append(pl.DataFrame([*fixed, *predicted[1:]]))
    if not parts:
        return pl.DataFrame(schema=dict.fromkeys(CSV_HEADER, pl.String))
    return pl.concat(parts, how="diagonal_relaxed").sort("place").drop("place")


def _predicted(part: pl.DataFrame, target: Target) -> list[pl.Series]:
    """The prediction of each row (number, text or class), and the probability of each class."""
    if target.is_text:
        return [part["p"].cast(pl.String)]
    values = matrix(part, target)
    if not target.classes:
        return [_number(pl.Series(values[:, 0]))]
    labels = target.labels(values)
    names = [target.classes[label] if label >= 0 else None for label in labels.tolist()]
    both = np.column_stack([1 - values[:, 0], values[:, 0]]) if target.is_binary else values
    shares = [_number(pl.Series(both[:, k])).alias(f"prediction_{name}") for k, name in enumerate(target.classes)]
    return [pl.Series(names, dtype=pl.String), *shares]


def _number(values: pl.Series) -> pl.Series:
    return values.cast(pl.Float64).fill_nan(None)


def texts(
    rows: pl.DataFrame, prompt: str, values: Mapping[str, Sequence[CustomRow]], metrics: Mapping[int, CustomMetric]
) -> list[dict[str, Any]]:
    """Rows of `dataQualityView/`."""
    return [
        {
            "timestamp": moment(row["at"]),
            "associationId": row["id"],
            "prompt": row[FEATURE + prompt],
            "predictedValue": row["p"],
            "actualValue": row["y"],
            "context": _contexts(row[CONTEXTS]),
            "metrics": [_metric(value, metrics[value.metric_id]) for value in values.get(row["id"] or "", ())],
        }
        for row in rows.iter_rows(named=True)
    ]


def _contexts(stored: str | None) -> list[dict[str, str | None]]:
    return [] if stored is None else msgspec.json.decode(stored, type=list[dict[str, str | None]])


def _metric(row: CustomRow, metric: CustomMetric) -> dict[str, Any]:
    value = row.value if row.category is None else row.category
    return {"id": metric.public_id, "name": metric.name, "value": value, "metadata": row.metadata}
