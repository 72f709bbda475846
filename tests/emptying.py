"""How the database is emptied after a test that commits: only what holds rows, by DELETE.

Django truncates every table, which makes some seven hundred files anew, and then looks for the permissions of every
model: a fifth of a second a test. What decides whether the next test finds the tables empty is the same in both ways:
nobody else may hold any of them, and no row is left.
"""

from __future__ import annotations

from typing import Any

from django.db import OperationalError, connection, transaction
from django.test import TransactionTestCase
from psycopg import errors

KEPT = frozenset({"django_content_type", "auth_permission"})
"""Made by migrations, written by no test; Django would make the same rows again."""
LARGEST = 4_000_000
"""Bytes of a table, with the rows that are gone: beyond it the files are better made anew."""
DEADLOCKS = 5
"""So often another session may hold one table and want the next in another order than ours."""

_tables: list[str] = []


def install() -> None:
    """From now on tests that commit are cleaned up after by `empty`; what it does not do is left to Django."""
    former = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]

    def teardown(self: TransactionTestCase) -> None:
        special = self.serialized_rollback or self.available_apps is not None or self.reset_sequences
        if special or not empty():
            former(self)

    TransactionTestCase._fixture_teardown = teardown  # type: ignore[attr-defined]


def empty() -> bool:
    """Whether all tables are empty now; False where that needs another way."""
    if not _tables:
        names = connection.introspection.django_table_names(only_existing=True, include_views=False)
        _tables.extend(sorted(set(names) - KEPT))
    for _ in range(DEADLOCKS):
        try:
            return _empty()
        except OperationalError as error:
            if not isinstance(error.__cause__, errors.DeadlockDetected):
                raise
    return _empty()


def _empty() -> bool:
    with transaction.atomic(), connection.cursor() as cursor:
        # As TRUNCATE does: wait for requests and tasks that still run, so that they leave nothing behind.
        cursor.execute(f"LOCK TABLE {', '.join(_tables)} IN ACCESS EXCLUSIVE MODE")
        cursor.execute(" UNION ALL ".join(map(_state, _tables)))
        found: list[tuple[str, int, bool]] = cursor.fetchall()
        if any(size > LARGEST for _, size, _ in found) or not may_skip_triggers(cursor):
            return False
        used = [name for name, _, holds_rows in found if holds_rows]
        if used:
            # Signed reviews are kept by triggers, and rows that point at each other by constraints.
            deletions = "".join(f"DELETE FROM {name};" for name in used)
            cursor.execute(f"SET LOCAL session_replication_role = replica; {deletions}")
    return True


def _state(table: str) -> str:
    return f"SELECT '{table}', pg_relation_size('{table}'), EXISTS (SELECT FROM {table})"


def may_skip_triggers(cursor: Any) -> bool:
    """Whether this account may set `session_replication_role`."""
    cursor.execute("SELECT current_setting('is_superuser')")
    return bool(cursor.fetchone()[0] == "on")
