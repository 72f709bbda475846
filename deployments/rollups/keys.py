"""Which hours or batches hold the prediction of an association id, looked up by hashes.

A hash only says where to look: rows are joined on the full id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from django.db import connection
from numpy.typing import NDArray

from deployments.models import Area, Grain
from deployments.rollups.copying import copy_in, copy_out
from deployments.rollups.marks import Mark

Keys = NDArray[np.int64]


@dataclass(frozen=True)
class Incoming:
    """Keys of new predictions of one model, grain and any buckets; arrays of one length.

    `single`: of several hours with such a key only the last is scored. The key of a forecast is that of its id, by
    which actuals find it; there is another for id and distance, of which one is scored.
    """

    grain: Grain
    model_id: int
    keys: Keys
    buckets: Keys
    single: bool = True


@dataclass(frozen=True)
class Spots:
    """Where keys lie; arrays of one length."""

    keys: Keys
    grains: Keys
    buckets: Keys
    models: Keys

    def marks(self) -> set[Mark]:
        """The accuracy of each of these places."""
        places = pl.DataFrame({"grain": self.grains, "model": self.models, "bucket": self.buckets}).unique()
        return {(int(Area.ACCURACY), grain, model, bucket) for grain, model, bucket in places.rows()}


@dataclass(frozen=True)
class Moves:
    """Actuals that another hour holds already: of key `keys[i]` in the hour `old[i]`, wanted in `new[i]`."""

    keys: list[int]
    old: list[int]
    new: list[int]


@dataclass(frozen=True)
class Remembered:
    """What new keys brought about: actuals to copy, states that lost a prediction to a later hour, waiting actuals."""

    moves: Moves
    superseded: list[Mark]
    waiting: list[int]


def remember(deployment_id: int, incoming: Sequence[Incoming]) -> Remembered:
    """Store the keys of new predictions."""
    rows = _unique(incoming)
    if not len(rows):
        return Remembered(Moves([], [], []), [], [])
    _stage(rows)
    moves = _moves(deployment_id)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO deployments_predictionkey (deployment_id, key, grain, bucket, model_id) "
            "SELECT %s, key, grain, bucket, model_id FROM incoming_keys ON CONFLICT DO NOTHING",
            [deployment_id],
        )
    superseded = _supersede(deployment_id) if moves.keys or _repeated(rows) else []
    return Remembered(moves, superseded, _called(deployment_id))


def where(deployment_id: int, keys: Keys) -> Spots:
    """Every prediction of these keys that is to be scored."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS wanted_keys")
        cursor.execute("CREATE TEMP TABLE wanted_keys (key bigint) ON COMMIT DROP")
        copy_in(cursor, "wanted_keys", {"key": ("bigint", _sorted(keys))})
        cursor.execute("ANALYZE wanted_keys")
        found = copy_out(
            cursor,
            "SELECT p.key, p.grain, p.bucket, p.model_id FROM wanted_keys w JOIN deployments_predictionkey p "  # noqa: S608
            f"ON p.key = w.key WHERE p.deployment_id = {int(deployment_id)} AND NOT p.superseded",
            {"key": "bigint", "grain": "smallint", "bucket": "integer", "model_id": "integer"},
        )
    return Spots(found["key"], found["grain"], found["bucket"], found["model_id"])


def superseded_in(deployment_id: int, model_id: int, hours: Sequence[int]) -> list[tuple[int, int]]:
    """Hour and key of the predictions of which a later hour holds another."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bucket, key FROM deployments_predictionkey WHERE deployment_id = %s AND model_id = %s "
            "AND bucket BETWEEN %s AND %s AND superseded AND grain = %s",
            [deployment_id, model_id, min(hours), max(hours), int(Grain.HOUR)],
        )
        return list(cursor.fetchall())


def wait_for(deployment_id: int, block_id: int, keys: Keys) -> None:
    """The actuals of a block wait for predictions with these keys; none of the block's keys wait yet."""
    wanted = _sorted(keys)
    with connection.cursor() as cursor:
        columns = {
            "key": ("bigint", wanted),
            "block_id": ("bigint", np.full(wanted.size, block_id)),
            "deployment_id": ("integer", np.full(wanted.size, deployment_id)),
        }
        copy_in(cursor, "deployments_waitingkey", columns)


