"""Bulk files: CSV, NDJSON and Parquet tables as predictions, service events or actuals.

Columns of predictions: `timestamp`, `association_id`, features and segment attributes by name, `prediction` or
`prediction_<class>` (or `prediction` as a list of probabilities), `batch_id`, `model_id`; of generated text also
`prompt` (or the model's own name of it) and `contexts`, a list or its JSON. With `response_time`, `execution_time`,
`status_code` or `consumer` the rows also make service events, one for each `request_id`, or one a row without such a
column. Every bad row is told, not only the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deployments.ingest.actuals import champion_shape, prepared
from deployments.ingest.checks import Checks, Mask
from deployments.ingest.columns import WRONG_ID, Columns, of_classes, wrong_ids, wrong_prediction, wrong_predictions
from deployments.ingest.errors import Problems, Refused
from deployments.ingest.files_service import SERVED, SERVICE_COLUMNS, events_of, requests
from deployments.ingest.files_text import text_columns
from deployments.ingest.forecasts import Rules, automatic, complete
from deployments.ingest.forecasts_files import given_in
from deployments.ingest.listed import listed_probabilities
from deployments.ingest.places import REQUIRED_ID, Places
from deployments.ingest.prepared import Intake, Prepared, Times, microseconds
from deployments.ingest.reading import ROW, Part, RowProblems
from deployments.ingest.shape import Shape, shape_of
from deployments.ingest.tables import as_flags, as_numbers, as_times, as_words
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


@dataclass(frozen=True)
class Home:
    """Where rows go unless a column says otherwise."""

    model_id: str | None = None
    batch_id: str | None = None


@dataclass(frozen=True)
class ActualColumns:
    """What the columns of actuals are called; those that are None are not looked for."""

    association_id: str = "association_id"
    actual_value: str = "actual_value"
    was_acted_on: str | None = "was_acted_on"
    timestamp: str | None = "timestamp"


def take_predictions(deployment: Deployment, table: pl.DataFrame, home: Home, now: datetime) -> Intake:
    """All rows of a table of predictions. Raises Refused with what is wrong."""
    intake, problems = Intake(), RowProblems()
    rules, checks = Rules.of(deployment), Checks.of(deployment)
    for place, part in _by_home(deployment, table, home, now, problems):
        shape = shape_of(place.model)
        block = _columns(part, shape, place.places, now, intake)
        at = block.at
        told = complete(block, given_in(part, shape, rules), shape, rules, part.note)
        _within(part, block, rules.times(place.places.times), rules.by_date.enabled)
        if problems.any:
            continue
        made = part.numbers[told.made]
        checked = checks.check(block.frame(shape), place.model, lambda row: {"row": int(made[row])}, intake)  # noqa: B023
        events = requests(part, at, _over(told.made, checked.turned_down))
        if events is not None:
            own = not SERVICE_COLUMNS & set(part.rows.columns)
            intake.parts.append(Prepared(BlockKind.SERVICE, place.model.pk, place.batch, events, own))
        if checked.rows.height:
            intake.parts.append(Prepared(BlockKind.PREDICTIONS, place.model.pk, place.batch, checked.rows))
        if told.happened is not None:
            intake.parts.append(automatic(told.happened, now))
    problems.check()
    return intake


def _over(made: Mask, turned_down: Mask) -> Mask:
    """Which rows of a part were turned down, history among them."""
    over = np.zeros(len(made), np.bool_)
    over[made] = turned_down
    return over


def take_service(deployment: Deployment, table: pl.DataFrame, home: Home, now: datetime) -> Intake:
    """All rows of a table of service events, one row a request."""
    intake, problems = Intake(), RowProblems()
    for place, part in _by_home(deployment, table, home, now, problems):
        events = events_of(part, _times(part, place.places, now), per_request=False)
        intake.parts.append(Prepared(BlockKind.SERVICE, place.model.pk, place.batch, events))
    problems.check()
    return intake


def take_actuals(
    deployment: Deployment,
    table: pl.DataFrame,
    now: datetime,
    *,
    keep_unmatched: bool,
    columns: ActualColumns | None = None,
) -> Intake:
    """All rows of a table of actuals. Raises Refused with what is wrong."""
    named = columns or ActualColumns()
    _need(table, named.association_id, named.actual_value)
    shape, part = champion_shape(deployment), Part(table, RowProblems())
    ids = part.read(named.association_id, as_words)
    part.note(named.association_id, ids.is_null().to_numpy(), "An actual needs an association id.")
    _check_ids(part, named.association_id, ids)
    acted = part.optional(named.was_acted_on or "", as_flags)
    given = part.optional(named.timestamp or "", as_times)
    outcomes = _outcomes(part, named.actual_value, shape)
    part.problems.check()
    rows = pl.DataFrame([ids.alias("id"), outcomes.alias("y"), acted.alias("acted"), given.alias("given")])
    return prepared(rows, now, keep_unmatched=keep_unmatched)


@dataclass(frozen=True)
class _Found:
    places: Places
    model: DeployedModel
    batch: int | None


def _by_home(
    deployment: Deployment, table: pl.DataFrame, home: Home, now: datetime, problems: RowProblems
) -> list[tuple[_Found, Part]]:
    if not table.height:
        raise Refused({"file": "There are no rows."})
    whole = Part(table, problems)
    homes = [
        pl.Series(name, [default] * table.height, pl.String)
        if not whole.has(name)
        else whole.read(name, as_words).alias(name)
        for name, default in (("batch_id", home.batch_id), ("model_id", home.model_id))
    ]
    numbered = table.with_columns(*homes, pl.Series(ROW, np.arange(table.height)))
    groups = numbered.partition_by("model_id", "batch_id", maintain_order=True, as_dict=True)
    places = Places.of(deployment, {str(batch) for _, batch in groups if batch is not None}, now)
    found: list[tuple[_Found, Part]] = []
    for (model_id, batch_id), rows in groups.items():
        part = Part(rows, problems)
        model = places.model(None if model_id is None else str(model_id), "model_id")
        batch = places.batch(None if batch_id is None else str(batch_id), "batch_id")
        for name, text in places.problems.errors.items():
            part.note(name, np.ones(rows.height, np.bool_), text)
        places.problems = Problems()
        if model is not None:
            found.append((_Found(places, model, batch), part))
    return found


def _columns(part: Part, shape: Shape, places: Places, now: datetime, intake: Intake) -> Columns:
    columns = Columns(_times(part, places, now))
    if part.has("association_id"):
        columns.ids = part.read("association_id", as_words)
        _check_ids(part, "association_id", columns.ids)
    if places.requires_ids:
        missing = np.ones(part.rows.height, np.bool_) if columns.ids is None else columns.ids.is_null().to_numpy()
        part.note("association_id", missing, REQUIRED_ID)
    columns.predictions = _predictions(part, shape)
    if shape.target.is_text:
        part = text_columns(part, shape, columns)
    for name, attribute in SERVED.items():
        if part.has(name):
            columns.segments[attribute] = part.read(name, as_words)
    for name in part.rows.columns:
        kind = shape.features.get(name)
        if kind is FeatureType.NUMERIC:
            columns.features[name] = part.read(name, as_numbers)
        elif kind is not None:
            columns.features[name] = part.read(name, as_words)
        elif name in shape.segments:
            columns.segments[name] = part.read(name, as_words)
        elif (
            name not in RESERVED
            and not name.startswith("prediction")
            and name not in (*intake.ignored, ROW)
            and not shape.reads(name)
        ):
            intake.ignored.append(name)
    return columns


def _within(part: Part, block: Columns, times: Times, by_date: bool) -> None:
    """Dates on which rows count must lie within what is kept; other times were looked at when they were read."""
    if by_date and len(block.at) and ((block.at < times.first) | (block.at > times.last)).any():
        row = int(((block.at < times.first) | (block.at > times.last)).argmax())
        part.problems.whole["predictionsByForecastDate"] = times.problem(int(block.at[row]))


def _predictions(part: Part, shape: Shape) -> list[pl.Series]:
    if shape.target.is_text:
        return [part.read("prediction", as_words)] if part.has("prediction") else []
    if not shape.target.classes:
        names = {"": "prediction"}
    else:
        names = {label: f"prediction_{label}" for label in shape.order}
    given = {label: part.read(name, as_numbers) for label, name in names.items() if part.has(name)}
    if shape.target.classes and not given and part.has("prediction"):
        return _of_one_column(part, shape)
    if not given:
        return []
    if shape.target.kind is TargetType.MULTICLASS and len(given) < len(names):
        missing = next(name for name in names.values() if not part.has(name))
        raise Refused({missing: "Every class needs its column."})
    for label, column in given.items():
        part.note(names[label], wrong_predictions(column, shape), wrong_prediction(shape))
    return of_classes(given, shape) if shape.target.classes else list(given.values())


def _of_one_column(part: Part, shape: Shape) -> list[pl.Series]:
    """A list of probabilities in each row, or of two classes the positive one's."""
    column = part.rows["prediction"]
    if shape.target.is_binary and column.dtype.is_numeric():
        positive = part.read("prediction", as_numbers)
        part.note("prediction", wrong_predictions(positive, shape), wrong_prediction(shape))
        return [positive]
    probabilities, wrong = listed_probabilities(column, shape.order)
    part.note("prediction", wrong, f"Expected {len(shape.order)} probabilities, got {{value}}.")
    out_of_range = np.zeros(part.rows.height, np.bool_)
    for series in probabilities.values():
        out_of_range |= wrong_predictions(series, shape)
    part.note("prediction", out_of_range & ~wrong, wrong_prediction(shape))
    return of_classes(probabilities, shape)


