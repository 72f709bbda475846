"""Actuals: what really happened, by association id. They are matched with predictions by the roll-up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import polars as pl
from django.conf import settings

from deployments.ingest import values
from deployments.ingest.bodies import ActualsBody
from deployments.ingest.errors import Problems, Refused, TooMuch
from deployments.ingest.prepared import Intake, Prepared, microseconds
from deployments.ingest.shape import Shape, shape_of
from deployments.models import BlockKind, Deployment
from metrics import TargetType


def take(deployment: Deployment, body: ActualsBody, now: datetime) -> Intake:
    """All actuals of a body. Raises Refused with what is wrong, TooMuch beyond MAX_JSON_ROWS."""
    if len(body.data) > settings.MAX_JSON_ROWS:
        raise TooMuch(f"At most {settings.MAX_JSON_ROWS} rows a request (MAX_JSON_ROWS).")
    shape, problems = champion_shape(deployment), Problems()
    times = values.times(
        [row.timestamp for row in body.data if row.timestamp is not None], "data[{row}].timestamp", problems
    )
    given = iter(times.tolist())
    rows = pl.DataFrame(
        [
            pl.Series("id", [str(row.association_id) for row in body.data], pl.String),
            outcomes([row.actual_value for row in body.data], shape, "data[{row}].actualValue", problems),
            pl.Series("acted", [row.was_acted_on for row in body.data], pl.Boolean),
            pl.Series("given", [None if row.timestamp is None else next(given) for row in body.data], pl.Int64),
        ]
    )
    problems.check()
    return prepared(rows, now, keep_unmatched=body.keep_actuals_without_predictions)


def prepared(rows: pl.DataFrame, now: datetime, *, keep_unmatched: bool) -> Intake:
    """The actuals as rows to store; they belong to no model, and their time is that of receipt."""
    stamped = rows.with_columns(at=pl.lit(microseconds(now), pl.Int64))
    return Intake([Prepared(BlockKind.ACTUALS, 0, None, stamped)], keep_unmatched=keep_unmatched)


def champion_shape(deployment: Deployment) -> Shape:
    """The shape whose target the actuals are of."""
    if deployment.champion is None:
        raise Refused({"deploymentId": "The deployment has no champion, so actuals have no meaning."})
    return shape_of(deployment.champion)


def outcomes(given: Sequence[values.Word], shape: Shape, place: str, problems: Problems) -> pl.Series:
    """The column `y`: numbers for regression, texts for generated text, else the names of classes."""
    if shape.target.kind is TargetType.REGRESSION:
        return pl.Series("y", [_number(value, row, place, problems) for row, value in enumerate(given)], pl.Float64)
    if shape.target.is_text:
        return pl.Series("y", [values.spelled(value) for value in given], pl.String)
    found: list[str | None] = []
    for row, value in enumerate(given):
        label = shape.labels.get(values.spelled(value) or "")
        if label is None:
            names = ", ".join(shape.order[:10])
            problems.add(place.format(row=row), f"{str(value)[:60]!r} is not one of the classes {names}.")
        found.append(label)
    return pl.Series("y", found, pl.String)


def _number(value: values.Word, row: int, place: str, problems: Problems) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value):
        return float(value)
    problems.add(place.format(row=row), f"Expected a number, got {str(value)[:60]!r}.")
    return None
