"""Marks on buckets whose state is older than their rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from deployments.models import Area, Grain
from deployments.rollups.copying import literal

Mark = tuple[int, int, int, int]
"""Area, grain, model and bucket."""


@dataclass(frozen=True)
class Work:
    """Dirty buckets of one area, grain and model, in order."""

    area: Area
    grain: Grain
    model_id: int
    buckets: tuple[int, ...]


def mark(deployment_id: int, marks: Iterable[Mark]) -> None:
    """Note that these states are older than their rows; marking twice is harmless."""
    columns = list(zip(*set(marks), strict=True))
    if not columns:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO deployments_dirtybucket (deployment_id, area, grain, model_id, bucket) "
            "SELECT %s, * FROM unnest(%s::smallint[], %s::smallint[], %s::integer[], %s::integer[]) "
            "ON CONFLICT DO NOTHING",
            [deployment_id, *map(literal, columns)],
        )


def next_work(deployment_id: int, most: int) -> Work | None:
    """The next dirty buckets of one area, grain and model; None when all is clean."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT area, grain, model_id FROM deployments_dirtybucket WHERE deployment_id = %s "
            "ORDER BY area, grain, model_id LIMIT 1",
            [deployment_id],
        )
        found = cursor.fetchone()
        if found is None:
            return None
        cursor.execute(
            "SELECT bucket FROM deployments_dirtybucket "
            "WHERE deployment_id = %s AND area = %s AND grain = %s AND model_id = %s ORDER BY bucket DESC LIMIT %s",
            [deployment_id, *found, most],
        )
        buckets = tuple(sorted(row[0] for row in cursor.fetchall()))
    return Work(Area(found[0]), Grain(found[1]), found[2], buckets)


def all_dirty(deployment_id: int, work: Work) -> bool:
    """Whether every one of these buckets is dirty."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM deployments_dirtybucket WHERE deployment_id = %s AND area = %s AND grain = %s "
            "AND model_id = %s AND bucket = ANY(%s::integer[])",
            [deployment_id, int(work.area), int(work.grain), work.model_id, literal(work.buckets)],
        )
        return bool(cursor.fetchone()[0] == len(work.buckets))


def unmark(deployment_id: int, work: Work) -> None:
    """The states of these buckets are as new as their rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM deployments_dirtybucket WHERE deployment_id = %s AND area = %s AND grain = %s "
            "AND model_id = %s AND bucket = ANY(%s::integer[])",
            [deployment_id, int(work.area), int(work.grain), work.model_id, literal(work.buckets)],
        )
