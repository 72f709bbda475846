"""A small installation for the pages' tests: a team, people, a source made of flights, polled by the real watcher."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection, transaction

from monitoring.models import Membership, Role, Source, Team, Watched
from monitoring.poll import cycle, pending
from tests.dashboard import flights
from tests.emptying import may_skip_triggers

T = TypeVar("T")

PASSWORD = "correct horse battery"


@dataclass
class World:
    """What a test works with."""

    api: flights.Source
    source: Source
    team: Team
    owner: User
    reader: User
    outsider: User
    now: datetime

    def watched(self, label: str = "Flight delayed > 15 min") -> Watched:
        return Watched.objects.get(label=label)


def person(name: str, team: Team | None = None, role: Role = Role.MEMBER) -> User:
    """A person with a password, in a team if one is given."""
    user = User.objects.create_user(name, f"{name}@example.org", PASSWORD, first_name=name.title())
    if team is not None:
        Membership.objects.create(team=team, user=user, role=role)
    return user


def build(now: datetime | None = None, deployments: tuple[flights.Deployment, ...] = flights.DEPLOYMENTS) -> World:
    """Everything polled once, by the watcher itself, without a network.

    The rows of the first build are kept and copied in again by the later ones, which takes a moment instead of seconds.
    """
    which = ",".join(one.id for one in deployments)
    if which not in _kept:
        world = _build(now or datetime.now(UTC), deployments)
        _kept[which] = Kept(world.api, world.now, {table: _copy_out(table) for table in TABLES})
        return world
    kept = _kept[which]
    _copy_in(kept.rows)
    users = {user.username: user for user in User.objects.all()}
    team, source = Team.objects.get(name="Flight ops"), Source.objects.get(name="Flights")
    kept.api.broken = False
    return World(kept.api, source, team, users["ines"], users["tomas"], users["eve"], kept.now)


@dataclass(frozen=True)
class Kept:
    """What the first build stored."""

    api: flights.Source
    now: datetime
    rows: dict[str, bytes]


_kept: dict[str, Kept] = {}
EMPTY_COPY = 21
"""Bytes of a copy without a row: its header and its end."""
TABLES = ("auth_user", *(model._meta.db_table for model in apps.get_app_config("monitoring").get_models()))


def _copy_out(table: str) -> bytes:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} TO STDOUT (FORMAT BINARY)") as copy:
        return b"".join(bytes(block) for block in copy)


def _copy_in(tables: dict[str, bytes]) -> None:
    """Rows that fitted together once do so again: no constraint is looked up for each of them."""
    with transaction.atomic(), connection.cursor() as cursor:
        quick = may_skip_triggers(cursor)
        if quick:
            cursor.execute("SET LOCAL session_replication_role = replica")
        for table, rows in tables.items():
            if len(rows) > EMPTY_COPY:
                with cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy:
                    copy.write(rows)
        cursor.execute(" UNION ALL ".join(map(_set_sequence, tables)))
        if quick:
            cursor.execute("SET LOCAL session_replication_role = origin")


def _set_sequence(table: str) -> str:
    return f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), greatest(max(id), 1)) FROM {table}"


def _build(now: datetime, deployments: tuple[flights.Deployment, ...] = flights.DEPLOYMENTS) -> World:
    team = Team.objects.create(name="Flight ops")
    other = Team.objects.create(name="Somebody else")
    owner, reader = person("ines", team, Role.OWNER), person("tomas", team, Role.READONLY)
    outsider = person("eve", other, Role.OWNER)
    source = Source(team=team, name="Flights", base_url=flights.BASE, created_by=owner)
    source.token = "secret-token"
    source.save()
    api = flights.Source(now, deployments)
    poll(api, source, now)
    return World(api, source, team, owner, reader, outsider, now)


def answer_waiting(world: World) -> None:
    """What pages asked for is fetched, as the worker of the priority queue does."""
    pending.answer_pending(world.source, datetime.now(UTC), transport=world.api.transport)


def poll(api: flights.Source, source: Source, now: datetime) -> None:
    """One cycle: the list, then what is due."""
    cycle.discover(source, now, api.transport)
    while ids := cycle.claim_due(source, now, 20):
        cycle.poll(source, ids, now, api.transport)


def beside(work: Callable[[], T]) -> T:
    """Does `work` in a thread of its own: beside a browser's event loop the watcher cannot start one here."""

    def inner() -> T:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(inner).result()
