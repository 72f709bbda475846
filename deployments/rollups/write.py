"""Writing states: what was there for these buckets goes, the new ones come by COPY."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from django.db import connection

from deployments.models import Area, DeployedModel, Grain
from deployments.rollups.copying import copy_payloads_in, literal
from deployments.rollups.cuts import EVERYTHING, Attribute

Row = tuple[int, int, int, bytes]
"""Attribute, value, bucket, payload."""

_KEY = "deployment_id = %s AND area = %s AND grain = %s AND model_id = %s"
_COLUMNS = {"deployment_id": "integer", "area": "smallint", "grain": "smallint", "model_id": "integer"}
_KEYS = ("attribute_id", "value_id", "bucket")


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
    gone = literal(buckets)
    with connection.cursor() as cursor:
        for attribute_id, values in [(EVERYTHING, [EVERYTHING]), *segments]:
            cursor.execute(
                f"DELETE FROM deployments_state WHERE {_KEY} "  # noqa: S608
                "AND attribute_id = %s AND value_id = ANY(%s) AND bucket = ANY(%s::integer[])",
                [*head, attribute_id, values, gone],
            )
    _append(head, rows)


def _append(head: Sequence[int], rows: Iterable[Row]) -> None:
    keys: tuple[list[int], list[int], list[int]] = ([], [], [])
    payloads: list[bytes] = []
    for attribute, value, bucket, payload in rows:
        keys[0].append(attribute)
        keys[1].append(value)
        keys[2].append(bucket)
        payloads.append(payload)
    if not payloads:
        return
    same = zip(_COLUMNS.items(), head, strict=True)
    columns = {name: (kind, np.full(len(payloads), own)) for (name, kind), own in same}
    columns |= {name: ("integer", np.array(own, np.int64)) for name, own in zip(_KEYS, keys, strict=True)}
    with connection.cursor() as cursor:
        copy_payloads_in(cursor, "deployments_state", columns, payloads)
