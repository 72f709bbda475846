"""Writing states: what was there for these buckets goes, the new ones come by COPY."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import connection

from deployments.models import Area, DeployedModel, Grain
from deployments.rollups.cuts import EVERYTHING, Attribute

Row = tuple[int, int, int, bytes]
"""Attribute, value, bucket, payload."""

_KEY = "deployment_id = %s AND area = %s AND grain = %s AND model_id = %s"


def replace_states(
    model: DeployedModel,
    area: Area,
    grain: Grain,
    buckets: Sequence[int],
    followed: Iterable[Attribute],
    rows: Iterable[Row],
) -> None:
    """Put new states in the place of old ones; those of attributes that are no longer followed stay."""
    head = [model.deployment_id, int(area), int(grain), model.pk]
    segments = [
        (one.id, sorted({*one.values.values(), *([one.other] if one.other is not None else [])})) for one in followed
    ]
    with connection.cursor() as cursor:
        for attribute_id, values in [(EVERYTHING, [EVERYTHING]), *segments]:
            cursor.execute(
                f"DELETE FROM deployments_state WHERE {_KEY} "  # noqa: S608
                "AND attribute_id = %s AND value_id = ANY(%s) AND bucket = ANY(%s)",
                [*head, attribute_id, values, list(buckets)],
            )
        columns = "deployment_id, area, grain, model_id, attribute_id, value_id, bucket, payload"
        with cursor.copy(f"COPY deployments_state ({columns}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["int4", "int2", "int2", "int4", "int4", "int4", "int4", "bytea"])
            for row in rows:
                copy.write_row([*head, *row])
