"""Service events in JSON: one row for each request that a prediction server answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import numpy as np
import polars as pl
from django.conf import settings

from deployments.blocks import SEGMENT
from deployments.ingest import values
from deployments.ingest.bodies import ServiceBody, ServiceEvent
from deployments.ingest.errors import TooMuch
from deployments.ingest.places import Places
from deployments.ingest.prepared import Intake, Prepared
from deployments.ingest.shape import CONSUMER, HOST_IP, REMOTE_IP
from deployments.models import BlockKind, Deployment


def take(deployment: Deployment, body: ServiceBody, now: datetime) -> Intake:
    """All events of a body. Raises Refused with what is wrong, TooMuch beyond MAX_JSON_ROWS."""
    if len(body.data) > settings.MAX_JSON_ROWS:
        raise TooMuch(f"At most {settings.MAX_JSON_ROWS} rows a request (MAX_JSON_ROWS).")
    places = Places.of(deployment, (event.batch_id for event in body.data), now)
    at = values.times([event.timestamp for event in body.data], "data[{row}].timestamp", places.problems)
    places.times.check(at, "data[{row}].timestamp", places.problems)
    homes: dict[tuple[str | None, str | None], list[int]] = {}
    for row, event in enumerate(body.data):
        homes.setdefault((event.model_id, event.batch_id), []).append(row)
    intake = Intake()
    for (model_id, batch_id), rows in homes.items():
        model = places.model(model_id, f"data[{rows[0]}].modelId")
        batch = places.batch(batch_id, f"data[{rows[0]}].batchId")
        if model is not None:
            chosen = [body.data[row] for row in rows]
            intake.parts.append(Prepared(BlockKind.SERVICE, model.pk, batch, _frame(at[rows], chosen)))
    places.problems.check()
    return intake


def frame(
    at: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    *,
    n: Sequence[int],
    response: Iterable[float | None],
    execution: Iterable[float | None],
    status: Sequence[int],
    cached: Sequence[bool],
    consumer: Iterable[str | None],
    remote_ip: Iterable[str | None],
    host_ip: Iterable[str | None],
) -> pl.DataFrame:
    """Events as a block, see `deployments.blocks`."""
    return pl.DataFrame(
        [
            pl.Series("at", at),
            pl.Series("n", n, pl.Int64),
            pl.Series("response", response, pl.Float64),
            pl.Series("execution", execution, pl.Float64),
            pl.Series("status", status, pl.Int16),
            pl.Series("cached", cached, pl.Boolean),
            pl.Series(SEGMENT + CONSUMER, consumer, pl.String),
            pl.Series(SEGMENT + REMOTE_IP, remote_ip, pl.String),
            pl.Series(SEGMENT + HOST_IP, host_ip, pl.String),
        ]
    )


def _frame(at: np.ndarray[tuple[int, ...], np.dtype[np.int64]], events: Sequence[ServiceEvent]) -> pl.DataFrame:
    return frame(
        at,
        n=[event.num_predictions for event in events],
        response=[event.response_time for event in events],
        execution=[event.execution_time for event in events],
        status=[event.status for event in events],
        cached=[event.cache_hit for event in events],
        consumer=[event.consumer for event in events],
        remote_ip=[event.remote_ip for event in events],
        host_ip=[event.host_ip for event in events],
    )
