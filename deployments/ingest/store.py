"""Storing a request: its blocks and its id in one transaction, so that it counts once or not at all.

A request is known by the id that its sender gave (or by a fresh one). The same id with the same body answers what was
answered before; with another body it is a clash. Two copies at once: the second waits for the first to commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import xxhash
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg import sql

from deployments import partitions
from deployments.blocks import DAY_US, HOUR_US, encode
from deployments.ids import new_id
from deployments.ingest.errors import Clash
from deployments.ingest.prepared import Intake, Prepared, day_of, moment
from deployments.models import BlockKind, BlockState, Deployment, IngestRequest
from deployments.settings_schema import Settings, parse

MOST_ROWS = 200_000
"""Rows of one block; larger parts are cut, so that a worker can take them in pieces."""

Answer = Mapping[str, Any]


@dataclass(frozen=True)
class Request:
    """What came in, besides its rows."""

    kind: BlockKind
    digest: str
    request_id: str | None
    received_at: datetime


@dataclass(frozen=True)
class Outcome:
    """What is answered; `fresh` is false for a request that was taken in before."""

    answer: Answer
    fresh: bool


def digest(*parts: bytes) -> str:
    """A fingerprint of a body, by which the same request is known again."""
    hashed = xxhash.xxh3_128()
    for part in parts:
        hashed.update(part)
    return str(hashed.hexdigest())


def answered(deployment: Deployment, request: Request) -> Outcome | None:
    """The answer given before to this request id; None if it is new. Raises Clash if the body was another."""
    if request.request_id is None:
        return None
    known = IngestRequest.objects.filter(deployment=deployment, request_id=request.request_id).first()
    if known is None:
        return None
    if known.digest != request.digest:
        raise Clash(f"The request id {request.request_id} was used before with another body.")
    return Outcome(known.answer, fresh=False)


def accept(
    deployment: Deployment,
    request: Request,
    intake: Intake,
    answer: Callable[[IngestRequest], Answer],
    after: Callable[[], None] = lambda: None,
) -> Outcome:
    """Store everything; `answer` is called within the transaction, `after` once it is committed."""
    blocks = [block for part in intake.parts for block in _blocks(part)]
    collected = parse(Settings, deployment.settings).predictions_data_collection.enabled
    partitions.ensure({day_of(int(block["at"].to_numpy().min())) for _, block in blocks})
    with transaction.atomic():
        row = claim(deployment, request, intake.n_rows)
        if row is None:
            known = answered(deployment, request)
            assert known is not None
            return known
        with connection.cursor() as cursor:
            for part, rows in blocks:
                insert(
                    *(cursor, deployment.pk, part, rows, request.received_at, row.pk, intake.keep_unmatched),
                    collected=collected,
                )
        row.answer = dict(answer(row))
        IngestRequest.objects.filter(pk=row.pk).update(answer=row.answer)
        transaction.on_commit(after)
    return Outcome(row.answer, fresh=True)


def insert(
    cursor: CursorWrapper,
    deployment_id: int,
    part: Prepared,
    rows: pl.DataFrame,
    received_at: datetime,
    request_key: int | None,
    keep_unmatched: bool = False,
    state: BlockState = BlockState.PENDING,
    block_id: int | None = None,
    is_replay: bool = False,
    collected: bool = True,
) -> None:
    """Write one block."""
    at = rows["at"].to_numpy()
    first, last = int(at.min()), int(at.max())
    values = {
        "deployment_id": deployment_id,
        "day": day_of(first),
        "kind": int(part.kind),
        "state": int(state),
        "model_id": part.model_id,
        "batch_id": part.batch_id,
        "first_hour": first // HOUR_US,
        "last_hour": last // HOUR_US,
        "first_at": moment(first),
        "last_at": moment(last),
        "rows": rows.height,
        "predictions": int(rows["n"].sum()) if part.kind is BlockKind.SERVICE else rows.height,
        "request_key": request_key,
        "keep_unmatched": keep_unmatched,
        "received_at": received_at,
        "is_replay": is_replay,
        "collected": collected,
        "payload": encode(rows),
    }
    if block_id is not None:
        values["id"] = block_id
    columns = sql.SQL(", ").join(map(sql.Identifier, values))
    marks = sql.SQL(", ").join([sql.Placeholder()] * len(values))
    command = sql.SQL("INSERT INTO deployments_block ({}) VALUES ({})").format(columns, marks)
    cursor.execute(command, list(values.values()))  # type: ignore[arg-type]


def claim(deployment: Deployment, request: Request, rows: int) -> IngestRequest | None:
    """File a request within the caller's transaction; None if its id is known, once the other copy has committed."""
    row = IngestRequest(
        deployment=deployment,
        request_id=request.request_id or f"auto-{new_id()}",
        kind=request.kind,
        digest=request.digest,
        rows=rows,
        received_at=request.received_at,
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO deployments_ingestrequest (deployment_id, request_id, kind, digest, rows, answer, received_at,"
            " matched, waiting, refused) VALUES (%s, %s, %s, %s, %s, '{}', %s, 0, 0, 0)"
            " ON CONFLICT (deployment_id, request_id) DO NOTHING RETURNING id",
            [deployment.pk, row.request_id, int(row.kind), row.digest, rows, request.received_at],
        )
        found = cursor.fetchone()
    if found is None:
        return None
    row.pk = found[0]
    return row


def _blocks(part: Prepared) -> Iterator[tuple[Prepared, pl.DataFrame]]:
    """The rows by UTC day (rows of a batch stay together), in pieces of at most MOST_ROWS."""
    pieces = [part.rows] if part.batch_id is not None else by_day(part.rows)
    for rows in pieces:
        for start in range(0, rows.height, MOST_ROWS):
            yield part, rows.slice(start, MOST_ROWS)


def by_day(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """The rows of each UTC day, in the order of the days."""
    days = rows["at"].to_numpy() // DAY_US
    if not days.size or (days == days[0]).all():
        return [rows] if days.size else []
    order = np.argsort(days, kind="stable")
    edges = np.flatnonzero(np.diff(days[order])) + 1
    ordered = rows[order]
    bounds = pairwise([0, *edges.tolist(), len(days)])
    return [ordered.slice(left, right - left) for left, right in bounds]
