"""The table twin of a chart over time: what a reader, a screen reader and a spreadsheet get."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from dashboard.charts import words
from dashboard.charts.columns import texts
from dashboard.charts.timeline import TimePoints, Values


def time_columns(points: TimePoints) -> tuple[str, ...]:
    """The heads of the table twin."""
    unit = f", {points.unit}" if points.unit else ""
    heads = []
    for s in points.series:
        heads.append(f"{s.name or points.caption}{unit}")
        if s.low and s.high:
            heads += [f"{s.name} low", f"{s.name} high"]
    return ("Start (UTC)", *heads, *(("Status",) if points.strip else ()))


def time_rows(points: TimePoints, *further: Values) -> list[tuple[str, ...]]:
    """The table twin: one row a bin; not known is an empty cell, never a zero. `further`: columns at its end."""
    n = points.n
    columns: list[Sequence[str]] = [_starts(points.start, points.step, n)]
    for s in points.series:
        columns += [texts(v, n) for v in ((s.values, s.low, s.high) if s.low and s.high else (s.values,))]
    if points.strip:
        columns.append([*points.strip[:n], *[""] * (n - len(points.strip))])
    columns += [texts(values, n) for values in further]
    return list(zip(*columns, strict=True))


@lru_cache(maxsize=64)  # the charts of a page share their axis
def _starts(start: datetime, step: timedelta, n: int) -> tuple[str, ...]:
    return tuple(f"{start + step * i:%Y-%m-%d %H:%M}" for i in range(n))


def period_words(points: TimePoints) -> str:
    """``25 Jun – 24 Jul``."""
    return words.span_of_days(points.start, points.start + points.step * max(1, points.n))
