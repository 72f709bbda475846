"""Service events in files: rows of their own, or beside predictions, one for each request."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deployments.blocks import SEGMENT
from deployments.ingest.checks import TURNED_DOWN
from deployments.ingest.reading import Mask, Part
from deployments.ingest.shape import CONSUMER, HOST_IP, REMOTE_IP
from deployments.ingest.tables import as_numbers, as_words

SERVICE_COLUMNS = frozenset({"response_time", "execution_time", "status_code", "consumer"})
SERVED = {"consumer": CONSUMER, "remote_ip": REMOTE_IP, "host_ip": HOST_IP}
"""Columns that are segment attributes of every deployment."""


def requests(part: Part, at: NDArray[np.int64], turned_down: Mask) -> pl.DataFrame | None:
    """The requests behind rows of predictions: all if the file tells of them, else those that were turned down."""
    rows = part.rows
    if not SERVICE_COLUMNS & set(rows.columns):
        if not turned_down.any():
            return None
        rows, at, turned_down = rows.filter(pl.Series(turned_down)), at[turned_down], turned_down[turned_down]
    if turned_down.any():
        refused, given = pl.Series(turned_down), Part(rows, part.problems)
        status = given.optional("status_code", as_numbers, 200.0).fill_null(200)
        made = given.optional("num_predictions", as_numbers, 1.0)
        rows = rows.with_columns(
            pl.when(refused & (status < 400)).then(float(TURNED_DOWN)).otherwise(status).alias("status_code"),
            pl.when(refused).then(0.0).otherwise(made).alias("num_predictions"),
        )
    return events_of(Part(rows, part.problems), at, per_request=True)


def events_of(part: Part, at: NDArray[np.int64], *, per_request: bool) -> pl.DataFrame:
    """Service events as a block; with `per_request` one for each request id, else one a row."""
    events = pl.DataFrame(
        [
            pl.Series("at", at),
            _whole(part, "num_predictions", 1.0 if per_request else 0.0, pl.Int64, 2_000_000_000).alias("n"),
            part.optional("response_time", as_numbers).alias("response"),
            part.optional("execution_time", as_numbers).alias("execution"),
            _whole(part, "status_code", 200.0, pl.Int16, 599).alias("status"),
            (part.optional("cache_hit", as_numbers, 0.0).fill_null(0) > 0).alias("cached"),
            part.optional("consumer", as_words).alias(SEGMENT + CONSUMER),
            part.optional("remote_ip", as_words).alias(SEGMENT + REMOTE_IP),
            part.optional("host_ip", as_words).alias(SEGMENT + HOST_IP),
        ]
    )
    for name in ("response_time", "execution_time"):
        times = part.optional(name, as_numbers).fill_null(0).to_numpy()
        part.note(name, ~(np.isfinite(times) & (times >= 0)), "Must be a number of milliseconds from 0 on.")
    if not per_request or not part.has("request_id"):
        return events
    named = events.with_columns(request=part.read("request_id", as_words))
    first = [pl.col(name).first() for name in events.columns if name not in ("n", "status")]
    worst = pl.col("status").max()
    grouped = named.group_by("request", maintain_order=True).agg(pl.col("n").sum(), worst, *first)
    return grouped.select(events.columns)


def _whole(part: Part, name: str, default: float, kind: type[pl.DataType], most: int) -> pl.Series:
    """A column of whole numbers from 0 to `most`."""
    numbers = part.optional(name, as_numbers, default).fill_null(default)
    values = numbers.to_numpy()
    with np.errstate(invalid="ignore"):
        wrong = ~((values >= 0) & (values <= most) & (values == np.floor(values)))
    part.note(name, wrong, f"Must be a whole number from 0 to {most:,}.")
    return pl.Series(name, np.where(wrong, 0, values)).cast(kind)
