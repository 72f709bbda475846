"""One step in place of many: an empty installation gets the same tables; one in between goes on with the many."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations import Migration, RunSQL
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState

SQUASHED = {"deployments": "0001_squashed_0022_service", "monitoring": "0001_squashed_0025_watcher"}

Catalogue = list[list[tuple[object, ...]]]


@pytest.fixture(scope="module")
def both_ways() -> MigrationLoader:
    """The steps as they lie on disk: the many, and the one that takes their place."""
    return MigrationLoader(None, replace_migrations=False)


def replaced(loader: MigrationLoader, app: str) -> list[Migration]:
    return [loader.get_migration(*key) for key in loader.get_migration(app, SQUASHED[app]).replaces]


def statements(*steps: Migration) -> list[str]:
    return [str(part.sql) for step in steps for part in step.operations if isinstance(part, RunSQL)]


def columns(state: ProjectState) -> dict[tuple[str, str], list[str]]:
    """The fields of every model in the order of its table's columns."""
    return {key: list(model.fields) for key, model in state.models.items()}


@pytest.mark.parametrize("app", SQUASHED)
def test_the_one_step_ends_with_the_models_of_the_many(both_ways: MigrationLoader, app: str) -> None:
    many, one = replaced(both_ways, app)[-1].name, SQUASHED[app]
    expected, found = (both_ways.graph.make_state(nodes=[(app, name)]) for name in (many, one))
    assert len(columns(expected)) > 20
    assert MigrationAutodetector(expected, found).changes(both_ways.graph) == {}
    assert columns(found) == columns(expected)


@pytest.mark.parametrize("app", SQUASHED)
def test_it_replaces_every_step_up_to_its_number(both_ways: MigrationLoader, app: str) -> None:
    _, _, last, *_ = SQUASHED[app].split("_")
    steps = sorted(name for label, name in both_ways.disk_migrations if label == app and name != SQUASHED[app])
    assert [step.name for step in replaced(both_ways, app)] == [name for name in steps if name[:4] <= last]


@pytest.mark.django_db
def test_tables_written_by_hand_come_out_the_same_columns_and_indexes_included(both_ways: MigrationLoader) -> None:
    one = both_ways.get_migration("deployments", SQUASHED["deployments"])
    expected = made_by(statements(*replaced(both_ways, "deployments")))
    assert [len(rows) > 10 for rows in expected] == [True, True]
    assert made_by(statements(one)) == expected


def test_signed_reviews_are_kept_by_the_very_same_triggers(both_ways: MigrationLoader) -> None:
    one = both_ways.get_migration("monitoring", SQUASHED["monitoring"])
    assert statements(one) == statements(*replaced(both_ways, "monitoring"))


@pytest.mark.django_db
@pytest.mark.parametrize(("app", "stopped_at"), [("deployments", 11), ("monitoring", 5), ("monitoring", 24)])
def test_an_installation_in_between_goes_on_with_the_next_of_the_many(
    both_ways: MigrationLoader, app: str, stopped_at: int
) -> None:
    names = [step.name for step in replaced(both_ways, app)]
    applied = MigrationRecorder(connection).migration_qs.filter(app=app)
    applied.exclude(name__in=names[:stopped_at]).delete()
    executor = MigrationExecutor(connection)
    plan = [
        step.name for step, _ in executor.migration_plan(executor.loader.graph.leaf_nodes()) if step.app_label == app
    ]
    assert plan[: len(names) - stopped_at] == names[stopped_at:]
    assert SQUASHED[app] not in plan


def made_by(sql: list[str]) -> Catalogue:
    """Columns and indexes of the tables that these statements make, in a schema of their own."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA aside; SET LOCAL search_path TO aside, public")
        for statement in sql:
            cursor.execute(statement)
        found = []
        for question in (COLUMNS, INDEXES):
            cursor.execute(question)
            found.append(cursor.fetchall())
        cursor.execute("DROP SCHEMA aside CASCADE; SET LOCAL search_path TO DEFAULT")
    return found


COLUMNS = """
SELECT a.attrelid::regclass::text, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
    a.attstorage, pg_get_expr(d.adbin, d.adrelid)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (c.oid, a.attnum)
WHERE c.relnamespace = 'aside'::regnamespace AND a.attnum > 0 ORDER BY 1, 2
"""
INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'aside' ORDER BY 1"
