"""Predictions in JSON: parallel columns, checked as a whole before anything is stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
import numpy as np
import polars as pl
from django.conf import settings

from deployments.blocks import SKIP_ACCURACY, SKIP_DRIFT
from deployments.ingest import values
from deployments.ingest.bodies import Column, PredictionColumns, PredictionsBody
from deployments.ingest.checks import Checks
from deployments.ingest.columns import (
    Columns,
    check_ids,
    check_predictions,
    of_classes,
    ordered_classes,
    passages_json,
)
from deployments.ingest.errors import Problems, TooMuch
from deployments.ingest.forecasts import Rules, automatic, complete
from deployments.ingest.forecasts_json import given_in, noting
from deployments.ingest.places import REQUIRED_ID, Places
from deployments.ingest.prepared import Intake, Prepared, microseconds
from deployments.ingest.shape import CONSUMER, HOST_IP, REMOTE_IP, Shape, shape_of
from deployments.models import BlockKind, Deployment, FeatureType

SERVED = {"consumer": CONSUMER, "remoteIp": REMOTE_IP, "hostIp": HOST_IP}
"""Short names of the segment attributes that every deployment has."""

_ROWS_OF_CLASSES = msgspec.json.Decoder(list[list[float] | float | None])


def take(deployment: Deployment, body: PredictionsBody, now: datetime) -> Intake:
    """All predictions of a body. Raises Refused with what is wrong, TooMuch beyond MAX_JSON_ROWS."""
    places = Places.of(deployment, (item.batch_id for item in body.data), now)
    rules = Rules.of(deployment)
    places.times = rules.times(places.times)
    skip = SKIP_DRIFT * body.skip_drift_tracking + SKIP_ACCURACY * body.skip_accuracy_tracking
    intake, checks = Intake(), Checks.of(deployment)
    for number, item in enumerate(body.data):
        _take_one(item, number, places, now, skip, intake, checks, rules)
        if intake.n_rows > settings.MAX_JSON_ROWS:
            raise TooMuch(f"At most {settings.MAX_JSON_ROWS} rows a request (MAX_JSON_ROWS).")
    places.problems.check()
    return intake


def _take_one(
    item: PredictionColumns,
    number: int,
    places: Places,
    now: datetime,
    skip: int,
    intake: Intake,
    checks: Checks,
    rules: Rules,
) -> None:
    place = f"data[{number}]"
    model = places.model(item.model_id, f"{place}.modelId")
    batch = places.batch(item.batch_id, f"{place}.batchId")
    if model is None:
        return
    shape, problems = shape_of(model), places.problems
    predictions = _predictions(item, shape, f"{place}.predictions", problems)
    features = _features(item.features, shape, place, problems, intake)
    contexts = _prompts_and_contexts(item, shape, place, problems, features)
    segments = _segments(item.segments, place, problems)
    given = given_in(item, shape, rules, place, problems)
    ids = _ids(item, place, problems)
    if places.requires_ids and (ids is None or ids.null_count()):
        where = "" if ids is None else f"[{ids.is_null().arg_max()}]"
        problems.add(f"{place}.associationIds{where}", REQUIRED_ID)
    named = {f"{place}.predictions": predictions[0]} if predictions else {}
    named |= {f"{place}.features[{name}]": column for name, column in features.items()}
    named |= {f"{place}.segments[{name}]": column for name, column in segments.items()}
    named |= {} if contexts is None else {f"{place}.contexts": contexts}
    named |= {} if ids is None else {f"{place}.associationIds": ids}
    named |= {f"{place}.forecasts.{name}": column for name, column in given.named.items()}
    rows = len(item.timestamps) if item.timestamps is not None else max(map(len, named.values()), default=0)
    if not rows:
        problems.add(place, "There are no rows.")
        return
    for name, column in named.items():
        if len(column) != rows:
            problems.add(name, f"Expected {rows} values, got {len(column)}.")
    at = _times(item, rows, place, now, problems)
    columns = Columns(at, ids, predictions, features, segments, skip, contexts)
    if problems.errors:
        return
    told = complete(columns, given, shape, rules, noting(problems, place))
    at = columns.at
    places.times.check(at, f"{place}.timestamps[{{row}}]" if item.timestamps else f"{place}.timestamp", problems)
    if problems.errors:
        return
    if len(at):
        made = np.flatnonzero(told.made)
        block = columns.frame(shape)
        checked = checks.check(block, model, lambda row: {"data": number, "row": int(made[row])}, intake)
        intake.parts += checked.events(model, batch)
        intake.parts.append(Prepared(BlockKind.PREDICTIONS, model.pk, batch, checked.rows))
    if told.happened is not None:
        intake.parts.append(automatic(told.happened, now))


def _times(
    item: PredictionColumns, rows: int, place: str, now: datetime, problems: Problems
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    if item.timestamps is not None:
        return values.times(item.timestamps, f"{place}.timestamps[{{row}}]", problems)
    if item.timestamp is None:
        return np.full(rows, microseconds(now), np.int64)
    return np.repeat(values.times([item.timestamp], f"{place}.timestamp", problems), rows)


def _ids(item: PredictionColumns, place: str, problems: Problems) -> pl.Series | None:
    if item.association_ids is None:
        return None
    ids = pl.Series([None if value is None else str(value) for value in item.association_ids], dtype=pl.String)
    check_ids(ids, f"{place}.associationIds[{{row}}]", problems)
    return ids


def _features(
    given: Sequence[Column], shape: Shape, place: str, problems: Problems, intake: Intake
) -> dict[str, pl.Series]:
    features: dict[str, pl.Series] = {}
    for column in given:
        where = f"{place}.features[{column.name}]"
        kind = shape.features.get(column.name)
        if column.name in features:
            problems.add(where, "This feature is given twice.")
        elif kind is FeatureType.NUMERIC:
            features[column.name] = values.numbers(column.values, where, problems)
        elif kind is not None or column.name in shape.segments:
            features[column.name] = values.words(column.values, where, problems)
        elif column.name not in intake.ignored and not shape.reads(column.name):
            intake.ignored.append(column.name)
    return features


def _prompts_and_contexts(
    item: PredictionColumns, shape: Shape, place: str, problems: Problems, features: dict[str, pl.Series]
) -> pl.Series | None:
    """Puts the prompts among the features and returns the contexts; both are of models that generate text only."""
    given = {"prompts": bytes(item.prompts) not in (b"", b"null"), "contexts": item.contexts is not None}
    if not shape.target.is_text:
        for name in (name for name, there in given.items() if there):
            problems.add(f"{place}.{name}", "The model does not generate text.")
        return None
    if given["prompts"]:
        if shape.prompt in features:
            problems.add(f"{place}.prompts", f"The prompts are given twice, here and as {shape.prompt!r}.")
        features[shape.prompt] = values.words(item.prompts, f"{place}.prompts", problems)
    if item.contexts is None:
        return None
    return pl.Series([None if row is None else passages_json(row) for row in item.contexts], dtype=pl.String)


def _segments(given: Sequence[Column], place: str, problems: Problems) -> dict[str, pl.Series]:
    return {
        SERVED.get(column.name, column.name): values.words(column.values, f"{place}.segments[{column.name}]", problems)
        for column in given
    }


def _predictions(item: PredictionColumns, shape: Shape, place: str, problems: Problems) -> list[pl.Series]:
    if bytes(item.predictions) in (b"", b"null"):
        return []
    if shape.target.is_text:
        return [values.words(item.predictions, place, problems)]
    if not shape.target.classes:
        columns = [values.numbers(item.predictions, place, problems)]
        check_predictions(columns, shape, place + "[{row}]", problems)
        return columns
    classes = ordered_classes(item.class_names, shape, place.replace("predictions", "classNames"), problems)
    table = _table(item.predictions, classes, shape, place, problems)
    if table is None:
        return []
    columns = [pl.Series(table[:, number]) for number in range(len(classes))]
    check_predictions(columns, shape, place + "[{row}][{column}]", problems)
    return of_classes(dict(zip(classes, columns, strict=True)), shape)


def _table(
    raw: msgspec.Raw, classes: Sequence[str], shape: Shape, place: str, problems: Problems
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]] | None:
    """Probabilities by row and class; a row that is one number gives the positive class of two."""
    try:
        rows = _ROWS_OF_CLASSES.decode(raw)
    except msgspec.ValidationError as error:
        values.note(error, place, problems)
        return None
    width = len(classes)
    full: list[list[float]] = []
    for number, row in enumerate(rows):
        if row is None:
            full.append([np.nan] * width)
        elif isinstance(row, list) and len(row) == width:
            full.append(row)
        elif isinstance(row, float) and shape.target.is_binary:
            full.append([row if name == shape.target.classes[1] else 1 - row for name in classes])
        else:
            problems.add(f"{place}[{number}]", f"Expected {width} probabilities.")
            return None
    return np.array(full, np.float64).reshape(len(full), width)
