"""What the baselines look like: the bins that the maths makes of the uploaded rows, for the target and top features."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from django.core.files.storage import default_storage

from monitoring.models import Registration
from monitoring.registering.files import head

MOST = 6
BARS = 12
ROWS = 200_000
"""Rows that a drawing is made of; the source itself uses all of them."""


def baselines(row: Registration) -> list[dict[str, Any]]:
    """Label and share of each bin: the target first, then the most important features; empty without training data."""
    entry = row.files.get("training")
    if not entry or not entry.get("path"):
        return []
    with default_storage.open(entry["path"]) as file:
        table = head(entry["name"], file.file, ROWS)
    target = row.spec["target"]
    numeric = target["type"] == "Regression"
    wanted = [(target["name"], numeric), *_important(row.spec)]
    return [_shares(table[name], of_numbers) for name, of_numbers in wanted if name in table.columns]


def _important(spec: Mapping[str, Any]) -> list[tuple[str, bool]]:
    kinds = [one for one in spec["features"] if one["type"] in ("Numeric", "Categorical")]
    ordered = sorted(kinds, key=lambda one: -(one.get("featureImpact") or 0))
    return [(one["name"], one["type"] == "Numeric") for one in ordered[:MOST]]


def _shares(values: pl.Series, numeric: bool) -> dict[str, Any]:
    numbers = values.cast(pl.Float64, strict=False) if numeric else None
    missing = int((values if numbers is None else numbers).null_count())
    if numbers is not None:
        known = numbers.drop_nulls().to_numpy()
        bars = _numeric(known[np.isfinite(known)])
    else:
        bars = _categorical(values.drop_nulls().cast(pl.String).to_list())
    return {"name": values.name, "rows": len(values), "missing": missing / max(1, len(values)), "bars": bars}


def _numeric(known: Any) -> list[tuple[str, float]]:
    """Equal steps between the 1st and the 99th percentile; what lies outside counts at the ends."""
    if not len(known):
        return []
    low, high = np.quantile(known, [0.01, 0.99])
    if low == high:
        return [(f"{low:.4g}", 1.0)]
    edges = np.linspace(low, high, BARS + 1)
    counts, _ = np.histogram(np.clip(known, low, high), edges)
    return [
        (f"{left:.4g} to {right:.4g}", float(n) / len(known))
        for left, right, n in zip(edges[:-1], edges[1:], counts, strict=True)
    ]


def _categorical(known: list[str]) -> list[tuple[str, float]]:
    """The most frequent values, the rest together."""
    counted = sorted(Counter(known).items(), key=lambda pair: (-pair[1], pair[0]))
    shown = [(name, n / len(known)) for name, n in counted[:BARS]]
    rest = sum(n for _, n in counted[BARS:]) / max(1, len(known))
    return [*shown, ("other values", rest)] if rest else shown
