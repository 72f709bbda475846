"""The table twin of a chart over time: what a reader, a screen reader and a spreadsheet get."""

from __future__ import annotations

from dashboard.charts import words
from dashboard.charts.timeline import TimePoints


def time_columns(points: TimePoints) -> tuple[str, ...]:
    """The heads of the table twin."""
    unit = f", {points.unit}" if points.unit else ""
    heads = []
    for s in points.series:
        heads.append(f"{s.name or points.caption}{unit}")
        if s.low and s.high:
            heads += [f"{s.name} low", f"{s.name} high"]
    return ("Start (UTC)", *heads, *(("Status",) if points.strip else ()))


def time_rows(points: TimePoints) -> list[tuple[str, ...]]:
    """The table twin: one row a bin; not known is an empty cell, never a zero."""
    rows = []
    for i in range(points.n):
        row = [f"{points.at(i):%Y-%m-%d %H:%M}"]
        for s in points.series:
            row += [
                plain(v[i] if i < len(v) else None)
                for v in ((s.values, s.low, s.high) if s.low and s.high else (s.values,))
            ]
        if points.strip:
            row.append(points.strip[i] if i < len(points.strip) else "")
        rows.append(tuple(row))
    return rows


def plain(value: float | None) -> str:
    """A number for a table that machines read too: no separators, six digits."""
    return "" if value is None else f"{words.rounded(value, 6)}"


def period_words(points: TimePoints) -> str:
    """``25 Jun – 24 Jul``."""
    return words.span_of_days(points.start, points.start + points.step * max(1, points.n))
