"""Months of row tables: made when the first row of a month comes, dropped when its last row is past retention.

A new table is built beside and then attached, since that locks out neither readers nor writers.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from django.db import connection, transaction

TABLES = ("deployments_block", "deployments_actualblock")
_LOCK = 0x76697461


def month_of(day: date) -> date:
    """The first day of the month."""
    return day.replace(day=1)


def next_month(month: date) -> date:
    """The first day of the following month."""
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def partition(table: str, month: date) -> str:
    """The name of a month's table."""
    return f"{table}_y{month:%Ym%m}"


def ensure(days: Iterable[date]) -> None:
    """Make the months that hold these days exist."""
    wanted = sorted({month_of(day) for day in days})
    names = {partition(table, month): (table, month) for month in wanted for table in TABLES}
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relname = ANY(%s)", [list(names)])
        there = {row[0] for row in cursor.fetchall()}
    for name, (table, month) in names.items():
        if name not in there:
            _make(table, month, name)


def months(table: str) -> list[date]:
    """The months that have a table, oldest first."""
    prefix = f"{table}_y"
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relname LIKE %s AND relkind = 'r'", [f"{prefix}____m__"])
        found = [row[0].removeprefix(prefix) for row in cursor.fetchall()]
    return sorted(date(int(text[:4]), int(text[5:]), 1) for text in found)


def drop(table: str, month: date) -> None:
    """Remove a month with all its rows."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {partition(table, month)}")


def _make(table: str, month: date, name: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        # Two requests may find the month missing at once: the second waits, and finds it made.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        cursor.execute("SELECT to_regclass(%s)", [name])
        if cursor.fetchone()[0] is None:
            cursor.execute(f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING STORAGE INCLUDING INDEXES)")
            cursor.execute(
                f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM (%s) TO (%s)",
                [month.isoformat(), next_month(month).isoformat()],
            )
