"""Days from their hours: states are added, so a day costs 24 small additions however many rows it has."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from deployments.models import Area, DeployedModel, Grain
from deployments.rollups.areas import added
from deployments.rollups.read import layout_of
from deployments.rollups.write import Row

HOURS = 24


def fold_days(model: DeployedModel, area: Area, days: Sequence[int]) -> None:
    """Write the state of each day, for all rows and for every segment that has hours in it."""
    layout = layout_of(model)
    for day in days:
        parts: dict[tuple[int, int], list[bytes]] = {}
        for attribute_id, value_id, payload in _hours(model, area, day):
            parts.setdefault((attribute_id, value_id), []).append(payload)
        _replace(model, area, day, [(*who, day, added(area, payloads, layout)) for who, payloads in parts.items()])


def _hours(model: DeployedModel, area: Area, day: int) -> list[tuple[int, int, bytes]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attribute_id, value_id, payload FROM deployments_state WHERE deployment_id = %s AND area = %s "
            "AND grain = %s AND model_id = %s AND bucket >= %s AND bucket < %s",
            [model.deployment_id, int(area), int(Grain.HOUR), model.pk, day * HOURS, (day + 1) * HOURS],
        )
        return [(attribute, value, bytes(payload)) for attribute, value, payload in cursor.fetchall()]


def _replace(model: DeployedModel, area: Area, day: int, rows: Sequence[Row]) -> None:
    head = [model.deployment_id, int(area), int(Grain.DAY), model.pk]
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM deployments_state WHERE deployment_id = %s AND area = %s AND grain = %s AND model_id = %s "
            "AND bucket = %s",
            [*head, day],
        )
        cursor.executemany(
            "INSERT INTO deployments_state (deployment_id, area, grain, model_id, attribute_id, value_id, bucket, "
            "payload) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [[*head, *row] for row in rows],
        )
