"""What is known of a deployment's settings: the present answers and what there is to choose from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from dashboard.tabs.subject import Subject
from metrics import ALL_METRICS, TargetType
from monitoring import questions as q
from monitoring import snapshots
from monitoring.configuration.edits import Payload
from monitoring.configuration.present import QUESTIONS, listed
from monitoring.configuration.values import Known
from monitoring.models import CommandKind, Watched
from monitoring.questions import Question


def payload(subject: Subject, kind: CommandKind) -> Payload:
    """The answer that settings of this kind stand in; {} where the source has not said."""
    found = subject.shelf.payload(QUESTIONS[kind])
    return {**found, **listed(subject.watched)} if kind is CommandKind.DETAILS else found


def known(watched: Watched, at: datetime) -> Known:
    """Features, custom metrics and accuracy metrics of the deployment: one read."""
    found = snapshots.read(watched, [q.features(), q.custom_metrics()], now=at)
    features = list(_entries(found, q.features()))
    metrics = list(_entries(found, q.custom_metrics()))
    return Known(
        features=tuple(str(one["name"]) for one in features if one.get("name")),
        categorical=tuple(
            str(one["name"]) for one in features if one.get("name") and _is_categorical(one.get("featureType"))
        ),
        metrics=tuple((str(one["id"]), str(one.get("name") or one["id"])) for one in metrics if one.get("id")),
        accuracy_metrics=_accuracy_metrics(watched.target_type),
    )


def _entries(found: snapshots.Snapshot, question: Question) -> Iterable[dict[str, Any]]:
    data = found.payload(question).get("data")
    return [one for one in data if isinstance(one, dict)] if isinstance(data, list) else []


def _is_categorical(kind: Any) -> bool:
    return str(kind).lower() in {"categorical", "geospatial", "location"}


def _accuracy_metrics(target: str) -> tuple[str, ...]:
    try:
        return tuple(ALL_METRICS[TargetType(target)])
    except ValueError:
        return ()
