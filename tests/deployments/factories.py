"""Small builders: a user, a model of each kind, a deployment, and rows sent through the real door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import msgspec
import numpy as np
from django.contrib.auth.models import User

from deployments import registry
from deployments.ingest import actuals, bodies, predictions, service, store
from deployments.ingest.prepared import Intake
from deployments.models import BlockKind, Deployment, Feature, ModelPackage
from deployments.rollups import fill
from metrics import BinSpec, fit_categorical, fit_numeric

NOW = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
"""The clock of these tests: a Monday."""

HOUR = datetime(2026, 3, 2, 9, tzinfo=UTC)
AGES = np.arange(20.0, 70.0)
TOWNS = ["Bergen", "Oslo"] * 25
_numbers = count()


def make_user(**overrides: Any) -> User:
    number = next(_numbers)
    return User.objects.create_user(**{"username": f"user{number}", "email": f"user{number}@example.org", **overrides})


def make_package(kind: str = "Binary", *, place: bool = False, **overrides: Any) -> ModelPackage:
    """A model with a numeric feature `age` and a categorical one `town`, baselines of 50 training rows.

    With `place` it also has a geospatial one of that name.
    """
    classes = {"Binary": ["no", "yes"], "Multiclass": ["red", "green", "blue"], "Regression": [], "TextGeneration": []}[
        kind
    ]
    values: dict[str, Any] = {
        "name": "A model",
        "target_name": "target",
        "target_type": kind,
        "class_names": classes,
        "positive_class": "yes" if kind == "Binary" else "",
        "training_rows": len(AGES),
        "segment_attributes": ["town"],
    }
    package = ModelPackage.objects.create(**values | overrides)
    _feature(package, 0, "age", "Numeric", fit_numeric(AGES), AGES)
    _feature(package, 1, "town", "Categorical", fit_categorical(TOWNS), TOWNS)
    if place:
        Feature.objects.create(package=package, position=2, name="place", kind="Geospatial")
    return package


def _feature(package: ModelPackage, position: int, name: str, kind: str, bins: BinSpec, values: Any) -> None:
    counts = bins.tally(values, np.zeros(len(values), np.int64), 1)[0]
    Feature.objects.create(
        package=package,
        position=position,
        name=name,
        kind=kind,
        tracked=True,
        bins=bins.to_dict(),
        baseline={"counts": counts.tolist(), "segments": {}},
    )


def make_deployment(
    kind: str = "Binary",
    *,
    segments: bool = False,
    place: bool = False,
    more_settings: Mapping[str, Any] | None = None,
    **overrides: Any,
) -> Deployment:
    """A deployment with such a model as champion; segments are off unless asked for."""
    package = make_package(kind, place=place)
    names = ["town"] * segments + ["place"] * place
    chosen: dict[str, Any] = {"segmentAnalysis": {"enabled": bool(names), "attributes": names}}
    chosen |= more_settings or {}
    values: dict[str, Any] = {"settings": chosen, "started_at": NOW - timedelta(days=60)}
    return registry.create_deployment(package, "A deployment", make_user(), **values | overrides)


def send_predictions(
    deployment: Deployment,
    predicted: Sequence[Any],
    *,
    at: datetime | Sequence[datetime] = HOUR,
    ids: Sequence[str | None] | None = None,
    ages: Sequence[float | None] | None = None,
    towns: Sequence[str | None] | None = None,
    places: Sequence[str | None] | None = None,
    request_id: str | None = None,
    received: datetime = NOW,
    **more: Any,
) -> store.Outcome:
    """Predictions through the JSON door's own code."""
    item: dict[str, Any] = {"predictions": predicted, "features": []}
    if isinstance(at, datetime):
        item["timestamp"] = at.isoformat()
    else:
        item["timestamps"] = [moment.isoformat() for moment in at]
    if ids is not None:
        item["associationIds"] = ids
    for name, values in (("age", ages), ("town", towns), ("place", places)):
        if values is not None:
            item["features"].append({"name": name, "values": values})
    flags = {name: more.pop(name) for name in ("skipDriftTracking", "skipAccuracyTracking") if name in more}
    raw = msgspec.json.encode({"data": [item | more], **flags})
    body = msgspec.json.decode(raw, type=bodies.PredictionsBody)
    return _accept(
        deployment, BlockKind.PREDICTIONS, raw, predictions.take(deployment, body, received), request_id, received
    )


def send_service(
    deployment: Deployment, events: Sequence[Mapping[str, Any]], *, received: datetime = NOW
) -> store.Outcome:
    """Service events through the JSON door's own code."""
    raw = msgspec.json.encode({"data": [{"timestamp": HOUR.isoformat(), **event} for event in events]})
    body = msgspec.json.decode(raw, type=bodies.ServiceBody)
    return _accept(deployment, BlockKind.SERVICE, raw, service.take(deployment, body, received), None, received)


def send_actuals(
    deployment: Deployment,
    values: Mapping[str, Any],
    *,
    keep: bool = True,
    request_id: str | None = None,
    received: datetime = NOW,
) -> store.Outcome:
    """Actuals by association id, through the JSON door's own code."""
    rows = [{"associationId": name, "actualValue": value} for name, value in values.items()]
    raw = msgspec.json.encode({"data": rows, "keepActualsWithoutPredictions": keep})
    body = msgspec.json.decode(raw, type=bodies.ActualsBody)
    return _accept(deployment, BlockKind.ACTUALS, raw, actuals.take(deployment, body, received), request_id, received)


def roll_up(deployment: Deployment) -> None:
    """Everything that was sent becomes states."""
    assert fill.run(deployment.pk, NOW)
    deployment.refresh_from_db()


def _accept(
    deployment: Deployment, kind: BlockKind, raw: bytes, intake: Intake, request_id: str | None, received: datetime
) -> store.Outcome:
    request = store.Request(kind, store.digest(raw), request_id, received)
    return store.answered(deployment, request) or store.accept(
        deployment, request, intake, lambda row: {"rows": intake.n_rows, "ignored": intake.ignored}
    )
