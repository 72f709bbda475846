"""Bulk files: CSV, NDJSON and Parquet tables as predictions, service events or actuals.

Columns of predictions: `timestamp`, `association_id`, features and segment attributes by name, `prediction` or
`prediction_<class>`, `batch_id`, `model_id`; of generated text also `prompt` (or the model's own name of it) and
`contexts`, a list or its JSON. With `response_time`, `execution_time`, `status_code` or `consumer` the
rows also make service events, one for each `request_id`, or one a row without such a column.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
import polars as pl

from deployments.blocks import CONTEXTS, SEGMENT
from deployments.ingest.actuals import champion_shape, prepared
from deployments.ingest.bodies import Passage
from deployments.ingest.checks import TURNED_DOWN, Checks, Mask
from deployments.ingest.columns import Columns, check_ids, check_predictions, of_classes, passages_json
from deployments.ingest.errors import Refused
from deployments.ingest.places import Places
from deployments.ingest.prepared import Intake, Prepared, microseconds
from deployments.ingest.shape import CONSUMER, HOST_IP, REMOTE_IP, Shape, shape_of
from deployments.ingest.tables import BadColumn, as_numbers, as_times, as_words
from deployments.models import BlockKind, DeployedModel, Deployment, FeatureType
from metrics import TargetType

RESERVED = frozenset(
    {
        "timestamp",
        "association_id",
        "batch_id",
        "model_id",
        "request_id",
        "response_time",
        "execution_time",
        "status_code",
        "consumer",
        "remote_ip",
        "host_ip",
        "cache_hit",
        "num_predictions",
    }
)
Passages = list[Passage | str] | None
_PASSAGES = msgspec.json.Decoder(Passages)
SERVED = {"consumer": CONSUMER, "remote_ip": REMOTE_IP, "host_ip": HOST_IP}
"""Columns of the segment attributes that every deployment has."""

_NUMBER = "\x00number"
SERVICE_COLUMNS = frozenset({"response_time", "execution_time", "status_code", "consumer"})


@dataclass(frozen=True)
class Home:
    """Where rows go unless a column says otherwise."""

    model_id: str | None = None
    batch_id: str | None = None


def take_predictions(deployment: Deployment, table: pl.DataFrame, home: Home, now: datetime) -> Intake:
    """All rows of a table of predictions. Raises Refused with what is wrong."""
    intake, checks = Intake(), Checks.of(deployment)
    for place, rows in _by_home(deployment, table, home, now):
        shape = shape_of(place.model)
        block = _columns(rows, shape, place.places, now, intake)
        checked = checks.check(block.frame(shape), place.model, place.row, intake)
        events = _requests(rows.with_columns(at=pl.Series(block.at)), checked.turned_down)
        if events is not None:
            own = not SERVICE_COLUMNS & set(rows.columns)
            intake.parts.append(Prepared(BlockKind.SERVICE, place.model.pk, place.batch, events, own))
        intake.parts.append(Prepared(BlockKind.PREDICTIONS, place.model.pk, place.batch, checked.rows))
    return intake


def _requests(rows: pl.DataFrame, turned_down: Mask) -> pl.DataFrame | None:
    """The requests behind rows of predictions: all if the file tells of them, else those that were turned down."""
    if not SERVICE_COLUMNS & set(rows.columns):
        if not turned_down.any():
            return None
        rows, turned_down = rows.filter(pl.Series(turned_down)), turned_down[turned_down]
    if turned_down.any():
        refused = pl.Series(turned_down)
        status = _optional(rows, "status_code", as_numbers, 200.0).fill_null(200)
        made = _optional(rows, "num_predictions", as_numbers, 1.0)
        rows = rows.with_columns(
            pl.when(refused & (status < 400)).then(float(TURNED_DOWN)).otherwise(status).alias("status_code"),
            pl.when(refused).then(0.0).otherwise(made).alias("num_predictions"),
        )
    return _events(rows, per_request=True)


def take_service(deployment: Deployment, table: pl.DataFrame, home: Home, now: datetime) -> Intake:
    """All rows of a table of service events, one row a request."""
    intake = Intake()
    for place, rows in _by_home(deployment, table, home, now):
        at = _times(rows, place.places, now)
        events = _events(rows.with_columns(at=pl.Series(at)), per_request=False)
        intake.parts.append(Prepared(BlockKind.SERVICE, place.model.pk, place.batch, events))
    return intake


def take_actuals(deployment: Deployment, table: pl.DataFrame, now: datetime, *, keep_unmatched: bool) -> Intake:
    """All rows of a table of actuals: `association_id`, `actual_value`, and if given `was_acted_on`, `timestamp`."""
    _need(table, "association_id", "actual_value")
    shape = champion_shape(deployment)
    ids = _read(table, "association_id", as_words)
    if ids.null_count():
        raise Refused({f"association_id[{ids.is_null().arg_max()}]": "An actual needs an association id."})
    places = Places.of(deployment, (), now)
    check_ids(ids, "association_id[{row}]", places.problems)
    places.problems.check()
    acted = table["was_acted_on"].cast(pl.Boolean) if "was_acted_on" in table.columns else None
    given = _read(table, "timestamp", as_times) if "timestamp" in table.columns else None
    rows = pl.DataFrame(
        [
            ids.alias("id"),
            _outcomes(table, shape).alias("y"),
            pl.Series("acted", [None] * table.height if acted is None else acted, pl.Boolean),
            pl.Series("given", [None] * table.height if given is None else given, pl.Int64),
        ]
    )
    return prepared(rows, now, keep_unmatched=keep_unmatched)


@dataclass(frozen=True)
class _Found:
    places: Places
    model: DeployedModel
    batch: int | None
    numbers: pl.Series

    def row(self, place: int) -> dict[str, Any]:
        """The number of a row in its file, from 0."""
        return {"row": int(self.numbers[place])}


def _by_home(
    deployment: Deployment, table: pl.DataFrame, home: Home, now: datetime
) -> list[tuple[_Found, pl.DataFrame]]:
    if not table.height:
        raise Refused({"file": "There are no rows."})
    for name, default in (("batch_id", home.batch_id), ("model_id", home.model_id)):
        if name not in table.columns:
            table = table.with_columns(pl.lit(default, pl.String).alias(name))
        else:
            table = table.with_columns(_read(table, name, as_words).alias(name))
    table = table.with_row_index(_NUMBER)
    groups = table.partition_by("model_id", "batch_id", maintain_order=True, as_dict=True)
    places = Places.of(deployment, {str(batch) for _, batch in groups if batch is not None}, now)
    found: list[tuple[_Found, pl.DataFrame]] = []
    for (model_id, batch_id), rows in groups.items():
        model = places.model(None if model_id is None else str(model_id), "model_id")
        batch = places.batch(None if batch_id is None else str(batch_id), "batch_id")
        if model is not None:
            found.append((_Found(places, model, batch, rows[_NUMBER]), rows.drop(_NUMBER)))
    places.problems.check()
    return found


def _columns(rows: pl.DataFrame, shape: Shape, places: Places, now: datetime, intake: Intake) -> Columns:
    columns = Columns(_times(rows, places, now))
    if "association_id" in rows.columns:
        columns.ids = _read(rows, "association_id", as_words)
        check_ids(columns.ids, "association_id[{row}]", places.problems)
    columns.predictions = _predictions(rows, shape, places)
    if shape.target.is_text:
        rows = _text_columns(rows, shape, columns)
    for name, attribute in SERVED.items():
        if name in rows.columns:
            columns.segments[attribute] = _read(rows, name, as_words)
    for name in rows.columns:
        kind = shape.features.get(name)
        if kind is FeatureType.NUMERIC:
            columns.features[name] = _read(rows, name, as_numbers)
        elif kind is not None:
            columns.features[name] = _read(rows, name, as_words)
        elif name in shape.segments:
            columns.segments[name] = _read(rows, name, as_words)
        elif name not in RESERVED and not name.startswith("prediction") and name not in intake.ignored:
            intake.ignored.append(name)
    places.problems.check()
    return columns


def _text_columns(rows: pl.DataFrame, shape: Shape, columns: Columns) -> pl.DataFrame:
    """Takes the contexts out, and gives the prompts their own name."""
    if CONTEXTS in rows.columns:
        columns.contexts = _contexts(rows[CONTEXTS])
        rows = rows.drop(CONTEXTS)
    if "prompt" in rows.columns and shape.prompt not in rows.columns:
        rows = rows.rename({"prompt": shape.prompt})
    return rows


def _contexts(column: pl.Series) -> pl.Series:
    """Lists of passages, as lists or as their JSON."""
    found: list[str | None] = []
    for row, given in enumerate(column.to_list()):
        try:
            rows = _PASSAGES.decode(given) if isinstance(given, str) else msgspec.convert(given, Passages)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise Refused({f"{CONTEXTS}[{row}]": f"Expected a list of passages: {error}"}) from None
        found.append(None if rows is None else passages_json(rows))
    return pl.Series(CONTEXTS, found, pl.String)


def _predictions(rows: pl.DataFrame, shape: Shape, places: Places) -> list[pl.Series]:
    if shape.target.is_text:
        return [_read(rows, "prediction", as_words)] if "prediction" in rows.columns else []
    if not shape.target.classes:
        names = {"": "prediction"}
    else:
        names = {label: f"prediction_{label}" for label in shape.order}
    given = {label: _read(rows, name, as_numbers) for label, name in names.items() if name in rows.columns}
    if shape.target.is_binary and not given and "prediction" in rows.columns:
        given = {shape.target.classes[1]: _read(rows, "prediction", as_numbers)}
    if not given:
        return []
    if shape.target.kind is TargetType.MULTICLASS and len(given) < len(names):
        missing = next(name for label, name in names.items() if label not in given)
        raise Refused({missing: "Every class needs its column."})
    check_predictions(list(given.values()), shape, "prediction[{row}]", places.problems)
    return of_classes(given, shape) if shape.target.classes else list(given.values())


def _events(rows: pl.DataFrame, *, per_request: bool) -> pl.DataFrame:
    """Service events as a block; with `per_request` one for each request id, else one a row."""
    events = pl.DataFrame(
        [
            rows["at"],
            _optional(rows, "num_predictions", as_numbers, 1.0 if per_request else 0.0)
            .fill_null(0)
            .cast(pl.Int64)
            .alias("n"),
            _optional(rows, "response_time", as_numbers, None).alias("response"),
            _optional(rows, "execution_time", as_numbers, None).alias("execution"),
            _optional(rows, "status_code", as_numbers, 200.0).fill_null(200).cast(pl.Int16).alias("status"),
            (_optional(rows, "cache_hit", as_numbers, 0.0).fill_null(0) > 0).alias("cached"),
            _optional(rows, "consumer", as_words, None).cast(pl.String).alias(SEGMENT + CONSUMER),
            _optional(rows, "remote_ip", as_words, None).cast(pl.String).alias(SEGMENT + REMOTE_IP),
            _optional(rows, "host_ip", as_words, None).cast(pl.String).alias(SEGMENT + HOST_IP),
        ]
    )
    if not per_request or "request_id" not in rows.columns:
        return events
    named = events.with_columns(request=_read(rows, "request_id", as_words))
    first = [pl.col(name).first() for name in events.columns if name not in ("n", "status")]
    worst = pl.col("status").max()
    grouped = named.group_by("request", maintain_order=True).agg(pl.col("n").sum(), worst, *first)
    return grouped.select(events.columns)


def _times(rows: pl.DataFrame, places: Places, now: datetime) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    if "timestamp" not in rows.columns:
        return np.full(rows.height, microseconds(now), np.int64)
    times = _read(rows, "timestamp", as_times)
    if times.null_count():
        raise Refused({f"timestamp[{times.is_null().arg_max()}]": "Every row needs a time."})
    at = times.to_numpy()
    places.times.check(at, "timestamp[{row}]", places.problems)
    return at


def _outcomes(table: pl.DataFrame, shape: Shape) -> pl.Series:
    if shape.target.kind is TargetType.REGRESSION:
        numbers = _read(table, "actual_value", as_numbers)
        if not numbers.is_finite().fill_null(False).all():
            row = (~numbers.is_finite().fill_null(False)).arg_max()
            raise Refused({f"actual_value[{row}]": "Expected a number."})
        return numbers
    given = _read(table, "actual_value", as_words)
    if shape.target.is_text:
        if given.null_count():
            raise Refused({f"actual_value[{given.is_null().arg_max()}]": "Expected a text."})
        return given
    labels = given.replace_strict(dict(shape.labels), default=None, return_dtype=pl.String)
    if labels.null_count():
        row = labels.is_null().arg_max() or 0
        names = ", ".join(shape.order[:10])
        raise Refused({f"actual_value[{row}]": f"{given[row]!r} is not one of the classes {names}."})
    return labels


def _optional(
    rows: pl.DataFrame, name: str, read: Callable[[pl.Series], pl.Series], default: float | str | None
) -> pl.Series:
    if name in rows.columns:
        return _read(rows, name, read)
    return pl.Series(name, [default] * rows.height, pl.String if read is as_words else pl.Float64)


def _need(table: pl.DataFrame, *names: str) -> None:
    missing = {name: "This column is required." for name in names if name not in table.columns}
    if missing:
        raise Refused(missing)


def _read(rows: pl.DataFrame, name: str, read: Callable[[pl.Series], pl.Series]) -> pl.Series:
    try:
        return read(rows[name])
    except BadColumn as error:
        raise Refused({name if error.row < 0 else f"{name}[{error.row}]": str(error)}) from None
    except pl.exceptions.PolarsError as error:
        raise Refused({name: str(error).splitlines()[0]}) from None