def _check_ids(part: Part, name: str, ids: pl.Series) -> None:
    part.note(name, wrong_ids(ids), WRONG_ID)


def _times(part: Part, places: Places, now: datetime) -> NDArray[np.int64]:
    if not part.has("timestamp"):
        return np.full(part.rows.height, microseconds(now), np.int64)
    times = part.read("timestamp", as_times)
    part.note("timestamp", part.rows["timestamp"].is_null().to_numpy(), "Every row needs a time.")
    known = times.is_not_null().to_numpy()
    at = times.fill_null(microseconds(now)).to_numpy()
    outside = known & ((at < places.times.first) | (at > places.times.last))
    part.note("timestamp", outside, lambda row: places.times.problem(int(at[row])))
    return at


def _outcomes(part: Part, name: str, shape: Shape) -> pl.Series:
    if shape.target.kind is TargetType.REGRESSION:
        numbers = part.read(name, as_numbers)
        noted = {row for row, column, _ in part.problems.found if column == name}
        if not noted and name not in part.problems.whole:
            part.note(name, (~numbers.is_finite().fill_null(False)).to_numpy(), "Expected a number.")
        return numbers
    given = part.read(name, as_words)
    if shape.target.is_text:
        part.note(name, given.is_null().to_numpy(), "Expected a text.")
        return given
    labels = given.replace_strict(dict(shape.labels), default=None, return_dtype=pl.String)
    names = ", ".join(shape.order[:10])
    part.note(name, labels.is_null().to_numpy(), f"{{value}} is not one of the classes {names}.")
    return labels


def _need(table: pl.DataFrame, *names: str) -> None:
    missing = {name: "This column is required." for name in names if name not in table.columns}
    if missing:
        raise Refused(missing)