def forget_waiting(deployment_id: int, block_ids: Sequence[int]) -> None:
    """These blocks wait no longer."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM deployments_waitingkey WHERE deployment_id = %s AND block_id = ANY(%s)",
            [deployment_id, list(block_ids)],
        )


def _sorted(keys: Keys) -> Keys:
    """Each key once, rising; sorting is several times as quick as what `np.unique` does with many."""
    rising = np.sort(keys)
    fresh = np.ones(len(rising), np.bool_)
    fresh[1:] = rising[1:] != rising[:-1]
    return rising[fresh]


def _unique(incoming: Sequence[Incoming]) -> NDArray[np.int64]:
    """Rows of key, grain, bucket, model, and whether one is scored; sorted, each once."""
    tables = [
        np.column_stack(
            [
                *(part.keys, np.full(part.keys.size, int(part.grain)), part.buckets),
                *(np.full(part.keys.size, part.model_id), np.full(part.keys.size, int(part.single))),
            ]
        )
        for part in incoming
        if part.keys.size
    ]
    if not tables:
        return np.empty((0, 5), np.int64)
    rows = np.concatenate(tables)
    rows = rows[np.argsort(rows[:, 0])]
    if not (rows[1:, 0] == rows[:-1, 0]).any():
        return rows
    rows = rows[np.lexsort(rows.T[::-1])]
    fresh = np.ones(len(rows), np.bool_)
    fresh[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    return rows[fresh]


def _repeated(rows: NDArray[np.int64]) -> bool:
    """Whether several hours (or batches) have the same key of one model, of which one is scored."""
    single = rows[rows[:, 4] == 1]
    again = single[1:, 0] == single[:-1, 0]
    if not again.any():
        return False
    same = single[np.append(again, False) | np.insert(again, 0, False)][:, [0, 1, 3]]
    return len(np.unique(same, axis=0)) < len(same)


def _stage(rows: NDArray[np.int64]) -> None:
    kinds = {"key": "bigint", "grain": "smallint", "bucket": "integer", "model_id": "integer", "single": "smallint"}
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS incoming_keys")
        columns = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
        cursor.execute(f"CREATE TEMP TABLE incoming_keys ({columns}) ON COMMIT DROP")
        copy_in(cursor, "incoming_keys", {name: (kind, rows[:, at]) for at, (name, kind) in enumerate(kinds.items())})
        cursor.execute("ANALYZE incoming_keys")


def _moves(deployment_id: int) -> Moves:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT i.key, p.bucket, i.bucket FROM incoming_keys i JOIN deployments_predictionkey p "
            "ON p.deployment_id = %s AND p.key = i.key AND p.grain = %s "
            "WHERE i.grain = %s AND p.bucket <> i.bucket",
            [deployment_id, int(Grain.HOUR), int(Grain.HOUR)],
        )
        found = cursor.fetchall()
    return Moves([row[0] for row in found], [row[1] for row in found], [row[2] for row in found])


def _supersede(deployment_id: int) -> list[Mark]:
    """Of several hours with the same key and model only the last is scored; the others become out of date."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH last AS (SELECT p.key, p.model_id, max(p.bucket) AS bucket FROM deployments_predictionkey p "
            "JOIN (SELECT DISTINCT key, model_id FROM incoming_keys WHERE single = 1) i "
            "ON p.key = i.key AND p.model_id = i.model_id "
            "WHERE p.deployment_id = %s AND p.grain = %s GROUP BY 1, 2 HAVING count(*) > 1) "
            "UPDATE deployments_predictionkey p SET superseded = true FROM last "
            "WHERE p.deployment_id = %s AND p.grain = %s AND p.key = last.key AND p.model_id = last.model_id "
            "AND p.bucket < last.bucket AND NOT p.superseded RETURNING p.model_id, p.bucket",
            [deployment_id, int(Grain.HOUR)] * 2,
        )
        found = set(cursor.fetchall())
    return [(int(Area.ACCURACY), int(Grain.HOUR), model_id, bucket) for model_id, bucket in found]


def _called(deployment_id: int) -> list[int]:
    """The blocks of waiting actuals for which a prediction has come."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT w.block_id FROM deployments_waitingkey w JOIN incoming_keys i ON w.key = i.key "
            "WHERE w.deployment_id = %s",
            [deployment_id],
        )
        return [row[0] for row in cursor.fetchall()]
